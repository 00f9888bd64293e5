package golden;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.Map;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** The two low-level processors of the vocabulary; both keep their keys in one store and write only
 * when their timer fires. */
abstract class Timers implements Processor<Object, Object, Object, Object> {
  private final String storeName;
  private final PunctuationType clock;
  final long every;
  ProcessorContext<Object, Object> context;
  KeyValueStore<Object, Object> store;

  private Timers(String storeName, PunctuationType clock, long every) {
    this.storeName = storeName;
    this.clock = clock;
    this.every = every;
  }

  static Timers named(String word, String storeName, PunctuationType clock, long every) {
    return switch (word) {
      case "tally" -> new Tally(storeName, clock, every);
      case "silence" -> new Silence(storeName, clock, every);
      default -> throw new IllegalArgumentException("no processor is called " + word);
    };
  }

  @Override
  public void init(ProcessorContext<Object, Object> given) {
    context = given;
    store = given.getStateStore(storeName);
    given.schedule(Duration.ofMillis(every), clock, this::fire);
  }

  abstract void fire(long time);

  /** The store's keys in their text's order. */
  Map<Object, Object> sorted() {
    final Map<Object, Object> all = new TreeMap<>();
    try (KeyValueIterator<Object, Object> each = store.all()) {
      each.forEachRemaining(entry -> all.put(entry.key, entry.value));
    }
    return all;
  }

  private static final class Tally extends Timers {
    Tally(String storeName, PunctuationType clock, long every) {
      super(storeName, clock, every);
    }

    @Override
    public void process(Record<Object, Object> record) {
      final Object old = store.get(record.key());
      store.put(record.key(), old == null ? 1L : (Long) old + 1);
    }

    @Override
    void fire(long time) {
      sorted().forEach((key, count) -> context.forward(new Record<>(key, count, time)));
    }
  }

  /** Kept as "<greatest time> <last value>". */
  private static final class Silence extends Timers {
    Silence(String storeName, PunctuationType clock, long every) {
      super(storeName, clock, every);
    }

    @Override
    public void process(Record<Object, Object> record) {
      final Object old = store.get(record.key());
      final long time =
          old == null ? record.timestamp() : Math.max(record.timestamp(), timeOf(old));
      store.put(record.key(), time + " " + Functions.text(record.value()));
    }

    private static long timeOf(Object kept) {
      return Functions.number(kept.toString().split(" ", 2)[0]);
    }

    @Override
    void fire(long time) {
      sorted()
          .forEach(
              (key, kept) -> {
                if (timeOf(kept) > time - every) return;
                store.delete(key);
                context.forward(new Record<>(key, kept.toString().split(" ", 2)[1], time));
              });
    }
  }
}
