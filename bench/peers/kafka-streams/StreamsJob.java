import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The two jobs in Kafka Streams, exactly once: StreamsJob yahoo|clicks BOOTSTRAP STATE_DIRECTORY
 * memory|rocksdb. Ends when everything that lay in the source topics, and what followed from it, is
 * committed.
 *
 * <p>Counts are written as they change (by the record cache, so once per commit); the last one of a
 * key stands. Final results by suppression need a stream time that moves on behind the end of the
 * input, and drop what a slower partition delivers later. The grace of a day is for the latter.
 */
public final class StreamsJob {
  private static final byte[] NOTHING = new byte[0];
  private static final Duration GRACE = Duration.ofHours(24);

  private static boolean inMemory;

  private static Materialized<String, Long, WindowStore<Bytes, byte[]>> countStore() {
    Duration window = Duration.ofMillis(Recorded.WINDOW_MS);
    Duration retention = window.plus(GRACE);
    var supplier = inMemory
        ? Stores.inMemoryWindowStore("counts", retention, window, false)
        : Stores.persistentWindowStore("counts", retention, window, false);
    return Materialized.<String, Long>as(supplier)
        .withKeySerde(Serdes.String())
        .withValueSerde(Serdes.Long())
        .withCachingEnabled();
  }

  private static void countByCampaign(KStream<String, byte[]> rows) {
    rows.groupByKey(Grouped.with("by-campaign", Serdes.String(), Serdes.ByteArray()))
        .windowedBy(
            TimeWindows.ofSizeAndGrace(Duration.ofMillis(Recorded.WINDOW_MS), GRACE))
        .count(countStore())
        .toStream()
        .map((window, count) -> KeyValue.pair(
            window.key() + "@" + window.window().start(), Long.toString(count)))
        .to("counts", Produced.with(Serdes.String(), Serdes.String()));
  }

  private static void yahoo(StreamsBuilder builder) {
    var ads = builder.globalTable("ads", Consumed.with(Serdes.String(), Serdes.String()),
        Materialized.<String, String>as(Stores.inMemoryKeyValueStore("ads")));
    var rows = builder.stream("events", Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .mapValues(value -> {
          Recorded.TAKEN.increment();
          return Recorded.event(value);
        })
        .filter((key, event) -> event.view)
        .mapValues(event -> event.adId)
        .join(ads, (key, adId) -> adId, (adId, campaign) -> campaign)
        .map((key, campaign) -> KeyValue.pair(campaign, NOTHING));
    countByCampaign(rows);
  }

  private static WindowBytesStoreSupplier joinStore(String name, JoinWindows windows) {
    Duration size = Duration.ofMillis(windows.size());
    Duration retention = size.plusMillis(windows.gracePeriodMs());
    // In memory each look-up walks over every millisecond of the window: 285 CPU seconds a million.
    return Stores.persistentWindowStore(name, retention, size, true);
  }

  private static void clicks(StreamsBuilder builder) {
    var impressions =
        builder.stream("impressions", Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .mapValues(value -> {
              Recorded.TAKEN.increment();
              return Recorded.impressionCampaign(value);
            });
    var clicks = builder.stream("clicks", Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .mapValues(value -> {
          Recorded.TAKEN.increment();
          return NOTHING;
        });
    var windows = JoinWindows.ofTimeDifferenceAndGrace(
            Duration.ZERO, Duration.ofSeconds(30))
        .after(Duration.ofMillis(Recorded.JOIN_WITHIN_MS));
    var rows = impressions
        .join(clicks, (campaign, click) -> campaign, windows,
            StreamJoined.with(Serdes.String(), Serdes.Integer(), Serdes.ByteArray())
                .withThisStoreSupplier(joinStore("impressions-open", windows))
                .withOtherStoreSupplier(joinStore("clicks-open", windows)))
        .map((id, campaign) -> KeyValue.pair(Integer.toString(campaign), NOTHING));
    countByCampaign(rows);
  }

  /** Offsets that are committed against the ends of all topics that the job reads. */
  private static boolean caughtUp(Admin admin, String group) throws Exception {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    List<String> topics = new ArrayList<>();
    for (String name : admin.listTopics().names().get()) {
      if (name.equals("events") || name.equals("impressions") || name.equals("clicks")
          || name.endsWith("-repartition")) {
        topics.add(name);
      }
    }
    for (var topic : admin.describeTopics(topics).allTopicNames().get().values()) {
      for (var partition : topic.partitions()) {
        asked.put(new TopicPartition(topic.name(), partition.partition()), OffsetSpec.latest());
      }
    }
    Map<TopicPartition, OffsetAndMetadata> committed =
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    for (var end : admin.listOffsets(asked).all().get().entrySet()) {
      OffsetAndMetadata at = committed.get(end.getKey());
      if (end.getValue().offset() > (at == null ? 0 : at.offset())) {
        return false;
      }
    }
    return true;
  }

  public static void main(String[] args) throws Exception {
    String group = "bench-" + args[0];
    inMemory = args[3].equals("memory");
    StreamsBuilder builder = new StreamsBuilder();
    if (args[0].equals("yahoo")) {
      yahoo(builder);
    } else {
      clicks(builder);
    }
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[1]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[2]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
    settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    settings.put(StreamsConfig.METRICS_RECORDING_LEVEL_CONFIG, "INFO");

    try (KafkaStreams streams = new KafkaStreams(builder.build(settings), settings);
        Admin admin = Admin.create(settings)) {
      streams.setUncaughtExceptionHandler(error -> {
        error.printStackTrace();
        Runtime.getRuntime().halt(1);
        return null;
      });
      streams.start();
      Recorded.reportProgress();
      for (int agreed = 0; agreed < 3;) {
        Thread.sleep(500);
        agreed = Recorded.TAKEN.sum() > 0 && caughtUp(admin, group) ? agreed + 1 : 0;
      }
      Recorded.reportDone();
    }
  }
}
