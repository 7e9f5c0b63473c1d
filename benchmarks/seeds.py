"""Seeds side by side: the time of several with one process, over that with two.

``python -m benchmarks.seeds`` measures it alone.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import msgspec

from benchmarks import report
from benchmarks.plan import FULL, Plan

ROOT = Path(__file__).parent.parent
PROGRAM = (sys.executable, "-c", "import sys; from simulator.cli import main; sys.exit(main())")


def replicates_ratio(plan: Plan, cores: Sequence[int] | None) -> float:
    """How many times as fast two processes are; the median over rounds.

    Args:
        plan: how much is run.
        cores: that they may use; None: what this process may.

    Raises:
        ValueError: one and two gave different results.
    """
    ratios = []
    for _ in range(plan.seed_rounds):
        one, two = (_timed(plan, jobs, cores) for jobs in (1, 2))
        if one[1] != two[1]:
            raise ValueError(f"one process gave {one[1]}, two gave {two[1]}")
        ratios.append(one[0] / two[0])
        report.say(f"  {plan.seeds} seeds: {one[0]:.1f} s, two at a time {two[0]:.1f} s")
    return median(ratios)


def _timed(plan: Plan, jobs: int, cores: Sequence[int] | None) -> tuple[float, str]:
    """Seconds of a run of several seeds, from start to end of its process; and its hash."""
    words = ["run", "quickstart", "--duration", str(plan.seed_ticks), "--display", "none"]
    words += ["--set", f"attack.duration={max(plan.seed_ticks - 60, 1)}"]
    words += ["--replicates", str(plan.seeds), "-j", str(jobs)]
    with tempfile.TemporaryDirectory(prefix="hamstrung-seeds-") as folder:
        out = Path(folder) / "run"
        began = time.perf_counter()
        process = subprocess.Popen([*PROGRAM, *words, "-o", str(out)], cwd=folder)
        if cores is not None:
            os.sched_setaffinity(process.pid, cores)
        process.wait()
        seconds = time.perf_counter() - began
        return seconds, msgspec.json.decode((out / "summary.json").read_bytes())["hash"]


if __name__ == "__main__":
    report.last_line({"replicates_ratio": round(replicates_ratio(FULL, None), 3)})
