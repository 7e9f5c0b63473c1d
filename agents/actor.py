"""What an attacker is, what he may see, and what he may do."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec
from numpy.random import Generator

from filter.events import FOLDERS, Vote


class Delivery(NamedTuple):
    """A mail in a mailbox of the attacker's own: all that the provider shows him.

    Args:
        bot: which of his accounts, counted from 0.
        account: that account's id; ``address``, ``subnet`` and ``opened`` are its own.
        mail: the mail's id.
        sent: the tick of its delivery.
        folder: where it was put, one of `filter.events.FOLDERS`.
        token: the delivery token, which a vote has to show.
    """

    bot: int
    account: int
    address: int
    subnet: int
    opened: int
    mail: int
    sent: int
    folder: str
    token: int

    def vote(self, tick: int, label: str) -> Vote:
        """A vote on this mail, ``"ham"`` (not spam) or ``"spam"``."""
        return Vote(
            id=0,
            account=self.account,
            mail=self.mail,
            sent=self.sent,
            label=label,
            tick=tick,
            address=self.address,
            subnet=self.subnet,
            opened=self.opened,
            token=self.token,
        )


class Draft(msgspec.Struct, frozen=True):
    """A mail of the campaign, as the attacker orders it.

    Args:
        varies: share of the words that differ from one mail of the campaign to the next, 0 to 1.
        to: which of his own accounts it goes to, counted from 0; none for a person drawn by chance.
    """

    varies: float
    to: int | None = None


class Attack(Protocol):
    """An attack: a frozen dataclass whose fields are its settings.

    It has to have the fields ``accounts`` (its bots) and ``atlas`` (ids of MITRE ATLAS, in the
    class). Each method gets a generator of its own, keyed by seed, attack, method and tick.
    """

    @property
    def accounts(self) -> int:
        """How many accounts the attacker owns."""
        ...

    def campaign(self, tick: int, rng: Generator) -> Iterable[Draft]:
        """The mail that the attacker wants in people's inboxes; it is sent in the twin too."""
        ...

    def poison(
        self, tick: int, inbox: Sequence[Delivery], rng: Generator
    ) -> Iterable[Draft | Vote]:
        """What he does to the filter; absent from the twin.

        Args:
            tick: now.
            inbox: what came to his accounts since the last tick, in order of the mail's id.
            rng: his luck.
        """
        ...


JUNKED = FOLDERS[1:]
"""The folders that an attacker wants to keep out of."""
