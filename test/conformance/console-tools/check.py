#!/usr/bin/python3
"""The programs behind kafka-topics.sh and its siblings against a broker that speaks Kafka."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import arguments, cannot, check, name_of, run, same, true

options = arguments(__doc__, lambda parser: parser.add_argument("--libraries", required=True))
# A tool lives for a second: the second compiler never pays, and the small heap starts faster.
JAVA = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
        os.path.join(options.libraries, "*")]
TOOLS = "org.apache.kafka.tools."
GROUPS = "consumer.group.ConsumerGroupCommand"


def tool(name, *words, stdin="", fails=False):
    """What the tool printed; a tool that fails, or one that should and does not, ends the check."""
    where = ["--bootstrap-server", options.bootstrap]
    # ClusterTool's actions have the option, everywhere else it stands before the action.
    words = [*words, *where] if name == "ClusterTool" else [*where, *words]
    done = subprocess.run(JAVA + [TOOLS + name, *words], input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = " ".join((done.stdout + done.stderr).split())
    true(fails == (done.returncode != 0), "%s ended with code %d: %s" % (
        name, done.returncode, said[-300:]))
    return said if fails else done.stdout


def holds(text, *parts):
    for part in parts:
        true(re.search(part, text), "%r is not in: %s" % (part, " ".join(text.split())[-400:]))


def topic(what, partitions=1, *more):
    name = name_of(what)
    holds(tool("TopicCommand", "--create", "--topic", name, "--partitions", str(partitions), *more),
          "Created topic " + name)
    return name


def send(where, text, *more):
    tool("ConsoleProducer", "--topic", where, "--reader-property", "parse.key=true",
         "--reader-property", "key.separator=:", *more, stdin=text)


def read(where, count, *more):
    return tool("consumer.ConsoleConsumer", "--topic", where, "--max-messages", str(count),
                "--timeout-ms", "20000", *more).splitlines()


def events(text, name):
    return [e for e in map(json.loads, text.splitlines()) if e["name"] == name]


@check("topics")
def kafka_topics_creates_describes_alters_lists_and_deletes():
    where = topic("life", 3, "--config", "retention.ms=3600000")
    holds(tool("TopicCommand", "--create", "--topic", where, fails=True), "already exists")
    tool("TopicCommand", "--alter", "--topic", where, "--partitions", "5")
    holds(tool("TopicCommand", "--describe", "--topic", where), r"PartitionCount: 5",
          r"ReplicationFactor: 1", r"retention.ms=3600000", r"Partition: 4\s+Leader: \d+")
    true(where in tool("TopicCommand", "--list").split(), "it is not listed")
    tool("TopicCommand", "--delete", "--topic", where)
    holds(tool("TopicCommand", "--describe", "--topic", where, fails=True), "does not exist")


@check("topics")
def kafka_configs_alters_and_describes():
    where = topic("configs")
    entity = ("--entity-type", "topics", "--entity-name", where)
    tool("ConfigCommand", "--alter", *entity, "--add-config",
         "retention.ms=7200000,max.message.bytes=5000")
    tool("ConfigCommand", "--alter", *entity, "--delete-config", "max.message.bytes")
    told = tool("ConfigCommand", "--describe", *entity)
    holds(told, r"retention.ms=7200000 .*DYNAMIC_TOPIC_CONFIG")
    true("max.message.bytes=5000" not in told, "what was taken away is still there")
    holds(tool("ConfigCommand", "--describe", "--all", *entity), r"cleanup.policy=delete",
          r"segment.bytes=\d+")
    holds(tool("ConfigCommand", "--alter", *entity, "--add-config", "retention.ms=soon",
               fails=True), "retention.ms")


@check("topics")
def kafka_delete_records_and_kafka_get_offsets_agree():
    where = topic("delete-records")
    send(where, "".join("k%d:v%d\n" % (i, i) for i in range(20)))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"version": 1, "partitions": [{"topic": where, "partition": 0, "offset": 12}]},
                  file)
        file.flush()
        holds(tool("DeleteRecordsCommand", "--offset-json-file", file.name), r"low_watermark: 12")
    same([tool("GetOffsetShell", "--topic", where, "--time", when).strip()
          for when in ("earliest", "latest")], [where + ":0:12", where + ":0:20"], "offsets")


@check("topics")
def the_cluster_its_log_dirs_and_its_versions_are_shown():
    where = topic("shown")
    holds(tool("ClusterTool", "cluster-id"), r"Cluster ID: \S{22}")
    holds(tool("ClusterTool", "list-endpoints"), options.bootstrap.rsplit(":", 1)[1])
    told = tool("LogDirsCommand", "--describe", "--topic-list", where)
    dirs = json.loads(told.splitlines()[-1])["brokers"][0]["logDirs"]
    same([p["partition"] for d in dirs for p in d["partitions"]], [where + "-0"], "partitions")
    holds(tool("BrokerApiVersionsCommand"), r"Produce\(0\): 0 to \d+ \[usable: \d+\]")
    tool("FeatureCommand", "describe")


@check("codecs")
def kafka_console_producer_and_consumer_keep_keys_headers_and_order():
    where = topic("console", 2)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        send(where, "codec:%s\tk:%s\n" % (codec, codec), "--reader-property", "parse.headers=true",
             "--compression-codec", codec)
    lines = read(where, 5, "--from-beginning", "--formatter-property", "print.key=true",
                 "--formatter-property", "print.headers=true")
    same(lines, ["codec:%s\tk\t%s" % (c, c) for c in ("none", "gzip", "snappy", "lz4", "zstd")],
         "lines")


@check("acks")
def kafka_verifiable_producer_has_everything_acknowledged():
    where = topic("verifiable", 2)
    told = tool("VerifiableProducer", "--topic", where, "--max-messages", "1000", "--acks", "-1",
                "--repeating-keys", "10")
    same((events(told, "tool_data")[0]["acked"], len(events(told, "producer_send_error"))),
         (1000, 0), "acknowledged, failed")
    told = tool("VerifiableConsumer", "--topic", where, "--group-id", name_of("verifiable"),
                "--max-messages", "1000", "--reset-policy", "earliest")
    same(sum(e["count"] for e in events(told, "records_consumed")), 1000, "consumed")
    true(all(e["success"] for e in events(told, "offsets_committed")), "a commit failed")


@check("acks")
def the_performance_tools_come_to_their_end():
    where = topic("perf")
    holds(tool("ProducerPerformance", "--topic", where, "--num-records", "2000", "--record-size",
               "100", "--throughput", "-1"), r"2000 records sent")
    told = tool("ConsumerPerformance", "--topic", where, "--num-records", "2000", "--timeout",
                "30000", "--hide-header")
    same(told.split(",")[4].strip(), "2000", "records consumed")


@check("group-admin")
def kafka_consumer_groups_lists_describes_resets_and_deletes():
    where, group = topic("reset"), name_of("reset")
    send(where, "".join("k%d:v%d\n" % (i, i) for i in range(20)))
    same(len(read(where, 20, "--group", group, "--from-beginning")), 20, "records")
    same(tool(GROUPS, "--list").split().count(group), 1, "times it is listed")
    holds(tool(GROUPS, "--describe", "--group", group),
          r"%s\s+%s\s+0\s+20\s+20\s+0" % (group, where))
    holds(tool(GROUPS, "--describe", "--group", group, "--state"), r"Empty\s+0")
    for how, offset in ((("--to-offset", "7"), 7), (("--shift-by", "3"), 10),
                        (("--to-datetime", "2099-01-01T00:00:00.000"), 20),
                        (("--to-earliest",), 0)):
        holds(tool(GROUPS, "--reset-offsets", "--group", group, "--topic", where, "--execute",
                   *how), r"%s\s+0\s+%d\s" % (where, offset))
    tool(GROUPS, "--delete-offsets", "--group", group, "--topic", where)
    tool(GROUPS, "--delete", "--group", group)
    true(group not in tool(GROUPS, "--list").split(), "it is still listed")


@check("transactions")
def kafka_transactions_lists_and_describes():
    where, id_ = topic("txn"), name_of("txn")
    told = tool("ProducerPerformance", "--topic", where, "--num-records", "500", "--record-size",
                "100", "--throughput", "-1", "--transactional-id", id_,
                "--transaction-duration-ms", "20")
    holds(told, r"500 records sent")
    holds(tool("TransactionsCommand", "list"), id_ + r"\s+\d+\s+\d+\s+CompleteCommit")
    holds(tool("TransactionsCommand", "describe", "--transactional-id", id_), r"CompleteCommit")
    holds(tool("TransactionsCommand", "describe-producers", "--topic", where, "--partition", "0"),
          r"ProducerId\s+ProducerEpoch")
    same(len(read(where, 500, "--from-beginning", "--isolation-level", "read_committed")), 500,
         "committed records")


cannot("transactions", "a hanging one is aborted by an operator",
       "no partition of this broker can keep a transaction that its coordinator has ended")

found = glob.glob(os.path.join(options.libraries, "kafka-tools-[0-9]*.jar"))
print("Kafka's console tools %s" % (found[0].rsplit("-", 1)[1][:-4] if found else "?"))
run(options)
