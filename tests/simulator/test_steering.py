"""A run waits and slows down as is asked in its folder, and stays the same run."""

import threading
import time
from pathlib import Path

import pytest

from simulator.folder import RunFolder
from simulator.frame import Frame
from simulator.scenario import CREW
from simulator.scripting import Silent
from simulator.session import simulate
from simulator.steering import STEER, Asked, Steering, ask, read
from tests.simulator.small_run import small


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that goes on only while somebody sleeps."""
    naps: list[float] = []
    monkeypatch.setattr("simulator.steering.time.monotonic", lambda: sum(naps))
    monkeypatch.setattr("simulator.steering.time.sleep", naps.append)
    return naps


def test_at_full_speed_nobody_sleeps(tmp_path: Path, slept: list[float]) -> None:
    steered = Steering(tmp_path)
    for _ in range(100):
        steered.wait(lambda: False)
    assert slept == []


def test_a_speed_is_kept(tmp_path: Path, slept: list[float]) -> None:
    steered = Steering(tmp_path, speed=4.0)
    for _ in range(41):
        steered.wait(lambda: False)
    assert sum(slept) == pytest.approx(10.0, abs=0.1)


def test_a_paused_run_waits_until_it_may_go_on_or_is_asked_to_end(
    tmp_path: Path, slept: list[float]
) -> None:
    steered = Steering(tmp_path)
    ask(tmp_path, Asked(paused=True))
    looks = iter([False] * 50 + [True])
    steered.wait(lambda: next(looks))
    assert len(slept) == 50
    ask(tmp_path, Asked())
    steered.wait(lambda: False)
    assert len(slept) == 50


@pytest.mark.parametrize("damage", [b"", b"{", b'{"paused":"yes"}', b"\xff\xfe", b"[]"])
def test_what_cannot_be_read_asks_for_nothing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / STEER).write_bytes(damage)
    assert read(tmp_path) == Asked()


def test_what_was_asked_of_an_earlier_session_is_forgotten(tmp_path: Path) -> None:
    ask(tmp_path, Asked(paused=True))
    Steering.forget(tmp_path)
    assert read(tmp_path) == Asked()


def test_what_was_asked_before_the_run_was_ready_is_heard(tmp_path: Path) -> None:
    ask(tmp_path, Asked(bots=3, speed=2.0))
    steered = Steering(tmp_path, speed=9.0)
    assert steered.joining() == 3
    assert steered.joining() == 0
    ask(tmp_path, Asked(bots=5))
    steered.wait(lambda: True)
    assert steered.joining() == 2, "also when the run is about to end"


def test_more_bots_than_may_join_at_once_join_later(tmp_path: Path) -> None:
    ask(tmp_path, Asked(bots=CREW + 7))
    steered = Steering(tmp_path)
    assert (steered.joining(), steered.joining(), steered.joining()) == (CREW, 7, 0)


def test_pausing_and_pace_change_nothing_in_a_run(tmp_path: Path) -> None:
    plain = simulate(small(), RunFolder.create(small(), tmp_path / "a"), Silent(), [])
    folder = RunFolder.create(small(), tmp_path / "b")
    paused = threading.Event()

    def pause(arm: str, frame: Frame) -> None:
        if frame.tick == 10 and arm == "attacked":
            ask(folder.path, Asked(paused=True))
            paused.set()

    def go_on() -> None:
        assert paused.wait(30)
        time.sleep(0.2)
        ask(folder.path, Asked(speed=200.0))

    other = threading.Thread(target=go_on)
    other.start()
    began = time.monotonic()
    steered = simulate(small(), folder, Silent(), [], pause, speed=500.0)
    other.join()
    assert steered.hash == plain.hash
    assert time.monotonic() - began > 0.2
