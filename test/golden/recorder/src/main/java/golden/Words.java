package golden;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One line of a topology, cut into its parts: `results = operator operands option=value`. */
final class Words {
  final List<String> results = new ArrayList<>();
  final String operator;
  final List<String> operands = new ArrayList<>();
  private final Map<String, List<String>> options = new HashMap<>();

  Words(String line) {
    final List<String> words = new ArrayList<>(List.of(line.split(" +")));
    final int equals = words.indexOf("=");
    if (equals >= 0) results.addAll(words.subList(0, equals));
    final List<String> rest = words.subList(equals + 1, words.size());
    operator = rest.get(0);
    for (String word : rest.subList(1, rest.size())) {
      final int at = word.indexOf('=');
      if (at < 0) operands.add(word);
      else
        options.computeIfAbsent(word.substring(0, at), k -> new ArrayList<>())
            .add(word.substring(at + 1));
    }
  }

  List<String> all(String option) {
    return options.getOrDefault(option, List.of());
  }

  String one(String option) {
    if (all(option).size() != 1)
      throw new IllegalArgumentException(operator + " needs one " + option + "=");
    return all(option).get(0);
  }

  long number(String option) {
    return Long.parseLong(one(option));
  }

  String result() {
    if (results.size() != 1) throw new IllegalArgumentException(operator + " makes one result");
    return results.get(0);
  }
}
