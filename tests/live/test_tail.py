"""`hamstrung tail` on a real broker: it begins, follows, and ends when it should."""

import json
import os
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import msgspec
import pytest
from kafka import KafkaProducer

from filter.courier import DEAD_LETTERS, dead_letter, topic_name
from filter.plugins import SettingsError
from filter.wire import WireError, addressed, written
from simulator.broker import Broker
from simulator.exits import UNREACHED
from simulator.safe import UNSHOWN
from simulator.servers import KafkaSettings
from simulator.stack import HOST, Stack, free_port
from simulator.tail import names, tail
from tests.filter.test_charter import SECRET, made
from tests.filter.test_wire import STREAMS, Maker, letters
from tests.simulator.test_tail import EVIL

PROGRAM = """
import sys
from simulator.exits import of_error
from simulator.servers import KafkaSettings
from simulator.tail import tail
_, broker, topic, run = sys.argv
try:
    sys.exit(tail(KafkaSettings(broker=broker), topic, run, None, True))
except Exception as error:
    sys.exit(of_error(error))
"""
NUMBERS = count()


class Spoken:
    """A run of which somebody says what a test wants, without stages or workers."""

    def __init__(self, address: str) -> None:
        self.run = f"tail-{os.getpid()}-{next(NUMBERS)}"
        self.kafka = KafkaSettings(broker=address)
        self._broker = Broker(address, self.run, 2)
        self._producer = KafkaProducer(bootstrap_servers=address, acks="all")
        self._broker.open(msgspec.structs.replace(made(), run=self.run, per_message=3))

    def say(self, stream: str, value: Any, tick: int) -> None:
        """A tick of a stream."""
        for one in addressed(stream, value, tick, 0, 2, 3):
            topic = topic_name(self.run, one.topic)
            headers = written(self.run, one.header)
            self._producer.send(topic, one.value, None, headers, one.partition)
        self._producer.flush()

    def put(self, name: str, raw: bytes, run: str) -> None:
        """A message of bytes."""
        self._producer.send(topic_name(self.run, name), raw, None, [("run", run.encode())], 0)
        self._producer.flush()

    def end(self) -> None:
        """Say that it is over."""
        self._broker.end()

    def close(self) -> None:
        self._producer.close()
        self._broker.close()


@pytest.fixture
def speak(stack: Stack) -> Iterator[Callable[[], Spoken]]:
    """Begins a run."""
    begun: list[Spoken] = []

    def begin() -> Spoken:
        begun.append(Spoken(stack.broker))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().out.splitlines()


def test_a_run_that_is_over_is_printed_from_its_beginning(
    speak: Callable[[], Spoken], capfd: pytest.CaptureFixture[str]
) -> None:
    run = speak()
    for tick in range(3):
        run.say("votes", Maker(tick).stream("votes", 4), tick)
    run.end()
    assert tail(run.kafka, "votes", run.run, None, False) == 0
    found = lines(capfd)
    assert len(found) == 12
    assert all("  votes id=" in line for line in found)
    assert tail(run.kafka, "votes", run.run, 5, False) == 0
    assert len(lines(capfd)) == 5


