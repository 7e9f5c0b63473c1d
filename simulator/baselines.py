"""Baselines that only the simulator can make: a guard that knows the truth, and one that guesses.

Every guard's worth lies between them (D26). They are handed to the account guard by the simulator,
in this process alone; no guard of the filter's own sees the answer key.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import numpy as np

from filter.checks import NOTHING, History, Suspicion
from filter.events import MERGED, REJECTED, TAUGHT, Credit, Vote
from filter.hashing import combine, key, uniform
from filter.stage import Provider
from simulator.frame import Frame


class _Forgetful:
    """A check that remembers nothing."""

    def fresh(self, history: History) -> None:
        """Nothing is remembered."""

    def credited(self, tick: int, past: None, credit: Credit) -> None:
        """Nothing is remembered."""

    def stale(self, tick: int, past: None, provider: Provider) -> bool:
        """Nothing is remembered."""
        return True


@dataclass(frozen=True)
class Perfect(_Forgetful):
    """Refuse the votes of all bots, and no other.

    Args:
        bots: ids of the attacker's accounts; more may come.
    """

    bots: Set[int]

    def examine(
        self, tick: int, past: None, vote: Vote, provider: Provider
    ) -> tuple[Suspicion, None]:
        """Look it up in the answer key."""
        known = vote.account in self.bots
        return (Suspicion(REJECTED, "a bot's, by the answer key") if known else NOTHING), past


@dataclass(frozen=True)
class Random(_Forgetful):
    """Refuse as large a share of all votes as another guard has stopped so far, by lot.

    Args:
        seed: of the lots.
        stopped: the share at a tick.
    """

    seed: int
    stopped: Callable[[], float]

    def examine(
        self, tick: int, past: None, vote: Vote, provider: Provider
    ) -> tuple[Suspicion, None]:
        """Draw."""
        share = self.stopped()
        lot = combine(key("lots", self.seed), np.array([vote.id], np.uint64))
        drawn = float(uniform(lot)[0])
        return (Suspicion(REJECTED, f"by lot: {share:.0%}") if drawn < share else NOTHING), past


def stopped(frames: Sequence[Frame], start: int) -> float:
    """The share of the votes from ``start`` on that have taught nothing so far."""
    of = [frame for frame in frames if frame.tick >= start]
    votes = sum(frame.votes_people + frame.votes_bots for frame in of)
    taught = sum(
        rulings.get(ruling, 0)
        for frame in of
        for rulings in (frame.rulings_people, frame.rulings_bots)
        for ruling in (TAUGHT, MERGED)
    )
    return max(0.0, 1 - taught / votes) if votes else 0.0
