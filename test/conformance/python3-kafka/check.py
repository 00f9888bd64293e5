#!/usr/bin/python3
"""Debian's python3-kafka against a broker that speaks Kafka: the oldest request versions in use."""
import logging
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition, errors
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.structs import OffsetAndMetadata

from checks import (arguments, cannot, check, eventually, name_of, refused, run, same, true)

options = arguments(__doc__)
logging.basicConfig(level=logging.CRITICAL)
BASE = {"bootstrap_servers": options.bootstrap}
START = 1_700_000_000_000  # a fixed event time, so that a lookup by time has one right answer
_admin = []


def admin():
    if not _admin:
        _admin.append(KafkaAdminClient(**BASE))
    return _admin[0]


def topic(what, partitions=1, **settings):
    name = name_of(what)
    settings = {key.replace("_", "."): value for key, value in settings.items()}
    admin().create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
    eventually(lambda: partition_count(name) == partitions, "topic %s is listed" % name)
    return name


def partition_count(name):
    found = admin().describe_topics([name])[0]
    return len(found["partitions"]) if found["error_code"] == 0 else 0


def send(name, records, partition=0, **settings):
    """Sends (key, value, headers, time) and gives the offsets; acks=0 has none to give."""
    producer = KafkaProducer(**BASE, **settings)
    try:
        sent = [producer.send(name, value=value, key=key, headers=headers, partition=partition,
                              timestamp_ms=when) for key, value, headers, when in records]
        producer.flush(30)
        return [future.get(30).offset for future in sent]
    finally:
        producer.close(10)


def numbered(count, first=0):
    return [(b"k%d" % i, b"v%d" % i, [], START + i) for i in range(first, first + count)]


def read(name, count, partition=0, start=None, **settings):
    """Reads until `count` records are there and one more poll brings nothing."""
    consumer = KafkaConsumer(**BASE, **{"enable_auto_commit": False, "fetch_max_wait_ms": 100,
                                        **settings})
    try:
        where = TopicPartition(name, partition)
        consumer.assign([where])
        if start is None:
            consumer.seek_to_beginning(where)
        else:
            consumer.seek(where, start)
        found, end = [], time.monotonic() + 30
        while time.monotonic() < end:
            batch = consumer.poll(300).get(where, [])
            found += batch
            if len(found) >= count and not batch:
                return found
        raise AssertionError("read %d of %d records in 30 s" % (len(found), count))
    finally:
        consumer.close()


# ---------------------------------------------------------------------------------------- codecs
def codec(name):
    def keeps_every_byte():
        where = topic("codec-%s" % name)
        # This client refuses a record with neither key nor value.
        records = [(None if i % 7 == 0 else b"k%d" % i,
                    None if i % 11 == 0 and i % 7 else b"value %d " % i * 30,
                    [("h", b"x")] if i % 3 == 0 else [], START + i) for i in range(300)]
        same(send(where, records, compression_type=name, linger_ms=5), list(range(300)), "offsets")
        for i, (message, (key, value, headers, when)) in enumerate(zip(read(where, 300), records)):
            same((message.offset, message.key, message.value, message.headers, message.timestamp),
                 (i, key, value, headers, when), "record %d" % i)
    keeps_every_byte.__name__ = "%s_keeps_every_byte" % (name or "none")
    check("codecs")(keeps_every_byte)


for _codec in (None, "gzip", "snappy", "lz4", "zstd"):
    codec(_codec)


@check("codecs")
def the_broker_is_taken_for_a_recent_one():
    # This client guesses a release from a few versions; a low guess means old record formats.
    consumer = KafkaConsumer(**BASE)
    guessed = consumer.config["api_version"]
    consumer.close()
    true(guessed >= (2, 4), "taken for %s" % (guessed,))


# ------------------------------------------------------------------------------------------ acks
def acks(value):
    def are_delivered():
        where = topic("acks-%s" % value)
        offsets = send(where, numbered(100), acks=value)
        if value != 0:
            same(offsets, list(range(100)), "offsets told")
        same([m.value for m in read(where, 100)], [b"v%d" % i for i in range(100)], "values")
    are_delivered.__name__ = "acks_%s_are_delivered" % value
    check("acks")(are_delivered)


for _acks in (0, 1, "all"):
    acks(_acks)


@check("acks")
def a_record_over_the_limit_is_refused():
    where = topic("large", max_message_bytes="2000")
    refused(lambda: send(where, [(None, os.urandom(5000), [], START)]),
            errors.MessageSizeTooLargeError, "5000 bytes")
    same(send(where, numbered(1)), [0], "offset of a small one")


