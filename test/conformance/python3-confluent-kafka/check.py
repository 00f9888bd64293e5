#!/usr/bin/python3
"""Debian's python3-confluent-kafka, that is librdkafka, against a broker that speaks Kafka."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from confluent_kafka import (Consumer, KafkaError, KafkaException, OFFSET_BEGINNING, Producer,
                             TopicPartition, libversion, version)
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from checks import (arguments, cannot, check, eventually, name_of, refused, run, same, true)

options = arguments(__doc__)
START = 1_700_000_000_000  # a fixed event time, so that a lookup by time has one right answer
_admin = []


def config(**more):
    return {"bootstrap.servers": options.bootstrap, "log_level": 2,
            **{key.replace("_", "."): value for key, value in more.items()}}


def admin():
    # One for the whole run: its futures die with it.
    if not _admin:
        _admin.append(AdminClient(config()))
    return _admin[0]


def result(futures):
    return [future.result(20) for future in futures.values()]


def topic(what, partitions=1, **settings):
    name = name_of(what)
    settings = {key.replace("_", "."): value for key, value in settings.items()}
    result(admin().create_topics([NewTopic(name, partitions, 1, config=settings)]))
    eventually(lambda: len(partitions_of(name)) == partitions, "topic %s is listed" % name)
    return name


def partitions_of(name):
    listed = admin().list_topics(timeout=10).topics
    return listed[name].partitions if name in listed else {}


def send(name, records, producer=None, partition=0, **settings):
    """Sends (key, value, headers, time) and gives [(error, offset)] in the order of delivery."""
    if producer is None:  # an empty producer is false
        producer = Producer(config(**settings))
    delivered = []
    for key, value, headers, when in records:
        producer.produce(name, value, key, partition, headers=headers, timestamp=when,
                         on_delivery=lambda error, m: delivered.append((error, m.offset())))
        producer.poll(0)
    same(producer.flush(30), 0, "records left after flush")
    return delivered


def numbered(count, first=0):
    return [(b"k%d" % i, b"v%d" % i, [], START + i) for i in range(first, first + count)]


def read(name, count, partition=0, start=OFFSET_BEGINNING, quiet=0.3, seconds=30, **settings):
    """Reads until `count` records are there and nothing more comes for `quiet` seconds."""
    settings.setdefault("group.id", name_of("reader"))
    consumer = Consumer({**config(enable_auto_commit=False, auto_offset_reset="error"),
                         **settings})
    found = []
    consumer.assign([TopicPartition(name, partition, start)])
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            message = consumer.poll(quiet if len(found) >= count else 0.2)
            if message is None:
                if len(found) >= count:
                    return found
                continue
            if message.error():
                raise KafkaException(message.error())
            found.append(message)
        raise AssertionError("read %d of %d records in %d s" % (len(found), count, seconds))
    finally:
        consumer.close()


def values(messages):
    return [message.value() for message in messages]


def code_of(error):
    return error.args[0].code()


# ---------------------------------------------------------------------------------------- codecs
def codec(name):
    def keeps_every_byte():
        where = topic("codec-" + name)
        records = [(None if i % 7 == 0 else b"k%d" % i, None if i % 11 == 0 else b"value %d " % i * 30,
                    [("h", b"x"), ("h", None)] if i % 3 == 0 else [], START + i) for i in range(500)]
        delivered = send(where, records, compression_type=name, linger_ms=20)
        same([error for error, _ in delivered if error], [], "errors")
        found = read(where, 500)
        same([m.offset() for m in found], list(range(500)), "offsets")
        for message, (key, value, headers, when) in zip(found, records):
            same((message.key(), message.value(), message.headers() or [], message.timestamp()[1]),
                 (key, value, headers, when), "record %d" % message.offset())
    keeps_every_byte.__name__ = name + "_keeps_every_byte"
    check("codecs")(keeps_every_byte)


for _codec in ("none", "gzip", "snappy", "lz4", "zstd"):
    codec(_codec)


@check("codecs")
def batches_arrive_compressed():
    # A broker whose list of versions misleads librdkafka is sent plain batches without a word.
    sizes = {}
    for name in ("none", "gzip", "snappy", "lz4", "zstd"):
        where = topic("size-" + name)
        send(where, [(None, b"a" * 1000, [], START)] * 100, compression_type=name, linger_ms=50)
        consumer = Consumer({**config(group_id=name_of("s"), statistics_interval_ms=100),
                             "stats_cb": lambda text, n=name: sizes.__setitem__(n, rx_bytes(text))})
        consumer.assign([TopicPartition(where, 0, OFFSET_BEGINNING)])
        end, count = time.monotonic() + 20, 0
        while time.monotonic() < end and (count < 100 or sizes.get(name, 0) < 1):
            count += consumer.poll(0.1) is not None
        settle = time.monotonic() + 0.4
        while time.monotonic() < settle:
            consumer.poll(0.1)
        consumer.close()
    for name in ("gzip", "snappy", "lz4", "zstd"):
        true(sizes[name] < sizes["none"] / 3, "%s took %d bytes, plain %d" %
             (name, sizes[name], sizes["none"]))


def rx_bytes(text):
    import json
    return json.loads(text)["rx_bytes"]


# ------------------------------------------------------------------------------------------ acks
def acks(value):
    def are_delivered():
        where = topic("acks-%s" % value)
        delivered = send(where, numbered(100), acks=value)
        same([error for error, _ in delivered if error], [], "errors")
        if value != "0":
            same([offset for _, offset in delivered], list(range(100)), "offsets told")
        same(values(read(where, 100)), [b"v%d" % i for i in range(100)], "values")
    are_delivered.__name__ = "acks_%s_are_delivered" % value
    check("acks")(are_delivered)


for _acks in ("0", "1", "all"):
    acks(_acks)


@check("acks")
def a_record_over_the_limit_is_refused():
    where = topic("large", max_message_bytes="2000")
    delivered = send(where, [(None, os.urandom(5000), [], START)])
    same([error.code() for error, _ in delivered], [KafkaError.MSG_SIZE_TOO_LARGE], "errors")
    same([e for e, _ in send(where, [(None, b"small", [], START)])], [None], "a small one")


@check("acks")
def a_record_larger_than_every_fetch_limit_arrives():
    where = topic("huge")
    send(where, [(b"a", bytes(700_000), [], START), (b"b", b"small", [], START)])
    found = read(where, 2, **{"fetch.message.max.bytes": 1000, "fetch.max.bytes": 1_000_000,
                              "max.partition.fetch.bytes": 1000, "message.max.bytes": 1_000_000})
    same([m.key() for m in found], [b"a", b"b"], "keys")


@check("acks")
def log_append_time_is_the_brokers():
    where = topic("append-time", message_timestamp_type="LogAppendTime")
    before = time.time() * 1000 - 2000
    send(where, numbered(3))
    for message in read(where, 3):
        kind, when = message.timestamp()
        same(kind, 2, "type of the timestamp")
        true(before < when < time.time() * 1000 + 2000, "time %d is not now" % when)


@check("acks")
def an_unknown_topic_is_made_or_named():
    # Automatic creation is the default of both brokers; a consumer alone must not create.
    where = name_of("made-by-producing")
    same([e for e, _ in send(where, numbered(1), partition=0)], [None], "errors")
    absent = name_of("absent")
    consumer = Consumer(config(group_id=name_of("a"), allow_auto_create_topics=False))
    consumer.subscribe([absent])
    end, codes = time.monotonic() + 10, set()
    while time.monotonic() < end and not codes:
        message = consumer.poll(0.2)
        if message is not None and message.error():
            codes.add(message.error().code())
    consumer.close()
    same(codes, {KafkaError.UNKNOWN_TOPIC_OR_PART}, "errors of the consumer")
    true(absent not in admin().list_topics(timeout=10).topics, "the topic was created")


# ----------------------------------------------------------------------------------- idempotence
@check("idempotence")
def many_small_batches_keep_their_order():
    where = topic("idempotent", 2)
    producer = Producer(config(enable_idempotence=True, linger_ms=0, batch_num_messages=7))
    for partition in (0, 1):
        delivered = send(where, numbered(2000), producer, partition)
        same([e for e, _ in delivered if e], [], "errors")
        same([offset for _, offset in delivered], list(range(2000)), "offsets")
        same(values(read(where, 2000, partition)), [b"v%d" % i for i in range(2000)], "values")


@check("idempotence")
def two_producers_do_not_disturb_each_other():
    where = topic("idempotent-two")
    producers = [Producer(config(enable_idempotence=True)) for _ in range(2)]
    for i in range(20):
        send(where, [(b"%d" % (i % 2), b"%d" % i, [], START)], producers[i % 2])
    same(values(read(where, 20)), [b"%d" % i for i in range(20)], "values")


# ---------------------------------------------------------------------------------- transactions
def transactional(what, **settings):
    producer = Producer({**config(transaction_timeout_ms=30000, **settings),
                         "transactional.id": name_of(what)})
    producer.init_transactions(30)
    return producer


@check("transactions")
def committed_are_read_and_aborted_are_not():
    where = topic("txn")
    producer = transactional("txn")
    expected = []
    for i in range(8):
        producer.begin_transaction()
        send(where, numbered(10, i * 10), producer)
        if i % 2:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
            expected += [b"v%d" % n for n in range(i * 10, i * 10 + 10)]
    same(values(read(where, 40, **{"isolation.level": "read_committed"})), expected, "committed")
    everything = read(where, 80, **{"isolation.level": "read_uncommitted"})
    same(len(everything), 80, "records in all")
    true(everything[-1].offset() > 80, "markers take offsets too")


@check("transactions")
def an_open_transaction_is_not_read():
    where = topic("txn-open")
    send(where, numbered(5))
    producer = transactional("txn-open")
    producer.begin_transaction()
    send(where, numbered(5, 5), producer)
    send(where, numbered(5, 10))
    reader = {"isolation.level": "read_committed", "group.id": name_of("r")}
    same(values(read(where, 5, quiet=1.0, **reader)), [b"v%d" % i for i in range(5)], "while open")
    consumer = Consumer(config(**reader))
    same(consumer.get_watermark_offsets(TopicPartition(where, 0), timeout=10)[1], 5,
         "end for read_committed")
    consumer.close()
    producer.commit_transaction(30)
    same(len(read(where, 15, **reader)), 15, "records after the commit")


@check("transactions")
def several_partitions_commit_together():
    where = topic("txn-parts", 3)
    producer = transactional("txn-parts", compression_type="lz4")
    producer.begin_transaction()
    for partition in range(3):
        send(where, numbered(10), producer, partition)
    producer.commit_transaction(30)
    for partition in range(3):
        same(len(read(where, 10, partition, **{"isolation.level": "read_committed"})), 10,
             "records of partition %d" % partition)


@check("transactions")
def offsets_commit_with_the_transaction():
    source, target = topic("txn-in"), topic("txn-out")
    send(source, numbered(20))
    group = name_of("txn-group")
    consumer = Consumer(config(group_id=group, enable_auto_commit=False,
                               auto_offset_reset="earliest"))
    consumer.subscribe([source])
    seen = []

    def twenty():
        message = consumer.poll(0.5)
        if message is not None and not message.error():
            seen.append(message)
        return len(seen) == 20
    eventually(twenty, "20 records are read")
    producer = transactional("txn-offsets")
    where = TopicPartition(source, 0)
    for commit, upto in ((False, 20), (True, 10)):
        producer.begin_transaction()
        send(target, numbered(5), producer)
        producer.send_offsets_to_transaction([TopicPartition(source, 0, upto)],
                                             consumer.consumer_group_metadata(), 30)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
            true(consumer.committed([where], timeout=10)[0].offset < 0, "an aborted offset counts")
    same(consumer.committed([where], timeout=10)[0].offset, 10, "committed")
    same(len(read(target, 5, **{"isolation.level": "read_committed"})), 5, "records written")
    consumer.close()


@check("transactions")
def the_heir_aborts_and_fences_the_zombie():
    where = topic("txn-fence")
    zombie = transactional("txn-fence")
    zombie.begin_transaction()
    send(where, [(None, b"zombie", [], START)], zombie)
    heir = transactional("txn-fence")
    heir.begin_transaction()
    send(where, [(None, b"heir", [], START)], heir)
    error = refused(lambda: zombie.commit_transaction(15), KafkaException, "the zombie's commit")
    true(error.args[0].fatal(), "the zombie goes on after %s" % error)
    same(code_of(error), KafkaError._FENCED, "error of the zombie")
    heir.commit_transaction(30)
    same(values(read(where, 1, quiet=1.0, **{"isolation.level": "read_committed"})), [b"heir"],
         "committed")


@check("transactions")
def a_transaction_over_its_time_is_aborted():
    where = topic("txn-timeout")
    producer = Producer({**config(transaction_timeout_ms=1000), "transactional.id": name_of("slow"),
                         "message.timeout.ms": 1000})
    producer.init_transactions(30)
    producer.begin_transaction()
    send(where, numbered(3), producer)
    send(where, [(None, b"after", [], START)])
    # Apache Kafka looks for expired ones every 10 s.
    found = read(where, 1, quiet=1.0, seconds=45, **{"isolation.level": "read_committed",
                                                     "auto.offset.reset": "earliest"})
    same(values(found), [b"after"], "read")
    refused(lambda: producer.commit_transaction(15), KafkaException, "the late commit")


@check("transactions")
def a_timeout_over_the_limit_is_refused():
    producer = Producer({**config(transaction_timeout_ms=1_000_000),
                         "transactional.id": name_of("too-long")})
    error = refused(lambda: producer.init_transactions(15), KafkaException, "a timeout of 1000 s")
    same(code_of(error), KafkaError.INVALID_TRANSACTION_TIMEOUT, "error")


# ---------------------------------------------------------------------------------------- groups
class Member(threading.Thread):
    """A consumer that polls in a thread of its own; what it has and has read can be asked."""

    def __init__(self, group, name, **settings):
        super().__init__(daemon=True)
        self.assigned, self.seen, self.rebalances, self.going = set(), [], 0, True
        self.errors, self.shut = [], True
        self.consumer = Consumer(config(
            group_id=group, auto_offset_reset="earliest", session_timeout_ms=6000,
            heartbeat_interval_ms=500, topic_metadata_refresh_interval_ms=1000, **settings))
        self.consumer.subscribe([name], on_assign=self.gain, on_revoke=self.lose,
                                on_lost=self.lose)
        self.start()

    strategy = "eager"

    def gain(self, _, partitions):
        self.rebalances += 1
        new = {p.partition for p in partitions}
        self.assigned = self.assigned | new if self.strategy == "cooperative" else new

    def lose(self, _, partitions):
        self.assigned = self.assigned - {p.partition for p in partitions}

    def run(self):
        while self.going:
            message = self.consumer.poll(0.1)
            if message is None:
                continue
            if message.error():
                self.errors.append(message.error())
            else:
                self.seen.append((message.partition(), message.offset()))
        if self.shut:
            self.consumer.close()

    def leave(self):
        self.going = False
        self.join(30)


class Cooperative(Member):
    strategy = "cooperative"


def shared(members, partitions):
    held = [m.assigned for m in members]
    return all(held) and set().union(*held) == set(range(partitions)) and \
        sum(map(len, held)) == partitions


def two_members(assignor):
    kind = Cooperative if assignor == "cooperative-sticky" else Member

    def share_and_take_over():
        where, group = topic("group-" + assignor, 4), name_of("group-" + assignor)
        members = [kind(group, where, partition_assignment_strategy=assignor)]
        try:
            eventually(lambda: shared(members, 4), "the first has all")
            members.append(kind(group, where, partition_assignment_strategy=assignor))
            eventually(lambda: shared(members, 4), "both share")
            for partition in range(4):
                send(where, numbered(25), partition=partition)
            eventually(lambda: len(set(members[0].seen + members[1].seen)) == 100, "all is read")
            same(len(members[0].seen + members[1].seen), 100, "records read, doubles included")
            members.pop().leave()
            eventually(lambda: shared(members, 4), "the one that stays has all again")
        finally:
            for member in members:
                member.leave()
    share_and_take_over.__name__ = "two_members_share_by_" + assignor.replace("-", "_")
    check("groups")(share_and_take_over)


for _assignor in ("range", "roundrobin", "cooperative-sticky"):
    two_members(_assignor)


@check("groups")
def a_static_member_returns_without_a_rebalance():
    where, group = topic("static", 4), name_of("static")
    stays = Member(group, where, group_instance_id="a")
    leaves = Member(group, where, group_instance_id="b")
    try:
        eventually(lambda: shared([stays, leaves], 4), "both share")
        before, held = stays.rebalances, leaves.assigned
        leaves.leave()
        leaves = Member(group, where, group_instance_id="b")
        eventually(lambda: leaves.assigned == held, "it has the same partitions again")
        same(stays.rebalances, before, "rebalances of the other")
    finally:
        stays.leave()
        leaves.leave()


@check("groups")
def the_second_of_one_instance_id_fences_the_first():
    where, group = topic("instance", 2), name_of("instance")
    first = Member(group, where, group_instance_id="same")
    second = None
    try:
        eventually(lambda: shared([first], 2), "the first has all")
        second = Member(group, where, group_instance_id="same")
        eventually(lambda: shared([second], 2), "the second has all")
        eventually(lambda: any(e.code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID)
                               for e in first.errors), "the first is told")
    finally:
        first.shut = False
        for member in filter(None, (first, second)):
            member.leave()


@check("groups")
def a_new_partition_is_shared_out():
    where, group = topic("grow", 2), name_of("grow")
    member = Member(group, where)
    try:
        eventually(lambda: shared([member], 2), "it has two")
        result(admin().create_partitions([NewPartitions(where, 3)]))
        eventually(lambda: shared([member], 3), "it has three")
    finally:
        member.leave()


# --------------------------------------------------------------------------------------- offsets
@check("offsets")
def a_group_resumes_where_it_committed():
    where, group = topic("resume"), name_of("resume")
    send(where, numbered(100))
    for first, count in ((0, 40), (40, 60)):
        consumer = Consumer(config(group_id=group, enable_auto_commit=False,
                                   auto_offset_reset="earliest"))
        consumer.subscribe([where])
        found = []

        def enough():
            message = consumer.poll(0.5)
            if message is not None and not message.error():
                found.append(message)
            return len(found) == count
        eventually(enough, "%d records are read" % count)
        same([m.offset() for m in found], list(range(first, first + count)), "offsets")
        consumer.commit(found[-1], asynchronous=False)
        consumer.close()


@check("offsets")
def commits_are_told_again_and_unknown_groups_have_none():
    where = topic("committed", 2)
    send(where, numbered(10))
    consumer = Consumer(config(group_id=name_of("committed")))
    asked = [TopicPartition(where, 0), TopicPartition(where, 1)]
    same([p.offset for p in consumer.committed(asked, timeout=10)], [-1001, -1001], "before")
    consumer.commit(offsets=[TopicPartition(where, 0, 7)], asynchronous=False)
    same([p.offset for p in consumer.committed(asked, timeout=10)], [7, -1001], "after")
    consumer.close()


@check("offsets")
def a_time_finds_its_record():
    for name in ("none", "zstd"):
        where = topic("time-" + name)
        send(where, [(None, b"%d" % i, [], START + i * 1000) for i in range(50)],
             compression_type=name, linger_ms=50)
        consumer = Consumer(config(group_id=name_of("time")))

        def at(when):
            return consumer.offsets_for_times([TopicPartition(where, 0, when)], 10)[0].offset
        same([at(START - 5), at(START + 10_500), at(START + 11_000)], [0, 11, 11], "offsets " + name)
        true(at(START + 10**9) in (-1, 50), "a time after the end")
        consumer.assign([TopicPartition(where, 0, at(START + 10_500))])
        same(eventually(lambda: consumer.poll(0.5), "a record").value(), b"11", "first after it")
        consumer.close()


@check("offsets")
def both_ends_and_the_last_ones_can_be_read():
    where = topic("ends")
    send(where, numbered(30))
    consumer = Consumer(config(group_id=name_of("ends")))
    same(consumer.get_watermark_offsets(TopicPartition(where, 0), timeout=10), (0, 30), "ends")
    consumer.close()
    same([m.offset() for m in read(where, 5, start=25)], list(range(25, 30)), "the last five")


@check("offsets")
def an_offset_out_of_range_is_reset_or_reported():
    where = topic("range")
    send(where, numbered(10))
    error = refused(lambda: read(where, 1, start=1000, seconds=10), KafkaException, "offset 1000")
    true(code_of(error) in (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET),
         "error was %s" % error)
    same(len(read(where, 10, start=1000, **{"auto.offset.reset": "earliest"})), 10, "after reset")


# ---------------------------------------------------------------------------------------- topics
@check("topics")
def a_topic_is_made_once_described_and_deleted():
    where = topic("life", 3, retention_ms="3600000", cleanup_policy="compact")
    error = refused(lambda: result(admin().create_topics([NewTopic(where, 1, 1)])), KafkaException,
                    "the second one")
    same(code_of(error), KafkaError.TOPIC_ALREADY_EXISTS, "error")
    settings = topic_settings(where)
    same((settings["retention.ms"].value, settings["cleanup.policy"].value),
         ("3600000", "compact"), "settings")
    true(not settings["retention.ms"].is_default, "a set value is told as default")
    result(admin().delete_topics([where], operation_timeout=15))
    eventually(lambda: not partitions_of(where), "it is gone")
    error = refused(lambda: result(admin().delete_topics([where])), KafkaException, "the second end")
    same(code_of(error), KafkaError.UNKNOWN_TOPIC_OR_PART, "error")


def topic_settings(name):
    return result(admin().describe_configs([ConfigResource("topic", name)]))[0]


@check("topics")
def bad_names_factors_and_settings_are_refused():
    for name, partitions, factor, settings, expected in (
            ("bad name", 1, 1, {}, KafkaError.TOPIC_EXCEPTION),
            ("x" * 250, 1, 1, {}, KafkaError.TOPIC_EXCEPTION),
            ("..", 1, 1, {}, KafkaError.TOPIC_EXCEPTION),
            (name_of("factor"), 1, 3, {}, KafkaError.INVALID_REPLICATION_FACTOR),
            (name_of("key"), 1, 1, {"no.such.key": "1"}, KafkaError.INVALID_CONFIG),
            (name_of("value"), 1, 1, {"retention.ms": "soon"}, KafkaError.INVALID_CONFIG)):
        error = refused(lambda: result(admin().create_topics(
            [NewTopic(name, partitions, factor, config=settings)])), KafkaException, name)
        same(code_of(error), expected, name[:30])


@check("topics")
def validation_alone_creates_nothing():
    where = name_of("only-validated")
    result(admin().create_topics([NewTopic(where, 1, 1)], validate_only=True))
    true(not partitions_of(where), "it was created")


@check("topics")
def partitions_grow_and_never_shrink():
    where = topic("parts", 2)
    result(admin().create_partitions([NewPartitions(where, 5)]))
    eventually(lambda: len(partitions_of(where)) == 5, "five are listed")
    error = refused(lambda: result(admin().create_partitions([NewPartitions(where, 3)])),
                    KafkaException, "three partitions")
    same(code_of(error), KafkaError.INVALID_PARTITIONS, "error")
    same([e for e, _ in send(where, numbered(3), partition=4)], [None] * 3, "errors")


@check("topics")
def settings_are_altered_and_refused():
    where = topic("settings")
    resource = ConfigResource("topic", where)
    resource.set_config("retention.ms", "7200000")
    result(admin().alter_configs([resource]))
    eventually(lambda: topic_settings(where)["retention.ms"].value == "7200000", "it is altered")
    resource = ConfigResource("topic", where)
    resource.set_config("retention.ms", "never")
    error = refused(lambda: result(admin().alter_configs([resource])), KafkaException, "never")
    same(code_of(error), KafkaError.INVALID_CONFIG, "error")
    # The older call replaces everything: what is not named falls back to its default.
    resource = ConfigResource("topic", where)
    resource.set_config("max.message.bytes", "5000")
    result(admin().alter_configs([resource]))
    eventually(lambda: topic_settings(where)["retention.ms"].value == "604800000", "it is default")


@check("topics")
def the_broker_tells_its_settings():
    broker = next(iter(admin().list_topics(timeout=10).brokers))
    told = result(admin().describe_configs([ConfigResource("broker", str(broker))]))[0]
    for key in ("advertised.listeners", "auto.create.topics.enable", "num.partitions",
                "message.max.bytes", "offsets.retention.minutes"):
        true(key in told, key + " is missing")


@check("topics")
def the_cluster_has_an_id_a_controller_and_a_reachable_broker():
    listed = admin().list_topics(timeout=10)
    true(listed.cluster_id and len(listed.cluster_id) == 22, "id %r" % listed.cluster_id)
    true(listed.controller_id in listed.brokers, "controller %d is no broker" % listed.controller_id)
    broker = listed.brokers[listed.controller_id]
    true(broker.host != "0.0.0.0" and broker.port > 0, "address %s" % broker)


cannot("topics", "records are deleted", "python3-confluent-kafka 1.7 has no call for it")


# ----------------------------------------------------------------------------------- group-admin
@check("group-admin")
def groups_are_listed_and_described():
    where, group = topic("listed", 2), name_of("listed")
    member = Member(group, where)
    try:
        eventually(lambda: shared([member], 2), "it has all")
        true(group in [g.id for g in admin().list_groups(timeout=10)], "it is not listed")
        found = admin().list_groups(group, timeout=10)[0]
        same((found.error, found.state, found.protocol_type, len(found.members)),
             (None, "Stable", "consumer", 1), "description")
        true(found.members[0].client_id and found.members[0].client_host and
             found.members[0].assignment, "a member says who it is")
    finally:
        member.leave()


cannot("group-admin", "groups and their offsets are altered and deleted",
       "python3-confluent-kafka 1.7 has no call for it")

print("python3-confluent-kafka %s on librdkafka %s" % (version()[0], libversion()[0]))
run(options)
