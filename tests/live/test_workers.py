"""Workers that somebody started by hand, and those that a run starts: who ends, and when."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from simulator import run
from simulator.broker import runs_on
from simulator.cli import main
from simulator.folder import RunFolder
from simulator.stack import Stack, born
from tests.contracts.small import SMALL, small

PATIENT = 90.0
"""Seconds that a noisy machine may take for what it does in three."""

AWAY = 10.0
"""Seconds after which whoever asks a broker that is gone has been told so."""

PROGRAM = (sys.executable, "-c", "import sys; from simulator.cli import main; sys.exit(main())")


class Command:
    """A command of ours in a process of its own; all it says is kept in a file.

    Args:
        words: of the command line.
        folder: in which it runs.
    """

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        self._log = folder / f"said-{time.monotonic_ns()}.txt"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*PROGRAM, *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def said(self) -> str:
        return self._log.read_text()

    def must_say(self, text: str) -> None:
        until(lambda: text in self.said() or self.process.poll() is not None, self.said)
        assert text in self.said()

    def code(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(PATIENT)

    def children(self) -> list[int]:
        """The process numbers of the workers that it has started."""
        told = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        lines = told.stdout.splitlines()
        return [int(line.split()[0]) for line in lines if "--while-stdin" in line]

    def end(self) -> None:
        """Kill it, and what it started."""
        for pid in self.children():
            os.kill(pid, signal.SIGKILL)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


Start = Callable[..., Command]


def until(happens: Callable[[], object], told: Callable[[], object] = str) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENT
    while not happens():
        assert time.monotonic() < end, told()
        time.sleep(0.05)


def gone(pids: Sequence[int]) -> bool:
    return not any(born(pid) for pid in pids)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts commands, which end with the test at the latest."""
    with ExitStack() as commands:

        def begin(*words: str, folder: Path = tmp_path) -> Command:
            command = Command(words, folder)
            commands.callback(command.end)
            return command

        yield begin


def servers(stack: Stack) -> list[str]:
    return ["--set", f"kafka.broker={stack.broker}", "--set", f"redis.url={stack.redis_url}"]


def small_run(stack: Stack, *words: str, duration: int = 30) -> list[str]:
    """The words of a run on Kafka of half a second; the same as `tests.contracts.small.small`."""
    table = {name: SMALL[name] for name in ("world", "synthetic", "judges")}
    sets = [f"{name}.{key}={value}" for name, of in table.items() for key, value in of.items()]
    sets += ["filter.models.naive_bayes.bits=14", "attack.start=8", "attack.duration=14"]
    sets += [f"attack.settings.{key}={value}" for key, value in SMALL["attack"]["settings"].items()]
    sets += ['arms=["attacked","twin"]', "kafka.snapshot_every=10", f"duration={duration}"]
    set_ = [word for one in sets for word in ("--set", one)]
    return ["run", "quickstart", *set_, "--engine", "kafka", *servers(stack), *words]


def judged(folder: Path) -> str:
    return RunFolder.open(folder).manifest.hashes["attacked"]


def embedded(duration: int = 30) -> str:
    return run(small({"duration": duration})).arms["attacked"].hash


def test_workers_by_hand_go_from_one_run_to_the_next(
    stack: Stack, start: Start, tmp_path: Path
) -> None:
    workers = [start("worker", "all", *servers(stack)) for _ in range(2)]
    for number, name in enumerate(("one", "two"), 1):
        ran = start(*small_run(stack, "--workers", "0", "-o", name))
        ran.must_say("hamstrung worker all")
        assert ran.code() in (0, 99), ran.said()
        assert judged(tmp_path / name) == embedded()
        for worker in workers:
            until(partial(_has_worked_for, worker, number), worker.said)
    for worker in workers:
        worker.process.send_signal(signal.SIGINT)
        assert worker.code() == 0, worker.said()


def _has_worked_for(worker: Command, runs: int) -> bool:
    return worker.said().count("working for") >= runs


