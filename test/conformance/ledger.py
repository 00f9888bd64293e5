"""Holds what clients were told against what a broker has: the checker of the kill test.

Every record's value says where it belongs: writer/topic/partition/number, and /transaction for a
transactional one. Writers keep a ledger in their own process; `faults` compares the ledgers, what a
reader saw meanwhile and the final content, and names each contradiction by kind and witness.
"""
import collections
import copy

Entry = collections.namedtuple("Entry", "writer topic partition number transaction")


def value_of(entry):
    text = "%s/%s/%d/%d" % entry[:4]
    return text if entry.transaction is None else "%s/%d" % (text, entry.transaction)


def entry_of(value):
    parts = value.split("/")
    return Entry(parts[0], parts[1], int(parts[2]), int(parts[3]),
                 int(parts[4]) if len(parts) > 4 else None)


class Evidence:
    """What happened. `final` is read as read_committed: {topic: {partition: [(offset, value)]}}."""

    def __init__(self):
        self.sent = set()
        self.acknowledged = {}   # value -> offset
        self.outcomes = {}       # (writer, transaction) -> "committed" | "aborted" | "unknown"
        self.seen = []           # (topic, partition, offset, value) of the reader, in its order
        self.final = {}
        self.errors = []
        self.notes = []          # why clients started over

    def add_line(self, line):
        """One line of a ledger: see `Ledger` in kill_worker.py."""
        kind, *words = line.split(" ")
        if kind == "S":
            self.sent.add(words[0])
        elif kind == "A":
            self.acknowledged[words[0]] = int(words[1])
        elif kind == "T":
            self.outcomes[words[0], int(words[1])] = words[2]
        elif kind == "R":
            self.seen.append((words[0], int(words[1]), int(words[2]), words[3]))
        elif kind == "E":
            self.errors.append(" ".join(words))
        elif kind == "N":
            self.notes.append(" ".join(words))

    def add_file(self, path):
        with open(path) as f:
            for line in f:
                self.add_line(line.rstrip("\n"))


def visible(evidence, value):
    """Whether a record must, may or must not be read: True, None, False."""
    entry = entry_of(value)
    if entry.transaction is None:
        return True if value in evidence.acknowledged else None
    outcome = evidence.outcomes.get((entry.writer, entry.transaction), "unknown")
    return {"committed": True, "aborted": False, "unknown": None}[outcome]


def faults(evidence):
    """Every contradiction as (kind, witness). Topic `copied` holds what a copier took from
    `plain`, in the partition of the same number."""
    found = [("error", text) for text in evidence.errors]
    places = collections.defaultdict(list)
    at = {}
    for topic, partitions in evidence.final.items():
        for partition, records in partitions.items():
            previous = -1
            for offset, value in records:
                if offset <= previous:
                    found.append(("offsets", "%s[%d]@%d" % (topic, partition, offset)))
                previous = offset
                places[topic, value].append((partition, offset))
                at[topic, partition, offset] = value
    found += _placed(evidence, places)
    found += _writers_records(evidence, places)
    found += _order(evidence)
    found += _torn(evidence, places)
    found += _copies(evidence, places)
    for topic, partition, offset, value in evidence.seen:
        if at.get((topic, partition, offset)) != value:
            found.append(("changed", "%s was read at %s[%d]@%d, now there is %s" % (
                value, topic, partition, offset, at.get((topic, partition, offset)))))
    return found


def _placed(evidence, places):
    for (topic, value), where in places.items():
        entry = entry_of(value)
        if len(where) > 1:
            yield "doubled", "%s in %s at %s" % (value, topic, where)
        if topic == "copied":
            continue
        if value not in evidence.sent or (topic, where[0][0]) != (entry.topic, entry.partition):
            yield "foreign", "%s in %s[%d]" % (value, topic, where[0][0])
        if visible(evidence, value) is False:
            yield "aborted", "%s at %s" % (value, where)


def _writers_records(evidence, places):
    for value in evidence.sent:
        where = places.get((entry_of(value).topic, value))
        if where is None and visible(evidence, value):
            yield "lost", value
        told = evidence.acknowledged.get(value)
        if where is not None and told is not None and told >= 0 and where[0][1] != told:
            yield "moved", "%s was acknowledged at %d and is at %d" % (value, told, where[0][1])


