#!/usr/bin/python3
"""One client of the kill test: a process with librdkafka that never gives up and keeps a ledger.

    kill_worker.py plain|txn|copy|watch NAME --bootstrap HOST:PORT --ledger FILE --stop FILE

It works until FILE of --stop exists, brings what is under way to its end and leaves. Ledger lines:
`S value` before sending, `A value offset` when acknowledged, `T writer number outcome` for a
transaction, `R topic partition offset value` when read, `E text` for what must not happen, `N text`
for what made a client start over.
"""
import argparse
import os
import random
import sys
import time

from confluent_kafka import (Consumer, KafkaError, KafkaException, OFFSET_BEGINNING, Producer,
                             TopicPartition)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ledger import Entry, value_of  # noqa: E402

PARTITIONS = 3


class Ledger:
    def __init__(self, path):
        self.file = open(path, "w", buffering=1 << 16)

    def add(self, *words):
        self.file.write(" ".join(map(str, words)) + "\n")

    def delivered(self, error, message):
        value = message.value().decode()
        if error is None:
            self.add("A", value, message.offset())
        elif error.code() not in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            self.note(value, error)  # purged is what an abort does itself

    def note(self, *words):
        """What a client had to start over for: nothing is known to be untrue, but it is told."""
        self.add("N", *(str(word).replace("\n", " ") for word in words))


def config(options, **more):
    # Reconnects are quick, so that a client works within most of the short lives of the server.
    return {"bootstrap.servers": options.bootstrap, "log_level": 0,
            "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200,
            **{key.replace("_", "."): value for key, value in more.items()}}


def idempotent(options):
    return Producer(config(options, enable_idempotence=True, linger_ms=2, batch_num_messages=50,
                           message_timeout_ms=600_000, queue_buffering_max_messages=5000))


def plain(options, ledger):
    producer = idempotent(options)
    numbers, due = [0] * PARTITIONS, time.monotonic()
    while not os.path.exists(options.stop):
        due = wait_until(producer, due + 20 / options.rate)
        for _ in range(20):
            partition = random.randrange(PARTITIONS)
            value = value_of(Entry(options.name, "plain", partition, numbers[partition], None))
            try:
                producer.produce("plain", value, None, partition, on_delivery=ledger.delivered)
            except BufferError:
                break
            except KafkaException as error:
                # Fatal: what it had under way is unknown. Its successor goes on with the numbers.
                ledger.note("a producer gave up:", error)
                producer.flush(5)
                producer = idempotent(options)
                break
            ledger.add("S", value)
            numbers[partition] += 1
    left = producer.flush(120)
    if left:
        ledger.add("E", "%d records were never acknowledged" % left)


def wait_until(producer, due):
    """Delivers reports until the moment; a writer that is late does not make up for it."""
    while time.monotonic() < due:
        producer.poll(max(0.0, due - time.monotonic()))
    return max(due, time.monotonic() - 1)


def to_the_end(call, ledger):
    """Repeats while it is worth it; "done", "abort" (the transaction must be) or "fatal"."""
    while True:
        try:
            call()
            return "done"
        except KafkaException as error:
            cause = error.args[0]
            if cause.retriable() or cause.code() == KafkaError._TIMED_OUT:
                continue
            ledger.note(cause)
            return "abort" if cause.txn_requires_abort() else "fatal"


def begin(options, ledger):
    """A producer that holds the transactional id; the one before is fenced."""
    while True:
        producer = Producer({**config(options, linger_ms=2, transaction_timeout_ms=60_000),
                             "transactional.id": options.name})
        if to_the_end(lambda: producer.init_transactions(20), ledger) == "done":
            return producer


def end(producer, commit, ledger):
    """Ends the open transaction: "committed", "aborted", or "unknown" with a useless producer."""
    result = to_the_end(lambda: producer.commit_transaction(20), ledger) if commit else "abort"
    if result == "done":
        return "committed"
    if result == "abort" and \
            to_the_end(lambda: producer.abort_transaction(20), ledger) == "done":
        return "aborted"
    return "unknown"


