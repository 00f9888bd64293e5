import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Topics, their settings, and the cluster, through the admin client. */
final class TopicChecks {
  private TopicChecks() {}

  static void register() {
    Checks.check("topics", "a_topic_is_made_once_described_and_deleted", TopicChecks::life);
    Checks.check("topics", "a_topic_has_an_id_of_its_own", TopicChecks::ids);
    Checks.check("topics", "bad_names_factors_and_settings_are_refused", TopicChecks::refusals);
    Checks.check("topics", "validation_alone_creates_nothing", TopicChecks::validation);
    Checks.check("topics", "partitions_grow_and_never_shrink", TopicChecks::partitions);
    Checks.check("topics", "settings_are_altered_one_by_one", TopicChecks::settings);
    Checks.check("topics", "records_are_deleted", TopicChecks::records);
    Checks.check("topics", "the_broker_tells_its_settings", TopicChecks::brokerSettings);
    Checks.check("topics", "the_cluster_has_an_id_a_controller_and_a_reachable_broker",
        TopicChecks::cluster);
    Checks.check("topics", "log_dirs_have_sizes", TopicChecks::logDirs);
    Checks.check("topics", "features_are_described", TopicChecks::features);
    Checks.check("topics", "without_an_authorizer_acls_are_said_to_be_off", TopicChecks::acls);
  }

  private static Config configOf(ConfigResource.Type type, String name) throws Exception {
    ConfigResource resource = new ConfigResource(type, name);
    return Clients.admin().describeConfigs(List.of(resource)).all().get().get(resource);
  }

  private static String setting(String topic, String key) throws Exception {
    return configOf(ConfigResource.Type.TOPIC, topic).get(key).value();
  }

  private static void create(NewTopic topic) throws Exception {
    Clients.admin().createTopics(List.of(topic)).all().get();
  }

  private static boolean isListed(String topic) throws Exception {
    return Clients.admin().listTopics().names().get().contains(topic);
  }

  private static TopicDescription description(String topic) throws Exception {
    return Clients.admin().describeTopics(List.of(topic)).allTopicNames().get().get(topic);
  }

  private static void life() throws Exception {
    String where = Clients.topic("life", 3, "retention.ms", "3600000", "cleanup.policy", "compact");
    Checks.refused(() -> create(new NewTopic(where, 1, (short) 1)), TopicExistsException.class,
        "the second one");
    Checks.same(setting(where, "retention.ms"), "3600000", "retention.ms");
    Checks.same(setting(where, "cleanup.policy"), "compact", "cleanup.policy");
    ConfigEntry untouched = configOf(ConfigResource.Type.TOPIC, where).get("segment.bytes");
    Checks.truth(untouched.isDefault(), "segment.bytes is not told as a default");
    TopicDescription told = description(where);
    Checks.same(told.partitions().size(), 3, "partitions");
    Checks.same(told.partitions().get(2).isr().size(), 1, "in-sync replicas");
    Checks.truth(!told.isInternal(), "it is told as internal");
    Clients.admin().deleteTopics(List.of(where)).all().get();
    Checks.eventually(() -> !isListed(where), "it is gone");
    Checks.refused(() -> Clients.admin().deleteTopics(List.of(where)).all().get(),
        UnknownTopicOrPartitionException.class, "the second end");
  }

  private static void ids() throws Exception {
    String where = Clients.topic("id", 1);
    Uuid first = description(where).topicId();
    Checks.truth(!first.equals(Uuid.ZERO_UUID), "the id is zero");
    Checks.same(Clients.admin().describeTopics(TopicCollection.ofTopicIds(List.of(first)))
        .allTopicIds().get().get(first).name(), where, "topic of the id");
    Clients.admin().deleteTopics(TopicCollection.ofTopicIds(List.of(first))).all().get();
    Checks.eventually(() -> !isListed(where), "it is gone");
    Uuid second = description(Clients.topic("id", 1)).topicId();
    Checks.truth(!second.equals(first), "the heir has the same id");
  }

  private static void refusals() throws Exception {
    for (String bad : List.of("bad name", "x".repeat(250), "..", "a/b")) {
      Checks.refused(() -> create(new NewTopic(bad, 1, (short) 1)), InvalidTopicException.class,
          bad);
    }
    Checks.refused(() -> create(new NewTopic(Checks.nameOf("none"), 0, (short) 1)),
        InvalidPartitionsException.class, "no partition");
    Checks.refused(() -> create(new NewTopic(Checks.nameOf("factor"), 1, (short) 3)),
        InvalidReplicationFactorException.class, "three replicas");
    for (Map.Entry<String, String> bad
        : Map.of("no.such.key", "1", "retention.ms", "soon").entrySet()) {
      NewTopic wanted = new NewTopic(Checks.nameOf("setting"), 1, (short) 1)
          .configs(Map.of(bad.getKey(), bad.getValue()));
      Checks.refused(() -> create(wanted), InvalidConfigurationException.class, bad.getKey());
    }
  }

