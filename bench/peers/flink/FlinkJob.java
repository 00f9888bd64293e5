import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFlatMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The two jobs in Flink on a MiniCluster, exactly once: FlinkJob yahoo|clicks BOOTSTRAP
 * CHECKPOINT_DIRECTORY ADS_FILE. Reads the topics as they lie and ends with them.
 *
 * <p>The table of ads is loaded when the job opens, as in the published Flink version of the
 * benchmark: cheaper than a join of two streams. State is on the heap, the cheaper backend.
 */
public final class FlinkJob {
  /** Takes what `read` makes of a record, or leaves it when that is null. */
  private static final class Schema<T> implements KafkaRecordDeserializationSchema<T> {
    interface Read<T> extends java.io.Serializable {
      T of(ConsumerRecord<byte[], byte[]> record);
    }

    private final Read<T> read;
    private final TypeInformation<T> type;

    Schema(Read<T> read, TypeInformation<T> type) {
      this.read = read;
      this.type = type;
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<T> out) {
      Recorded.TAKEN.increment();
      out.collect(read.of(record));
    }

    @Override
    public TypeInformation<T> getProducedType() {
      return type;
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static <T> DataStream<T> source(StreamExecutionEnvironment env, String bootstrap,
      String topic, Schema<T> schema) {
    KafkaSource<T> source = KafkaSource.<T>builder()
        .setBootstrapServers(bootstrap)
        .setTopics(topic)
        .setGroupId("flink")
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setBounded(OffsetsInitializer.latest())
        .setDeserializer(schema)
        .build();
    // The record's own time; one watermark per partition, the smallest counts.
    return env.fromSource(source,
        WatermarkStrategy.<T>forBoundedOutOfOrderness(Duration.ofMillis(Recorded.DISORDER_MS)),
        topic);
  }

  private static final class Count implements AggregateFunction<Tuple2<String, Long>, Long, Long> {
    @Override
    public Long createAccumulator() {
      return 0L;
    }

    @Override
    public Long add(Tuple2<String, Long> row, Long count) {
      return count + 1;
    }

    @Override
    public Long getResult(Long count) {
      return count;
    }

    @Override
    public Long merge(Long a, Long b) {
      return a + b;
    }
  }

  private static final class Named
      extends ProcessWindowFunction<Long, Tuple2<String, Long>, String, TimeWindow> {
    @Override
    public void process(String campaign, Context context, Iterable<Long> counts,
        Collector<Tuple2<String, Long>> out) {
      out.collect(Tuple2.of(
          campaign + "@" + context.window().getStart(), counts.iterator().next()));
    }
  }

  private static final class Write
      implements KafkaRecordSerializationSchema<Tuple2<String, Long>> {
    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        Tuple2<String, Long> row, KafkaSinkContext context, Long time) {
      return new ProducerRecord<>("counts", row.f0.getBytes(StandardCharsets.UTF_8),
          Long.toString(row.f1).getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void countByCampaign(DataStream<Tuple2<String, Long>> rows, String bootstrap) {
    KafkaSink<Tuple2<String, Long>> sink = KafkaSink.<Tuple2<String, Long>>builder()
        .setBootstrapServers(bootstrap)
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix("flink")
        .setProperty("transaction.timeout.ms", "600000")
        .setRecordSerializer(new Write())
        .build();
    rows.keyBy(row -> row.f0, Types.STRING)
        .window(TumblingEventTimeWindows.of(Duration.ofMillis(Recorded.WINDOW_MS)))
        .aggregate(new Count(), new Named(), Types.LONG, Types.LONG,
            Types.TUPLE(Types.STRING, Types.LONG))
        .sinkTo(sink);
  }

  private static final class Campaigns
      extends RichFlatMapFunction<Recorded.Event, Tuple2<String, Long>> {
    private final String file;
    private transient Map<String, String> campaigns;

    Campaigns(String file) {
      this.file = file;
    }

    @Override
    public void open(OpenContext context) throws Exception {
      campaigns = new HashMap<>();
      for (String line : Files.readAllLines(Path.of(file))) {
        String[] words = line.split(" ");
        campaigns.put(words[0], words[1]);
      }
    }

    @Override
    public void flatMap(Recorded.Event event, Collector<Tuple2<String, Long>> out) {
      if (!event.view) {
        return;
      }
      String campaign = campaigns.get(event.adId);
      if (campaign != null) {
        out.collect(Tuple2.of(campaign, event.time));
      }
    }
  }

  private static DataStream<Tuple2<String, Long>> yahoo(
      StreamExecutionEnvironment env, String bootstrap, String adsFile) {
    return source(env, bootstrap, "events",
        new Schema<>(record -> Recorded.event(record.value()), Types.POJO(Recorded.Event.class)))
        .flatMap(new Campaigns(adsFile))
        .returns(Types.TUPLE(Types.STRING, Types.LONG));
  }

  private static final class Joined extends
      ProcessJoinFunction<Tuple2<String, Integer>, Tuple2<String, Long>, Tuple2<String, Long>> {
    @Override
    public void processElement(Tuple2<String, Integer> impression, Tuple2<String, Long> click,
        Context context, Collector<Tuple2<String, Long>> out) {
      out.collect(Tuple2.of(Integer.toString(impression.f1), click.f1));
    }
  }

  private static DataStream<Tuple2<String, Long>> clicks(
      StreamExecutionEnvironment env, String bootstrap) {
    var impressions = source(env, bootstrap, "impressions", new Schema<>(
        record -> Tuple2.of(text(record.key()), Recorded.impressionCampaign(record.value())),
        Types.TUPLE(Types.STRING, Types.INT)));
    var clicks = source(env, bootstrap, "clicks", new Schema<>(
        record -> Tuple2.of(text(record.key()), Recorded.clickTime(record.value())),
        Types.TUPLE(Types.STRING, Types.LONG)));
    return impressions.keyBy(row -> row.f0, Types.STRING)
        .intervalJoin(clicks.keyBy(row -> row.f0, Types.STRING))
        .between(Duration.ZERO, Duration.ofMillis(Recorded.JOIN_WITHIN_MS))
        .process(new Joined(), Types.TUPLE(Types.STRING, Types.LONG));
  }

  public static void main(String[] args) throws Exception {
    Configuration settings = new Configuration();
    settings.setString("parallelism.default", "2");
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("state.backend.type", "hashmap");
    settings.setString("execution.checkpointing.interval", "1 s");
    settings.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    settings.setString("execution.checkpointing.dir", "file://" + args[2]);
    settings.setString("restart-strategy.type", "none");
    settings.setString("rest.port", "0");
    settings.setString("taskmanager.memory.network.max", "128mb");
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(settings);
    countByCampaign(args[0].equals("yahoo") ? yahoo(env, args[1], args[3])
                                            : clicks(env, args[1]), args[1]);
    Recorded.reportProgress();
    env.execute(args[0]);
    Recorded.reportDone();
    System.exit(0);
  }
}
