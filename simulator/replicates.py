"""Replicates: a scenario with several seeds, a process each, some of them at a time.

Each seed is a run of its own, in a folder of its own that can be looked at and gone on with like
any other; whatever becomes of its process, the others go on, and its row says what it was.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from simulator import exits
from simulator.durable import FolderError
from simulator.folder import FRAMES, RunFolder, last_tick, locked
from simulator.manifest import DONE, ENDED, INTERRUPTED
from simulator.pooled import pooled, row
from simulator.running import Progress
from simulator.safe import safe
from simulator.scenario import Scenario
from simulator.session import Display
from simulator.signals import Signals
from simulator.summary import Replicate, Summary
from simulator.thresholds import Threshold

PROGRAM: Final = (
    sys.executable,
    "-c",
    "import sys; from simulator.cli import main; sys.exit(main())",
)
ALONE: Final = (
    *("--display", "none", "--while-stdin"),
    *("--junit", "", "--prometheus-port", "", "--speed", "max"),
)
"""How a seed runs: what ``hamstrung.toml`` asks for besides is of all seeds together."""
LOG: Final = "said.log"
LOOKS: Final = 0.2
"""Seconds from one look at the processes to the next."""

FAILED: Final = "failed"
"""A replicate's status if its process did not come to an end that it had chosen."""

OnEnd = Callable[[Replicate], None]


@dataclass
class _Running:
    """A replicate's process."""

    seed: int
    folder: RunFolder
    process: "subprocess.Popen[bytes]"


@dataclass
class _Course:
    """Where all replicates are: those that wait, run and have ended."""

    waiting: list[RunFolder]
    running: list[_Running] = field(default_factory=list)
    rows: dict[int, Replicate] = field(default_factory=dict)


def replicated(
    scenario: Scenario,
    folder: RunFolder,
    jobs: int,
    display: Display,
    thresholds: Sequence[Threshold],
    on_end: OnEnd | None = None,
) -> Summary:
    """Run a scenario with as many seeds as its folder says, from its own upwards.

    What has ended already stays as it is, and what was interrupted goes on.

    Args:
        scenario: with the first seed.
        folder: of all of them.
        jobs: processes at a time.
        display: shows them.
        thresholds: what has to hold.
        on_end: is given each replicate when it has ended.

    Raises:
        FolderError: the folder cannot be written, or another process is writing it.
        KeyboardInterrupt: at the second signal.
    """
    with locked(folder.path):
        folders = [
            _folder(scenario, folder, seed)
            for seed in range(scenario.seed, scenario.seed + folder.manifest.replicates)
        ]
        before = {one.manifest.seed: _row(one) for one in folders if _over(one)}
        course = _Course([one for one in folders if not _over(one)], rows=before)
        at_a_time = max(1, min(jobs, len(course.waiting)))
        display.begin(_beginning(scenario, folder, at_a_time, len(before)))
        _run(scenario, course, at_a_time, display, on_end)
        rows = [course.rows[seed] for seed in sorted(course.rows)]
        summaries = [RunFolder.open(one.folder).summary() for one in rows if one.status == DONE]
        summary = pooled(scenario, rows, summaries, thresholds)
        folder.save_summary(summary)
        display.end(summary, folder.path, folder.manifest.command)
        return summary


def _folder(scenario: Scenario, folder: RunFolder, seed: int) -> RunFolder:
    """A replicate's own folder, made if it is not there."""
    path = folder.path / f"seed-{seed}"
    try:
        return RunFolder.open(path)
    except FolderError:
        again = f"{folder.manifest.command} --seed {seed} --replicates 1"
        return RunFolder.create(replace(scenario, seed=seed), path, command=again)


def _over(folder: RunFolder) -> bool:
    return folder.manifest.status in ENDED


def _beginning(scenario: Scenario, folder: RunFolder, jobs: int, ended: int) -> list[str]:
    count = folder.manifest.replicates
    seeds = f"{scenario.seed} to {scenario.seed + count - 1}"
    lines = [f"{safe(scenario.about, 300)}."] if scenario.about else []
    lines += [f"{count} seeds, {seeds}, {jobs} at a time, each {scenario.duration} h"]
    lines += [f"{ended} of them have ended before"] if ended else []
    return [*lines, f"saved in {safe(str(folder.path), 500)}"]


