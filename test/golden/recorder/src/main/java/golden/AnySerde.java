package golden;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.kstream.internals.TimeWindow;

/** Texts, whole numbers and windowed keys, each with its own first letter. One serde serves every
 * topic and store, so that the topology's words need no types. */
public final class AnySerde implements Serde<Object> {
  @Override
  public Serializer<Object> serializer() {
    return (topic, value) -> value == null ? null : text(value).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public Deserializer<Object> deserializer() {
    return (topic, bytes) ->
        bytes == null ? null : value(new String(bytes, StandardCharsets.UTF_8));
  }

  private static String text(Object value) {
    if (value instanceof Long) return "n" + value;
    if (value instanceof Windowed<?> key)
      return (key.window() instanceof SessionWindow ? "s" : "t")
          + key.window().start() + " " + key.window().end() + " " + text(key.key());
    return "x" + value;
  }

  private static Object value(String text) {
    final String rest = text.substring(1);
    switch (text.charAt(0)) {
      case 'n':
        return Long.valueOf(rest);
      case 'x':
        return rest;
      default:
        final String[] words = rest.split(" ", 3);
        final long start = Long.parseLong(words[0]);
        final long end = Long.parseLong(words[1]);
        return new Windowed<>(
            value(words[2]),
            text.charAt(0) == 's' ? new SessionWindow(start, end) : new TimeWindow(start, end));
    }
  }
}
