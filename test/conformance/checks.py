"""Registers the checks of one client and runs them: a line for each, then `N passed, N failed`.

A check belongs to an area (codecs, acks, ...), so that a run becomes a table client x area. A check
that needs what the client does not have is registered by `cannot`, with the reason, and is printed
as skipped: what a client cannot do stays visible beside what it did.
"""
import argparse
import os
import signal
import sys
import time
import traceback
import uuid

AREAS = ("codecs", "acks", "idempotence", "transactions", "groups", "offsets", "topics",
         "group-admin", "bad-input")
CHECK_SECONDS_MAX = 90

_checks = []
RUN = uuid.uuid4().hex[:8]  # keeps the topics and groups of two runs apart


class Unfinished(Exception):
    """The check took longer than CHECK_SECONDS_MAX."""


def check(area):
    """Registers the function under this area; its name, words by underscores, is the fact."""
    assert area in AREAS, area

    def register(function):
        _checks.append((area, function.__name__.strip("_"), function, None))
        return function
    return register


def cannot(area, fact, why):
    """Names what this client has no call for."""
    assert area in AREAS, area
    _checks.append((area, fact, None, why))


def name_of(what):
    """A topic or group name of this run alone."""
    return "conf-%s-%s" % (RUN, what)


def same(got, expected, what):
    if got != expected:
        raise AssertionError("%s: got %s, expected %s" % (what, short(got), short(expected)))


def short(value, characters_max=300):
    text = repr(value)
    return text if len(text) <= characters_max else text[:characters_max] + "..."


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def eventually(condition, what, seconds=30):
    """Waits until the condition holds and gives its value; the condition may raise until then."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except Unfinished:
            raise
        except Exception as error:  # noqa: BLE001 - the last one is part of the message
            last = error
        time.sleep(0.05)
    raise AssertionError("not within %d s: %s%s" % (seconds, what,
                                                    " (%s)" % last if last else ""))


def refused(call, exceptions, what):
    """Demands that the call raises one of the exceptions, and gives it."""
    try:
        call()
    except exceptions as error:
        return error
    raise AssertionError(what + " was accepted")


def arguments(description, configure=None):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("-b", "--bootstrap", default="127.0.0.1:9092", metavar="HOST:PORT")
    parser.add_argument("--only", default="", help="areas or names of checks, by commas")
    parser.add_argument("-v", "--verbose", action="store_true", help="the trace of a failure")
    if configure:
        configure(parser)
    return parser.parse_args()


def _too_long(*_):
    raise Unfinished("not done within %d s" % CHECK_SECONDS_MAX)


def run(options):
    """Runs what `--only` selects and ends the process: 0 when something passed and nothing failed."""
    only = set(filter(None, options.only.split(",")))
    passed = failed = skipped = 0
    signal.signal(signal.SIGALRM, _too_long)
    for area, name, function, why in _checks:
        if only and area not in only and name not in only:
            continue
        if function is None:
            skipped += 1
            print("skip %s/%s: %s" % (area, name, why), flush=True)
            continue
        started = time.monotonic()
        signal.alarm(CHECK_SECONDS_MAX)
        try:
            function()
            signal.alarm(0)
            passed += 1
            print("ok   %s/%s (%.1f s)" % (area, name, time.monotonic() - started), flush=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next check runs
            signal.alarm(0)
            failed += 1
            text = " ".join(str(error).split())
            print("FAIL %s/%s (%.1f s): %s: %s" % (area, name, time.monotonic() - started,
                                                   type(error).__name__, text), flush=True)
            if options.verbose:
                traceback.print_exc()
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    sys.stdout.flush()
    # Clients keep threads of their own that need not end in order.
    os._exit(0 if passed and not failed else 1)
