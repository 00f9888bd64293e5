// The part of the command tree that talks to a Kafka cluster.
#include "app/command_builder.h"

namespace adbrook::app {

void add_cluster_flags(CommandBuilder& to, KafkaArguments& a) {
  to.option("-b,--bootstrap", a.bootstrap, "HOST:PORT",
            "A broker of the cluster; several with commas")
      .option("-X", a.properties, "KEY=VALUE",
              "A client property by librdkafka's name, like security.protocol=SASL_SSL")
      .option("--timeout", a.timeout, "TIME", "The longest wait for one answer");
}

namespace {

void add_names(CommandBuilder& to, KafkaArguments& a, const std::string& value_name,
               const std::string& about) {
  to.option("NAME", a.names, value_name, about).required();
}

void add_topics(CommandBuilder& root, Arguments& a) {
  auto topics = root.command("topics", "Topics of a Kafka cluster, this one or any other");
  topics.needs_subcommand();
  auto list = topics.command("list", "Every topic with its partitions and records");
  list.example("adbrook topics list", "of the engine on this machine")
      .example("adbrook topics list --bootstrap kafka.example:9092 --json", "of any Kafka");
  list.toggle("--internal", a.kafka.topic.internal, "Internal topics too")
      .toggle("--json", a.json, "As JSON");
  add_cluster_flags(list, a.kafka);

  auto create = topics.command("create", "Make topics");
  create
      .example("adbrook topics create orders --partitions 4 --config retention.ms=604800000",
               "four partitions, kept for a week")
      .example("adbrook topics create orders --unless-it-exists", "also fine when it is there");
  add_names(create, a.kafka, "TOPIC", "Topics to make");
  create
      .option("--partitions", a.kafka.topic.partitions, "N",
              "How many (default: what the cluster is set to)")
      .option("--replicas", a.kafka.topic.replicas, "N",
              "Copies of each (default: what the cluster is set to)")
      .option("--config", a.kafka.topic.config, "KEY=VALUE",
              "A setting of the topic by Kafka's name; may be given several times")
      .toggle("--unless-it-exists", a.kafka.topic.unless_it_exists,
              "Exit 0 when it is there already");
  add_cluster_flags(create, a.kafka);

  auto describe = topics.command("describe", "Partitions, offsets and settings of a topic");
  describe.example("adbrook topics describe impressions", "partitions and the settings of its own")
      .example("adbrook topics describe impressions --all --json", "every setting, as JSON");
  add_names(describe, a.kafka, "TOPIC", "Topics to describe");
  describe.toggle("--all", a.kafka.topic.all_settings, "Settings with default values too")
      .toggle("--json", a.json, "As JSON");
  add_cluster_flags(describe, a.kafka);

  auto gone = topics.command("delete", "Delete topics with all their records");
  gone.example("adbrook topics delete orders", "asks first on a terminal")
      .example("adbrook topics delete orders --yes", "does not ask");
  add_names(gone, a.kafka, "TOPIC", "Topics to delete");
  gone.toggle("-y,--yes", a.kafka.yes, "Do not ask");
  add_cluster_flags(gone, a.kafka);

  auto alter = topics.command("alter", "Change settings of a topic, or add partitions");
  alter.example("adbrook topics alter orders --config retention.ms=3600000", "keep an hour")
      .example("adbrook topics alter orders --delete-config retention.ms", "back to the default")
      .example("adbrook topics alter orders --partitions 8", "more partitions, never fewer");
  add_names(alter, a.kafka, "TOPIC", "Topics to change");
  alter
      .option("--config", a.kafka.topic.config, "KEY=VALUE", "Set this; may be given several times")
      .option("--delete-config", a.kafka.topic.config_delete, "KEY", "Back to the default")
      .option("--partitions", a.kafka.topic.partitions, "N",
              "The new count (default: as many as before)");
  add_cluster_flags(alter, a.kafka);
}

void add_groups(CommandBuilder& root, Arguments& a) {
  auto groups = root.command("groups", "Consumer groups of a Kafka cluster");
  groups.needs_subcommand();
  auto list = groups.command("list", "Every group with its state");
  list.example("adbrook groups list", "of the engine on this machine");
  list.toggle("--json", a.json, "As JSON");
  add_cluster_flags(list, a.kafka);

  auto describe = groups.command("describe", "Members, assignment and lag of a group");
  describe.example("adbrook groups describe billing", "lag is in records");
  add_names(describe, a.kafka, "GROUP", "Groups to describe");
  describe.toggle("--json", a.json, "As JSON");
  add_cluster_flags(describe, a.kafka);

  auto reset = groups.command("reset-offsets", "Let a group without members begin elsewhere");
  reset
      .example("adbrook groups reset-offsets billing --to earliest --topic orders",
               "shows what would change")
      .example("adbrook groups reset-offsets billing --to @2026-01-03T00:00:00Z --execute",
               "does it, for every topic the group has read")
      .example("adbrook groups reset-offsets billing --to 1000 --topic orders:0,2 --execute",
               "two partitions of one topic");
  reset.option("GROUP", a.kafka.name, "GROUP", "The group").required();
  reset
      .option("--to", a.kafka.group.to, "WHERE",
              "earliest, latest, an offset, -N (N before the end) or @TIME (RFC 3339, ms since "
              "1970, or -1h for an hour ago)")
      .required()
      .option("--topic", a.kafka.group.topics, "TOPIC[:P,P]",
              "Only this topic or these partitions; may be given several times")
      .toggle("--execute", a.kafka.group.execute, "Do it; without this it is only shown")
      .toggle("--dry-run", a.kafka.group.dry_run, "Only show it, as without --execute")
      .toggle("--json", a.json, "As JSON");
  add_cluster_flags(reset, a.kafka);

  auto gone = groups.command("delete", "Delete groups with their offsets");
  gone.example("adbrook groups delete billing", "asks first on a terminal");
  add_names(gone, a.kafka, "GROUP", "Groups to delete");
  gone.toggle("-y,--yes", a.kafka.yes, "Do not ask");
  add_cluster_flags(gone, a.kafka);
}

void add_produce(CommandBuilder& root, Arguments& a) {
  auto produce = root.command("produce", "Send lines or files as records to a topic");
  produce.example("adbrook produce orders < orders.ndjson", "a record from each line")
      .example("adbrook produce orders -K : -H source=shop lines.txt", "key:value, and a header")
      .example("adbrook produce images --whole-files --key logo logo.png", "a file as one record");
  produce.option("TOPIC", a.kafka.name, "TOPIC", "Where the records go")
      .required()
      .option("FILE", a.kafka.produce.files, "FILE", "Files of lines (default: stdin)",
              ValueKind::file)
      .option("-K,--key-delimiter", a.kafka.produce.key_delimiter, "TEXT",
              "What is before it in a line is the key; \\t is a tab")
      .option("-k,--key", a.kafka.produce.key, "TEXT", "The key of every record")
      .option("-D,--delimiter", a.kafka.produce.delimiter, "TEXT", "What ends a record")
      .option("-p,--partition", a.kafka.produce.partition, "N",
              "This partition (default: by the key, as Kafka's clients choose it)")
      .option("-H,--header", a.kafka.produce.headers, "NAME=VALUE",
              "A header of every record; may be given several times")
      .choice("--acks", a.kafka.produce.acks, {"all", "1", "0"},
              "Who must have a record before it counts as acknowledged")
      .choice("-z,--compression", a.kafka.produce.compression,
              {"none", "gzip", "snappy", "lz4", "zstd"}, "How batches are compressed")
      .toggle("-Z,--empty-is-null", a.kafka.produce.empty_is_null,
              "An empty value or key is none: a tombstone")
      .toggle("--whole-files", a.kafka.produce.whole_files, "Each file is one record")
      .toggle("--json", a.json, "The offsets as JSON");
  add_cluster_flags(produce, a.kafka);
}

void add_consume(CommandBuilder& root, Arguments& a) {
  auto consume = root.command("consume", "Print records of a topic");
  consume.example("adbrook consume impressions -n 5", "the first five; Avro is shown as JSON")
      .example("adbrook consume impressions -o -10 --once", "the last ten of each partition")
      .example("adbrook consume clicks -o @-1h -f '%t[%p]@%o%T%k%v\\n'",
               "from an hour ago, then whatever comes")
      .example("adbrook consume clicks --json --once", "a JSON object on each line");
  consume.option("TOPIC", a.kafka.name, "TOPIC", "The topic to read").required();
  consume
      .option("-o,--offset", a.kafka.consume.offset, "WHERE",
              "beginning, end, an offset, -N (N before the end) or @TIME (RFC 3339, ms since "
              "1970, or -1h for an hour ago)")
      .option("-n,--count", a.kafka.consume.count, "N", "Stop after so many (default: go on)")
      .option("-f,--format", a.kafka.consume.format, "FORMAT",
              "%t topic, %p partition, %o offset, %k key, %v or %s value, %K %S their sizes, %T "
              "time in ms, %h headers, %%, \\n, \\t, \\xNN (default %v\\n)")
      .option("-p,--partition", a.kafka.consume.partitions, "N",
              "Only this partition; may be given several times")
      .option("-G,--group", a.kafka.consume.group, "GROUP",
              "Read as a member of this group and commit what was printed")
      .toggle("-e,--once", a.kafka.consume.once, "Stop at the ends that the topic has now")
      .toggle("--raw", a.kafka.consume.raw, "Bytes as they are: no Avro, no escapes")
      .toggle("--json", a.json, "A JSON object on each line");
  add_cluster_flags(consume, a.kafka);
}

}  // namespace

void add_kafka_commands(CommandBuilder& root, Arguments& a) {
  add_topics(root, a);
  add_groups(root, a);
  add_produce(root, a);
  add_consume(root, a);
}

}  // namespace adbrook::app
