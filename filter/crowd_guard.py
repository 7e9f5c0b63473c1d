"""The crowd guard: what claims say together, across all accounts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import msgspec
import numpy as np

from filter import codec
from filter.checks import NOTHING, Case, CrowdCheck, Heard, Suspicion, remembered
from filter.columns import Bits, Features, Ids, Judgements, Kept, Ticks, rows
from filter.events import INBOX, JUNK, QUARANTINED, REJECTED, TAUGHT, Claim, Credit, Lesson, Ruling
from filter.learner import StartSet
from filter.mailroom import Mailroom
from filter.stage import Provider
from filter.stories import Stories

DAY = 24


class CrowdGuardIn(NamedTuple):
    """A tick's mail, claims, looks and judgements."""

    features: Features
    claims: tuple[Claim, ...]
    trusted: Kept
    judgements: Judgements


class CrowdGuardOut(NamedTuple):
    """The looks that count; rulings, what is taught, and who was confirmed or refuted."""

    believed: Kept
    rulings: tuple[Ruling, ...]
    lessons: tuple[Lesson, ...]
    credits: tuple[Credit, ...]


class Judged(msgspec.Struct, forbid_unknown_fields=True):
    """What the judges said of a story: how many of its mails are spam, how many ham."""

    tick: int
    spam: int = 0
    ham: int = 0

    @property
    def label(self) -> bool | None:
        """The majority, if there is one."""
        return None if self.spam == self.ham else self.spam > self.ham


class Held(NamedTuple):
    """A claim and its story, kept for a later tick; ``by`` is who had it wait last."""

    claim: Claim
    story: int
    arrived: int
    by: str


class Memory(msgspec.Struct, forbid_unknown_fields=True):
    """What the crowd guard remembers besides mails, stories and its checks' pasts."""

    judged: dict[int, Judged] = {}
    held: dict[int, Held] = {}
    open: dict[int, list[Claim]] = {}
    """Claims that no judgement has covered yet, by story."""


