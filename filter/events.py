"""The records of the filter: what is rare enough, or read closely enough, to have a reason.

Each record is frozen and ordered by its fields; the first ones are its id, so that ``sorted`` gives
the fixed order in which a stage takes a tick's records, however they arrived.
"""

from typing import Final

import msgspec

SPAM: Final = "spam"
HAM: Final = "ham"
LABELS: Final = (HAM, SPAM)

INBOX: Final = 0
UNSURE: Final = 1
JUNK: Final = 2
FOLDERS: Final = ("inbox", "unsure", "spam")

TAUGHT: Final = "taught"
MERGED: Final = "merged"
LIMITED: Final = "limited"
QUARANTINED: Final = "quarantined"
REJECTED: Final = "rejected"
SHADOWED: Final = "shadowed"
DUPLICATE: Final = "duplicate"
RULINGS: Final = (TAUGHT, MERGED, LIMITED, QUARANTINED, REJECTED, SHADOWED, DUPLICATE)
STOPS: Final = (REJECTED, LIMITED, QUARANTINED, SHADOWED)
"""Rulings that hold a vote against whoever cast it; a merged vote or a duplicate is not accused."""

UNIT: Final = 1000
"""Evidence is counted in integers: a lesson of full weight is this many units."""


class Vote(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """What an account says of a mail: "spam", or "not spam" (label ``ham``).

    ``sent`` is the tick of the mail, ``opened`` that of the account's opening, and ``token`` what
    scoring signed when it delivered the mail: all that the guard knows of the delivery.
    """

    id: int
    account: int
    mail: int
    sent: int
    label: str
    tick: int
    address: int
    subnet: int
    opened: int
    token: int


class Ruling(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """What became of a vote, by which check and why. The last ruling of a vote counts.

    ``check`` names a check, or `RESPONDER` where that had measures taken against the source.
    """

    vote: int
    account: int
    mail: int
    tick: int
    ruling: str
    check: str
    reason: str


class Claim(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """A vote that its account's guard let through, with what is known of the account.

    ``reputation`` lies in [0, 1]; ``weight`` is in `UNIT`; ``hold`` says why it waits, or nothing,
    and ``holder`` who wants it to: an account check, or the responder.
    """

    vote: int
    account: int
    mail: int
    sent: int
    spam: bool
    tick: int
    address: int
    subnet: int
    reputation: float
    vetted: bool
    weight: int
    hold: str
    holder: str = ""


class Lesson(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """What the learner is taught: a mail, its label, a weight in `UNIT`, and whose it is."""

    mail: int
    spam: bool
    sent: int
    weight: int
    shares: tuple[tuple[int, int], ...]
    """Each account's part of the weight, (account, weight), adding up to it."""


class Credit(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """A judgement confirmed (+1) or refuted (-1) what an account had claimed of a mail."""

    account: int
    mail: int
    vote: int
    outcome: int
    subnet: int


class ProbeCount(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """How many near-duplicates came to an account today, by now."""

    recipient: int
    many: int


class JudgeRequest(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """The gate asks the provider's staff to look at a mail."""

    mail: int
    sent: int


ACCOUNT: Final = "account"
SUBNET: Final = "subnet"


class Response(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """A counter-measure against a source: from the tick it acts until ``until``, then no more.

    ``source`` is an account, or a subnet where ``scope`` says so: a whole cluster of accounts.
    """

    source: int
    action: str
    until: int
    reason: str
    scope: str = ACCOUNT


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the folders begin, as log odds: below ``inbox`` the inbox, from ``spam`` on spam."""

    inbox: float
    spam: float


RESPONDER: Final = "responder"
"""What stands for a check in the ruling on a vote whose source the responder acted against."""

QUARANTINE: Final = "quarantine"
"""The response that has a source's claims held."""

DECOY: Final = "decoy"
"""The response that has an account see lies about the mails that it tries the filter out with."""

SHADOW: Final = "shadow"
"""The response that has a source's votes look as if they counted, and teach nothing."""

UNLEARN: Final = "unlearn"
"""The response that has the model forget what a source taught, as far as it can."""

PROMOTE: Final = "promote"
HOLD: Final = "hold"
ROLL_BACK: Final = "roll back"
