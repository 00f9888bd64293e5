"""Brings the newest librdkafka, which Debian does not have, into build-peers with pip, once.

Only a wheel is taken: nothing is compiled. What is started with `environment()` finds it before
Debian's own `confluent_kafka`.
"""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VERSION = "2.16.1"
FOLDER = os.path.join(ROOT, "build-peers", "confluent-kafka-" + VERSION)
PIP_SECONDS_MAX = 120


def missing():
    """Why it cannot run here, or None when it is there."""
    if os.path.isdir(FOLDER):
        return None
    command = ["/usr/bin/python3", "-m", "pip", "install", "-q", "--only-binary", ":all:",
               "--no-deps", "--target", FOLDER + ".part", "confluent-kafka==" + VERSION]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PIP_SECONDS_MAX)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "pip did not bring confluent-kafka %s: %s" % (VERSION, error)
    if done.returncode != 0:
        return "pip did not bring confluent-kafka %s: %s" % (
            VERSION, " ".join(done.stderr.split())[-300:])
    os.rename(FOLDER + ".part", FOLDER)
    return None


def environment():
    return {**os.environ, "PYTHONPATH": FOLDER}