@check("acks")
def a_record_larger_than_every_fetch_limit_arrives():
    where = topic("huge")
    send(where, [(b"a", bytes(600_000), [], START)])
    send(where, [(b"b", b"small", [], START)])
    found = read(where, 2, max_partition_fetch_bytes=1000, fetch_max_bytes=1000)
    same([m.key for m in found], [b"a", b"b"], "keys")


@check("acks")
def an_empty_fetch_waits():
    where = topic("wait")
    consumer = KafkaConsumer(**BASE, fetch_max_wait_ms=500, fetch_min_bytes=1)
    consumer.assign([TopicPartition(where, 0)])
    eventually(lambda: consumer.poll(0) == {} and consumer.position(TopicPartition(where, 0)) == 0,
               "it has a position")
    before, end = requests_sent(consumer), time.monotonic() + 2
    while time.monotonic() < end:
        consumer.poll(200)
    sent = requests_sent(consumer) - before
    consumer.close()
    true(2 <= sent <= 8, "%d requests in 2 s with a wait of 500 ms" % sent)


def requests_sent(consumer):
    return max(c._protocol._correlation_id for c in consumer._client._conns.values())


cannot("idempotence", "batches keep their order", "python3-kafka 2.0 has no idempotent producer")
cannot("transactions", "commit, abort, fencing", "python3-kafka 2.0 has no transactions")


# ---------------------------------------------------------------------------------------- groups
class Member(threading.Thread):
    def __init__(self, group, name, **settings):
        super().__init__(daemon=True)
        self.consumer = KafkaConsumer(**BASE, **{
            "group_id": group, "auto_offset_reset": "earliest", "session_timeout_ms": 6000,
            "heartbeat_interval_ms": 500, "metadata_max_age_ms": 1000, **settings})
        self.consumer.subscribe([name])
        self.going, self.seen, self.assigned = True, [], set()
        self.start()

    def run(self):
        while self.going:
            for where, records in self.consumer.poll(100).items():
                self.seen += [(where.partition, r.offset) for r in records]
            self.assigned = {p.partition for p in self.consumer.assignment()}
        self.consumer.close()

    def leave(self):
        self.going = False
        self.join(30)


def shared(members, partitions):
    held = [m.assigned for m in members]
    return all(held) and set().union(*held) == set(range(partitions)) and \
        sum(map(len, held)) == partitions


def two_members(name, assignor):
    def share_and_take_over():
        where, group = topic("group-" + name, 4), name_of("group-" + name)
        members = [Member(group, where, partition_assignment_strategy=[assignor])]
        try:
            eventually(lambda: shared(members, 4), "the first has all")
            members.append(Member(group, where, partition_assignment_strategy=[assignor]))
            eventually(lambda: shared(members, 4), "both share")
            for partition in range(4):
                send(where, numbered(10), partition)
            eventually(lambda: len(set(members[0].seen + members[1].seen)) == 40, "all is read")
            same(len(members[0].seen + members[1].seen), 40, "records read, doubles included")
            members.pop().leave()
            eventually(lambda: shared(members, 4), "the one that stays has all again")
        finally:
            for member in members:
                member.leave()
    share_and_take_over.__name__ = "two_members_share_by_" + name
    check("groups")(share_and_take_over)


from kafka.coordinator.assignors.range import RangePartitionAssignor  # noqa: E402
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor  # noqa: E402

for _name, _assignor in (("range", RangePartitionAssignor),
                         ("roundrobin", RoundRobinPartitionAssignor)):
    two_members(_name, _assignor)

cannot("groups", "two members share by sticky",
       "python3-kafka 2.0's own assignor raises TypeError under Python 3.11")
cannot("groups", "a static member returns", "python3-kafka 2.0 has no static membership")


# --------------------------------------------------------------------------------------- offsets
@check("offsets")
def a_group_resumes_where_it_committed():
    where, group = topic("resume"), name_of("resume")
    send(where, numbered(100))
    partition = TopicPartition(where, 0)
    for first, count in ((0, 40), (40, 60)):
        consumer = KafkaConsumer(where, **BASE, group_id=group, enable_auto_commit=False,
                                 auto_offset_reset="earliest", session_timeout_ms=6000)
        found = []

        def enough():
            for records in consumer.poll(300, max_records=count - len(found)).values():
                found.extend(records)
            return len(found) == count
        eventually(enough, "%d records are read" % count)
        same([m.offset for m in found], list(range(first, first + count)), "offsets")
        consumer.commit({partition: OffsetAndMetadata(first + count, "a note")})
        told = consumer.committed(partition, metadata=True)
        same((told.offset, told.metadata), (first + count, "a note"), "committed")
        consumer.close()


