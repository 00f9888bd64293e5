import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;

/** Codecs, acks, limits and idempotence. */
final class ProducerChecks {
  private ProducerChecks() {}

  static void register() {
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      Checks.check("codecs", codec + "_keeps_every_byte", () -> keepsEveryByte(codec));
    }
    Checks.check("codecs", "batches_arrive_compressed", ProducerChecks::batchesArriveCompressed);
    for (String acks : List.of("0", "1", "all")) {
      Checks.check("acks", "acks_" + acks + "_are_delivered", () -> areDelivered(acks));
    }
    Checks.check("acks", "a_record_over_the_limit_is_refused", ProducerChecks::overTheLimit);
    Checks.check("acks", "a_record_larger_than_every_fetch_limit_arrives",
        ProducerChecks::largerThanFetchLimits);
    Checks.check("acks", "log_append_time_is_the_brokers", ProducerChecks::logAppendTime);
    Checks.check("acks", "an_unknown_topic_is_made_or_named", ProducerChecks::unknownTopic);
    Checks.check("idempotence", "many_small_batches_keep_their_order",
        ProducerChecks::manySmallBatches);
    Checks.check("idempotence", "two_producers_do_not_disturb_each_other",
        ProducerChecks::twoProducers);
  }

  private static void keepsEveryByte(String codec) throws Exception {
    String where = Clients.topic("codec-" + codec, 1);
    List<ProducerRecord<String, String>> records = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      ProducerRecord<String, String> record = new ProducerRecord<>(where, 0, Clients.START + i,
          i % 7 == 0 ? null : "k" + i, i % 11 == 0 ? null : ("value " + i + " ").repeat(30));
      if (i % 3 == 0) record.headers().add("h", "x".getBytes()).add("h", null);
      records.add(record);
    }
    List<Long> offsets = Clients.send(records, "compression.type", codec, "linger.ms", 20);
    Checks.same(offsets, LongStream.range(0, 500).boxed().toList(), "offsets told");
    List<ConsumerRecord<String, String>> found = Clients.read(where, 500);
    Checks.same(found.size(), 500, "records");
    for (int i = 0; i < 500; i++) {
      ConsumerRecord<String, String> record = found.get(i);
      Checks.same(
          Arrays.asList(record.offset(), record.key(), record.value(), record.timestamp(),
              headers(record.headers())),
          Arrays.asList((long) i, records.get(i).key(), records.get(i).value(), Clients.START + i,
              i % 3 == 0 ? "h=x h=null " : ""),
          "record " + i);
    }
  }

  private static String headers(Iterable<Header> headers) {
    StringBuilder text = new StringBuilder();
    for (Header header : headers) {
      text.append(header.key()).append('=').append(header.value() == null
          ? "null" : new String(header.value(), StandardCharsets.UTF_8)).append(' ');
    }
    return text.toString();
  }

  private static long sizeOnDisk(String topic) throws Exception {
    int node = Clients.admin().describeCluster().nodes().get().iterator().next().id();
    return Clients.admin().describeLogDirs(List.of(node)).allDescriptions().get().get(node).values()
        .stream().mapToLong(directory -> {
          var replica = directory.replicaInfos().get(new TopicPartition(topic, 0));
          return replica == null ? 0 : replica.size();
        }).sum();
  }

  private static void batchesArriveCompressed() throws Exception {
    long plain = 0;
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      String where = Clients.topic("size-" + codec, 1);
      List<ProducerRecord<String, String>> records = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        records.add(new ProducerRecord<>(where, 0, Clients.START, null, "a".repeat(1000)));
      }
      Clients.send(records, "compression.type", codec, "linger.ms", 100, "batch.size", 200_000);
      long size = sizeOnDisk(where);
      if (codec.equals("none")) {
        plain = size;
      } else {
        Checks.truth(size > 0 && size < plain / 3,
            codec + " took " + size + " bytes, plain " + plain);
      }
    }
  }

  private static void areDelivered(String acks) throws Exception {
    String where = Clients.topic("acks-" + acks, 1);
    boolean told = !acks.equals("0");
    List<Long> offsets = Clients.send(Clients.numbered(where, 0, 100), "acks", acks,
        "enable.idempotence", acks.equals("all"));
    if (told) Checks.same(offsets, LongStream.range(0, 100).boxed().toList(), "offsets told");
    Checks.same(Clients.values(Clients.read(where, 100)), Clients.numberedValues(0, 100), "values");
  }

  private static void overTheLimit() throws Exception {
    String where = Clients.topic("large", 1, "max.message.bytes", "2000");
    byte[] noise = new byte[3000];
    new Random(1).nextBytes(noise);
    String large = new String(noise, StandardCharsets.ISO_8859_1);
    Checks.refused(() -> Clients.send(List.of(new ProducerRecord<>(where, large))),
        RecordTooLargeException.class, "5000 bytes");
    Checks.same(Clients.send(List.of(new ProducerRecord<>(where, "small"))), List.of(0L),
        "a small one");
  }

  private static void largerThanFetchLimits() throws Exception {
    String where = Clients.topic("huge", 1);
    Clients.send(List.of(new ProducerRecord<>(where, 0, "a", "x".repeat(700_000)),
        new ProducerRecord<>(where, 0, "b", "small")));
    var found = Clients.read(where, 2, "fetch.max.bytes", 1000, "max.partition.fetch.bytes", 1000);
    Checks.same(found.stream().map(ConsumerRecord::key).toList(), List.of("a", "b"), "keys");
  }

  private static void logAppendTime() throws Exception {
    String where = Clients.topic("append-time", 1, "message.timestamp.type", "LogAppendTime");
    long before = System.currentTimeMillis() - 2000;
    Clients.send(Clients.numbered(where, 0, 3));
    for (ConsumerRecord<String, String> record : Clients.read(where, 3)) {
      Checks.same(record.timestampType(), TimestampType.LOG_APPEND_TIME, "type of the timestamp");
      Checks.truth(before < record.timestamp()
          && record.timestamp() < System.currentTimeMillis() + 2000, "the time is not now");
    }
  }

  private static void unknownTopic() throws Exception {
    String where = Checks.nameOf("made-by-producing");
    Checks.same(Clients.send(List.of(new ProducerRecord<>(where, 0, null, "x"))), List.of(0L),
        "offset");
    String absent = Checks.nameOf("absent");
    try (var consumer = Clients.consumer("allow.auto.create.topics", false,
        "default.api.timeout.ms", 2000)) {
      var partitions = consumer.partitionsFor(absent); // null in some versions, empty in others
      Checks.truth(partitions == null || partitions.isEmpty(), "it has partitions");
      Checks.refused(() -> consumer.endOffsets(List.of(new TopicPartition(absent, 0))),
          TimeoutException.class, "its end");
    }
    Checks.truth(!Clients.admin().listTopics().names().get().contains(absent), "it was created");
  }

  private static void manySmallBatches() throws Exception {
    String where = Clients.topic("idempotent", 2);
    try (var producer = Clients.producer("linger.ms", 0, "batch.size", 200)) {
      for (int partition = 0; partition < 2; partition++) {
        int to = partition;
        var records = Clients.numbered(where, 0, 2000).stream().map(record -> new ProducerRecord<>(
            where, to, record.timestamp(), record.key(), record.value())).toList();
        Checks.same(Clients.send(producer, records), LongStream.range(0, 2000).boxed().toList(),
            "offsets");
        Checks.same(Clients.values(Clients.readFrom(where, partition, 0, 2000)),
            Clients.numberedValues(0, 2000), "values");
      }
    }
  }

  private static void twoProducers() throws Exception {
    String where = Clients.topic("idempotent-two", 1);
    try (var one = Clients.producer("enable.idempotence", true);
        var two = Clients.producer("enable.idempotence", true)) {
      for (int i = 0; i < 20; i++) {
        Clients.send(i % 2 == 0 ? one : two, Clients.numbered(where, i, 1));
      }
    }
    Checks.same(Clients.values(Clients.read(where, 20)), Clients.numberedValues(0, 20), "values");
  }
}
