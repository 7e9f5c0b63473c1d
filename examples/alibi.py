"""An attack of one's own: bots that report spam, so that they may say "not spam" afterwards.

    ./dev hamstrung run quickstart --attack ./examples/alibi.py --guard ./examples/one_sided.py
    ./dev hamstrung run quickstart --attack ./examples/alibi.py

It walks past the check of `one_sided.py`, which looks at one habit of the bots: 64 % of the
campaign reaches the inbox, no less than without any guard. The default guard holds it at zero, for
it looks at what they say of one campaign, and at what judges say of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import HAM, SPAM, Vote


@dataclass(frozen=True)
class Alibi:
    """A report for each rescue: bots send themselves other spam, to be seen reporting it.

    Cost: ``accounts`` accounts; in each ``pause``, two votes of every one and two mails to it.

    Args:
        accounts: bots, of which one in ``pause`` acts each hour.
        mails_per_hour: campaign mails to people.
        pause: hours from one rescue of a bot to its next.
        varies: share of the campaign's words that differ from mail to mail.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020",)

    accounts: int = 200
    mails_per_hour: int = 25
    pause: int = 10
    varies: float = 0.3

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """The mail that is to reach people's inboxes."""
        yield from [Draft(self.varies)] * self.mails_per_hour

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Report the alibis and rescue the copies; a bot's copy comes an hour after its alibi."""
        for delivery in view.inbox:
            if delivery.variant:
                yield delivery.vote(view.tick, SPAM)
            elif delivery.folder != "inbox":
                yield delivery.vote(view.tick, HAM)
        for bot in range(view.hour % self.pause, self.accounts, self.pause):
            yield Draft(1.0, to=bot, variant=1 + view.hour)
        for bot in range((view.hour - 1) % self.pause, self.accounts, self.pause):
            yield Draft(self.varies, to=bot)
