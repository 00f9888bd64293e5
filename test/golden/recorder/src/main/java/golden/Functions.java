package golden;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Predicate;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueMapper;

/** The closed list of functions that a scenario may name: docs/formats/golden-scenario.md. */
final class Functions {
  private Functions() {}

  static String text(Object value) {
    return value == null ? "~" : value.toString();
  }

  static long number(Object value) {
    return Long.parseLong(value.toString());
  }

  private static IllegalArgumentException unknown(String kind, String word) {
    return new IllegalArgumentException("no " + kind + " is called " + word);
  }

  private static String name(String word) {
    return word.contains(":") ? word.substring(0, word.indexOf(':')) : word;
  }

  private static String rest(String word) {
    return word.substring(word.indexOf(':') + 1);
  }

  static Predicate<Object, Object> predicate(String word) {
    final String rest = rest(word);
    return switch (name(word)) {
      case "value" -> (k, v) -> v != null && v.toString().equals(rest);
      case "key" -> (k, v) -> k != null && k.toString().equals(rest);
      case "starts" -> (k, v) -> v != null && v.toString().startsWith(rest);
      case "above" -> (k, v) -> v != null && number(v) > number(rest);
      case "null" -> (k, v) -> v == null;
      default -> throw unknown("predicate", word);
    };
  }

  static ValueMapper<Object, Object> value(String word) {
    final String rest = rest(word);
    final ValueMapper<Object, Object> map =
        switch (name(word)) {
          case "upper" -> v -> v.toString().toUpperCase();
          case "append" -> v -> v + rest;
          case "void" -> v -> null;
          case "drop" -> v -> v.toString().equals(rest) ? null : v;
          default -> throw unknown("value function", word);
        };
    return v -> v == null ? null : map.apply(v);
  }

  static KeyValueMapper<Object, Object, KeyValue<Object, Object>> pair(String word) {
    return switch (word) {
      case "swap" -> (k, v) -> KeyValue.pair(v, k);
      case "first" -> (k, v) -> KeyValue.pair(first(v), v);
      case "half" -> (k, v) -> KeyValue.pair(half(v, 0), half(v, 1));
      default -> throw unknown("pair function", word);
    };
  }

  static KeyValueMapper<Object, Object, Iterable<KeyValue<Object, Object>>> pairs(String word) {
    if (!word.equals("words")) throw unknown("pair list function", word);
    return (k, v) -> {
      final List<KeyValue<Object, Object>> made = new ArrayList<>();
      for (Object part : split(v)) made.add(KeyValue.pair(part, String.valueOf(made.size())));
      return made;
    };
  }

  static List<Object> split(Object value) {
    if (value == null || value.toString().isEmpty()) return List.of();
    return List.of((Object[]) value.toString().split(","));
  }

  static KeyValueMapper<Object, Object, Object> key(String word) {
    return switch (word) {
      case "value" -> (k, v) -> v;
      case "first" -> (k, v) -> first(v);
      case "half" -> (k, v) -> half(v, 0);
      default -> throw unknown("key function", word);
    };
  }

  private static Object first(Object value) {
    return value == null ? null : value.toString().substring(0, 1);
  }

  private static Object half(Object value, int which) {
    return value == null ? null : value.toString().split(":", 2)[which];
  }

  static Reducer<Object> adder(String word) {
    return switch (word) {
      case "concat" -> (old, v) -> old + "," + v;
      case "latest" -> (old, v) -> v;
      case "max" -> (old, v) -> number(old) >= number(v) ? old : v;
      default -> throw unknown("reducer", word);
    };
  }

  static Reducer<Object> remover(String word) {
    return switch (word) {
      case "concat" -> (old, v) -> old + "-" + v;
      case "latest" -> (old, v) -> old;
      default -> throw unknown("reducer with a way back", word);
    };
  }

  static final Aggregator<Object, Object, Object> TRACE_ADD = (k, v, all) -> all + "+" + text(v);
  static final Aggregator<Object, Object, Object> TRACE_REMOVE = (k, v, all) -> all + "-" + text(v);
  static final ValueJoiner<Object, Object, Object> JOINED = (l, r) -> text(l) + "+" + text(r);
}
