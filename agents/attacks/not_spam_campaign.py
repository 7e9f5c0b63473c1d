"""Bots vote "not spam" on their own campaign, from accounts that never send."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import Vote


@dataclass(frozen=True)
class NotSpamCampaign:
    """Vote gaming (A1): get copies of the campaign into bots' own spam folders, rescue them there.

    Ramachandran, Dasgupta, Feamster and Weinberger, "Spam or Ham? Characterizing and Detecting
    Fraudulent 'Not Spam' Reports in Web Mail Systems", CEAS 2011: the accounts that vote are not
    those that send, so a guard that looks for senders does not find them.

    Cost: ``accounts`` accounts, ``votes_per_hour`` votes and as many mails to oneself an hour.

    Args:
        accounts: bots; their age, history and addresses are drawn like people's.
        mails_per_hour: campaign mails to people.
        votes_per_hour: copies to bots, each of which is voted on once where it is not in the inbox.
        varies: share of the words that differ from mail to mail.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020", "AML.T0021")

    accounts: int = 200
    mails_per_hour: int = 25
    votes_per_hour: int = 20
    varies: float = 0.3

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """The same number of mails every hour."""
        for _ in range(self.mails_per_hour):
            yield Draft(self.varies)

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Rescue what has arrived, and send copies to other bots for the next hour."""
        yield from view.rescues()
        copies = min(self.votes_per_hour, self.accounts)
        for bot in rng.choice(self.accounts, copies, replace=False).tolist():
            yield Draft(self.varies, to=bot)
