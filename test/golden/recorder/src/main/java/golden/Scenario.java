package golden;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A scenario file: docs/formats/golden-scenario.md. Everything but the answers of Kafka Streams is
 * kept as it is written. */
final class Scenario {
  /** Divisible by 1 to 6, 8, 10 and 12: windows of these sizes begin at scenario time 0. */
  static final long EPOCH = 1_500_000_000_000L;

  /** One `<` line, what Kafka Streams answered, and our own answer where it differs. */
  static final class Step {
    final String input;
    List<String> answers = new ArrayList<>();
    final List<String> ours = new ArrayList<>();
    final List<String> comments = new ArrayList<>();

    Step(String input) {
      this.input = input;
    }
  }

  final Path path;
  final List<String> head = new ArrayList<>(); // up to and with the line `run`
  final List<String> topology = new ArrayList<>();
  final List<Step> steps = new ArrayList<>();
  private final List<String> pending = new ArrayList<>();

  static Scenario read(Path path) throws IOException {
    final Scenario scenario = new Scenario(path);
    for (String line : Files.readAllLines(path)) scenario.add(line);
    if (scenario.steps.isEmpty()) throw new IllegalArgumentException(path + ": nothing goes in");
    return scenario;
  }

  private Scenario(Path path) {
    this.path = path;
  }

  private boolean running() {
    return head.contains("run");
  }

  private void add(String line) {
    final String words = line.strip();
    if (!running()) {
      if (words.startsWith("kafka ")) return;
      if (head.contains("topology") && line.startsWith("  ")) topology.add(words);
      head.add(line.stripTrailing());
    } else if (words.startsWith("< ")) {
      final Step step = new Step(words);
      step.comments.addAll(pending);
      pending.clear();
      steps.add(step);
    } else if (words.startsWith("! ")) {
      steps.get(steps.size() - 1).ours.add(words);
    } else if (words.isEmpty() || words.startsWith("#")) {
      pending.add(line.stripTrailing());
    } else if (!words.startsWith(">")) {
      throw new IllegalArgumentException(path + ": no line of a run: " + line);
    }
  }

  boolean differs() {
    return steps.stream().anyMatch(step -> !step.ours.isEmpty());
  }

  String text(String kafkaVersion) {
    final StringBuilder text = new StringBuilder();
    for (String line : head) {
      if (line.equals("topology")) {
        while (text.length() > 1 && text.charAt(text.length() - 2) == '\n')
          text.setLength(text.length() - 1);
        text.append("kafka    ").append(kafkaVersion).append("\n\n");
      }
      text.append(line).append('\n');
    }
    for (Step step : steps) {
      step.comments.forEach(line -> text.append(line).append('\n'));
      text.append("  ").append(step.input).append('\n');
      step.answers.forEach(line -> text.append("  > ").append(line).append('\n'));
      step.ours.forEach(line -> text.append("  ").append(line).append('\n'));
    }
    return text.toString();
  }
}
