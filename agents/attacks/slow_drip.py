"""Bots that vote so seldom that no limit on votes ever notices one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import Vote


@dataclass(frozen=True)
class SlowDrip:
    """Low and slow (A8): every account rescues a copy once in some days, at an hour of its own.

    Limits on rates look at one account, or one address. People who vote at all do so every few
    days, and so do these bots: nobody's behaviour is odd, only what all of them say together is.

    Cost: ``accounts`` accounts and, in each ``pause``, a vote of every one and a mail to it.

    Args:
        accounts: bots; more of them make more votes.
        mails_per_hour: campaign mails to people.
        pause: hours from one vote of an account to its next.
        varies: share of the words that differ from mail to mail.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020", "AML.T0021")

    accounts: int = 1500
    mails_per_hour: int = 25
    pause: int = 72
    varies: float = 0.3

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """The same number of mails every hour."""
        yield from [Draft(self.varies)] * self.mails_per_hour

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Rescue what has arrived, and send copies to the bots whose turn the next hour is."""
        yield from view.rescues()
        for bot in range(view.hour % self.pause, self.accounts, self.pause):
            yield Draft(self.varies, to=bot)
