"""Folder limits: how much ham may be lost, turned into two log odds."""

from dataclasses import dataclass

import numpy as np

from filter.columns import Floats
from filter.events import Limits


@dataclass(frozen=True)
class LimitSettings:
    """Where the folders begin.

    Args:
        ham_in_spam: share of ham that the spam folder may hold.
        ham_unsure: share of ham that may be unsure.
        step_per_day: how far a limit may move in a day, as a share of the range of ham's log odds.
        pool: ham that they are told by, the newest so many: the start set's, then golden ham.
    """

    ham_in_spam: float = 0.01
    ham_unsure: float = 0.02
    step_per_day: float = 0.05
    pool: int = 4000

    def of(self, ham: Floats) -> Limits:
        """The limits that lose the stated shares of this ham (log odds, n > 0)."""
        ordered = np.sort(ham)
        return Limits(
            inbox=_quantile(ordered, 1 - self.ham_in_spam - self.ham_unsure),
            spam=_quantile(ordered, 1 - self.ham_in_spam),
        )

    def moved(self, limits: Limits, ham: Floats) -> Limits:
        """A day later: towards what this ham says, but not far, since few judgements wander."""
        wanted = self.of(ham)
        most = self.step_per_day * float(ham.max() - ham.min())
        return Limits(
            inbox=limits.inbox + min(max(wanted.inbox - limits.inbox, -most), most),
            spam=limits.spam + min(max(wanted.spam - limits.spam, -most), most),
        )


def _quantile(ordered: Floats, share: float) -> float:
    return float(ordered[min(int(share * len(ordered)), len(ordered) - 1)])
