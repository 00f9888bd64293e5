import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupNotEmptyException;

/** Groups of the newer protocol (KIP-848): `group.protocol=consumer`. */
final class NewerGroupChecks {
  private NewerGroupChecks() {}

  static void register(String version) {
    for (String assignor : List.of("uniform", "range")) {
      Checks.check("groups", "newer_protocol_members_share_by_" + assignor, () -> share(assignor));
    }
    Checks.check("groups", "newer_protocol_a_static_member_returns",
        NewerGroupChecks::staticReturns);
    Checks.check("groups", "newer_protocol_a_member_that_polls_too_rarely_is_replaced",
        NewerGroupChecks::pollsTooRarely);
    Checks.check("groups", "newer_protocol_new_partitions_are_found",
        NewerGroupChecks::newPartitions);
    if (version.startsWith("3.")) {
      Checks.cannot("groups", "newer_protocol_a_pattern_finds_new_topics",
          "Kafka's client has it since 4.0");
    } else {
      Checks.check("groups", "newer_protocol_a_pattern_finds_new_topics",
          NewerGroupChecks::patternFindsNewTopics);
    }
    Checks.check("groups", "newer_protocol_takes_over_an_empty_classic_group_and_back",
        NewerGroupChecks::changesOver);
    Checks.check("transactions", "newer_protocol_offsets_commit_with_the_transaction",
        NewerGroupChecks::transaction);
    Checks.check("group-admin", "newer_protocol_groups_are_listed_described_and_deleted",
        NewerGroupChecks::administered);
  }

  private static void share(String assignor) throws Exception {
    String where = Clients.topic("newer-" + assignor, 4);
    String group = Checks.nameOf("newer-" + assignor);
    Object[] how = {"group.remote.assignor", assignor};
    List<Member> members = new ArrayList<>(List.of(Member.newer(group, where, how)));
    Checks.eventually(() -> Member.share(members, 4), "the first has all");
    members.add(Member.newer(group, where, how));
    Checks.eventually(() -> Member.share(members, 4), "both share");
    Checks.same(members.get(0).assigned.size(), 2, "partitions of the first");
    List<ProducerRecord<String, String>> records = new ArrayList<>();
    for (int i = 0; i < 40; i++) records.add(new ProducerRecord<>(where, i % 4, null, "v" + i));
    Clients.send(records);
    Set<String> seen = new HashSet<>();
    Checks.eventually(() -> {
      members.forEach(member -> seen.addAll(member.seen));
      return seen.size() == 40;
    }, "all is read");
    members.remove(0).leave();
    Checks.eventually(() -> Member.share(members, 4), "the one that stays has all");
    members.get(0).leave();
    for (int partition = 0; partition < 4; partition++) {
      Checks.same(GroupChecks.committed(group, where, partition), 10L, "committed of " + partition);
    }
  }

  private static void staticReturns() throws Exception {
    String where = Clients.topic("newer-static", 4);
    String group = Checks.nameOf("newer-static");
    Member stays = Member.newer(group, where, "group.instance.id", "a");
    Member leaves = Member.newer(group, where, "group.instance.id", "b");
    Checks.eventually(() -> Member.share(List.of(stays, leaves), 4), "both share");
    Set<TopicPartition> before = Set.copyOf(leaves.assigned);
    Set<TopicPartition> others = Set.copyOf(stays.assigned);
    leaves.leave();
    Member back = Member.newer(group, where, "group.instance.id", "b");
    Checks.eventually(() -> Set.copyOf(back.assigned).equals(before), "it has what it had");
    Checks.same(Set.copyOf(stays.assigned), others, "partitions of the one that stayed");
    stays.leave();
    back.leave();
  }

  private static void pollsTooRarely() throws Exception {
    String where = Clients.topic("newer-rarely", 1);
    String group = Checks.nameOf("newer-rarely");
    Clients.send(Clients.numbered(where, 0, 5));
    try (KafkaConsumer<String, String> slow = Clients.consumer("group.id", group,
        "group.protocol", "consumer", "max.poll.interval.ms", 1500)) {
      slow.subscribe(List.of(where));
      Checks.eventually(() -> !slow.poll(Duration.ofMillis(100)).isEmpty(), "it reads");
      Member other = Member.newer(group, where);
      Checks.eventually(() -> other.assigned.size() == 1, "another takes over");
      other.leave();
    }
  }

