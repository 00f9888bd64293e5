import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupNotEmptyException;

/** Members that come and go under every assignor, and groups as an operator sees them. */
final class GroupChecks {
  private static final Map<String, String> ASSIGNORS = Map.of(
      "range", "RangeAssignor", "round_robin", "RoundRobinAssignor", "sticky", "StickyAssignor",
      "cooperative", "CooperativeStickyAssignor");

  private GroupChecks() {}

  static void register() {
    for (String name : List.of("range", "round_robin", "sticky", "cooperative")) {
      String assignor = "org.apache.kafka.clients.consumer." + ASSIGNORS.get(name);
      Checks.check("groups", "two_members_share_by_" + name, () -> share(name, assignor));
    }
    Checks.check("groups", "a_static_member_returns_without_a_rebalance",
        GroupChecks::staticReturns);
    Checks.check("groups", "a_member_that_polls_too_rarely_is_replaced",
        GroupChecks::pollsTooRarely);
    Checks.check("groups", "a_pattern_finds_new_topics", GroupChecks::patternFindsNewTopics);
    Checks.check("group-admin", "groups_are_listed_described_and_deleted",
        GroupChecks::administered);
    Checks.check("group-admin", "offsets_are_altered_listed_and_deleted", GroupChecks::offsets);
    Checks.check("group-admin", "a_static_member_is_removed", GroupChecks::memberIsRemoved);
  }

  private static void share(String name, String assignor) throws Exception {
    String where = Clients.topic("group-" + name, 4);
    String group = Checks.nameOf("group-" + name);
    Object[] how = {"partition.assignment.strategy", assignor};
    List<Member> members = new ArrayList<>(List.of(Member.classic(group, where, how)));
    Checks.eventually(() -> Member.share(members, 4), "the first has all");
    members.add(Member.classic(group, where, how));
    Checks.eventually(() -> Member.share(members, 4), "both share");
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
      Checks.same(committed(group, where, partition), 10L, "committed of " + partition);
    }
  }

  static Long committed(String group, String topic, int partition) throws Exception {
    OffsetAndMetadata told = Clients.admin().listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata().get().get(new TopicPartition(topic, partition));
    return told == null ? null : told.offset();
  }

  private static void staticReturns() throws Exception {
    String where = Clients.topic("static", 4);
    String group = Checks.nameOf("static");
    Member stays = Member.classic(group, where, "group.instance.id", "a");
    Member leaves = Member.classic(group, where, "group.instance.id", "b");
    Checks.eventually(() -> Member.share(List.of(stays, leaves), 4), "both share");
    Set<TopicPartition> before = Set.copyOf(leaves.assigned);
    int rebalances = stays.rebalances;
    leaves.leave();
    Member back = Member.classic(group, where, "group.instance.id", "b");
    Checks.eventually(() -> Set.copyOf(back.assigned).equals(before), "it has what it had");
    Checks.same(stays.rebalances, rebalances, "rebalances of the one that stayed");
    stays.leave();
    back.leave();
  }

  private static void pollsTooRarely() throws Exception {
    String where = Clients.topic("rarely", 1);
    String group = Checks.nameOf("rarely");
    Clients.send(Clients.numbered(where, 0, 5));
    try (KafkaConsumer<String, String> slow = Clients.consumer("group.id", group,
        "max.poll.interval.ms", 1500, "session.timeout.ms", 6000, "heartbeat.interval.ms", 300)) {
      slow.subscribe(List.of(where));
      Checks.eventually(() -> !slow.poll(Duration.ofMillis(100)).isEmpty(), "it reads");
      Member other = Member.classic(group, where);
      Checks.eventually(() -> other.assigned.size() == 1, "another takes over");
      Checks.refused(slow::commitSync, CommitFailedException.class, "the slow one's commit");
      other.leave();
    }
  }

  private static void patternFindsNewTopics() throws Exception {
    String first = Clients.topic("pattern-1", 1);
    try (KafkaConsumer<String, String> consumer = Clients.consumer("group.id",
        Checks.nameOf("pattern"), "metadata.max.age.ms", 500)) {
      consumer.subscribe(java.util.regex.Pattern.compile(Checks.nameOf("pattern-") + ".*"));
      Checks.eventually(() -> {
        consumer.poll(Duration.ofMillis(100));
        return consumer.assignment().equals(Set.of(new TopicPartition(first, 0)));
      }, "the first is assigned");
      String second = Clients.topic("pattern-2", 1);
      Checks.eventually(() -> {
        consumer.poll(Duration.ofMillis(100));
        return consumer.assignment().contains(new TopicPartition(second, 0));
      }, "the second is assigned");
    }
  }

  @SuppressWarnings({"deprecation", "removal"}) // the call that both 3.9 and 4 have
  static boolean isListed(String group) throws Exception {
    return Clients.admin().listConsumerGroups().all().get().stream()
        .anyMatch(listing -> listing.groupId().equals(group));
  }

  @SuppressWarnings({"deprecation", "removal"}) // as above
  private static void administered() throws Exception {
    String where = Clients.topic("listed", 2);
    String group = Checks.nameOf("listed");
    Member member = Member.classic(group, where, "client.id", "the-client");
    Checks.eventually(() -> Member.share(List.of(member), 2), "it has all");
    Checks.truth(isListed(group), "it is not listed");
    var told = Clients.admin().describeConsumerGroups(List.of(group)).all().get().get(group);
    Checks.same(told.state().toString(), "Stable", "state");
    Checks.same(told.partitionAssignor(), "range", "assignor");
    Checks.same(told.members().size(), 1, "members");
    var one = told.members().iterator().next();
    Checks.same(one.clientId(), "the-client", "client");
    Checks.same(one.assignment().topicPartitions().size(), 2, "partitions");
    Checks.refused(() -> Clients.admin().deleteConsumerGroups(List.of(group)).all().get(),
        GroupNotEmptyException.class, "deletion while it lives");
    member.leave();
    Clients.admin().deleteConsumerGroups(List.of(group)).all().get();
    Checks.truth(!isListed(group), "it is still listed");
  }

  private static void offsets() throws Exception {
    String where = Clients.topic("altered", 2);
    String group = Checks.nameOf("altered");
    TopicPartition zero = new TopicPartition(where, 0);
    TopicPartition one = new TopicPartition(where, 1);
    Clients.admin().alterConsumerGroupOffsets(group, Map.of(
        zero, new OffsetAndMetadata(5, "by hand"), one, new OffsetAndMetadata(7))).all().get();
    Checks.same(committed(group, where, 0), 5L, "first");
    Checks.same(committed(group, where, 1), 7L, "second");
    Clients.admin().deleteConsumerGroupOffsets(group, Set.of(one)).all().get();
    Checks.same(committed(group, where, 0), 5L, "first after the deletion");
    Checks.same(committed(group, where, 1), null, "second after the deletion");
  }

  private static void memberIsRemoved() throws Exception {
    String where = Clients.topic("removed", 2);
    String group = Checks.nameOf("removed");
    Member gone = Member.classic(group, where, "group.instance.id", "gone");
    Member stays = Member.classic(group, where, "group.instance.id", "stays");
    Checks.eventually(() -> Member.share(List.of(gone, stays), 2), "both share");
    gone.leave();
    Checks.same(stays.assigned.size(), 1, "partitions while the other may return");
    Clients.admin().removeMembersFromConsumerGroup(group,
        new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("gone")))).all().get();
    Checks.eventually(() -> stays.assigned.size() == 2, "the one that stays has all");
    stays.leave();
  }
}
