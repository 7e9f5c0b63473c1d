"""Bots that raise what the guard takes for normal, a little every day."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import Vote


@dataclass(frozen=True)
class BoilingFrog:
    """Poison the guard's own baseline (A8, A21): begin with hardly a vote, and grow day by day.

    Rubinstein et al., "ANTIDOTE", IMC 2009: a detector that learns what is usual from traffic that
    an attacker takes part in is taught, week after week, to find more of it usual. Here that is
    every guard that counts votes: the correction budget counts those of vetted accounts, so these
    have a record (``attack.bots``). They rescue spam of all kinds, more of it each day, and then
    the campaign.

    Cost: ``accounts`` accounts with a record, and a mail to oneself for each vote.

    Args:
        accounts: bots.
        warm: hours in which they raise the usual, and there is no campaign yet.
        first: votes an hour at the beginning.
        growth_per_day: how much that grows in a day, as a share of it.
        mails_per_hour: campaign mails to people, then.
        votes_per_hour: copies to bots, to be rescued, then.
        varies: share of the campaign's words that differ from mail to mail.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020", "AML.T0021")

    accounts: int = 400
    warm: int = 336
    first: float = 2.0
    growth_per_day: float = 0.1
    mails_per_hour: int = 25
    votes_per_hour: int = 40
    varies: float = 0.3

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """Nothing at first; then the same number of mails every hour."""
        if hour >= self.warm:
            yield from [Draft(self.varies)] * self.mails_per_hour

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Rescue what has arrived, and order as much as may go unnoticed; then what is needed."""
        yield from view.rescues()
        warm = view.hour < self.warm
        usual = self.first * (1 + self.growth_per_day) ** (view.hour / 24)
        copies = int(usual + rng.random()) if warm else self.votes_per_hour
        bots = rng.choice(self.accounts, min(copies, self.accounts), replace=False)
        yield from (Draft(1.0 if warm else self.varies, to=bot) for bot in bots.tolist())
