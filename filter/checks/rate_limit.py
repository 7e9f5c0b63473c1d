"""Rate limit: an account's votes a day."""

from dataclasses import dataclass

from filter.checks import NOTHING, History, Suspicion
from filter.events import LIMITED, Credit, Vote
from filter.gcra import Gcra
from filter.stage import Provider


@dataclass(frozen=True)
class RateLimit:
    """No account teaches more than people do (defence D3), by GCRA on simulated time.

    The default is the limit that Mozilla's add-on site adopted for abuse reports: 20 a day for an
    account.

    Args:
        votes_per_day: the sustained rate.
        burst: votes that may come at once after a rest.
    """

    votes_per_day: float = 20.0
    burst: float = 20.0

    def fresh(self, history: History) -> float:
        """The theoretical arrival time of the next vote: now."""
        return 0.0

    def examine(
        self, tick: int, past: float, vote: Vote, provider: Provider
    ) -> tuple[Suspicion, float]:
        """Spend a vote, if there is one left."""
        limit = Gcra(24.0 / self.votes_per_day, self.burst)
        passes, due = limit.spend(tick, past)
        if passes:
            return NOTHING, due
        said = f"{limit.ahead(tick, due):.1f} votes ahead of {self.votes_per_day:g} a day"
        return Suspicion(LIMITED, f"{said}, above {self.burst - 1:g}"), due

    def credited(self, tick: int, past: float, credit: Credit) -> float:
        """A judgement does not matter here."""
        return past

    def stale(self, tick: int, past: float, provider: Provider) -> bool:
        """The bucket is full again."""
        return past <= tick
