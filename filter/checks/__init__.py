"""Checks: reasons to distrust a vote, one a file.

An `AccountCheck` looks at one account's past, a `CrowdCheck` at everybody's claims. A check is a
frozen dataclass whose fields are its settings; what it remembers is a value that its stage keeps.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from filter.columns import Judgements, no_tokens
from filter.events import Claim, Credit, Vote
from filter.ragged import Ragged
from filter.stage import Provider

S = TypeVar("S")


class Suspicion(NamedTuple):
    """What a check thinks of a vote.

    Args:
        ruling: how the vote ends here (one of `filter.events.RULINGS`), ``"hold"`` if it may only
            go on into quarantine, or nothing if the check has nothing against it.
        reason: why, for people: numbers and limits, no text of the mail.
        trust: the account's standing in [0, 1], from a check that keeps one.
        vetted: whether that standing rests on enough and good enough evidence.
    """

    ruling: str = ""
    reason: str = ""
    trust: float | None = None
    vetted: bool = False


HOLD = "hold"
NOTHING = Suspicion()


class History(NamedTuple):
    """What was known of an account when the run began: age and outcomes of earlier votes."""

    opened: int
    confirmed: int
    refuted: int


class AccountCheck(Protocol[S]):
    """One reason to distrust a vote, from its account's past."""

    def fresh(self, history: History) -> S:
        """What is remembered of an account before its first vote in the run."""
        ...

    def examine(self, tick: int, past: S, vote: Vote, provider: Provider) -> tuple[Suspicion, S]:
        """Judge a vote, and what to remember after it."""
        ...

    def credited(self, tick: int, past: S, credit: Credit) -> S:
        """What to remember after a judgement on one of the account's claims."""
        ...

    def stale(self, tick: int, past: S, provider: Provider) -> bool:
        """Whether what is remembered no longer matters: a fresh past would answer alike."""
        ...


NO_TOKENS = np.empty(0, np.uint32)


class Case(NamedTuple):
    """A claim before the crowd guard.

    Args:
        claim: the claim.
        story: the near-duplicates that its mail belongs to.
        judged: what the judges said of the story: spam (True), ham (False), nothing yet (None).
        arrived: the tick at which the claim came.
        tokens: the mail's token hashes; none if it is gone.
    """

    claim: Claim
    story: int
    judged: bool | None
    arrived: int
    tokens: NDArray[np.uint32] = NO_TOKENS


class Heard(NamedTuple):
    """All that a crowd check learns from at a tick.

    Before the first tick it is told, as if judges had said so, what is known of the mails that the
    filter starts from: one half of those that the model learns, the other half, and the ham that
    its limits are from.
    """

    claims: Sequence[Case]
    """The tick's new claims, whatever became of them."""
    taught: Sequence[Case]
    judgements: Judgements
    mails: int
    """How many mails the tick brought."""
    judged: Ragged = no_tokens()
    """The tokens of the judged mails, a row for each judgement."""


class CrowdCheck(Protocol[S]):
    """One reason to distrust claims, from everybody's.

    One that can also tell looks at mail that lies in the wrong folder has a method ``doubted(tick,
    past, tokens, spam)``: of each mail that a reader kept, its tokens and whether it was kept in
    the spam folder; it gives a bit for each, set where the look is not to count.
    """

    def fresh(self) -> S:
        """What is remembered before the first tick."""
        ...

    def examine(self, tick: int, past: S, cases: Sequence[Case]) -> list[Suspicion]:
        """Judge claims that no check before this one has stopped: one suspicion for each."""
        ...

    def learn(self, tick: int, past: S, heard: Heard) -> S:
        """What to remember after a tick; called once a tick, also when nothing happened."""
        ...


def remembered(check: AccountCheck[Any] | CrowdCheck[Any]) -> Any:
    """The type of what a check remembers: what its `fresh` says that it returns."""
    return get_type_hints(check.fresh)["return"]
