"""Speaks just enough of Kafka's wire protocol to say what no client library would: wrong sequences,
stale epochs, damaged batches, bytes that are no Kafka at all. The layouts are those of the protocol's
own documentation; every request names its version, so that nothing is negotiated behind the test.
"""
import socket
import struct
import zlib

ANSWER_SECONDS_MAX = 15


def crc32c(data, table=[]):  # noqa: B006 - made once
    if not table:
        for n in range(256):
            for _ in range(8):
                n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
            table.append(n)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def varint(n):
    n = (n << 1) ^ (n >> 63)
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def record(value, delta=0, key=None):
    body = b"\0" + varint(0) + varint(delta)
    for field in (key, value):
        body += varint(-1) if field is None else varint(len(field)) + field
    body += varint(0)
    return varint(len(body)) + body


def batch(values, producer=-1, epoch=-1, sequence=-1, attributes=0, **wrong):
    """A record batch of format 2. `wrong` overrides crc, count, last_delta, magic, payload, base,
    length or tail (bytes after the records, inside the batch)."""
    payload = wrong.get("payload")
    if payload is None:
        payload = b"".join(record(v, i) for i, v in enumerate(values))
    if attributes & 7 == 1 and "payload" not in wrong:
        payload = gzip(payload)
    payload += wrong.get("tail", b"")
    after_crc = struct.pack(">hiqqqhii", attributes, wrong.get("last_delta", len(values) - 1),
                            1_700_000_000_000, 1_700_000_000_000, producer, epoch, sequence,
                            wrong.get("count", len(values))) + payload
    head = struct.pack(">ibI", 0, wrong.get("magic", 2), wrong.get("crc", crc32c(after_crc)))
    length = wrong.get("length", len(head) + len(after_crc))
    return struct.pack(">qi", wrong.get("base", 0), length) + head + after_crc


def gzip(data):
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return compressor.compress(data) + compressor.flush()


def string(text):
    if text is None:
        return struct.pack(">h", -1)
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def blob(data):
    return struct.pack(">i", len(data)) + data


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


# What flexible versions write: a length or count plus one as an unsigned varint, 0 for null.
def compact(data):
    if data is None:
        return b"\0"
    size, out = len(data) + 1, b""
    while size > 0x7F:
        out += bytes([size & 0x7F | 0x80])
        size >>= 7
    return out + bytes([size]) + (data if isinstance(data, bytes) else b"".join(data))


def compact_string(text):
    return compact(None if text is None else text.encode())


class Reader:
    def __init__(self, data):
        self.data, self.position = data, 0

    def take(self, format_):
        values = struct.unpack_from(">" + format_, self.data, self.position)
        self.position += struct.calcsize(">" + format_)
        return values if len(values) > 1 else values[0]

    def string(self):
        size = self.take("h")
        if size < 0:
            return None
        self.position += size
        return self.data[self.position - size:self.position].decode()

    def blob(self):
        size = self.take("i")
        self.position += max(size, 0)
        return self.data[self.position - max(size, 0):self.position]

    def compact_string(self):
        size = self.take("B")
        if size > 0x7F:
            size = (size & 0x7F) | self.take("B") << 7
        if size == 0:
            return None
        self.position += size - 1
        return self.data[self.position - size + 1:self.position].decode()

    def left(self):
        return len(self.data) - self.position


class Closed(Exception):
    """The broker closed the connection instead of answering."""


