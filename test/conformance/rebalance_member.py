#!/usr/bin/python3
"""A member of a consumer group that writes down what it does, so that it may be killed at any time.

    rebalance_member.py NAME --bootstrap HOST:PORT --group G --assignor A --ledger FILE [--instance I]
                       [--newer]

Each line of the ledger is one write(2), which outlives SIGKILL: `G time partition` when a partition
is given to it, `L time partition` when it loses one, `P time partition offset` when a record is
processed, `c time partition offset` before and `C` after a commit, `F time partition offset why` for
a refused one. Times are CLOCK_MONOTONIC, the same clock for all processes. SIGTERM: it leaves.
--newer takes the newer group protocol (KIP-848), whose timeouts are the server's.
"""
import argparse
import os
import signal
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

COMMIT_RECORDS = 25


class Member:
    def __init__(self, options):
        self.ledger = os.open(options.ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.cooperative = options.newer or options.assignor.startswith("cooperative")
        self.next = {}       # partition -> offset after the last processed record
        self.uncommitted = {}  # partition -> records processed since its last commit
        self.topic = options.topic
        config = {"bootstrap.servers": options.bootstrap, "group.id": options.group, "log_level": 0,
                  "enable.auto.commit": False, "auto.offset.reset": "earliest",
                  "max.poll.interval.ms": 12000, "fetch.wait.max.ms": 100}
        if options.newer:
            config.update({"group.protocol": "consumer", "group.remote.assignor": options.assignor})
        else:
            config.update({"session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
                           "partition.assignment.strategy": options.assignor})
        if options.instance:
            config["group.instance.id"] = options.instance
        self.consumer = Consumer(config)
        self.consumer.subscribe([options.topic], on_assign=self.gain, on_revoke=self.give_back,
                                on_lost=self.lose)

    def write(self, kind, *words):
        line = " ".join([kind, "%.6f" % time.monotonic(), *map(str, words)]) + "\n"
        os.write(self.ledger, line.encode())

    def gain(self, consumer, partitions):
        for p in partitions:
            self.write("G", p.partition)
            self.forget(p.partition)
        (consumer.incremental_assign if self.cooperative else consumer.assign)(partitions)

    def give_back(self, consumer, partitions):
        self.commit([p.partition for p in partitions])
        self.lose(consumer, partitions)

    def lose(self, consumer, partitions):
        for p in partitions:
            self.write("L", p.partition)
            self.forget(p.partition)
        if self.cooperative:
            consumer.incremental_unassign(partitions)
        else:
            consumer.unassign()

    def forget(self, partition):
        self.next.pop(partition, None)
        self.uncommitted.pop(partition, None)

    def commit(self, partitions):
        for partition in partitions:
            self.uncommitted.pop(partition, None)
            offset = self.next.get(partition)
            if offset is None:
                continue
            self.write("c", partition, offset)
            try:
                done = self.consumer.commit(
                    offsets=[TopicPartition(self.topic, partition, offset)], asynchronous=False)
                if done[0].error is not None:
                    raise KafkaException(done[0].error)
                self.write("C", partition, offset)
            except KafkaException as error:
                self.write("F", partition, offset, error.args[0].name())

    def work(self, going):
        while going():
            message = self.consumer.poll(0.1)
            if message is not None and message.error() is None:
                self.write("P", message.partition(), message.offset())
                self.next[message.partition()] = message.offset() + 1
                self.uncommitted[message.partition()] = self.uncommitted.get(message.partition(), 0) + 1
            waiting = sum(self.uncommitted.values())
            if waiting >= COMMIT_RECORDS or (message is None and waiting):
                self.commit(list(self.next))
        self.consumer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", default="work")
    parser.add_argument("--group", required=True)
    parser.add_argument("--assignor", required=True)
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--instance")
    parser.add_argument("--newer", action="store_true")
    left = []
    signal.signal(signal.SIGTERM, lambda *_: left.append(True))
    Member(parser.parse_args()).work(lambda: not left)
    os._exit(0)  # librdkafka's threads need not end in order


main()