def test_a_run_without_workers_says_so_and_goes_on_when_one_is_started(
    stack: Stack, start: Start, tmp_path: Path
) -> None:
    ran = start(*small_run(stack, "--workers", "0", "-o", "run"))
    ran.must_say("hamstrung worker all")
    ran.must_say("waiting for verdicts")
    assert ran.process.poll() is None
    start("worker", "all", *servers(stack))
    assert ran.code() in (0, 99), ran.said()
    assert judged(tmp_path / "run") == embedded()


def test_only_all_stages_together_can_be_worked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", "scoring"]) == 2
    said = capsys.readouterr().err
    assert "expected 'all', got 'scoring'" in said
    assert "hamstrung worker --help" in said


def test_workers_end_when_the_run_that_started_them_is_killed(stack: Stack, start: Start) -> None:
    ran, children = begun(stack, start)
    ran.process.kill()
    until(partial(gone, children))


def test_ctrl_c_ends_the_run_and_its_workers(stack: Stack, start: Start, tmp_path: Path) -> None:
    ran, children = begun(stack, start)
    ran.process.send_signal(signal.SIGINT)
    assert ran.code() == 130, ran.said()
    assert gone(children)
    assert RunFolder.open(tmp_path / "run").manifest.status == "interrupted"


def test_workers_end_although_the_broker_is_gone(
    new_stack: Callable[..., Stack], start: Start, tmp_path: Path
) -> None:
    own = new_stack(tmp_path / "stack")
    own.up()
    try:
        ran, children = begun(own, start)
        by_hand = start("worker", "all", *servers(own))
        by_hand.must_say("working for")
        own.kill_kafka(hard=True)
        ran.process.kill()
        until(partial(gone, children))
        by_hand.process.send_signal(signal.SIGINT)
        assert by_hand.code() == 0
    finally:
        own.down(wipe=True)


def test_a_worker_by_hand_waits_for_servers_that_come_back_and_redis_is_named(
    new_stack: Callable[..., Stack], start: Start, tmp_path: Path
) -> None:
    own = new_stack(tmp_path / "stack")
    own.up()
    try:
        by_hand = start("worker", "all", *servers(own))
        ran = start(*small_run(own, "--workers", "0", "-o", "run", "--json", duration=120))
        until(lambda: ran.said().count('"tick"') > 5, ran.said)
        own.kill_redis(hard=True)
        port = own.redis_url.rpartition(":")[2].partition("/")[0]
        by_hand.must_say(f"waits: Redis at 127.0.0.1:{port}")
        ran.must_say(f"; Redis at 127.0.0.1:{port}")
        own.start_redis()
        ticks = ran.said().count('"tick"')
        until(lambda: ran.said().count('"tick"') > ticks + 5, ran.said)
        own.kill_kafka(hard=False)
        time.sleep(AWAY)
        assert by_hand.process.poll() is None, by_hand.said()
        own.start_kafka()
        assert ran.code() in (0, 99), ran.said()
        assert judged(tmp_path / "run") == embedded(120)
        assert by_hand.said().count("working for") == 1
    finally:
        own.down(wipe=True)


def begun(stack: Stack, start: Start) -> tuple[Command, list[int]]:
    """A long run on two workers that has some ticks behind it, and the workers."""
    ran = start(*small_run(stack, "--workers", "2", "-o", "run", "--json", duration=5000))
    until(lambda: ran.said().count('"tick"') > 5, ran.said)
    children = ran.children()
    assert len(children) == 2
    return ran, children


def test_a_run_that_nobody_works_for_gives_up_and_says_how_to_start_a_worker(
    stack: Stack, start: Start, tmp_path: Path
) -> None:
    before = set(runs_on(stack.broker))
    words = ("--workers", "0", "--set", "kafka.patience=3", "-o", "run")
    lonely = start(*small_run(stack, *words))
    assert lonely.code() == 1, lonely.said()
    last = lonely.said().strip().splitlines()[-1]
    assert "of tick 0 is missing; are there workers? hamstrung worker all --set" in last
    assert stack.broker in last
    assert not (tmp_path / "run").exists()
    assert set(runs_on(stack.broker)) <= before
