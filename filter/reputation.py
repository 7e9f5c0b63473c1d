"""An account's standing: a Beta distribution over "its next claim is right", that forgets."""

from typing import NamedTuple

from filter.decay import halving


class Standing(NamedTuple):
    """Confirmed and refuted claims, decayed to the tick of the last change.

    >>> Standing(3.0, 0.0, 0).mean(0, half_life=720.0, prior=(1.0, 1.0))
    0.8
    """

    confirmed: float
    refuted: float
    tick: int

    def at(self, tick: int, half_life: float) -> "Standing":
        """The same evidence, as much as still counts at ``tick``."""
        if tick <= self.tick:
            return self
        left = halving(tick - self.tick, half_life)
        return Standing(self.confirmed * left, self.refuted * left, tick)

    def outcome(self, tick: int, half_life: float, right: bool) -> "Standing":
        """With one more judged claim."""
        now = self.at(tick, half_life)
        return now._replace(confirmed=now.confirmed + right, refuted=now.refuted + (not right))

    def mean(self, tick: int, half_life: float, prior: tuple[float, float]) -> float:
        """The expected share of right claims, in [0, 1] (Jøsang and Ismail 2002)."""
        now = self.at(tick, half_life)
        right, wrong = now.confirmed + prior[0], now.refuted + prior[1]
        return right / (right + wrong)
