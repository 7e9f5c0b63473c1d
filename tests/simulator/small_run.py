"""A run that takes a second, for the tests; and, as a program, one that can be killed.

``python -m tests.simulator.small_run FOLDER`` simulates into a new folder with a checkpoint after
every tick, or goes on with the run in it without any, and prints each tick when it is done. A
second and a third argument limit the size of the files that it may write (bytes) from a tick on,
as a full disk would.
"""

import resource
import sys
from pathlib import Path
from typing import Any

from simulator.folder import FolderError, RunFolder
from simulator.scenario import Scenario, scenario
from simulator.scripting import Silent
from simulator.session import Pace, Progress, simulate

EVERY_TICK = Pace(0.0, 0.0)
NEVER = Pace(1e9)
DURATION = 30


def small(**changes: Any) -> Scenario:
    """An attack from tick 8, between 300 people, for 30 ticks."""
    table: dict[str, Any] = {
        "name": "small",
        "duration": DURATION,
        "arms": ["attacked", "twin"],
        "world": {"people": 300},
        "synthetic": {"mails_per_hour": 60, "start_mails": 300, "start_ham": 200, "foreign": 0.0},
        "attack": {"name": "not-spam-campaign", "start": 8, "duration": 12},
    }
    return scenario(table | changes)


class Telling(Silent):
    """Prints each tick; from one on, lets no file grow beyond a size."""

    def __init__(self, limit: int | None = None, at: int = 0) -> None:
        self._limit = limit
        self._at = at

    def tick(self, progress: Progress) -> None:
        sys.stdout.write(f"{progress.tick}\n")
        sys.stdout.flush()
        if self._limit is not None and progress.tick == self._at:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._limit, self._limit))


def main(folder: str, *limits: str) -> None:
    chosen, path = small(), Path(folder)
    display = Telling(*map(int, limits))
    try:
        if path.exists():
            simulate(chosen, RunFolder.open(path), display, [], resume=True, pace=NEVER)
        else:
            simulate(chosen, RunFolder.create(chosen, path), display, [], pace=EVERY_TICK)
    except FolderError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