@check("offsets")
def an_unknown_group_has_no_offset():
    consumer = KafkaConsumer(**BASE, group_id=name_of("unknown"))
    same(consumer.committed(TopicPartition(topic("unknown"), 0)), None, "committed")
    consumer.close()


@check("offsets")
def a_time_finds_its_record():
    where = topic("time")
    send(where, [(None, b"%d" % i, [], START + i * 1000) for i in range(30)], linger_ms=20)
    partition = TopicPartition(where, 0)
    consumer = KafkaConsumer(**BASE)
    found = consumer.offsets_for_times({partition: START + 10_500})[partition]
    same((found.offset, found.timestamp), (11, START + 11_000), "the record after a time")
    same(consumer.offsets_for_times({partition: START + 10**9})[partition], None, "after the end")
    same((consumer.beginning_offsets([partition])[partition],
          consumer.end_offsets([partition])[partition]), (0, 30), "ends")
    consumer.close()
    same(read(where, 19, start=found.offset)[0].value, b"11", "first after the seek")


# ---------------------------------------------------------------------------------------- topics
@check("topics")
def a_topic_is_made_once_described_and_deleted():
    where = topic("life", 3, cleanup_policy="compact")
    refused(lambda: admin().create_topics([NewTopic(where, 3, 1)]), errors.TopicAlreadyExistsError,
            "the second one")
    same(settings_of(where)["cleanup.policy"], "compact", "cleanup.policy")
    admin().delete_topics([where])
    eventually(lambda: where not in admin().list_topics(), "it is gone")
    refused(lambda: admin().delete_topics([where]), errors.UnknownTopicOrPartitionError,
            "the second end")


def settings_of(name):
    told = admin().describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    return {entry[0]: entry[1] for entry in told[0].resources[0][4]}


@check("topics")
def bad_names_and_factors_are_refused():
    for name, factor, expected in (("bad name", 1, errors.InvalidTopicError),
                                   ("x" * 250, 1, errors.InvalidTopicError),
                                   (name_of("factor"), 3, errors.InvalidReplicationFactorError)):
        refused(lambda: admin().create_topics([NewTopic(name, 1, factor)]), expected, name)


@check("topics")
def settings_are_altered():
    where = topic("settings")
    admin().alter_configs([ConfigResource(ConfigResourceType.TOPIC, where,
                                          {"retention.ms": "7200000"})])
    eventually(lambda: settings_of(where)["retention.ms"] == "7200000", "it is altered")


@check("topics")
def partitions_grow():
    where = topic("parts", 2)
    admin().create_partitions({where: NewPartitions(5)})
    eventually(lambda: partition_count(where) == 5, "five are listed")
    same(send(where, numbered(3), partition=4), [0, 1, 2], "offsets in the new one")


@check("topics")
def the_cluster_is_described():
    told = admin().describe_cluster()
    true(told["controller_id"] in [b["node_id"] for b in told["brokers"]], "controller %s" % told)


cannot("topics", "records are deleted", "python3-kafka 2.0 has no call for it")


# ----------------------------------------------------------------------------------- group-admin
@check("group-admin")
def groups_are_listed_described_and_deleted():
    where, group = topic("listed", 2), name_of("listed")
    send(where, numbered(10))
    member = Member(group, where, auto_commit_interval_ms=100)
    try:
        eventually(lambda: shared([member], 2) and len(member.seen) == 10, "it has read all")
        true((group, "consumer") in admin().list_consumer_groups(), "it is not listed")
        found = admin().describe_consumer_groups([group])[0]
        same((found.error_code, found.state, found.protocol_type, len(found.members)),
             (0, "Stable", "consumer", 1), "description")
        refusal = admin().delete_consumer_groups([group])[0][1]
        same(refusal, errors.NonEmptyGroupError, "deletion while it lives")
    finally:
        member.leave()
    told = admin().list_consumer_group_offsets(group)
    same(told[TopicPartition(where, 0)].offset, 10, "offset")
    same(admin().delete_consumer_groups([group])[0][1], errors.NoError, "deletion")
    same(admin().list_consumer_group_offsets(group), {}, "offsets after it")


print("python3-kafka %s" % kafka.__version__)
run(options)