def txn(options, ledger):
    producer, numbers, number = begin(options, ledger), [0] * PARTITIONS, 0
    due, size = time.monotonic(), 0
    while not os.path.exists(options.stop):
        due = wait_until(producer, due + size / options.rate)
        size, number = random.randint(1, 60), number + 1
        producer.begin_transaction()
        for _ in range(size):
            partition = random.randrange(PARTITIONS)
            value = value_of(Entry(options.name, "txn", partition, numbers[partition], number))
            ledger.add("S", value)
            numbers[partition] += 1
            try:
                producer.produce("txn", value, None, partition, on_delivery=ledger.delivered)
            except KafkaException:
                break  # the transaction has failed already; its end says how
        outcome = end(producer, random.random() < 0.75, ledger)
        ledger.add("T", options.name, number, outcome)
        if outcome == "unknown":
            producer = begin(options, ledger)


def copy(options, ledger):
    """Consumes `plain` and produces `copied`, with its offsets in the same transactions."""
    while copy_until_fatal(options, ledger):
        pass


def copy_until_fatal(options, ledger):
    producer = begin(options, ledger)
    protocol = {"group_protocol": "consumer"} if options.newer else \
        {"session_timeout_ms": 10_000, "heartbeat_interval_ms": 500}
    consumer = Consumer(config(options, group_id="copiers", enable_auto_commit=False,
                               auto_offset_reset="earliest", isolation_level="read_committed",
                               **protocol))
    taken = []
    forget = lambda *_: taken.clear()  # noqa: E731 - what is lost comes again to its new owner
    consumer.subscribe(["plain"], on_assign=forget, on_revoke=forget, on_lost=forget)
    try:
        while True:
            until = time.monotonic() + 0.2
            while time.monotonic() < until and len(taken) < 500:
                message = consumer.poll(0.05)
                if message is not None and message.error() is None:
                    taken.append(message)
            if not taken:
                if os.path.exists(options.stop) and nothing_left(consumer):
                    return False
            elif not copy_batch(producer, consumer, taken, ledger):
                return True
            taken.clear()
    finally:
        consumer.close()


def nothing_left(consumer):
    """Whether the group has committed the end of every partition."""
    try:
        where = [TopicPartition("plain", partition) for partition in range(PARTITIONS)]
        return all(p.offset == consumer.get_watermark_offsets(p, timeout=5)[1]
                   for p in consumer.committed(where, timeout=5))
    except KafkaException:
        return False


def copy_batch(producer, consumer, taken, ledger):
    """False when the producer is of no more use. After an abort the consumer is set back."""
    first, after = {}, {}
    producer.begin_transaction()
    result = "done"
    try:
        for message in taken:
            where = (message.topic(), message.partition())
            first.setdefault(where, message.offset())
            after[where] = message.offset() + 1
            producer.produce("copied", message.value(), None, message.partition())
            producer.poll(0)
    except KafkaException:
        result = "abort"
    if result == "done":
        positions = [TopicPartition(*where, offset) for where, offset in after.items()]
        result = to_the_end(lambda: producer.send_offsets_to_transaction(
            positions, consumer.consumer_group_metadata(), 20), ledger)
    outcome = "unknown" if result == "fatal" else end(producer, result == "done", ledger)
    if outcome == "aborted":
        for where, offset in first.items():
            try:
                consumer.seek(TopicPartition(*where, offset))
            except KafkaException:
                return False  # the partition is elsewhere now; a new consumer asks where to begin
    return outcome != "unknown"


def watch(options, ledger):
    """Reads everything as it appears: what was read once must stay where it was."""
    consumer = Consumer(config(options, group_id="watchers", enable_auto_commit=False,
                               auto_offset_reset="error", isolation_level="read_committed"))
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)
                     for topic in ("plain", "txn", "copied") for partition in range(PARTITIONS)])
    while not os.path.exists(options.stop):
        for message in consumer.consume(1000, 0.2):
            error = message.error()
            if error is None:
                ledger.add("R", message.topic(), message.partition(), message.offset(),
                           message.value().decode())
            elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                ledger.add("E", "the reader lost its place:", str(error).replace("\n", " "))
    consumer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["plain", "txn", "copy", "watch"])
    parser.add_argument("name")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--stop", required=True)
    parser.add_argument("--rate", type=float, default=400, help="records a second, about")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--newer", action="store_true", help="copy by the newer group protocol")
    options = parser.parse_args()
    random.seed("%d %s" % (options.seed, options.name))
    ledger = Ledger(options.ledger)
    {"plain": plain, "txn": txn, "copy": copy, "watch": watch}[options.role](options, ledger)
    ledger.file.close()
    os._exit(0)  # librdkafka's threads need not end in order


main()