def test_every_topic_can_be_printed_for_people_and_as_json(
    speak: Callable[[], Spoken], capfd: pytest.CaptureFixture[str]
) -> None:
    run = speak()
    for stream in STREAMS:
        run.say(stream, Maker(1).stream(stream, 5), 9)
    run.end()
    for name in names():
        assert tail(run.kafka, name, run.run, None, True) == 0
        for_people = lines(capfd)
        assert tail(run.kafka, name, run.run, None, True, as_json=True) == 0
        as_json = [json.loads(line) for line in lines(capfd)]
        assert len(for_people) == len(as_json)
        assert "unreadable" not in {one["type"] for one in as_json}
        assert {one["schema_version"] for one in as_json} <= {1}
        empty = name == DEAD_LETTERS or name.startswith("snapshots.")
        assert bool(as_json) != empty
        assert SECRET.hex() not in "".join(for_people)
        assert repr(SECRET)[2:-1] not in "".join([*for_people, *map(str, as_json)])


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_that_a_sender_writes_acts_on_the_terminal(
    as_json: bool, speak: Callable[[], Spoken], capfd: pytest.CaptureFixture[str]
) -> None:
    run = speak()
    run.say("mails", letters(EVIL, "plain")._replace(subject=[EVIL, EVIL]), 4)
    run.put("mails", b"\x1b[2J" + EVIL.encode(), EVIL)
    _, letter = dead_letter("mails", 0, 5, EVIL.encode(), WireError("content", EVIL))
    run.put(DEAD_LETTERS, letter, run.run)
    run.end()
    tail(run.kafka, "mails", run.run, None, True, as_json)
    tail(run.kafka, DEAD_LETTERS, run.run, None, True, as_json)
    printed = lines(capfd)
    assert len(printed) == 4
    for line in printed:
        assert not [one for one in line if unicodedata.category(one) in UNSHOWN and one != "\x7f"]
        assert as_json or "\x7f" not in line


def test_it_follows_until_the_run_is_over(speak: Callable[[], Spoken]) -> None:
    run = speak()
    run.say("claims", Maker(1).stream("claims", 2), 1)
    with followed(run.kafka.broker, "claims", run.run) as child:
        assert child.stdout
        assert b"claims" in child.stdout.readline()
        run.say("claims", Maker(2).stream("claims", 3), 2)
        run.end()
        rest = child.stdout.read()  # what the first read has fetched as well
        assert child.wait(30) == 0
    assert rest.count(b"  claims vote=") == 4


def test_ctrl_c_ends_it_with_0(speak: Callable[[], Spoken]) -> None:
    run = speak()
    run.say("claims", Maker(1).stream("claims", 2), 1)
    with followed(run.kafka.broker, "claims", run.run) as child:
        assert child.stdout
        assert b"claims" in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert (child.returncode, said) == (0, b"")


def test_it_ends_when_nobody_reads_any_more(speak: Callable[[], Spoken]) -> None:
    run = speak()
    run.say("claims", Maker(1).stream("claims", 2), 1)
    with followed(run.kafka.broker, "claims", run.run) as child:
        assert child.stdout
        child.stdout.readline()
        child.stdout.close()
        until = time.monotonic() + 30
        while child.poll() is None and time.monotonic() < until:
            run.say("claims", Maker(2).stream("claims", 3), 2)
            time.sleep(0.2)
    assert child.returncode == 0


def followed(broker: str, topic: str, run: str) -> "subprocess.Popen[bytes]":
    """A process that follows a topic from its beginning."""
    words = [sys.executable, "-c", PROGRAM, broker, topic, run]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_run_of_which_something_was_said_last_is_the_one(
    speak: Callable[[], Spoken], capfd: pytest.CaptureFixture[str]
) -> None:
    old, new = speak(), speak()
    old.say("requests", Maker(1).stream("requests", 1), 1)
    new.say("requests", Maker(1).stream("requests", 2), 1)
    old.end()
    time.sleep(0.01)
    new.end()
    assert tail(new.kafka, "requests", None, None, False) == 0
    assert len(lines(capfd)) == 2


def test_a_run_that_is_not_there_is_refused_with_the_nearest(speak: Callable[[], Spoken]) -> None:
    run = speak()
    with pytest.raises(SettingsError, match=f"run: unknown .*did you mean 'tail-{os.getpid()}"):
        tail(run.kafka, "votes", f"{run.run}x", None, False)


def test_without_a_broker_it_says_so_and_ends_with_3() -> None:
    nowhere = f"{HOST}:{free_port()}"
    with followed(nowhere, "votes", "any") as child:
        printed, said = child.communicate(timeout=30)
    assert (child.returncode, printed) == (UNREACHED, b"")
    assert said.decode().startswith(f"hamstrung: Kafka does not answer at {nowhere}")
    assert said.count(b"\n") == 1
