"""Judges what the members of one consumer group did to each other: the checker of the rebalance test.

The members' ledgers (see rebalance_member.py) share one clock. Nothing is assumed about the members;
what is demanded follows from the answers the broker gave them.
"""
import bisect
import collections
import copy


class History:
    """The lines of all members of one group: lists of (time, member, partition, offset)."""

    def __init__(self, ends):
        self.ends = ends  # partition -> its end offset when everything was over
        self.gained, self.lost = [], []
        self.processed, self.asked, self.committed = [], [], []
        self.refused = []  # (time, member, partition, offset, why)

    def add_file(self, member, path):
        with open(path) as f:
            for line in f:
                words = line.split()
                if not line.endswith("\n") or len(words) < 3:
                    continue  # the last write of one that was killed
                time, partition = float(words[1]), int(words[2])
                entry = (time, member, partition, int(words[3]) if len(words) > 3 else None)
                {"G": self.gained, "L": self.lost, "P": self.processed, "c": self.asked,
                 "C": self.committed}.get(words[0], []).append(entry)
                if words[0] == "F":
                    self.refused.append((*entry, words[4]))


def faults(history):
    """Contradictions as (kind, witness)."""
    return [*_skipped(history), *_committed_unread(history), *_doubled(history),
            *_unfenced(history)]


def _skipped(history):
    done = collections.defaultdict(set)
    for _, _, partition, offset in history.processed:
        done[partition].add(offset)
    for partition, end in history.ends.items():
        for offset in range(end):
            if offset not in done[partition]:
                yield "skipped", "partition %d offset %d" % (partition, offset)


def _committed_unread(history):
    """A commit covers only what somebody had processed before it was sent."""
    first = {}
    for time, _, partition, offset in history.processed:
        key = partition, offset
        first[key] = min(time, first.get(key, time))
    for time, member, partition, offset in history.committed:
        if first.get((partition, offset - 1), time + 1) > time:
            yield "committed_unread", "%s committed %d of partition %d" % (member, offset, partition)


def _gains(history):
    """(member, partition) -> sorted times at which the member was given the partition."""
    gains = collections.defaultdict(list)
    for time, member, partition, _ in history.gained:
        gains[member, partition].append(time)
    for times in gains.values():
        times.sort()
    return gains


def _last_before(times, moment):
    i = bisect.bisect_right(times, moment)
    return times[i - 1] if i else None


def _doubled(history):
    """Whoever is given a partition starts at or after what was committed by then."""
    gains = _gains(history)
    commits = collections.defaultdict(lambda: ([], []))  # partition -> times, highest until then
    for time, _, partition, offset in sorted(history.committed):
        times, highest = commits[partition]
        times.append(time)
        highest.append(max(offset, highest[-1] if highest else 0))
    for time, member, partition, offset in history.processed:
        gained = _last_before(gains[member, partition], time)
        if gained is None:
            yield "not_given", "%s processed partition %d" % (member, partition)
            continue
        times, highest = commits[partition]
        i = bisect.bisect_left(times, gained)
        if i and highest[i - 1] > offset:
            yield "doubled", "%s processed %d of partition %d, %d was committed before" % (
                member, offset, partition, highest[i - 1])


def _unfenced(history):
    """No commit is taken from a member whose partition somebody else was given meanwhile."""
    gains = _gains(history)
    by_partition = collections.defaultdict(list)
    for time, member, partition, _ in sorted(history.gained):
        by_partition[partition].append((time, member))
    sent = collections.defaultdict(list)
    for time, member, partition, offset in history.asked:
        sent[member, partition, offset].append(time)
    for time, member, partition, offset in history.committed:
        asked = _last_before(sorted(sent[member, partition, offset]), time)
        mine = _last_before(gains[member, partition], time)
        if asked is None or mine is None:
            yield "not_given", "%s committed partition %d" % (member, partition)
            continue
        others = [m for t, m in by_partition[partition] if mine < t < asked and m != member]
        if others:
            yield "unfenced", "%s committed %d of partition %d after %s had it" % (
                member, offset, partition, others[-1])


def planted(history):
    """Yields (kind, history with one such fault): a checker that finds none of them is broken."""
    def altered(change):
        other = copy.copy(history)
        for name in ("gained", "processed", "asked", "committed"):
            setattr(other, name, list(getattr(history, name)))
        change(other)
        return other

    time, member, partition, offset = sorted(history.committed)[len(history.committed) // 2]

    def skip(h):
        h.processed = [p for p in h.processed if p[2:] != (partition, offset - 1)]

    def commit_ahead(h):
        h.asked.append((time, member, partition, 10**9))
        h.committed.append((time, member, partition, 10**9))

    def start_too_early(h):
        h.gained.append((time + 1e-6, "intruder", partition, None))
        h.processed.append((time + 2e-6, "intruder", partition, offset - 1))

    def zombie(h):
        gained = _last_before(_gains(h)[member, partition], time)
        h.gained.append((gained + 1e-7, "intruder", partition, None))
        h.asked.append((time + 1e-7, member, partition, offset))
        h.committed.append((time + 2e-7, member, partition, offset))

    yield "skipped", altered(skip)
    yield "committed_unread", altered(commit_ahead)
    yield "doubled", altered(start_too_early)
    yield "unfenced", altered(zombie)
