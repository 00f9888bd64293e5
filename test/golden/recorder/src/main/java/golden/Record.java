package golden;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.test.TestRecord;

/** Feeds each scenario to Kafka Streams and writes the answers into its file, or with --check only
 * says where they differ; --in-memory uses the other kind of stores. */
public final class Record {
  private Record() {}

  public static void main(String[] arguments) throws Exception {
    boolean check = false;
    boolean inMemory = false;
    int differing = 0;
    int recorded = 0;
    for (String argument : arguments) {
      if (argument.equals("--check")) check = true;
      else if (argument.equals("--in-memory")) inMemory = true;
      else {
        final Path path = Path.of(argument);
        final String before = Files.readString(path);
        final Scenario scenario = Scenario.read(path);
        try {
          run(scenario, inMemory);
        } catch (RuntimeException wrong) {
          throw new IllegalArgumentException(path + ": " + wrong.getMessage(), wrong);
        }
        final String after = scenario.text(AppInfoParser.getVersion());
        ++recorded;
        if (before.equals(after)) continue;
        ++differing;
        System.out.println((check ? "differs: " : "recorded: ") + path);
        if (check) System.out.println(after);
        else Files.writeString(path, after);
      }
    }
    System.out.println(recorded + " scenarios, " + differing + (check ? " differ" : " changed"));
    if (check && differing > 0) System.exit(1);
  }

  private static Properties settings(boolean inMemory) throws Exception {
    final Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "golden");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, AnySerde.class);
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, AnySerde.class);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    settings.put(
        StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("golden-recorder").toString());
    if (inMemory)
      settings.put(
          StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG,
          org.apache.kafka.streams.state.BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    settings.put(
        StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, 0L);
    settings.put(
        StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
    return settings;
  }

  private static void run(Scenario scenario, boolean inMemory) throws Exception {
    final TopologyWords words = new TopologyWords(scenario.topology);
    final AnySerde any = new AnySerde();
    try (TopologyTestDriver driver =
        new TopologyTestDriver(
            words.topology(), settings(inMemory), Instant.ofEpochMilli(Scenario.EPOCH))) {
      final Map<String, TestInputTopic<Object, Object>> inputs = new HashMap<>();
      final Map<String, TestOutputTopic<Object, Object>> outputs = new TreeMap<>();
      for (String topic : words.outputs)
        outputs.put(
            topic, driver.createOutputTopic(topic, any.deserializer(), any.deserializer()));
      for (Scenario.Step step : scenario.steps) {
        final String[] input = step.input.split(" +");
        if (input[1].equals("wait")) {
          driver.advanceWallClockTime(Duration.ofMillis(Long.parseLong(input[2])));
        } else {
          inputs
              .computeIfAbsent(
                  input[1],
                  topic -> driver.createInputTopic(topic, any.serializer(), any.serializer()))
              .pipeInput(
                  value(input[2]),
                  value(input[3]),
                  Scenario.EPOCH + Long.parseLong(input[4].substring(1)));
        }
        step.answers = answers(words, outputs);
      }
    }
  }

  private static Object value(String word) {
    return word.equals("~") ? null : word.equals("\"\"") ? "" : word;
  }

  private static String word(Object value) {
    if (value == null) return "~";
    return value.toString().isEmpty() ? "\"\"" : value.toString();
  }

  private static List<String> answers(
      TopologyWords words, Map<String, TestOutputTopic<Object, Object>> outputs) {
    final List<String> answers = new ArrayList<>();
    for (TopologyWords.Seen seen : words.seen)
      answers.add(seen.topic() + " " + word(seen.key()) + " " + word(seen.value()) + " @-");
    words.seen.clear();
    outputs.forEach(
        (topic, output) -> {
          for (TestRecord<Object, Object> record : output.readRecordsToList())
            answers.add(
                topic + " " + key(record.key()) + " " + word(record.value()) + " @"
                    + (record.timestamp() - Scenario.EPOCH));
        });
    return answers;
  }

  private static String key(Object key) {
    if (!(key instanceof Windowed<?> windowed)) return word(key);
    final boolean session = windowed.window() instanceof SessionWindow;
    return word(windowed.key())
        + "[" + (windowed.window().start() - Scenario.EPOCH)
        + "," + (windowed.window().end() - Scenario.EPOCH) + (session ? "]" : ")");
  }
}
