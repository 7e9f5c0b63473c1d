"""What a stage is, and the streams between stages."""

from typing import NamedTuple, Protocol, TypeVar

import msgspec

from filter import delivery
from filter.columns import (
    Features,
    Ids,
    Judgements,
    Kept,
    Mails,
    Ticks,
    Verdicts,
)
from filter.events import (
    Claim,
    Credit,
    JudgeRequest,
    Lesson,
    Limits,
    ProbeCount,
    Response,
    Ruling,
    Vote,
)
from filter.model import LogOdds
from filter.river_model import RiverRelease

Given = TypeVar("Given", contravariant=True)
Gives = TypeVar("Gives", covariant=True)


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gate's decision of a tick: what is served from now on, or why nothing new is.

    ``scorer`` and ``limits`` are absent when the old release is held. ``dropped`` is the tick after
    which training was thrown away, -1 where none was.
    """

    tick: int
    action: str
    reason: str
    scorer: LogOdds | RiverRelease | None
    limits: Limits | None
    dropped: int = -1

    def fingerprint(self) -> tuple[str, str, int, float, float]:
        """What the run's hash takes of it."""
        print_ = self.scorer.fingerprint() if self.scorer else 0
        limits = self.limits or Limits(0.0, 0.0)
        return self.action, self.reason, print_, limits.inbox, limits.spam


class Stage(Protocol[Given, Gives]):
    """A step of the filter: what it gives at a tick follows from its state and what it is given."""

    def step(self, tick: int, given: Given) -> Gives:
        """Take a whole tick."""
        ...

    def freeze(self) -> bytes:
        """The state after the last tick."""
        ...

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen state."""
        ...


class Provider(NamedTuple):
    """What the provider alone knows, and every stage may use: its secret and its deadlines.

    ``secret`` (16 bytes) signs deliveries and draws the golden sample; a vote, or any feedback,
    later than ``mail_window`` ticks after its mail is too late.
    """

    secret: bytes
    mail_window: int

    def signed(self, account: int, mail: int, sent: int, token: int) -> bool:
        """Whether scoring signed this delivery."""
        return delivery.sign_one(self.secret, account, mail, sent) == token


class Histories(NamedTuple):
    """What the provider's records say of accounts when the run begins, in order of account."""

    account: Ids
    opened: Ticks
    confirmed: Ticks
    refuted: Ticks


class Flow(msgspec.Struct):
    """All that flows at one tick; a stream is None until its producer has given it."""

    # from the world
    mails: Mails | None = None
    votes: tuple[Vote, ...] | None = None
    kept: Kept | None = None
    judgements: Judgements | None = None
    # from the stages
    verdicts: Verdicts | None = None
    features: Features | None = None
    probes: tuple[ProbeCount, ...] | None = None
    claims: tuple[Claim, ...] | None = None
    trusted: Kept | None = None
    stopped: tuple[Ruling, ...] | None = None
    believed: Kept | None = None
    rulings: tuple[Ruling, ...] | None = None
    lessons: tuple[Lesson, ...] | None = None
    credits: tuple[Credit, ...] | None = None
    releases: tuple[Release, ...] | None = None
    requests: tuple[JudgeRequest, ...] | None = None
    responses: tuple[Response, ...] | None = None
