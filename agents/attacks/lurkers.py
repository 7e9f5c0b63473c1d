"""Bots that never vote: they only read what they were sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import FOLDERS, INBOX, Vote


class Disguise(msgspec.Struct):
    """The share of ham's words with which copies reach the inbox."""

    ham: float


@dataclass(frozen=True)
class Lurkers:
    """Teach by reading (A25), feeling the way (A19): what a reader keeps is learned as ham.

    The bots send themselves copies of the campaign in so many words of ham that these reach their
    inboxes, where they are read and left. Each teaches a little; as the filter gives way, ever
    fewer words of ham are needed, and in the end none. No guard of votes sees anything. Real
    filters learn without votes too: SpamAssassin and rspamd do from mail that they are sure of.

    Cost: ``accounts`` accounts of a week or more, ``copies_per_hour`` mails to oneself an hour, and
    not one vote.

    Args:
        accounts: bots.
        mails_per_hour: campaign mails to people.
        copies_per_hour: copies to bots.
        begin: share of ham's words in the first copies.
        step: by how much the share falls or rises in an hour.
        arrive: share of an hour's copies in the inbox from which it falls.
        varies: share of the campaign's words that differ from mail to mail.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020", "AML.T0021")

    accounts: int = 400
    mails_per_hour: int = 25
    copies_per_hour: int = 400
    begin: float = 0.9
    step: float = 0.03
    arrive: float = 0.7
    varies: float = 0.3

    def fresh(self) -> Disguise:
        """Nothing is known yet."""
        return Disguise(self.begin)

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """The same number of mails every hour."""
        yield from [Draft(self.varies)] * self.mails_per_hour

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """See where the last copies went, and disguise the next ones accordingly."""
        disguise: Disguise = view.memory
        if view.inbox:
            arrived = sum(one.folder == FOLDERS[INBOX] for one in view.inbox) / len(view.inbox)
            moved = disguise.ham + (-self.step if arrived > self.arrive else self.step)
            disguise.ham = min(max(moved, 0.0), 1.0)
        for bot in rng.choice(self.accounts, self.copies_per_hour).tolist():
            yield Draft(self.varies, to=bot, ham=disguise.ham)