  private static void newPartitions() throws Exception {
    String where = Clients.topic("newer-grows", 1);
    Member member = Member.newer(Checks.nameOf("newer-grows"), where);
    Checks.eventually(() -> Member.share(List.of(member), 1), "it has the one");
    Clients.admin().createPartitions(Map.of(where,
        org.apache.kafka.clients.admin.NewPartitions.increaseTo(3))).all().get();
    Checks.eventually(() -> Member.share(List.of(member), 3), "it has all three");
    member.leave();
  }

  /** The call is looked up by name, so that this file compiles with the older client. */
  private static void patternFindsNewTopics() throws Exception {
    String first = Clients.topic("newer-pattern-1", 1);
    Class<?> type = Class.forName("org.apache.kafka.clients.consumer.SubscriptionPattern");
    Object pattern = type.getConstructor(String.class)
        .newInstance(Checks.nameOf("newer-pattern-") + ".*");
    try (KafkaConsumer<String, String> consumer = Clients.consumer(
        "group.id", Checks.nameOf("newer-pattern"), "group.protocol", "consumer")) {
      KafkaConsumer.class.getMethod("subscribe", type).invoke(consumer, pattern);
      Checks.eventually(() -> has(consumer, Set.of(first)), "the first is assigned");
      String second = Clients.topic("newer-pattern-2", 1);
      Checks.eventually(() -> has(consumer, Set.of(first, second)), "the second is assigned");
    }
  }

  private static boolean has(KafkaConsumer<String, String> consumer, Collection<String> topics) {
    consumer.poll(Duration.ofMillis(100));
    return consumer.assignment().size() == topics.size() && consumer.assignment().stream()
        .allMatch(partition -> topics.contains(partition.topic()));
  }

  /** Members of the two protocols follow each other in one group; its positions stay. */
  private static void changesOver() throws Exception {
    String where = Clients.topic("newer-changes", 1);
    String group = Checks.nameOf("newer-changes");
    for (int round = 0; round < 3; round++) {
      Clients.send(Clients.numbered(where, round * 5, 5));
      Member member = round % 2 == 0 ? Member.classic(group, where) : Member.newer(group, where);
      Checks.eventually(() -> member.seen.size() == 5, "the five new ones are read");
      member.leave();
      Checks.same(GroupChecks.committed(group, where, 0), round * 5L + 5, "committed");
    }
  }

  private static void transaction() throws Exception {
    String source = Clients.topic("newer-txn", 1);
    String group = Checks.nameOf("newer-txn");
    Clients.send(Clients.numbered(source, 0, 20));
    TopicPartition in = new TopicPartition(source, 0);
    try (KafkaConsumer<String, String> consumer =
            Clients.consumer("group.id", group, "group.protocol", "consumer");
        KafkaProducer<String, String> producer = Clients.transactional("newer-txn")) {
      consumer.subscribe(List.of(source));
      int[] seen = {0};
      Checks.eventually(() -> (seen[0] += consumer.poll(Duration.ofMillis(200)).count()) == 20,
          "20 records are read");
      var mine = consumer.groupMetadata();
      producer.beginTransaction();
      producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(10)), mine);
      producer.commitTransaction();
      Checks.same(GroupChecks.committed(group, source, 0), 10L, "committed");
      consumer.unsubscribe();
      producer.beginTransaction();
      Checks.refused(() -> {
        producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(15)), mine);
        producer.commitTransaction();
      }, KafkaException.class, "offsets of one who has left");
      producer.abortTransaction();
      Checks.same(GroupChecks.committed(group, source, 0), 10L, "committed after that");
    }
  }

  private static void administered() throws Exception {
    String where = Clients.topic("newer-listed", 2);
    String group = Checks.nameOf("newer-listed");
    Member member = Member.newer(group, where, "client.id", "the-client");
    Checks.eventually(() -> Member.share(List.of(member), 2), "it has all");
    Checks.truth(GroupChecks.isListed(group), "it is not listed");
    var told = Clients.admin().describeConsumerGroups(List.of(group)).all().get().get(group);
    Checks.same(told.type().toString(), "Consumer", "type");
    Checks.same(told.partitionAssignor(), "uniform", "assignor");
    Checks.same(told.members().size(), 1, "members");
    var one = told.members().iterator().next();
    Checks.same(one.clientId(), "the-client", "client");
    Checks.same(one.assignment().topicPartitions().size(), 2, "partitions");
    Checks.same(one.targetAssignment().get().topicPartitions().size(), 2, "partitions to be");
    Checks.refused(() -> Clients.admin().deleteConsumerGroups(List.of(group)).all().get(),
        GroupNotEmptyException.class, "deletion while it lives");
    member.leave();
    Clients.admin().deleteConsumerGroups(List.of(group)).all().get();
    Checks.truth(!GroupChecks.isListed(group), "it is still listed");
  }
}