class CrowdGuard:
    """The stage `crowd_guard`, of which there is one.

    It alone holds claims, and rules on them again at every tick: at the latest when their mail is
    too old. It groups mails into stories, hears the judges, and gives credit for claims on a story
    that was judged.

    Args:
        provider: secret and deadlines.
        checks: the guard's crowd checks by name, in order: the first that stops a claim wins.
        common: which buckets of the token hash are common words.
        alike: equal min-hashes of 8 from which mails are near-duplicates.
        most_stories: stories remembered at most.
        start: what the filter starts from, which checks may learn.
    """

    def __init__(
        self,
        provider: Provider,
        checks: Sequence[tuple[str, CrowdCheck[Any]]],
        common: Bits,
        alike: int,
        most_stories: int,
        start: StartSet | None = None,
    ) -> None:
        """Start without a claim."""
        self._provider = provider
        self._checks = checks
        self._pasts: list[Any] = [check.fresh() for _, check in checks]
        self._mails = Mailroom(provider.mail_window)
        self._stories = Stories(common, alike, most_stories)
        self._memory = Memory()
        for tick, known in enumerate(_known(start) if start else (), -3):
            self._learn(tick, known)
        self._begun = [*self._pasts]
        """What checks know before the first tick; none changes a past in place."""

    def step(self, tick: int, given: CrowdGuardIn) -> CrowdGuardOut:
        """Hear the judges, then rule on every claim that is new or held."""
        self._mails.take(tick, given.features)
        if tick % DAY == 0:
            self._forget(tick)
        given_credit = self._hear(tick, given.judgements)
        new = self._file(tick, given.claims)
        given_credit += self._open(new)
        believed = self._believed(tick, given.trusted)
        cases = self._waiting(new)
        ruled, taught = self._rule(tick, cases)
        said = given.judgements
        judged = self._mails.tokens(said.mail, said.sent)
        self._learn(tick, Heard(new, taught, said, len(given.features.mail), judged))
        return CrowdGuardOut(
            believed,
            tuple(sorted(ruled)),
            tuple(sorted(_lesson(case.claim) for case in taught)),
            tuple(sorted(given_credit)),
        )

    def _believed(self, tick: int, kept: Kept) -> Kept:
        """The looks at mail that no check finds in the wrong folder."""
        doubting = [
            (check, past)
            for (_, check), past in zip(self._checks, self._pasts, strict=True)
            if hasattr(check, "doubted")
        ]
        if not doubting or not len(kept.mail):
            return kept
        tokens = self._mails.tokens(kept.mail, kept.sent)
        doubted = [check.doubted(tick, past, tokens, kept.spam) for check, past in doubting]
        return rows(kept, ~np.logical_or.reduce(doubted))

    def _learn(self, tick: int, heard: Heard) -> None:
        for place, (_, check) in enumerate(self._checks):
            self._pasts[place] = check.learn(tick, self._pasts[place], heard)

    def _hear(self, tick: int, judgements: Judgements) -> list[Credit]:
        """Credit the open claims on each story that was judged."""
        given_credit = []
        stories = self._story_of(tick, judgements.mail, judgements.sent)
        for story, spam in zip(stories, judgements.spam.tolist(), strict=True):
            judged = self._memory.judged.setdefault(story, Judged(tick))
            judged.tick = tick
            judged.spam += spam
            judged.ham += not spam
            if judged.label is not None:
                claims = self._memory.open.pop(story, [])
                given_credit += [_credit(claim, judged.label) for claim in claims]
        return given_credit

    def _story_of(self, tick: int, mails: Ids, sent: Ticks) -> list[int]:
        return self._stories.assign(tick, mails, self._mails.tokens(mails, sent))

    def _file(self, tick: int, claims: Sequence[Claim]) -> list[Case]:
        mails = np.array([claim.mail for claim in claims], np.uint64)
        sent = np.array([claim.sent for claim in claims], np.int64)
        tokens = self._mails.tokens(mails, sent)
        stories = self._stories.assign(tick, mails, tokens)
        return [
            Case(claim, story, self._label(story), tick, tokens.row(row))
            for row, (claim, story) in enumerate(zip(claims, stories, strict=True))
        ]

    def _label(self, story: int) -> bool | None:
        judged = self._memory.judged.get(story)
        return judged.label if judged else None

    def _open(self, new: Sequence[Case]) -> list[Credit]:
        """Credit new claims on judged stories; remember the others until theirs is."""
        for case in new:
            if case.judged is None:
                self._memory.open.setdefault(case.story, []).append(case.claim)
        return [_credit(case.claim, case.judged) for case in new if case.judged is not None]

    def _waiting(self, new: Sequence[Case]) -> list[Case]:
        waiting = self._memory.held.values()
        mails = np.array([one.claim.mail for one in waiting], np.uint64)
        tokens = self._mails.tokens(mails, np.array([one.claim.sent for one in waiting], np.int64))
        held = [
            Case(one.claim, one.story, self._label(one.story), one.arrived, tokens.row(row))
            for row, one in enumerate(waiting)
        ]
        return sorted([*held, *new], key=lambda case: (-case.claim.reputation, case.claim.vote))

    def _rule(self, tick: int, cases: list[Case]) -> tuple[list[Ruling], list[Case]]:
        """Pass the cases through the checks: rulings that changed, and who is taught."""
        ruled: list[Ruling] = []

        def stop(case: Case, check: str, suspicion: Suspicion) -> None:
            vote = case.claim.vote
            waits = suspicion.ruling == QUARANTINED
            if not (waits and vote in self._memory.held):
                ruled.append(_ruling(tick, case.claim, check, suspicion))
            if waits:
                self._memory.held[vote] = Held(case.claim, case.story, case.arrived, check)
            else:
                self._memory.held.pop(vote, None)

        def sift(names: Iterable[str], suspicions: list[Suspicion]) -> list[Case]:
            for case, name, suspicion in zip(cases, names, suspicions, strict=False):
                if suspicion.ruling:
                    stop(case, name, suspicion)
            return [c for c, s in zip(cases, suspicions, strict=True) if not s.ruling]

        waited = [self._may_go_on(tick, case) for case in cases]
        cases = sift((by for by, _ in waited), [suspicion for _, suspicion in waited])
        for place, (name, check) in enumerate(self._checks):
            cases = sift(repeat(name), check.examine(tick, self._pasts[place], cases))
        for case in cases:
            stop(case, "", Suspicion(TAUGHT, "nothing against it"))
        return ruled, cases

    def _may_go_on(self, tick: int, case: Case) -> tuple[str, Suspicion]:
        """Whether a claim is in time, and one that is to be held was cleared; who says if not."""
        claim = case.claim
        if tick - claim.sent > self._provider.mail_window:
            held = self._memory.held.get(claim.vote)
            waited = f": not cleared in {tick - held.arrived} h" if held else ""
            return held.by if held else "", Suspicion(REJECTED, f"too late{waited}")
        if not claim.hold or case.judged == claim.spam:
            return "", NOTHING
        if case.judged is None:
            return claim.holder, Suspicion(QUARANTINED, claim.hold)
        return claim.holder, Suspicion(REJECTED, f"refuted in quarantine ({claim.hold})")

    def _forget(self, tick: int) -> None:
        """Forget stories that nothing can be claimed of any more, and all that hangs on them."""
        self._stories.forget(tick - 2 * self._provider.mail_window)
        oldest = tick - self._provider.mail_window
        memory = self._memory
        memory.judged = {
            s: j for s, j in memory.judged.items() if j.tick >= oldest or s in self._stories
        }
        kept = {s: [c for c in claims if c.sent >= oldest] for s, claims in memory.open.items()}
        memory.open = {story: claims for story, claims in kept.items() if claims}

    def freeze(self) -> bytes:
        """Everything remembered."""
        pasts = {
            name: codec.pack(past)
            for (name, _), past in zip(self._checks, self._pasts, strict=True)
        }
        parts = (self._mails.freeze(), self._stories.freeze(), codec.pack(self._memory))
        return codec.pack((*parts, pasts))

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen memory; a check that it does not know starts as it began."""
        kind = tuple[bytes, bytes, bytes, dict[str, bytes]]
        mails, stories, memory, pasts = codec.unpack(kind, frozen)
        self._mails.thaw(mails)
        self._stories.thaw(stories)
        self._memory = codec.unpack(Memory, memory)
        self._pasts = [
            codec.unpack(remembered(check), pasts[name]) if name in pasts else begun
            for (name, check), begun in zip(self._checks, self._begun, strict=True)
        ]


def _known(start: StartSet) -> Iterator[Heard]:
    """What the filter starts from, as if judges had said so, in three parts."""
    half, ham = start.tokens.rows // 2, np.zeros(start.ham.rows, np.bool_)
    yield Heard([], [], _said(start.spam[:half]), 0, start.tokens.part(0, half))
    yield Heard([], [], _said(start.spam[half:]), 0, start.tokens.part(half, start.tokens.rows))
    yield Heard([], [], _said(ham), 0, start.ham)


def _said(spam: Bits) -> Judgements:
    none, ticks = np.zeros(len(spam), np.uint64), np.zeros(len(spam), np.int64)
    folder = np.where(spam, JUNK, INBOX).astype(np.int8)
    return Judgements(none, ticks, spam, folder, none, spam & False, ticks + 1)


def _credit(claim: Claim, spam: bool) -> Credit:
    outcome = 1 if claim.spam == spam else -1
    return Credit(claim.account, claim.mail, claim.vote, outcome, claim.subnet)


def _lesson(claim: Claim) -> Lesson:
    shares = ((claim.account, claim.weight),)
    return Lesson(claim.mail, claim.spam, claim.sent, claim.weight, shares)


def _ruling(tick: int, claim: Claim, check: str, suspicion: Suspicion) -> Ruling:
    return Ruling(
        vote=claim.vote,
        account=claim.account,
        mail=claim.mail,
        tick=tick,
        ruling=suspicion.ruling,
        check=check,
        reason=suspicion.reason,
    )
