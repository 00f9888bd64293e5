#!/usr/bin/python3
"""Bytes that no client library would send: each gets the protocol's own code, or a closed connection."""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import arguments, check, eventually, name_of, refused, run, same, true
from wire import Closed, Connection, array, batch, blob, gzip, record, string

options = arguments(__doc__)
(NONE, OUT_OF_RANGE, CORRUPT, UNKNOWN_TOPIC, NOT_LEADER, TOO_LARGE, INVALID_TOPIC) = (
    0, 1, 2, 3, 6, 10, 17)
(REQUIRED_ACKS, ILLEGAL_GENERATION, PROTOCOL, INVALID_GROUP, UNKNOWN_MEMBER, SESSION) = (
    21, 22, 23, 24, 25, 26)
(REBALANCING, UNSUPPORTED, SEQUENCE, EPOCH, STATE, CONCURRENT, INVALID_RECORD) = (
    27, 35, 45, 47, 48, 51, 87)
(INVALID_REQUEST, NO_SUCH_GROUP, FENCED, UNRELEASED, NO_ASSIGNOR) = (42, 69, 110, 111, 112)


def connection():
    return Connection(options.bootstrap)


def topic(what, partitions=1):
    name = name_of(what)
    with connection() as c:
        same(c.create(name, partitions), NONE, "creation of " + name)

        def there():
            answer = c.ask(3, 1, array([string(name)]))
            for _ in range(answer.take("i")):
                answer.take("i"), answer.string(), answer.take("i"), answer.string()
            answer.take("i")
            answer.take("i")
            return answer.take("h") == NONE
        eventually(there, "topic %s is listed" % name)
    return name


def still_serves():
    with connection() as c:
        same(c.ask(18, 0, b"").take("h"), NONE, "ApiVersions afterwards")


# ------------------------------------------------------------------------------------- bad-input
def closes(name, data):
    def is_closed():
        with connection() as c:
            c.socket.sendall(data)
            true(c.closed(), "the connection stays open")
        still_serves()
    is_closed.__name__ = name
    check("bad-input")(is_closed)


