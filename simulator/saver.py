"""When to make a checkpoint: never so often that a run spends more than its share of time on it."""

import time
from pathlib import Path
from typing import NamedTuple

from simulator import checkpoint
from simulator.checkpoint import Checkpoint
from simulator.journal import Journal
from simulator.loop import Prepared, freeze

MARGIN = 1.5
"""How much longer than was reckoned last a checkpoint may take before one is tried: where a state
grows from tick to tick, each trial would else come a little too early, and cost its time."""


class Pace(NamedTuple):
    """How often to make checkpoints.

    Args:
        first: seconds before one is thought of.
        times: the run has to have taken this many times as long as all of its checkpoints, the
            next one among them: 25 for 4 %.
    """

    first: float = 1.0
    times: float = 25.0


class Saver:
    """Makes a run's checkpoints.

    How long the next one will take is not guessed from the last one, since a state grows with the
    arms and their mail: when one seems due, one arm is frozen, and the rest reckoned from that.

    Args:
        prepared: the run.
        folder: of the checkpoints.
        journal: whose lengths belong to a checkpoint.
        pace: how often.
    """

    def __init__(self, prepared: Prepared, folder: Path, journal: Journal, pace: Pace) -> None:
        """Begin to count the time."""
        self._prepared = prepared
        self._folder = folder
        self._journal = journal
        self._pace = pace
        self._began = time.perf_counter()
        self._spent = 0.0
        self._expected = 0.0
        self._ratio = 4.0
        """Seconds of a whole checkpoint for each second in which its arms are frozen."""

    def seconds(self) -> float:
        """Since the run, or this part of it, began."""
        return time.perf_counter() - self._began

    def save_if_due(self, tick: int) -> None:
        """Make a checkpoint of the state after a tick if there has been time enough."""
        if not self._prepared.travels or not self._due(MARGIN * self._expected):
            return
        name, arm = next(iter(self._prepared.arms.items()))
        before = time.perf_counter()
        frozen = {name: arm.freeze()}
        seconds = time.perf_counter() - before
        arms = sum(bool(arm.frames) for arm in self._prepared.arms.values())
        self._expected = seconds * max(arms, 1) * self._ratio
        if self._due(self._expected):
            self._write(tick, frozen)
            whole = time.perf_counter() - before
            self._ratio = whole / (seconds * max(arms, 1))
            seconds = self._expected = whole
        self._spent += seconds

    def save(self, tick: int) -> None:
        """Make a checkpoint now, where the run's state can travel."""
        if self._prepared.travels:
            self._write(tick, {})

    def _due(self, next_one: float) -> bool:
        budget = self._pace.times * (self._spent + next_one)
        return self.seconds() >= max(self._pace.first, budget)

    def _write(self, tick: int, ready: dict[str, bytes]) -> None:
        self._journal.sync()
        state = freeze(self._prepared, ready)
        checkpoint.write(self._folder, Checkpoint(tick, self._journal.offsets(), state))