def _order(evidence):
    for topic, partitions in evidence.final.items():
        for partition, records in partitions.items():
            last = {}
            for offset, value in records:
                entry = entry_of(value)
                if entry.number <= last.get(entry.writer, -1):
                    yield "order", "%s in %s[%d]@%d" % (value, topic, partition, offset)
                last[entry.writer] = entry.number


def _torn(evidence, places):
    counts = collections.defaultdict(lambda: [0, 0])
    for value in evidence.sent:
        entry = entry_of(value)
        if entry.transaction is not None:
            count = counts[entry.writer, entry.transaction]
            count[0] += 1
            count[1] += (entry.topic, value) in places
    for key, (sent, there) in counts.items():
        # Of an unknown one a sent record may not have arrived before the transaction was ended,
        # but one that was acknowledged must share the fate of the rest.
        if evidence.outcomes.get(key, "unknown") == "unknown" and 0 < there < sent:
            missing = [v for v in evidence.sent if entry_of(v)[0] == key[0] and
                       entry_of(v).transaction == key[1] and v in evidence.acknowledged and
                       (entry_of(v).topic, v) not in places]
            if missing:
                yield "torn", "transaction %s/%d lacks %s" % (*key, missing[0])


def _copies(evidence, places):
    if "copied" not in evidence.final:
        return
    for partition, records in evidence.final.get("plain", {}).items():
        for _, value in records:
            where = places.get(("copied", value))
            if where is None:
                yield "uncopied", value
            elif where[0][0] != partition:
                yield "foreign", "the copy of %s is in %d" % (value, where[0][0])


def planted(evidence):
    """Yields (kind, evidence with one such fault): a checker that finds none of them is broken."""
    def altered(change):
        other = copy.copy(evidence)
        other.final = {t: {p: list(r) for p, r in parts.items()}
                       for t, parts in evidence.final.items()}
        other.acknowledged = dict(evidence.acknowledged)
        other.outcomes = dict(evidence.outcomes)
        other.seen = list(evidence.seen)
        change(other)
        return other

    def records(of, topic):
        return max(of.final[topic].values(), key=len)

    def some(of, topic):
        return records(of, topic)[len(records(of, topic)) // 2]

    def shift(e):
        offset, value = some(e, "plain")
        e.acknowledged[value] = offset + 1

    def swap(e):
        r = records(e, "plain")
        for i in range(len(r) - 1):
            if r[i][1].split("/")[0] == r[i + 1][1].split("/")[0]:
                r[i], r[i + 1] = (r[i][0], r[i + 1][1]), (r[i + 1][0], r[i][1])
                return

    def call_aborted(e):
        entry = entry_of(some(e, "txn")[1])
        e.outcomes[entry.writer, entry.transaction] = "aborted"

    def tear(e):
        r = records(e, "txn")
        for i in range(len(r) - 1):
            first, second = entry_of(r[i][1]), entry_of(r[i + 1][1])
            if (first.writer, first.transaction) == (second.writer, second.transaction):
                e.outcomes[first.writer, first.transaction] = "unknown"
                e.acknowledged[r[i + 1][1]] = r[i + 1][0]
                del r[i + 1]
                return

    def twice(topic):
        return lambda e: records(e, topic).append((records(e, topic)[-1][0] + 1, some(e, topic)[1]))

    yield "lost", altered(lambda e: records(e, "plain").remove(some(e, "plain")))
    yield "lost", altered(lambda e: records(e, "txn").remove(some(e, "txn")))
    yield "doubled", altered(twice("plain"))
    yield "doubled", altered(twice("txn"))
    yield "doubled", altered(twice("copied"))
    yield "uncopied", altered(lambda e: records(e, "copied").remove(some(e, "copied")))
    yield "moved", altered(shift)
    yield "order", altered(swap)
    yield "aborted", altered(call_aborted)
    yield "torn", altered(tear)
    yield "changed", altered(lambda e: e.seen.append(("plain", 0, 0, "nobody/plain/0/0")))
    yield "foreign", altered(lambda e: e.final["plain"][0].append((10**9, "nobody/plain/0/0")))