class Connection:
    """One connection, requests one at a time. Answers are bytes after the correlation id."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), ANSWER_SECONDS_MAX)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, key, version, body, client="raw"):
        self.correlation += 1
        head = struct.pack(">hhi", key, version, self.correlation) + string(client)
        self.socket.sendall(blob(head + body))

    def receive(self):
        (size,) = struct.unpack(">i", self.exactly(4))
        reader = Reader(self.exactly(size))
        told = reader.take("i")
        assert told == self.correlation, "correlation %d for %d" % (told, self.correlation)
        return reader

    def exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed("after %d of %d bytes" % (len(data), size))
            data += more
        return data

    def ask(self, key, version, body, client="raw"):
        self.send(key, version, body, client)
        return self.receive()

    def closed(self):
        """Whether the broker closes within the time, whatever it says before."""
        try:
            while self.socket.recv(4096):
                pass
            return True
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False

    # Requests in the versions that are short to write; each gives what a check wants to know.
    def produce(self, topic, records, acks=-1, version=7, transactional=None, partition=0):
        """(error code, base offset)"""
        body = string(transactional) + struct.pack(">hi", acks, 10_000) + array(
            [string(topic) + array([struct.pack(">i", partition) + blob(records)])])
        if acks == 0:
            self.send(0, version, body)
            return None
        answer = self.ask(0, version, body)
        answer.take("i")
        answer.string()
        answer.take("i")
        _, code, base = answer.take("ihq")
        return code, base

    def init_producer(self, transactional=None, timeout=30_000):
        """(error code, producer id, epoch)"""
        answer = self.ask(22, 1, string(transactional) + struct.pack(">i", timeout))
        answer.take("i")
        return answer.take("hqh")

    def add_partition(self, transactional, producer, epoch, topic, partition=0):
        answer = self.ask(24, 0, string(transactional) + struct.pack(">qh", producer, epoch) +
                          array([string(topic) + array([struct.pack(">i", partition)])]))
        answer.take("i")
        answer.take("i")
        answer.string()
        answer.take("i")
        return answer.take("ih")[1]

    def end_transaction(self, transactional, producer, epoch, commit, version=1):
        answer = self.ask(26, version, string(transactional) +
                          struct.pack(">qh?", producer, epoch, commit))
        answer.take("i")
        return answer.take("h")

    def create(self, topic, partitions=1):
        answer = self.ask(19, 2, array([string(topic) + struct.pack(">ih", partitions, 1) +
                                        array([]) + array([])]) + struct.pack(">i?", 10_000, False))
        answer.take("i")
        answer.take("i")
        answer.string()
        return answer.take("h")

    def fetch(self, topic, offset=0, isolation=0, partition=0):
        """(error code, high watermark, last stable offset, bytes of the records)"""
        body = struct.pack(">iiiib", -1, 100, 1, 1 << 20, isolation) + array(
            [string(topic) + array([struct.pack(">iqi", partition, offset, 1 << 20)])])
        answer = self.ask(1, 4, body)
        answer.take("i")
        answer.take("i")
        answer.string()
        answer.take("i")
        _, code, high, stable = answer.take("ihqq")
        for _ in range(max(0, answer.take("i"))):
            answer.take("qq")
        return code, high, stable, answer.blob()

    def join(self, group, member="", timeout=10_000, session=6_000, protocol="consumer"):
        """Version 1: (error code, generation, member id)"""
        answer = self.ask(11, 1, string(group) + struct.pack(">ii", session, timeout) +
                          string(member) + string(protocol) + array([string("range") + blob(b"x")]))
        code, generation = answer.take("hi")
        answer.string()
        answer.string()
        return code, generation, answer.string()

    def sync(self, group, generation, member, assignments=()):
        answer = self.ask(14, 0, string(group) + struct.pack(">i", generation) + string(member) +
                          array([string(m) + blob(a) for m, a in assignments]))
        return answer.take("h")

    def heartbeat(self, group, generation, member):
        return self.ask(12, 0, string(group) + struct.pack(">i", generation) +
                        string(member)).take("h")

    def commit(self, group, generation, member, topic, offset, partition=0):
        answer = self.ask(8, 2, string(group) + struct.pack(">i", generation) + string(member) +
                          struct.pack(">q", -1) + array([string(topic) + array(
                              [struct.pack(">iq", partition, offset) + string("")])]))
        answer.take("i")
        answer.string()
        answer.take("i")
        return answer.take("ih")[1]

    def newer_heartbeat(self, group, member, epoch, topics=None, instance=None, assignor=None):
        """ConsumerGroupHeartbeat 0, which owns nothing: (error code, member id, epoch)"""
        body = b"\0" + compact_string(group) + compact_string(member) + struct.pack(">i", epoch) + \
            compact_string(instance) + compact_string(None) + struct.pack(">i", 20_000) + \
            compact(None if topics is None else [compact_string(t) for t in topics]) + \
            compact_string(assignor) + compact([]) + b"\0"
        answer = self.ask(68, 0, body)
        answer.take("B")
        answer.take("i")
        code = answer.take("h")
        answer.compact_string()
        return code, answer.compact_string(), answer.take("i")
