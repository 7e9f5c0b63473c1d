"""Golden neighbours: the judges said otherwise of a near-duplicate."""

from collections.abc import Sequence
from dataclasses import dataclass

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.events import REJECTED


@dataclass(frozen=True)
class GoldenNeighbours:
    """Refuse a claim that the judges contradict, on its own mail or on one of its story.

    The golden sample is drawn with the provider's secret, so no attacker can keep his campaign out
    of it (defence D11, after Google's Rules of Machine Learning, 34); one judged mail then answers
    for all its near-duplicates. Text that varies too much to be a near-duplicate goes past it.
    """

    def fresh(self) -> None:
        """Nothing is remembered."""

    def examine(self, tick: int, past: None, cases: Sequence[Case]) -> list[Suspicion]:
        """Compare each claim with what was judged of its story."""
        return [
            NOTHING
            if case.judged in (None, case.claim.spam)
            else Suspicion(
                REJECTED, f"judged {'spam' if case.judged else 'ham'} (golden neighbour)"
            )
            for case in cases
        ]

    def learn(self, tick: int, past: None, heard: Heard) -> None:
        """Nothing is remembered."""