def _run(
    scenario: Scenario, course: _Course, jobs: int, display: Display, on_end: OnEnd | None
) -> None:
    began = time.monotonic()
    try:
        with Signals() as signals:
            told = False
            while course.running or (course.waiting and not signals.asked):
                while len(course.running) < jobs and course.waiting and not signals.asked:
                    course.running.append(_started(course.waiting.pop(0)))
                if signals.asked and not told:
                    told = True
                    _tell(course.running, signal.SIGINT)
                _look(course, on_end)
                display.tick(_progress(scenario, course, time.monotonic() - began))
                time.sleep(LOOKS)
    finally:
        _tell(course.running, signal.SIGKILL)
        for one in course.running:
            one.process.wait()
    for folder in course.waiting:
        course.rows[folder.manifest.seed] = _row(folder)


def _started(folder: RunFolder) -> _Running:
    return _Running(folder.manifest.seed, folder, begun(folder))


def begun(folder: RunFolder, *more: str) -> "subprocess.Popen[bytes]":
    """A process that simulates the run of a folder, and ends when this one does.

    Args:
        folder: the run's, new or to be resumed; what the process says goes into its `LOG`.
        more: further words of its command line, which count more than `ALONE`.
    """
    with (folder.path / LOG).open("ab") as log:
        return subprocess.Popen(
            [*PROGRAM, "run", "--resume", str(folder.path), *ALONE, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if _is_kept(name)},
        )


def _is_kept(variable: str) -> bool:
    """Whether a variable is for replicates too: their settings are in their folders."""
    return not variable.startswith("HAMSTRUNG_") or variable in (
        "HAMSTRUNG_DEBUG",
        "HAMSTRUNG_REDIS_PASSWORD",
    )


def _tell(running: Sequence[_Running], number: signal.Signals) -> None:
    for one in running:
        one.process.send_signal(number)


def _look(course: _Course, on_end: OnEnd | None) -> None:
    """Take in those that have ended."""
    for one in [one for one in course.running if one.process.poll() is not None]:
        course.running.remove(one)
        if one.process.stdin:
            one.process.stdin.close()
        ended = _row(RunFolder.open(one.folder.path), one.process.returncode)
        course.rows[one.seed] = ended
        if on_end is not None:
            on_end(ended)


def _row(folder: RunFolder, code: int | None = None) -> Replicate:
    """What became of a replicate."""
    manifest = folder.manifest
    status, why = manifest.status, ""
    if status in ENDED:
        summary = folder.summary()
        (folder.path / LOG).unlink(missing_ok=True)
        why = summary.verdict if status != DONE else ""
        return row(manifest.seed, str(folder.path), why, summary)
    status = INTERRUPTED
    if code not in (None, exits.INTERRUPTED):
        status, why = FAILED, _last_words(folder, code)
    return Replicate(manifest.seed, status, why, str(folder.path), {}, {})


def _last_words(folder: RunFolder, code: int) -> str:
    """Why a process ended that should not have."""
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    try:
        lines = (folder.path / LOG).read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1].removeprefix("hamstrung: ") if lines else f"its process ended with {code}"


def _progress(scenario: Scenario, course: _Course, seconds: float) -> Progress:
    """How far all of them are together, and the mean of those that have ended."""
    ended = len(course.rows)
    every = ended + len(course.running) + len(course.waiting)
    ticks = ended * scenario.duration
    ticks += sum(last_tick(one.folder.path / FRAMES) + 1 for one in course.running)
    judged = [next(iter(one.values.values())) for one in course.rows.values() if one.values]
    return Progress(
        tick=min(ticks, every * scenario.duration),
        duration=every * scenario.duration,
        mails=0,
        seconds=seconds,
        attack_success=_mean([one["attack_success"] for one in judged]),
        ham_misclassified=_mean([one["ham_misclassified"] for one in judged]),
        phase=f"{ended} of {every} seeds",
    )


def _mean(found: Sequence[Any]) -> float | None:
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None


def told(one: Replicate) -> dict[str, Any]:
    """A replicate as a JSON line has it."""
    return msgspec.structs.asdict(one)
