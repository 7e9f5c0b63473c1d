"""The console's panel of the workers, on a run that goes on: where they stand, who took over."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from filter.chain import CHAIN
from simulator.console.carried import Carried
from simulator.console.panels import Look
from simulator.console.pipeline import carried as drawn
from simulator.folder import RunFolder
from simulator.stack import Server, Stack
from simulator.watch import carried
from tests.live.test_workers import Command, Start, begun, start, until  # noqa: F401  a fixture

Now = Callable[[], Carried]


@contextmanager
def watched(folder: Path) -> Iterator[Now]:
    """What a console on a run asks about it."""
    with carried(RunFolder.open(folder)) as now:
        assert now is not None
        yield now
    for one in threading.enumerate():
        if one.name == "carriers":
            one.join(60)


@pytest.fixture
def running(
    stack: Stack,
    start: Start,  # noqa: F811  the fixture
    tmp_path: Path,
) -> Iterator[tuple[Command, Now]]:
    """A run on two workers, and what its console asks about it."""
    ran, _ = begun(stack, start)
    with watched(tmp_path / "run") as now:
        until(lambda: now().owners == 2, lambda: (now(), ran.said()))
        yield ran, now


def slowest(now: Carried) -> int:
    return min(-1 if one.tick is None else one.tick for one in now.stands)


def taken_over(now: Carried) -> int:
    return sum(one.taken_over for one in now.stands)


def test_workers_are_seen_to_go_on(running: tuple[Command, Now], stack: Stack) -> None:
    _, now = running
    first = now()
    assert [*dict.fromkeys(one.stage for one in first.stands)] == [link.stage for link in CHAIN]
    until(lambda: slowest(now()) > slowest(first) + 10, now)
    later = now()
    for one in later.stands:
        if one.stage == "account_guard":
            assert one.saved is not None
            assert one.saved > slowest(first)
    assert {one.name: one.rate for one in later.streams}["votes"]
    assert later.redis.took
    assert later.kafka.took
    lines = [line.plain for line in drawn(later, Look(118, 30))]
    assert lines[0].startswith(f"now: hour {later.world}; Redis ")
    assert len([line for line in lines if line.startswith("scoring ")]) == 2
    with closing(KafkaAdminClient(bootstrap_servers=stack.broker)) as admin:
        groups = [str(one) for one in admin.list_groups()]
    assert groups
    assert not [one for one in groups if "hamstrung." not in one], "the viewer is in no group"


def test_a_take_over_is_seen(running: tuple[Command, Now]) -> None:
    ran, now = running
    before = now()
    os.kill(ran.children()[0], signal.SIGKILL)
    until(lambda: taken_over(now()) > taken_over(before), now)
    at = now().world or 0
    until(lambda: slowest(now()) > at + 5, now)


@contextmanager
def hanging(server: Server) -> Iterator[None]:
    """A server that takes connections and answers nothing."""
    mark = server.running()
    assert mark
    os.kill(mark.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(mark.pid, signal.SIGCONT)


def test_a_server_that_hangs_is_named_and_heard_again(
    running: tuple[Command, Now], stack: Stack
) -> None:
    _, now = running
    with hanging(stack.redis):
        until(lambda: now().redis.wrong, now)
        assert "Redis at 127.0.0.1:" in now().redis.wrong
        assert not now().kafka.wrong
    with hanging(stack.kafka):
        until(lambda: now().kafka.wrong, now)
        assert f"Kafka at {stack.broker}: " in now().kafka.wrong
    until(lambda: not (now().kafka.wrong or now().redis.wrong), now)
    at = now().world or 0
    until(lambda: slowest(now()) > at, now)
