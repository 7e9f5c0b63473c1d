"""Growth: how time and memory go with the number of mails, each size in a process of its own.

``python -m benchmarks.growth MAILS MAILS_PER_TICK`` runs one size and prints its line.
"""

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import report
from benchmarks.loop import Loop, synthetic_scenario
from benchmarks.plan import Plan

ROOT = Path(__file__).parent.parent
SHORT = 8
"""A size counts as small if the largest is this many times as large."""


class Size(msgspec.Struct, frozen=True):
    """A run of synthetic mail: its loop's seconds, and the most memory it ever held (MB)."""

    mails: int
    seconds: float
    peak_mb: float


def grown(plan: Plan) -> list[Size]:
    """Run every size; the small ones, whose time is soon spoilt, again after the large ones.

    Each size has the median of its times.
    """
    small = [mails for mails in plan.growth if mails * SHORT <= plan.growth[-1]]
    runs: dict[int, list[Size]] = {}
    for mails in (*plan.growth, *small * (plan.growth_repeats - 1)):
        size = _in_process_of_its_own(mails, plan.growth_mails_per_tick)
        report.size_done(size.mails, size.seconds, size.peak_mb)
        runs.setdefault(mails, []).append(size)
    return [_middle(again) for again in runs.values()]


def _middle(runs: list[Size]) -> Size:
    return sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]


def exponent(sizes: Sequence[Size]) -> float:
    """The slope of log time over log mails, by least squares: 1 is linear.

    >>> exponent([Size(10, 1.0, 0.0), Size(100, 10.0, 0.0), Size(1000, 100.0, 0.0)])
    1.0
    """
    mails = np.log([size.mails for size in sizes])
    seconds = np.log([size.seconds for size in sizes])
    return round(float(np.polyfit(mails, seconds, 1)[0]), 4)


def memory_ratio(sizes: Sequence[Size]) -> float:
    """The largest run's peak over that of the middle one, whose buffers are full too: 1 is flat."""
    return sizes[-1].peak_mb / sizes[len(sizes) // 2].peak_mb


def _in_process_of_its_own(mails: int, per_tick: int) -> Size:
    command = [sys.executable, "-m", "benchmarks.growth", str(mails), str(per_tick)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Size)


def one(mails: int, per_tick: int) -> Size:
    """Run one size in this process; the time is the loop's, without what prepares it."""
    length = max(mails // per_tick, 1)
    lap = Loop(synthetic_scenario(per_tick, length + 1)).lap(length)
    return Size(lap.mails, lap.seconds, _peak())


def _peak() -> float:
    """The most memory this process ever held, in MB.

    Linux says it itself: there `getrusage` also counts the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    report.last_line(one(*map(int, sys.argv[1:])))
