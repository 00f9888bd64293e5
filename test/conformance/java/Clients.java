import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Makes the clients of the checks and does with them what every check needs. */
final class Clients {
  /** A fixed event time, so that a lookup by time has one right answer. */
  static final long START = 1_700_000_000_000L;

  private static String bootstrap;
  private static Admin admin;

  private Clients() {}

  static void connect(String address) {
    bootstrap = address;
    admin = Admin.create(Map.of("bootstrap.servers", address));
  }

  /** One for the whole run. */
  static Admin admin() {
    return admin;
  }

  private static Map<String, Object> settings(Object... pairs) {
    Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
    for (int i = 0; i < pairs.length; i += 2) all.put((String) pairs[i], pairs[i + 1]);
    return all;
  }

  static KafkaProducer<String, String> producer(Object... pairs) {
    return new KafkaProducer<>(settings(pairs), new StringSerializer(), new StringSerializer());
  }

  static KafkaProducer<String, String> transactional(String what, Object... pairs) {
    Map<String, Object> all = settings(pairs);
    all.put("transactional.id", Checks.nameOf(what));
    all.putIfAbsent("transaction.timeout.ms", 30_000);
    KafkaProducer<String, String> made =
        new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
    made.initTransactions();
    return made;
  }

  static KafkaConsumer<String, String> consumer(Object... pairs) {
    Map<String, Object> all = settings(pairs);
    all.putIfAbsent("enable.auto.commit", false);
    all.putIfAbsent("auto.offset.reset", "earliest");
    return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
  }

  static String topic(String what, int partitions, String... pairs) throws Exception {
    String name = Checks.nameOf(what);
    Map<String, String> configs = new HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) configs.put(pairs[i], pairs[i + 1]);
    NewTopic wanted = new NewTopic(name, partitions, (short) 1).configs(configs);
    admin.createTopics(List.of(wanted)).all().get();
    Checks.eventually(() -> partitionsOf(name) == partitions, "topic " + name + " is listed");
    return name;
  }

  static int partitionsOf(String name) throws Exception {
    return admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size();
  }

  /** Records k0/v0, k1/v1, ... of partition 0, a millisecond apart. */
  static List<ProducerRecord<String, String>> numbered(String topic, int first, int count) {
    return IntStream.range(first, first + count).mapToObj(i -> new ProducerRecord<>(
        topic, 0, START + i, "k" + i, "v" + i)).toList();
  }

  static List<String> numberedValues(int first, int count) {
    return IntStream.range(first, first + count).mapToObj(i -> "v" + i).toList();
  }

  /** Sends and waits; the offsets that were told, in order. */
  static List<Long> send(
      KafkaProducer<String, String> producer, List<ProducerRecord<String, String>> records)
      throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (ProducerRecord<String, String> record : records) sent.add(producer.send(record));
    producer.flush();
    List<Long> offsets = new ArrayList<>();
    for (Future<RecordMetadata> one : sent) offsets.add(one.get().offset());
    return offsets;
  }

  static List<Long> send(List<ProducerRecord<String, String>> records, Object... pairs)
      throws Exception {
    try (KafkaProducer<String, String> producer = producer(pairs)) {
      return send(producer, records);
    }
  }

  /** Reads partition 0 until `count` records are there and nothing more comes for a while. */
  static List<ConsumerRecord<String, String>> read(String topic, int count, Object... pairs) {
    return readFrom(topic, 0, 0, count, pairs);
  }

  static List<ConsumerRecord<String, String>> readFrom(
      String topic, int partition, long start, int count, Object... pairs) {
    try (KafkaConsumer<String, String> consumer = consumer(pairs)) {
      TopicPartition where = new TopicPartition(topic, partition);
      consumer.assign(List.of(where));
      consumer.seek(where, start);
      List<ConsumerRecord<String, String>> found = new ArrayList<>();
      long end = System.nanoTime() + 30_000_000_000L;
      while (System.nanoTime() < end) {
        var some = consumer.poll(Duration.ofMillis(found.size() >= count ? 400 : 200));
        some.forEach(found::add);
        if (some.isEmpty() && found.size() >= count) return found;
      }
      throw new AssertionError("read " + found.size() + " of " + count + " records in 30 s");
    }
  }

  static List<String> values(List<ConsumerRecord<String, String>> records) {
    return records.stream().map(ConsumerRecord::value).toList();
  }
}
