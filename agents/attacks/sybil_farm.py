"""Thousands of accounts, each of which votes once and never again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import Vote


@dataclass(frozen=True)
class SybilFarm:
    """A farm of identities (A11): no account, address or subnet is used for a second vote.

    Douceur, "The Sybil Attack", IPTPS 2002: without somebody who vouches for identities, whoever
    makes enough of them outvotes everybody. What is known of an account never condemns it, for it
    never comes back.

    Cost: ``votes_per_hour`` accounts an hour, as long as ``accounts`` last, each with an address.

    Args:
        accounts: bots; when each has voted, the first begin again.
        mails_per_hour: campaign mails to people.
        votes_per_hour: accounts that vote in an hour.
        varies: share of the words that differ from mail to mail.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020", "AML.T0021")

    accounts: int = 4000
    mails_per_hour: int = 25
    votes_per_hour: int = 40
    varies: float = 0.3

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """The same number of mails every hour."""
        yield from [Draft(self.varies)] * self.mails_per_hour

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Rescue what has arrived, and send copies to accounts that have never voted."""
        yield from view.rescues()
        first = view.hour * self.votes_per_hour
        for number in range(first, first + min(self.votes_per_hour, self.accounts)):
            yield Draft(self.varies, to=number % self.accounts)
