"""The generic cell rate algorithm: a token bucket in one number, on simulated time."""

from typing import NamedTuple

ROUNDING = 1e-6
"""Ticks by which sums of intervals may be off."""


class Gcra(NamedTuple):
    """A rate limit.

    Args:
        interval: ticks between two votes at the sustained rate.
        burst: votes that may come at once after a rest, at least 1.

    >>> limit = Gcra(interval=2.0, burst=2)
    >>> due = 0.0
    >>> for tick in (10, 10, 10, 12):
    ...     passes, due = limit.spend(tick, due)
    ...     print(passes, due)
    True 12.0
    True 14.0
    False 14.0
    True 16.0
    """

    interval: float
    burst: float

    def ahead(self, tick: int, due: float) -> float:
        """By how many votes somebody is ahead of the sustained rate."""
        return max(due - tick, 0.0) / self.interval

    def spend(self, tick: int, due: float) -> tuple[bool, float]:
        """Whether a vote at ``tick`` passes, and the theoretical arrival time after it.

        Args:
            tick: now.
            due: the theoretical arrival time so far; 0 for an account never seen.
        """
        start = max(due, float(tick))
        if start - tick > (self.burst - 1) * self.interval + ROUNDING:
            return False, due
        return True, start + self.interval
