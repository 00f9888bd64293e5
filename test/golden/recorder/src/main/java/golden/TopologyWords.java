package golden;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** Builds a topology from a scenario's words with Kafka Streams' own DSL, one call per line. */
@SuppressWarnings("unchecked")
final class TopologyWords {
  private static final AnySerde ANY = new AnySerde();

  /** What a peek saw. */
  record Seen(String topic, Object key, Object value) {}

  final List<Seen> seen = new ArrayList<>();
  final List<String> outputs = new ArrayList<>();
  private final StreamsBuilder builder = new StreamsBuilder();
  private final Map<String, Object> made = new HashMap<>();

  TopologyWords(List<String> lines) {
    for (String line : lines) {
      try {
        add(new Words(line));
      } catch (RuntimeException wrong) {
        throw new IllegalArgumentException("in `" + line + "`: " + wrong.getMessage(), wrong);
      }
    }
  }

  Topology topology() {
    return builder.build();
  }

  private <T> T operand(Words words, int position) {
    final Object found = made.get(words.operands.get(position));
    if (found == null)
      throw new IllegalArgumentException("nothing is called " + words.operands.get(position));
    return (T) found;
  }

  private KStream<Object, Object> stream(Words words, int position) {
    final Object found = operand(words, position);
    return found instanceof KTable<?, ?> table
        ? (KStream<Object, Object>) table.toStream()
        : (KStream<Object, Object>) found;
  }

  private void add(Words words) {
    if (words.operator.equals("to")) {
      outputs.add(words.operands.get(1));
      stream(words, 0).to(words.operands.get(1), Produced.with(ANY, ANY));
    } else if (words.operator.equals("branch")) {
      branch(words);
    } else if (made.put(words.result(), build(words)) != null) {
      throw new IllegalArgumentException(words.result() + " is made twice");
    }
  }

  private Object build(Words words) {
    return switch (words.operator) {
      case "stream" -> builder.stream(words.operands.get(0));
      case "table" -> builder.table(words.operands.get(0));
      case "join", "left_join", "outer_join" -> join(words);
      case "group_by", "group_by_key" -> group(words);
      case "tumbling", "hopping", "session" -> window(words);
      case "count", "sum", "reduce", "aggregate" -> fold(words);
      default -> stateless(words);
    };
  }

  private Object stateless(Words words) {
    final Object first = operand(words, 0);
    if (first instanceof KTable<?, ?>) return ofTable(words, (KTable<Object, Object>) first);
    final KStream<Object, Object> stream = (KStream<Object, Object>) first;
    return switch (words.operator) {
      case "filter" -> stream.filter(Functions.predicate(words.one("if")));
      case "map_values" -> stream.mapValues(Functions.value(words.one("by")));
      case "map" -> stream.map(Functions.pair(words.one("by")));
      case "flat_map" -> stream.flatMap(Functions.pairs(words.one("by")));
      case "flat_map_values" -> stream.flatMapValues(Functions::split);
      case "select_key" -> stream.selectKey(Functions.key(words.one("by")));
      case "merge" -> stream.merge(stream(words, 1));
      case "peek" -> stream.peek((k, v) -> seen.add(new Seen(words.one("into"), k, v)));
      case "repartition" -> stream.repartition(Repartitioned.with(ANY, ANY).withName(words.one("topic")));
      case "to_table" -> stream.toTable(Materialized.with(ANY, ANY));
      case "process" -> process(words, stream);
      default -> throw new IllegalArgumentException("no operator is called " + words.operator);
    };
  }

