"""Reputation: what became of the account's earlier claims."""

from dataclasses import dataclass

from filter.checks import HOLD, History, Suspicion
from filter.events import Credit, Vote
from filter.reputation import Standing
from filter.stage import Provider


@dataclass(frozen=True)
class Reputation:
    """Hold the claims of accounts whose earlier ones were refuted (defence D5).

    A standing is a Beta distribution moved by judgements alone, never by agreement with a crowd
    that an attacker may own. Most people vote too seldom for a standing (Freeman, WWW 2017: at most
    2.4 % of reporters are skilled and steady), so an unknown account is neither vetted nor held.

    Args:
        half_life: ticks after which an outcome counts half.
        prior_right: confirmed claims that everybody starts with.
        prior_wrong: refuted claims that everybody starts with: the new have a low standing.
        hold_below: claims of accounts below this standing are held.
        vetted_from: accounts from this standing on are vetted...
        vetted_outcomes: ...if this many outcomes are known of them...
        vetted_age: ...and the account is this many ticks old.
    """

    half_life: float = 1440.0
    prior_right: float = 1.0
    prior_wrong: float = 1.0
    hold_below: float = 0.3
    vetted_from: float = 0.7
    vetted_outcomes: float = 1.5
    vetted_age: int = 336

    def fresh(self, history: History) -> tuple[Standing, int]:
        """The outcomes of votes before the run, and when the account was opened."""
        return Standing(float(history.confirmed), float(history.refuted), 0), history.opened

    def examine(
        self, tick: int, past: tuple[Standing, int], vote: Vote, provider: Provider
    ) -> tuple[Suspicion, tuple[Standing, int]]:
        """Look the account's standing up."""
        standing, opened = past
        trust = standing.mean(tick, self.half_life, (self.prior_right, self.prior_wrong))
        now = standing.at(tick, self.half_life)
        vetted = (
            trust >= self.vetted_from
            and now.confirmed + now.refuted >= self.vetted_outcomes
            and tick - opened >= self.vetted_age
        )
        if trust < self.hold_below:
            reason = f"reputation {trust:.2f} below {self.hold_below:g}"
            return Suspicion(HOLD, reason, trust), past
        return Suspicion(trust=trust, vetted=vetted), past

    def credited(
        self, tick: int, past: tuple[Standing, int], credit: Credit
    ) -> tuple[Standing, int]:
        """Move the standing by a judgement."""
        standing, opened = past
        return standing.outcome(tick, self.half_life, credit.outcome > 0), opened

    def stale(self, tick: int, past: tuple[Standing, int], provider: Provider) -> bool:
        """Never judged in this run, or so long ago that it hardly counts."""
        standing, _ = past
        return standing.tick == 0 or tick - standing.tick > 8 * self.half_life
