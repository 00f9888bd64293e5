import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;

/** Kafka's own Java client against a broker that speaks Kafka. */
final class Conformance {
  private Conformance() {}

  public static void main(String[] arguments) throws Exception {
    List<String> words = Arrays.asList(arguments);
    String only = option(words, "--only", "");
    Clients.connect(option(words, "-b", "127.0.0.1:9092"));
    System.out.println("kafka-clients (Java) " + version());
    ProducerChecks.register();
    TransactionChecks.register();
    GroupChecks.register();
    NewerGroupChecks.register(version());
    OffsetChecks.register();
    TopicChecks.register();
    Set<String> selected = Arrays.stream(only.split(",")).filter(word -> !word.isEmpty())
        .collect(Collectors.toSet());
    Checks.runAll(selected, words.contains("-v"));
  }

  private static String version() throws Exception {
    Properties told = new Properties();
    try (var file = KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
      told.load(file);
    }
    return told.getProperty("version");
  }

  private static String option(List<String> words, String name, String otherwise) {
    int at = words.indexOf(name);
    return at < 0 || at + 1 == words.size() ? otherwise : words.get(at + 1);
  }
}
