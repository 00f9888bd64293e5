import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** A consumer on a thread of its own; it commits what it was given before it goes on. */
final class Member extends Thread implements ConsumerRebalanceListener {
  final Set<TopicPartition> assigned = ConcurrentHashMap.newKeySet();
  final Set<String> seen = ConcurrentHashMap.newKeySet();
  volatile int rebalances;
  volatile String id = "";
  private volatile boolean going = true;
  private volatile Exception ended;
  private final KafkaConsumer<String, String> consumer;

  private Member(String topic, List<Object> pairs, Object... more) {
    List<Object> all = new ArrayList<>(pairs);
    all.addAll(List.of(more));
    consumer = Clients.consumer(all.toArray());
    consumer.subscribe(List.of(topic), this);
    setDaemon(true);
    start();
  }

  static Member classic(String group, String topic, Object... more) {
    return new Member(topic, List.of("group.id", group, "session.timeout.ms", 6000,
        "heartbeat.interval.ms", 300, "max.poll.interval.ms", 20_000), more);
  }

  /** Of the newer protocol, in which the server says how often it wants to hear of a member. */
  static Member newer(String group, String topic, Object... more) {
    return new Member(topic, List.of("group.id", group, "group.protocol", "consumer"), more);
  }

  @Override
  public void run() {
    try (consumer) {
      while (going) {
        var records = consumer.poll(Duration.ofMillis(100));
        id = consumer.groupMetadata().memberId();
        records.forEach(record -> seen.add(record.partition() + "@" + record.offset()));
        if (!records.isEmpty()) consumer.commitSync();
      }
    } catch (Exception error) {
      ended = error;
    }
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    assigned.addAll(partitions);
    rebalances++;
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    assigned.removeAll(partitions);
  }

  void leave() throws Exception {
    going = false;
    join(20_000);
    if (ended != null) throw ended;
  }

  /** Whether these have `count` partitions among them, each of them some, and none two of them. */
  static boolean share(List<Member> members, int count) {
    Set<TopicPartition> all = new HashSet<>();
    int sum = 0;
    for (Member member : members) {
      if (member.assigned.isEmpty()) return false;
      all.addAll(member.assigned);
      sum += member.assigned.size();
    }
    return sum == count && all.size() == count;
  }
}
