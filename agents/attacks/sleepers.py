"""Accounts that are honest until they are needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import FOLDERS, JUNK, SPAM, Vote


@dataclass(frozen=True)
class Sleepers:
    """Earn trust first, then strike (A9): bots report spam of their master's own as spam.

    A reputation that is earned by being right can be earned on purpose: other spam, half of it in
    ham's words so that it reaches the bots' inboxes, is sent to them and reported, and as soon as a
    judge agrees on one copy, all who reported it are confirmed. Then they rescue the campaign.

    Cost: ``accounts`` accounts, in ``sleep`` hours a vote a day of each, then ``votes_per_hour``.

    Args:
        accounts: bots.
        sleep: hours in which they are honest, and there is no campaign yet.
        mails_per_hour: campaign mails to people, then.
        votes_per_hour: copies to bots, to be rescued, then.
        bait: share of ham's words in what they report before.
        varies: share of the campaign's words that differ from mail to mail.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020", "AML.T0021")

    accounts: int = 240
    sleep: int = 96
    mails_per_hour: int = 25
    votes_per_hour: int = 20
    bait: float = 0.5
    varies: float = 0.3

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """Nothing while they sleep; then the same number of mails every hour."""
        if hour >= self.sleep:
            yield from [Draft(self.varies)] * self.mails_per_hour

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Report what came, and order more of it; when the time has come, rescue instead."""
        if view.hour < self.sleep:
            for delivery in view.inbox:
                if delivery.folder != FOLDERS[JUNK]:
                    yield delivery.vote(view.tick, SPAM)
            for bot in range(view.hour % 24, self.accounts, 24):
                yield Draft(1.0, to=bot, variant=1 + view.hour // 24, ham=self.bait)
            return
        yield from view.rescues()
        copies = min(self.votes_per_hour, self.accounts)
        for bot in rng.choice(self.accounts, copies, replace=False).tolist():
            yield Draft(self.varies, to=bot)
