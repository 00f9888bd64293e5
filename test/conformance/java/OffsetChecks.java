import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Where a reader starts, and how it finds the place again. */
final class OffsetChecks {
  private OffsetChecks() {}

  static void register() {
    Checks.check("offsets", "a_group_resumes_where_it_committed", OffsetChecks::resumes);
    Checks.check("offsets", "a_group_that_never_committed_has_no_offset", OffsetChecks::noOffset);
    Checks.check("offsets", "a_time_finds_its_record_in_every_codec",
        OffsetChecks::timeFindsRecord);
    Checks.check("offsets", "ends_and_the_largest_time_are_listed", OffsetChecks::ends);
    Checks.check("offsets", "an_offset_out_of_range_is_reset_or_reported",
        OffsetChecks::outOfRange);
    Checks.check("offsets", "many_partitions_are_read_by_one", OffsetChecks::manyPartitions);
  }

  private static void resumes() throws Exception {
    String where = Clients.topic("resume", 1);
    String group = Checks.nameOf("resume");
    TopicPartition partition = new TopicPartition(where, 0);
    Clients.send(Clients.numbered(where, 0, 100));
    for (long first : new long[] {0, 40}) {
      try (KafkaConsumer<String, String> consumer = Clients.consumer("group.id", group)) {
        consumer.subscribe(List.of(where));
        List<Long> found = new ArrayList<>();
        Checks.eventually(() -> {
          consumer.poll(Duration.ofMillis(200)).forEach(record -> found.add(record.offset()));
          return !found.isEmpty();
        }, "records are read");
        Checks.same(found.get(0), first, "first offset");
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(first + 40, "a note")));
        OffsetAndMetadata told = consumer.committed(Set.of(partition)).get(partition);
        Checks.same(told.offset() + " " + told.metadata(), (first + 40) + " a note", "committed");
      }
    }
  }

  private static void noOffset() throws Exception {
    TopicPartition partition = new TopicPartition(Clients.topic("never", 1), 0);
    try (var consumer = Clients.consumer("group.id", Checks.nameOf("never"),
        "auto.offset.reset", "none")) {
      Checks.same(consumer.committed(Set.of(partition)).get(partition), null, "committed");
      consumer.assign(List.of(partition));
      Checks.refused(() -> consumer.poll(Duration.ofSeconds(5)),
          org.apache.kafka.clients.consumer.NoOffsetForPartitionException.class, "reading");
    }
  }

  private static void timeFindsRecord() throws Exception {
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      String where = Clients.topic("time-" + codec, 1);
      List<ProducerRecord<String, String>> records = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        records.add(new ProducerRecord<>(where, 0, Clients.START + i * 1000L, null, "" + i));
      }
      Clients.send(records, "compression.type", codec, "linger.ms", 50);
      TopicPartition partition = new TopicPartition(where, 0);
      try (KafkaConsumer<String, String> consumer = Clients.consumer()) {
        Map<Long, Long> expected = new HashMap<>();
        expected.put(-5L, 0L);
        expected.put(10_500L, 11L);
        expected.put(11_000L, 11L);
        expected.put(1_000_000_000L, null);
        for (Map.Entry<Long, Long> one : expected.entrySet()) {
          var told = consumer.offsetsForTimes(Map.of(partition, Clients.START + one.getKey()))
              .get(partition);
          Checks.same(told == null ? null : told.offset(), one.getValue(),
              codec + " at " + one.getKey() + " ms");
          if (told != null && one.getValue() == 11L) {
            Checks.same(told.timestamp(), Clients.START + 11_000, codec + " time of the record");
          }
        }
      }
      Checks.same(Clients.readFrom(where, 0, 11, 39).get(0).value(), "11", "first after the seek");
    }
  }

  private static long offsetAt(TopicPartition partition, OffsetSpec spec) throws Exception {
    return Clients.admin().listOffsets(Map.of(partition, spec)).partitionResult(partition).get()
        .offset();
  }

  private static void ends() throws Exception {
    String where = Clients.topic("ends", 1);
    TopicPartition partition = new TopicPartition(where, 0);
    Checks.same(offsetAt(partition, OffsetSpec.maxTimestamp()), -1L, "largest time of nothing");
    Clients.send(List.of(new ProducerRecord<>(where, 0, Clients.START + 5, null, "a"),
        new ProducerRecord<>(where, 0, Clients.START + 9, null, "b"),
        new ProducerRecord<>(where, 0, Clients.START, null, "c")));
    Checks.same(offsetAt(partition, OffsetSpec.earliest()), 0L, "earliest");
    Checks.same(offsetAt(partition, OffsetSpec.latest()), 3L, "latest");
    Checks.same(offsetAt(partition, OffsetSpec.maxTimestamp()), 1L, "largest time");
    Checks.same(offsetAt(partition, OffsetSpec.forTimestamp(Clients.START + 6)), 1L, "by time");
  }

  private static void outOfRange() throws Exception {
    String where = Clients.topic("range", 1);
    Clients.send(Clients.numbered(where, 0, 10));
    Checks.refused(() -> Clients.readFrom(where, 0, 1000, 1, "auto.offset.reset", "none"),
        OffsetOutOfRangeException.class, "offset 1000");
    Checks.same(Clients.readFrom(where, 0, 1000, 10).size(), 10, "records after the reset");
  }

  private static void manyPartitions() throws Exception {
    String where = Clients.topic("many", 20);
    List<ProducerRecord<String, String>> records = new ArrayList<>();
    List<TopicPartition> partitions = new ArrayList<>();
    for (int i = 0; i < 20; i++) partitions.add(new TopicPartition(where, i));
    for (int i = 0; i < 2000; i++) records.add(new ProducerRecord<>(where, i % 20, null, "" + i));
    Clients.send(records);
    try (var consumer = Clients.consumer("max.partition.fetch.bytes", 500)) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<Integer, Long> next = new HashMap<>();
      int[] count = {0};
      Checks.eventually(() -> {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          Checks.same(record.offset(), next.getOrDefault(record.partition(), 0L), "next offset");
          next.put(record.partition(), record.offset() + 1);
          count[0]++;
        }
        return count[0] == 2000;
      }, "2,000 records are read");
    }
  }
}
