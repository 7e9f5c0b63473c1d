"""Vetted only: the baseline that trusts nobody but those with a record."""

from collections.abc import Sequence
from dataclasses import dataclass

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.events import REJECTED


@dataclass(frozen=True)
class VettedOnly:
    """Refuse the claims of all accounts that the check `reputation` has not vetted.

    The trusted set of reporters (D5) that Freeman (WWW 2017) finds too small to matter. Without
    `reputation` beside it nobody is vetted, and nothing is learned from votes.
    """

    def fresh(self) -> None:
        """Nothing is remembered."""

    def examine(self, tick: int, past: None, cases: Sequence[Case]) -> list[Suspicion]:
        """Look at the claim's mark."""
        return [
            NOTHING if case.claim.vetted else Suspicion(REJECTED, "the account is not vetted")
            for case in cases
        ]

    def learn(self, tick: int, past: None, heard: Heard) -> None:
        """Nothing is remembered."""
