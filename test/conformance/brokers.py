"""Starts the brokers that the conformance checks and the proofs run against, each in a process.

`Adbrook` is the engine of this tree, `ApacheKafka` the peer that says what is right. Both listen on
free ports of loopback, keep everything under one directory and end with the object that made them.
"""
import glob
import os
import shutil
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READY_SECONDS_MAX = 60


class NotStarted(Exception):
    """The broker ended or did not open its port in time; the text has its last words."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Broker:
    """One broker on a fixed port, so that clients find it again after a restart."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.process = None
        self.log = os.path.join(directory, "broker.log")
        os.makedirs(directory, exist_ok=True)

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def start(self):
        """Returns when the port takes connections; gives the seconds that took."""
        started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        while time.monotonic() < started + READY_SECONDS_MAX:
            if self.process.poll() is not None:
                raise NotStarted("%s ended with code %d: %s" % (self.name, self.process.returncode,
                                                               self.last_words()))
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return time.monotonic() - started
            except OSError:
                time.sleep(0.005)
        raise NotStarted("%s did not open %s in %d s: %s" % (
            self.name, self.address, READY_SECONDS_MAX, self.last_words()))

    def last_words(self):
        with open(self.log, errors="replace") as f:
            return " ".join(f.read()[-600:].split())

    def kill(self):
        """SIGKILL: nothing is flushed, nobody is told."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def status(self, field):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith(field + ":"))

    def rss_kib(self):
        return self.status("VmRSS")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


class Adbrook(Broker):
    name = "adbrook"

    def __init__(self, directory, binary=None, settings=()):
        super().__init__(directory)
        self.binary = binary or os.path.join(ROOT, "build", "adbrook")
        self.settings = list(settings)

    def command(self):
        command = [self.binary, "serve", "--data", os.path.join(self.directory, "data"),
                   "--http", "127.0.0.1:0", "--kafka", self.address]
        for setting in self.settings:
            command += ["--set", setting]
        return command


class ApacheKafka(Broker):
    """KRaft in one process. The settings that differ from Kafka's own are those one node needs."""
    name = "Apache Kafka"

    def __init__(self, directory, libraries=None, settings=()):
        super().__init__(directory)
        self.libraries = libraries or os.path.join(ROOT, "build-peers", "kafka")
        self.properties = os.path.join(directory, "server.properties")
        controller = free_port()
        lines = ["process.roles=broker,controller", "node.id=1",
                 "controller.quorum.voters=1@127.0.0.1:%d" % controller,
                 "listeners=PLAINTEXT://%s,CONTROLLER://127.0.0.1:%d" % (self.address, controller),
                 "advertised.listeners=PLAINTEXT://" + self.address,
                 "controller.listener.names=CONTROLLER",
                 "log.dirs=" + os.path.join(directory, "log"),
                 "offsets.topic.replication.factor=1", "offsets.topic.num.partitions=4",
                 "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
                 "transaction.state.log.num.partitions=4", *settings]
        with open(self.properties, "w") as f:
            f.write("\n".join(lines) + "\n")
        subprocess.run(self.java() + ["kafka.tools.StorageTool", "format", "-t",
                                      "AAAAAAAAQACAAAAAAAAAAA", "-c", self.properties],
                       check=True, stdout=subprocess.DEVNULL)

    def version(self):
        found = glob.glob(os.path.join(self.libraries, "kafka-clients-*.jar"))
        return found[0].rsplit("-", 1)[1][:-len(".jar")] if found else "?"

    def java(self):
        return ["java", "-Xmx768m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
                os.path.join(self.libraries, "*")]

    def command(self):
        return self.java() + ["kafka.Kafka", self.properties]

    def start(self):
        seconds = super().start()
        time.sleep(3)  # it takes connections before it has registered with its controller
        return seconds


def apache_kafka_missing():
    """Why the peer cannot run here, or None. Fetches it through Maven when that is there."""
    libraries = os.path.join(ROOT, "build-peers", "kafka")
    if not shutil.which("java"):
        return "java is not installed"
    if os.path.isdir(libraries):
        return None
    if not shutil.which("mvn"):
        return "mvn is not installed, so Apache Kafka cannot be fetched"
    pom = os.path.join(ROOT, "bench", "peers", "kafka", "pom.xml")
    done = subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
                           "-DoutputDirectory=" + libraries], capture_output=True, text=True)
    return None if done.returncode == 0 else "mvn failed: " + done.stdout[-300:]