closes("an_http_request_is_closed", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
closes("a_tls_hello_is_closed", bytes.fromhex("16030100c8010000c40303") + os.urandom(190))
closes("a_length_of_two_gigabytes_is_closed", struct.pack(">i", 0x7FFFFFFF))
closes("a_negative_length_is_closed", struct.pack(">i", -1))
closes("garbage_is_closed", b"\x00\x00\x00\x20" + b"\xA5" * 32)
closes("an_unknown_api_is_closed", blob(struct.pack(">hhi", 9999, 0, 1) + string("raw")))
closes("an_unknown_version_is_closed", blob(struct.pack(">hhi", 3, 99, 1) + string("raw")))
closes("a_request_cut_short_is_closed", blob(struct.pack(">hhi", 3, 1, 1) + string("raw") + b"\0\0"))
closes("an_array_of_two_billion_is_closed",
       blob(struct.pack(">hhi", 3, 1, 1) + string("raw") + struct.pack(">i", 2**31 - 1)))


@check("bad-input")
def api_versions_of_an_unknown_version_answers_in_version_0():
    with connection() as c:
        answer = c.ask(18, 99, b"\0")
        same(answer.take("h"), UNSUPPORTED, "code")
        listed = {}
        for _ in range(answer.take("i")):
            key, first, last = answer.take("hhh")
            listed[key] = first, last
        true(18 in listed and listed[18][1] >= 3, "ApiVersions is not listed: %s" % listed)
        same(answer.left(), 0, "bytes after the list")
        same(c.ask(18, 0, b"").take("h"), NONE, "the same connection in version 0")


@check("bad-input")
def the_minimums_that_old_clients_look_for_are_listed():
    with connection() as c:
        answer = c.ask(18, 0, b"")
        answer.take("h")
        listed = {}
        for _ in range(answer.take("i")):
            key, first, last = answer.take("hhh")
            listed[key] = first, last
    for key in (0, 11, 17):
        same(listed[key][0], 0, "first version of API %d" % key)


def broken(name, codes, make, **how):
    def is_refused():
        where = topic(name)
        with connection() as c:
            code, base = c.produce(where, make(), **how)
            true(code in codes, "code %d, expected %s" % (code, codes))
            same(base, -1, "base offset")
            same(c.produce(where, batch([b"good"]))[0], NONE, "a good one afterwards")
            same(c.fetch(where)[1], 1, "end of the partition")
    is_refused.__name__ = name + "_is_refused"
    check("bad-input")(is_refused)


broken("a_wrong_checksum", (CORRUPT,), lambda: batch([b"a"], crc=1))
broken("a_wrong_count", (INVALID_RECORD, CORRUPT), lambda: batch([b"a", b"b"], count=3, last_delta=2))
broken("no_record_at_all", (INVALID_RECORD, CORRUPT), lambda: batch([], count=0, last_delta=-1))
broken("a_wrong_last_offset", (INVALID_RECORD, CORRUPT), lambda: batch([b"a", b"b"], last_delta=5))
broken("bytes_after_the_records", (INVALID_RECORD, CORRUPT), lambda: batch([b"a"], tail=b"xyz"))
broken("a_control_batch", (INVALID_RECORD,), lambda: batch([b"a"], attributes=0x20))
broken("a_second_batch", (INVALID_RECORD,), lambda: batch([b"a"]) + batch([b"b"]))
broken("a_batch_longer_than_it_is", (CORRUPT, INVALID_RECORD), lambda: batch([b"a"], length=5000))
broken("an_old_message_format", (CORRUPT, INVALID_RECORD, 43),
       lambda: struct.pack(">qiIbbqii", 0, 26, 0, 1, 0, 0, -1, -1) + b"abcd")
# Apache Kafka has no code for it and answers -1.
broken("garbage_as_gzip", (CORRUPT, INVALID_RECORD, -1), lambda: batch([b"a"], attributes=1,
                                                                    payload=os.urandom(100)))


@check("bad-input")
def a_compression_bomb_does_no_harm():
    where = topic("bomb")
    with connection() as c:
        bomb = batch([b""], attributes=1, payload=gzip(record(bytes(200 << 20))))
        try:
            code = c.produce(where, bomb)[0]
        except Closed:
            code = "closed"
        # Apache Kafka takes it: it has no limit for what a batch unpacks to.
        true(code in (NONE, CORRUPT, TOO_LARGE, INVALID_RECORD, "closed"), "code %s" % code)
    still_serves()


@check("bad-input")
def acks_of_two_are_refused():
    where = topic("acks-2")
    with connection() as c:
        same(c.produce(where, batch([b"a"]), acks=2)[0], REQUIRED_ACKS, "code")


@check("bad-input")
def names_that_are_no_topics_are_refused():
    with connection() as c:
        for name in ("a b", "a/b", "", ".", "..", "x" * 250, "\u00e4"):
            same(c.create(name), INVALID_TOPIC, "creation of %r" % name[:10])
        code = c.produce("x" * 250, batch([b"a"]))[0]
        true(code in (UNKNOWN_TOPIC, INVALID_TOPIC), "produce to a long name: %d" % code)


@check("bad-input")
def an_offset_out_of_range_is_told_at_once():
    where = topic("range")
    with connection() as c:
        c.produce(where, batch([b"a"]))
        started = time.monotonic()
        same(c.fetch(where, 5)[0], OUT_OF_RANGE, "code behind the end")
        same(c.fetch(where, -5)[0], OUT_OF_RANGE, "code before the start")
        true(time.monotonic() - started < 1, "it waited")


@check("bad-input")
def a_failed_produce_without_acks_closes():
    where = topic("acks-0")
    with connection() as c:
        c.produce(where, batch([b"a"], crc=1), acks=0)
        true(c.closed(), "the connection stays open")


@check("bad-input")
def one_byte_at_a_time_is_a_request_too():
    with connection() as c:
        c.correlation = 7
        for byte in blob(struct.pack(">hhi", 18, 0, 7) + string("slow")):
            c.socket.sendall(bytes([byte]))
        same(c.receive().take("h"), NONE, "code")


@check("bad-input")
def requests_in_one_packet_are_answered_in_order():
    with connection() as c:
        c.socket.sendall(b"".join(blob(struct.pack(">hhi", 18, 0, n) + string("many"))
                                  for n in range(1, 51)))
        for n in range(1, 51):
            c.correlation = n
            same(c.receive().take("h"), NONE, "code %d" % n)


# ----------------------------------------------------------------------------------- idempotence
@check("idempotence")
def a_batch_sent_again_is_kept_once_with_its_offset():
    where = topic("duplicate")
    with connection() as c:
        _, producer, epoch = c.init_producer()
        for n in range(6):
            same(c.produce(where, batch([b"a", b"b"], producer, epoch, 2 * n)), (NONE, 2 * n),
                 "batch %d" % n)
        for n in range(1, 6):
            same(c.produce(where, batch([b"a", b"b"], producer, epoch, 2 * n)), (NONE, 2 * n),
                 "batch %d again" % n)
        same(c.produce(where, batch([b"a", b"b"], producer, epoch, 0))[0], SEQUENCE, "older than five")
        same(c.fetch(where)[1], 12, "end")


@check("idempotence")
def a_gap_in_the_sequence_is_refused():
    where = topic("gap")
    with connection() as c:
        _, producer, epoch = c.init_producer()
        same(c.produce(where, batch([b"a"], producer, epoch, 0)), (NONE, 0), "first")
        same(c.produce(where, batch([b"c"], producer, epoch, 2))[0], SEQUENCE, "third")
        same(c.produce(where, batch([b"b"], producer, epoch, 1)), (NONE, 1), "second")


@check("idempotence")
def epochs_go_forward_only():
    where = topic("epoch")
    with connection() as c:
        _, producer, epoch = c.init_producer()
        same(c.produce(where, batch([b"a"], producer, epoch, 0)), (NONE, 0), "first")
        same(c.produce(where, batch([b"b"], producer, epoch + 1, 1))[0], SEQUENCE, "not from zero")
        same(c.produce(where, batch([b"b"], producer, epoch + 1, 0)), (NONE, 1), "next epoch")
        same(c.produce(where, batch([b"c"], producer, epoch, 1))[0], EPOCH, "stale epoch")


@check("idempotence")
def sequences_wrap_after_the_largest():
    where = topic("wrap")
    with connection() as c:
        _, producer, epoch = c.init_producer()
        last = 2**31 - 1
        same(c.produce(where, batch([b"a", b"b"], producer, epoch, last - 1)), (NONE, 0), "the last two")
        same(c.produce(where, batch([b"c"], producer, epoch, 0)), (NONE, 2), "zero again")
        same(c.produce(where, batch([b"c"], producer, epoch, 0)), (NONE, 2), "zero, repeated")


# ---------------------------------------------------------------------------------- transactions
@check("transactions")
def a_stale_epoch_can_do_nothing():
    where, id_ = topic("stale"), name_of("stale")
    with connection() as c:
        _, producer, epoch = c.init_producer(id_)
        _, same_producer, newer = c.init_producer(id_)
        same((same_producer, newer), (producer, epoch + 1), "producer of the heir")
        true(c.add_partition(id_, producer, epoch, where) in (EPOCH, 90), "it added a partition")
        true(c.end_transaction(id_, producer, epoch, True) in (EPOCH, 90), "it ended a transaction")


@check("transactions")
def records_outside_a_transaction_are_refused():
    where, id_ = topic("outside"), name_of("outside")
    with connection() as c:
        _, producer, epoch = c.init_producer(id_)
        code = c.produce(where, batch([b"a"], producer, epoch, 0, attributes=0x10),
                         transactional=id_)[0]
        # To the versions before 11 Apache Kafka says 6, so that old clients try again.
        true(code in (STATE, NOT_LEADER), "not added: code %d" % code)
        same(c.fetch(where)[1], 0, "end after it")
        same(c.add_partition(id_, producer, epoch, where), NONE, "added")
        same(c.produce(where, batch([b"a"], producer, epoch, 0, attributes=0x10),
                       transactional=id_), (NONE, 0), "added before")


@check("transactions")
def an_end_repeated_is_the_same_and_the_opposite_is_refused():
    where, id_ = topic("end"), name_of("end")
    with connection() as c:
        _, producer, epoch = c.init_producer(id_)
        same(c.end_transaction(id_, producer, epoch, True), STATE, "commit of nothing")
        c.add_partition(id_, producer, epoch, where)
        c.produce(where, batch([b"a"], producer, epoch, 0, attributes=0x10), transactional=id_)
        same(c.fetch(where, isolation=1)[2], 0, "last stable offset while it is open")

        def ended(commit):
            # Apache Kafka says CONCURRENT_TRANSACTIONS until the markers are written.
            code = c.end_transaction(id_, producer, epoch, commit)
            return code if code != CONCURRENT else eventually(
                lambda: (c.end_transaction(id_, producer, epoch, commit) != CONCURRENT and
                         "retried"), "it ends")
        same(ended(True), NONE, "commit")
        eventually(lambda: c.end_transaction(id_, producer, epoch, True) == NONE, "commit again")
        same(c.end_transaction(id_, producer, epoch, False), STATE, "abort after the commit")
        same(c.fetch(where, isolation=1)[2], 2, "last stable offset after its marker")


# ---------------------------------------------------------------------------------------- groups
@check("groups")
def a_stale_generation_and_an_unknown_member_are_fenced():
    where, group = topic("fence"), name_of("fence")
    with connection() as c:
        code, generation, member = c.join(group)
        same((code, c.sync(group, generation, member, [(member, b"a")])), (NONE, NONE), "joined")
        same(c.heartbeat(group, generation, member), NONE, "heartbeat")
        same(c.commit(group, generation, member, where, 1), NONE, "commit")
        same(c.heartbeat(group, generation - 1, member), ILLEGAL_GENERATION, "old generation")
        same(c.commit(group, generation - 1, member, where, 2), ILLEGAL_GENERATION, "its commit")
        same(c.heartbeat(group, generation, "nobody"), UNKNOWN_MEMBER, "unknown member")
        same(c.commit(group, generation, "nobody", where, 3), UNKNOWN_MEMBER, "its commit")
        same(c.commit(group, -1, "", where, 4), UNKNOWN_MEMBER, "a commit from outside")
        same(c.sync(group, generation + 1, member), ILLEGAL_GENERATION, "future generation")


@check("groups")
def a_member_that_slept_over_its_session_is_fenced():
    where, group = topic("slept"), name_of("slept")
    with connection() as c:
        _, generation, member = c.join(group, session=6_000)
        c.sync(group, generation, member, [(member, b"a")])
        time.sleep(7.5)
        same(c.commit(group, generation, member, where, 1), UNKNOWN_MEMBER, "commit")
        same(c.heartbeat(group, generation, member), UNKNOWN_MEMBER, "heartbeat")


@check("groups")
def what_cannot_join_is_told_why():
    group = name_of("refused")
    with connection() as c:
        same(c.join("")[0], INVALID_GROUP, "empty group")
        same(c.join(group, session=10)[0], SESSION, "session of 10 ms")
        same(c.join(group, member="nobody")[0], UNKNOWN_MEMBER, "unknown member")
        code, generation, member = c.join(group)
        same(code, NONE, "first")
        c.sync(group, generation, member, [(member, b"a")])
        with connection() as other:
            same(other.join(group, protocol="connect")[0], PROTOCOL, "another protocol type")


@check("groups")
def newer_protocol_wrong_epochs_and_unknown_members_are_fenced():
    where, group = topic("newer-fence"), name_of("newer-fence")
    with connection() as c:
        code, member, epoch = c.newer_heartbeat(group, "", 0, [where])
        same((code, bool(member), epoch > 0), (NONE, True, True), "joined")
        same(c.newer_heartbeat(group, member, epoch)[0], NONE, "heartbeat")
        same(c.newer_heartbeat(group, member, epoch + 100)[0], FENCED, "an epoch to come")
        same(c.newer_heartbeat(group, "nobody", epoch)[0], UNKNOWN_MEMBER, "unknown member")
        same(c.heartbeat(group, epoch, "nobody"), UNKNOWN_MEMBER, "a classic heartbeat")
        same(c.newer_heartbeat(name_of("none"), member, epoch)[0], NO_SUCH_GROUP, "unknown group")
        same(c.newer_heartbeat(group, member, -1)[0], NONE, "leaves")
        same(c.newer_heartbeat(group, member, epoch)[0], UNKNOWN_MEMBER, "after it left")


@check("groups")
def newer_protocol_what_cannot_join_is_told_why():
    where, group = topic("newer-refused"), name_of("newer-refused")
    with connection() as c:
        same(c.newer_heartbeat("", "", 0, [where])[0], INVALID_REQUEST, "empty group")
        same(c.newer_heartbeat(group, "", 0)[0], INVALID_REQUEST, "no subscription")
        same(c.newer_heartbeat(group, "", -7, [where])[0], INVALID_REQUEST, "epoch -7")
        same(c.newer_heartbeat(group, "", 0, [where], assignor="luck")[0], NO_ASSIGNOR, "assignor")
        same(c.newer_heartbeat(group, "", 0, [where], instance="a")[0], NONE, "a static member")
        same(c.newer_heartbeat(group, "", 0, [where], instance="a")[0], UNRELEASED, "a second one")


@check("offsets")
def a_commit_to_an_absent_topic_is_refused():
    with connection() as c:
        same(c.commit(name_of("simple"), -1, "", name_of("absent"), 4), UNKNOWN_TOPIC, "code")


print("the wire itself")
run(options)
