"""The stages wired: which stage reads what, for both engines."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from filter.account_guard import AccountGuard, AccountGuardIn, AccountGuardOut
from filter.checks import AccountCheck
from filter.columns import Bits
from filter.crowd_guard import CrowdGuard, CrowdGuardIn, CrowdGuardOut
from filter.learner import Learner, LearnerIn, LearnerOut, StartSet
from filter.ledger import Ledger, Memory
from filter.probes import Probes
from filter.ragged import Ragged
from filter.responder import Responder, ResponderIn, ResponderOut
from filter.scoring import Scoring, ScoringIn, ScoringOut
from filter.settings import FilterSettings, check, guard, model
from filter.stage import Histories, Provider, Stage


class Link(NamedTuple):
    """A stage's place in the flow.

    The fields of ``takes`` and ``gives`` are names of streams. A stream in ``back`` acts
    ``feedback_delay`` ticks after it was given, the others at the same tick. ``key`` is the field
    by which the stage is split, nothing where there is one.
    """

    stage: str
    takes: Any
    gives: Any
    back: frozenset[str] = frozenset()
    key: str = ""


CHAIN = (
    Link("scoring", ScoringIn, ScoringOut, frozenset({"releases", "responses"}), "recipient"),
    Link(
        "account_guard",
        AccountGuardIn,
        AccountGuardOut,
        frozenset({"credits", "responses"}),
        "account",
    ),
    Link("crowd_guard", CrowdGuardIn, CrowdGuardOut),
    Link("learner", LearnerIn, LearnerOut, frozenset({"responses"})),
    Link("responder", ResponderIn, ResponderOut),
)


class Beginning(NamedTuple):
    """All that the filter knows before the first tick."""

    provider: Provider
    start: StartSet
    histories: Histories


Ledgers = Callable[[int, Sequence[tuple[str, AccountCheck[Any]]]], Ledger]
"""Makes a ledger for a part of the account guard, from its number and the guard's checks."""


def in_memory(_part: int, _checks: Sequence[tuple[str, AccountCheck[Any]]]) -> Ledger:
    """What is remembered stays in this process."""
    return Memory()


def stages(
    settings: FilterSettings,
    beginning: Beginning,
    parts: int = 1,
    ledgers: Ledgers = in_memory,
    baseline: Sequence[tuple[str, AccountCheck[Any]]] = (),
) -> dict[str, list[Stage[Any, Any]]]:
    """The five stages as they begin; ``parts`` of each that is split, each with its ledger.

    ``baseline`` is a check that no guard names, because the simulator alone can make it.
    """
    provider, start, histories = beginning
    chosen = guard(settings.guard)
    checks = [check(name, settings.checks) for name in chosen.checks]
    of_account = [(name, one) for name, one in checks if hasattr(one, "credited")] + [*baseline]
    of_crowd = [(name, one) for name, one in checks if hasattr(one, "learn")]
    learner = Learner(
        provider, settings.learner, model(settings), start, chosen.gate, chosen.responder
    )
    common = common_words(start, settings.common)
    tried = settings.responder.probes
    return {
        "scoring": [
            Scoring(
                provider,
                learner.start,
                Probes(common, settings.alike, settings.watched_from, tried)
                if chosen.responder
                else None,
            )
            for _ in range(parts)
        ],
        "account_guard": [
            AccountGuard(
                provider,
                of_account,
                histories,
                settings.new_age,
                chosen.responder,
                ledgers(part, of_account),
            )
            for part in range(parts)
        ],
        "crowd_guard": [
            CrowdGuard(
                provider,
                of_crowd,
                common,
                settings.alike,
                settings.most_stories,
                start,
            )
        ],
        "learner": [learner],
        "responder": [Responder(settings.responder, chosen.responder, learner.unlearns)],
    }


def common_words(start: StartSet, share: float, bits: int = 18) -> Bits:
    """Which buckets of the token hash hold words of at least this share of the start mails."""
    mask = np.uint32((1 << bits) - 1)
    mails = np.zeros(1 << bits, np.int64)
    for tokens in (start.tokens, start.ham):
        mails += _mails_with(tokens, mask, 1 << bits)
    return mails >= max(2.0, share * (start.tokens.rows + start.ham.rows))


def _mails_with(tokens: Ragged, mask: np.uint32, size: int) -> np.typing.NDArray[np.int64]:
    row = np.repeat(np.arange(tokens.rows), tokens.lengths)
    pairs = np.unique(row * size + (tokens.values & mask))
    return np.bincount(pairs % size, minlength=size)