  private static void validation() throws Exception {
    String where = Checks.nameOf("only-validated");
    Clients.admin().createTopics(List.of(new NewTopic(where, 1, (short) 1)),
        new CreateTopicsOptions().validateOnly(true)).all().get();
    Checks.truth(!isListed(where), "it was created");
  }

  private static void partitions() throws Exception {
    String where = Clients.topic("parts", 2);
    Clients.admin().createPartitions(Map.of(where, NewPartitions.increaseTo(5))).all().get();
    Checks.eventually(() -> Clients.partitionsOf(where) == 5, "five are listed");
    Checks.refused(() -> Clients.admin().createPartitions(
        Map.of(where, NewPartitions.increaseTo(3))).all().get(),
        InvalidPartitionsException.class, "three partitions");
  }

  private static void alter(String topic, String key, String value, AlterConfigOp.OpType how)
      throws Exception {
    Clients.admin().incrementalAlterConfigs(Map.of(
        new ConfigResource(ConfigResource.Type.TOPIC, topic),
        List.of(new AlterConfigOp(new ConfigEntry(key, value), how)))).all().get();
  }

  private static void settings() throws Exception {
    String where = Clients.topic("settings", 1, "max.message.bytes", "5000");
    alter(where, "retention.ms", "7200000", AlterConfigOp.OpType.SET);
    Checks.eventually(() -> setting(where, "retention.ms").equals("7200000"), "it is altered");
    Checks.same(setting(where, "max.message.bytes"), "5000", "what was not named");
    alter(where, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND);
    Checks.eventually(() -> Set.of(setting(where, "cleanup.policy").split(","))
        .equals(Set.of("delete", "compact")), "it is appended");
    alter(where, "cleanup.policy", "delete", AlterConfigOp.OpType.SUBTRACT);
    Checks.eventually(() -> setting(where, "cleanup.policy").equals("compact"), "it is taken away");
    alter(where, "retention.ms", "", AlterConfigOp.OpType.DELETE);
    Checks.eventually(() -> setting(where, "retention.ms").equals("604800000"), "it is default");
    Checks.refused(() -> alter(where, "retention.ms", "never", AlterConfigOp.OpType.SET),
        InvalidConfigurationException.class, "never");
  }

  private static void records() throws Exception {
    String where = Clients.topic("delete-records", 1);
    TopicPartition partition = new TopicPartition(where, 0);
    Clients.send(Clients.numbered(where, 0, 20));
    Checks.same(Clients.admin().deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(12)))
        .lowWatermarks().get(partition).get().lowWatermark(), 12L, "low watermark");
    Checks.same(Clients.admin().listOffsets(Map.of(partition, OffsetSpec.earliest()))
        .partitionResult(partition).get().offset(), 12L, "earliest");
    Checks.same(Clients.readFrom(where, 0, 12, 8).get(0).offset(), 12L, "first offset");
  }

  private static Node node() throws Exception {
    return Clients.admin().describeCluster().controller().get();
  }

  private static void brokerSettings() throws Exception {
    Config told = configOf(ConfigResource.Type.BROKER, node().idString());
    for (String key : List.of("advertised.listeners", "auto.create.topics.enable", "num.partitions",
        "message.max.bytes", "offsets.retention.minutes")) {
      Checks.truth(told.get(key) != null, key + " is missing");
    }
  }

  private static void cluster() throws Exception {
    var told = Clients.admin().describeCluster();
    Checks.same(told.clusterId().get().length(), 22, "length of the cluster's id");
    Collection<Node> nodes = told.nodes().get();
    Checks.truth(nodes.contains(told.controller().get()), "the controller is no broker");
    Checks.truth(nodes.stream().noneMatch(node -> node.host().equals("0.0.0.0")), "no address");
  }

  private static void logDirs() throws Exception {
    String where = Clients.topic("dirs", 2);
    Clients.send(Clients.numbered(where, 0, 10));
    var directories = Clients.admin().describeLogDirs(List.of(node().id())).allDescriptions().get()
        .get(node().id()).values();
    Checks.truth(directories.stream().anyMatch(directory ->
        directory.replicaInfos().containsKey(new TopicPartition(where, 1))
            && directory.replicaInfos().get(new TopicPartition(where, 0)).size() > 0),
        "no directory has both partitions and a size");
  }

  private static void features() throws Exception {
    var told = Clients.admin().describeFeatures().featureMetadata().get();
    told.finalizedFeatures().forEach((name, range) -> Checks.truth(
        told.supportedFeatures().containsKey(name), name + " is finalized and not supported"));
  }

  private static void acls() throws Exception {
    Checks.refused(() -> Clients.admin().describeAcls(
        org.apache.kafka.common.acl.AclBindingFilter.ANY).values().get(),
        SecurityDisabledException.class, "the list of ACLs");
  }
}