  private Object ofTable(Words words, KTable<Object, Object> table) {
    return switch (words.operator) {
      case "filter" -> table.filter(Functions.predicate(words.one("if")));
      case "map_values" -> table.mapValues(Functions.value(words.one("by")));
      case "to_stream" -> table.toStream();
      case "final" ->
          ((KTable<org.apache.kafka.streams.kstream.Windowed<Object>, Object>) (KTable<?, ?>) table)
              .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()));
      default -> throw new IllegalArgumentException("no operator of tables: " + words.operator);
    };
  }

  private void branch(Words words) {
    final List<String> predicates = words.all("if");
    if (words.results.size() != predicates.size() + 1)
      throw new IllegalArgumentException("one name per predicate and one for the rest");
    BranchedKStream<Object, Object> split = stream(words, 0).split(Named.as("split-"));
    for (int i = 0; i < predicates.size(); ++i)
      split = split.branch(Functions.predicate(predicates.get(i)), Branched.as(words.results.get(i)));
    final String rest = words.results.get(predicates.size());
    split
        .defaultBranch(Branched.as(rest))
        .forEach((name, branch) -> made.put(name.substring("split-".length()), branch));
  }

  private Object process(Words words, KStream<Object, Object> stream) {
    final String store = words.result();
    final PunctuationType clock =
        words.one("clock").equals("wall")
            ? PunctuationType.WALL_CLOCK_TIME
            : PunctuationType.STREAM_TIME;
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(store), ANY, ANY));
    return stream.process(
        () -> Timers.named(words.one("with"), store, clock, words.number("every")), store);
  }

  private Object join(Words words) {
    final Object left = operand(words, 0);
    final Object right = operand(words, 1);
    if (left instanceof KTable<?, ?>)
      return joinTables(
          words.operator, (KTable<Object, Object>) left, (KTable<Object, Object>) right);
    if (right instanceof KTable<?, ?>)
      return joinTable(words, (KStream<Object, Object>) left, (KTable<Object, Object>) right);
    final JoinWindows windows =
        JoinWindows.ofTimeDifferenceAndGrace(
                Duration.ofMillis(Math.max(words.number("before"), words.number("after"))),
                Duration.ofMillis(words.number("grace")))
            .before(Duration.ofMillis(words.number("before")))
            .after(Duration.ofMillis(words.number("after")));
    final StreamJoined<Object, Object, Object> stores =
        StreamJoined.<Object, Object, Object>with(ANY, ANY, ANY).withStoreName(words.result());
    final KStream<Object, Object> l = stream(words, 0);
    final KStream<Object, Object> r = stream(words, 1);
    return switch (words.operator) {
      case "join" -> l.join(r, Functions.JOINED, windows, stores);
      case "left_join" -> l.leftJoin(r, Functions.JOINED, windows, stores);
      default -> l.outerJoin(r, Functions.JOINED, windows, stores);
    };
  }

  private static Object joinTable(
      Words words, KStream<Object, Object> stream, KTable<Object, Object> table) {
    final Joined<Object, Object, Object> serdes = Joined.with(ANY, ANY, ANY, words.result());
    return switch (words.operator) {
      case "join" -> stream.join(table, Functions.JOINED, serdes);
      case "left_join" -> stream.leftJoin(table, Functions.JOINED, serdes);
      default -> throw new IllegalArgumentException("a stream and a table have no outer join");
    };
  }

  private static Object joinTables(
      String operator, KTable<Object, Object> left, KTable<Object, Object> right) {
    return switch (operator) {
      case "join" -> left.join(right, Functions.JOINED);
      case "left_join" -> left.leftJoin(right, Functions.JOINED);
      default -> left.outerJoin(right, Functions.JOINED);
    };
  }

  private Object group(Words words) {
    final Grouped<Object, Object> grouped = Grouped.with(words.result(), ANY, ANY);
    final Object first = operand(words, 0);
    if (words.operator.equals("group_by_key")) return stream(words, 0).groupByKey(grouped);
    return first instanceof KTable<?, ?> table
        ? ((KTable<Object, Object>) table).groupBy(Functions.pair(words.one("by")), grouped)
        : stream(words, 0).groupBy(Functions.key(words.one("by")), grouped);
  }

  private Object window(Words words) {
    final KGroupedStream<Object, Object> group = operand(words, 0);
    final Duration grace = Duration.ofMillis(words.number("grace"));
    if (words.operator.equals("session"))
      return group.windowedBy(
          SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(words.number("gap")), grace));
    final TimeWindows windows =
        TimeWindows.ofSizeAndGrace(Duration.ofMillis(words.number("size")), grace);
    return group.windowedBy(
        words.operator.equals("tumbling")
            ? windows
            : windows.advanceBy(Duration.ofMillis(words.number("advance"))));
  }

  private static <S extends org.apache.kafka.streams.processor.StateStore>
      Materialized<Object, Object, S> kept(Words words) {
    return Materialized.<Object, Object, S>as(words.result()).withKeySerde(ANY).withValueSerde(ANY);
  }

  private Object fold(Words words) {
    final Object group = operand(words, 0);
    if (group instanceof KGroupedStream<?, ?>)
      return ofStream(words, (KGroupedStream<Object, Object>) group);
    if (group instanceof KGroupedTable<?, ?>)
      return ofGroupedTable(words, (KGroupedTable<Object, Object>) group);
    if (group instanceof TimeWindowedKStream<?, ?>)
      return ofWindow(words, (TimeWindowedKStream<Object, Object>) group);
    return ofSession(words, (SessionWindowedKStream<Object, Object>) group);
  }

  private static Object sum(Object all, Object value) {
    return Functions.number(all) + Functions.number(value);
  }

  private static Object ofStream(Words words, KGroupedStream<Object, Object> group) {
    final Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> kept = kept(words);
    return switch (words.operator) {
      case "count" -> group.count((Materialized<Object, Long, KeyValueStore<Bytes, byte[]>>) (Object) kept);
      case "sum" -> group.aggregate(() -> 0L, (k, v, all) -> sum(all, v), kept);
      case "reduce" -> group.reduce(Functions.adder(words.one("by")), kept);
      default -> group.aggregate(() -> "0", Functions.TRACE_ADD, kept);
    };
  }

  private static Object ofGroupedTable(Words words, KGroupedTable<Object, Object> group) {
    final Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> kept = kept(words);
    return switch (words.operator) {
      case "count" -> group.count((Materialized<Object, Long, KeyValueStore<Bytes, byte[]>>) (Object) kept);
      case "sum" ->
          group.aggregate(
              () -> 0L,
              (k, v, all) -> sum(all, v),
              (k, v, all) -> Functions.number(all) - Functions.number(v),
              kept);
      case "reduce" ->
          group.reduce(
              Functions.adder(words.one("by")), Functions.remover(words.one("by")), kept);
      default ->
          group.aggregate(() -> "0", Functions.TRACE_ADD, Functions.TRACE_REMOVE, kept);
    };
  }

  private static Object ofWindow(Words words, TimeWindowedKStream<Object, Object> group) {
    final Materialized<Object, Object, WindowStore<Bytes, byte[]>> kept = kept(words);
    return switch (words.operator) {
      case "count" -> group.count((Materialized<Object, Long, WindowStore<Bytes, byte[]>>) (Object) kept);
      case "sum" -> group.aggregate(() -> 0L, (k, v, all) -> sum(all, v), kept);
      case "reduce" -> group.reduce(Functions.adder(words.one("by")), kept);
      default -> group.aggregate(() -> "0", Functions.TRACE_ADD, kept);
    };
  }

  private static Object ofSession(Words words, SessionWindowedKStream<Object, Object> group) {
    final Materialized<Object, Object, SessionStore<Bytes, byte[]>> kept = kept(words);
    final Merger<Object, Object> add = (k, a, b) -> sum(a, b);
    final Merger<Object, Object> pair = (k, a, b) -> "(" + a + "&" + b + ")";
    return switch (words.operator) {
      case "count" -> group.count((Materialized<Object, Long, SessionStore<Bytes, byte[]>>) (Object) kept);
      case "sum" -> group.aggregate(() -> 0L, (k, v, all) -> sum(all, v), add, kept);
      case "reduce" -> group.reduce(Functions.adder(words.one("by")), kept);
      default -> group.aggregate(() -> "0", Functions.TRACE_ADD, pair, kept);
    };
  }
}
