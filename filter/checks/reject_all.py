"""Reject all: the baseline that every guard must beat."""

from collections.abc import Sequence
from dataclasses import dataclass

from filter.checks import Case, Heard, Suspicion
from filter.events import REJECTED


@dataclass(frozen=True)
class RejectAll:
    """Refuse every claim. No vote can do harm, and none can do good (baseline D26)."""

    def fresh(self) -> None:
        """Nothing is remembered."""

    def examine(self, tick: int, past: None, cases: Sequence[Case]) -> list[Suspicion]:
        """Refuse."""
        return [Suspicion(REJECTED, "every vote is rejected")] * len(cases)

    def learn(self, tick: int, past: None, heard: Heard) -> None:
        """Nothing is remembered."""
