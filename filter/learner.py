"""The learner: what the model is taught, and what of it is served."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from filter import codec
from filter.columns import Bits, Features, Floats, Folders, Ids, Ints, Judgements, Kept, no_tokens
from filter.events import (
    HOLD,
    PROMOTE,
    ROLL_BACK,
    UNIT,
    UNLEARN,
    JudgeRequest,
    Lesson,
    Limits,
    Response,
)
from filter.gate import Decision, GateSettings, compare, decide, questions
from filter.hashing import combine, key
from filter.limits import LimitSettings
from filter.mailroom import Mailroom
from filter.model import LogOdds, ModelSettings, SpamModel
from filter.ragged import Ragged, concatenate
from filter.scoring import folders
from filter.stage import Provider, Release
from filter.unlearning import Unlearner, Unlearning

DAY = 24
LearnsFrom = Literal["votes", "votes+kept", "votes+kept+judgements", "all"]


@dataclass(frozen=True)
class LearnerSettings:
    """What the model learns from.

    Args:
        learns_from: votes alone; votes and what readers kept; judgements too; or the label of
            every mail, from judges who see all and never err.
        kept_weight: weight of a mail that was kept, as a share of a vote's.
        snapshots: daily states of training to roll back to.
        unlearns: ticks for which a lesson can be taken back.
        wary: ticks after a refusal by the gate for which nothing is learned from what readers keep:
            there are far more of them than of votes, and less is known of whose they are.
    """

    learns_from: LearnsFrom = "votes+kept"
    kept_weight: float = 0.1
    snapshots: int = 8
    limits: LimitSettings = field(default_factory=LimitSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    unlearns: int = 168
    wary: int = 72


class LearnerIn(NamedTuple):
    """A tick's mail, lessons, looks and judgements; and the responses that take effect."""

    features: Features
    lessons: tuple[Lesson, ...]
    believed: Kept
    judgements: Judgements
    responses: tuple[Response, ...] = ()


class LearnerOut(NamedTuple):
    """The gate's decision, and the mails it asks the judges about."""

    releases: tuple[Release, ...]
    requests: tuple[JudgeRequest, ...]


class StartSet(NamedTuple):
    """The labelled mails that the filter starts from, and the ham that its limits start from."""

    tokens: Ragged
    spam: Bits
    ham: Ragged


class Snapshot(NamedTuple):
    """Training and limits as they were at a tick, and the release they make."""

    tick: int
    training: object
    limits: Limits
    scorer: LogOdds


class Judged(NamedTuple):
    """The window's judged mails, the newest last, and where the anchor would put the first ones."""

    sent: Ints
    spam: Bits
    tokens: Ragged
    then: Folders


class Memory(msgspec.Struct, forbid_unknown_fields=True):
    """What the learner remembers besides the model, the mails and the snapshots.

    ``ham`` is the log odds of the start set's ham and of golden ham, each as it was before it was
    learned and less what was the ``level`` then, the newest last; ``level`` the spam limit by which
    the start set's ham would lose its share today; ``last`` the tick of the last candidate whose
    answers are all finite, or of the state that was gone back to; ``anchor`` the tick of the
    release by which `Judged.then` was told; ``held`` for how many ticks the candidate was;
    ``wary`` the tick from which looks count again.
    """

    limits: Limits
    judged: Judged
    ham: Floats
    level: float
    last: int = 0
    anchor: int = -1
    held: int = 0
    wary: int = 0


class Learner:
    """The stage `learner`, of which there is one: training, then the gate."""

    def __init__(
        self,
        provider: Provider,
        settings: LearnerSettings,
        model: ModelSettings,
        start: StartSet,
        gate: bool,
        heeds: bool = False,
    ) -> None:
        """Learn the start set, and set the limits by its ham; ``heeds``: the responder's word."""
        self._provider = provider
        self._settings = settings
        self._model_settings = model
        self._gate = gate
        self._model: SpamModel = model.begin()
        full = np.full(start.tokens.rows, UNIT, np.int64)
        self._model.learn(0, start.tokens, start.spam, full)
        self._start_ham = start.ham
        scorer = self._model.release(0)
        ham = scorer.log_odds(start.ham)
        limits = settings.limits.of(ham)
        self._last = scorer
        none = np.empty(0, np.int64)
        nothing = Judged(none, none.astype(np.bool_), no_tokens(), none.astype(np.int8))
        self._memory = Memory(limits, nothing, ham - limits.spam, limits.spam)
        self._mails = Mailroom(provider.mail_window)
        self._taught = Unlearning(settings.unlearns)
        self._unlearner = self._model if heeds and isinstance(self._model, Unlearner) else None
        self._snapshots: list[Snapshot] = []
        if gate:
            self._snapshots = [Snapshot(0, self._model.snapshot(), limits, scorer)]
        self.start = Release(0, PROMOTE, "the start set", scorer, limits)

    @property
    def unlearns(self) -> bool:
        """Whether it forgets what the responder tells it to."""
        return self._unlearner is not None

    def step(self, tick: int, given: LearnerIn) -> LearnerOut:
        """Train on a tick's feedback, then promote, hold or roll back."""
        self._mails.take(tick, given.features)
        self._move_limits(tick, given.judgements)
        self._train(tick, given)
        self._unlearn(tick, given.responses)
        if self._gate:
            self._remember(tick, given.judgements)
        candidate = self._model.release(tick)
        if not candidate.finite():
            return LearnerOut((Release(tick, HOLD, "not every answer is finite", None, None),), ())
        self._last, self._memory.last = candidate, tick
        if not self._gate:
            served = Release(tick, PROMOTE, "no gate", candidate, self._memory.limits)
            return LearnerOut((served,), ())
        anchor = self._anchor(tick)
        release = self._decide(tick, candidate, anchor)
        asked = self._ask(tick, given.features, candidate, anchor)
        return LearnerOut((release,), asked)

    def _train(self, tick: int, given: LearnerIn) -> None:
        source = self._settings.learns_from
        judged = given.judgements
        if source == "all":
            self._learn(tick, judged.mail, judged.sent, judged.spam, UNIT)
            return
        lessons = given.lessons
        mails = np.array([lesson.mail for lesson in lessons], np.uint64)
        sent = np.array([lesson.sent for lesson in lessons], np.int64)
        spam = np.array([lesson.spam for lesson in lessons], np.bool_)
        weight = np.array([lesson.weight for lesson in lessons], np.int64)
        tokens = self._mails.tokens(mails, sent)
        self._model.learn(tick, tokens, spam, weight)
        if self._unlearner:
            self._taught.note(tick, lessons, tokens)
        if source != "votes" and tick >= self._memory.wary:
            kept = given.believed
            share = round(self._settings.kept_weight * UNIT)
            self._learn(tick, kept.mail, kept.sent, kept.spam, share)
        if source == "votes+kept+judgements":
            self._learn(tick, judged.mail, judged.sent, judged.spam, UNIT)

    def _unlearn(self, tick: int, responses: Sequence[Response]) -> None:
        accounts = {response.source for response in responses if response.action == UNLEARN}
        if accounts and self._unlearner:
            self._taught.take_back(tick, accounts, self._unlearner)

    def _learn(self, tick: int, mails: Ids, sent: Ints, spam: Bits, weight: int) -> None:
        weights = np.full(len(mails), weight, np.int64)
        self._model.learn(tick, self._mails.tokens(mails, sent), spam, weights)

    def _remember(self, tick: int, new: Judgements) -> None:
        """Keep the window's judged mails for the gate."""
        tokens = self._mails.tokens(new.mail, new.sent)
        old = self._memory.judged
        gone = int(np.searchsorted(old.sent, tick - self._provider.mail_window))
        rows = len(old.sent)
        gone = max(gone, rows + len(new.mail) - self._settings.gate.most)
        kept = min(max(gone, 0), rows)
        self._memory.judged = Judged(
            np.concatenate((old.sent[kept:], new.sent)),
            np.concatenate((old.spam[kept:], new.spam)),
            concatenate([old.tokens.part(kept, rows), tokens]),
            old.then[kept:],
        )

    def _move_limits(self, tick: int, new: Judgements) -> None:
        """Ask the last candidate about the new golden ham; once a day, move the limits.

        Asked later, the candidate would have learned the mail, and others of its story: the answers
        would be far lower than those to the ham that is yet to come. But what a candidate answers
        moves as it learns. So an answer is kept as what it was above the limit that the start set's
        ham, which is never learned, would have had on that day.
        """
        settings, memory = self._settings.limits, self._memory
        golden = np.flatnonzero(~new.asked & ~new.spam)
        if len(golden):
            odds = self._last.log_odds(self._mails.tokens(new.mail[golden], new.sent[golden]))
            memory.ham = np.concatenate((memory.ham, odds - memory.level))[-settings.pool :]
        if tick % DAY == 0:
            memory.level = settings.of(self._last.log_odds(self._start_ham)).spam
            memory.limits = settings.moved(memory.limits, memory.ham + memory.level)

    def _anchor(self, tick: int) -> Snapshot:
        """The youngest daily release that is old enough, else the oldest there is."""
        old = [s for s in self._snapshots if s.tick <= tick - self._settings.gate.anchor_age]
        return old[-1] if old else self._snapshots[0]

    def _decide(self, tick: int, candidate: LogOdds, anchor: Snapshot) -> Release:
        decision = self._test(candidate, self._memory.limits, anchor)
        if decision.action == PROMOTE:
            self._memory.held = 0
            self._keep_snapshot(tick, candidate)
            return Release(tick, PROMOTE, decision.reason, candidate, self._memory.limits)
        self._memory.wary = tick + 1 + self._settings.wary
        if decision.action == HOLD:
            self._memory.held += 1
            return Release(tick, HOLD, decision.reason, None, None)
        return self._roll_back(tick, anchor, decision)

    def _test(self, scorer: LogOdds, limits: Limits, anchor: Snapshot) -> Decision:
        judged = self._memory.judged
        now = folders(scorer.log_odds(judged.tokens), limits)
        compared = compare(now, self._then(anchor), judged.spam)
        return decide(self._settings.gate, compared, self._memory.held)

    def _then(self, anchor: Snapshot) -> Folders:
        """Where the anchor would put the judged mails: told once for each of them."""
        judged = self._memory.judged
        known = judged.then if self._memory.anchor == anchor.tick else judged.then[:0]
        new = judged.tokens.part(len(known), judged.tokens.rows)
        then = np.concatenate((known, folders(anchor.scorer.log_odds(new), anchor.limits)))
        self._memory.judged = judged._replace(then=then)
        self._memory.anchor = anchor.tick
        return then

    def _keep_snapshot(self, tick: int, candidate: LogOdds) -> None:
        if tick % DAY == 0 and tick > 0:
            training = self._model.snapshot()
            self._snapshots.append(Snapshot(tick, training, self._memory.limits, candidate))
            del self._snapshots[: -self._settings.snapshots]

    def _roll_back(self, tick: int, anchor: Snapshot, decision: Decision) -> Release:
        """Return to the youngest daily state that passes the test, or to the anchor."""
        while len(self._snapshots) > 1 and self._snapshots[-1].tick > anchor.tick:
            last = self._snapshots[-1]
            if self._test(last.scorer, last.limits, anchor).action == PROMOTE:
                break
            self._snapshots.pop()
        back = self._snapshots[-1]
        self._model.restore(back.training)
        self._last, self._memory.last = back.scorer, back.tick
        if self._unlearner and self._taught.back(back.tick, self._unlearner):
            self._last, self._memory.last = self._model.release(tick), tick
        self._memory.limits = back.limits
        self._memory.held = 0
        reason = f"{decision.reason}; back to {back.tick} h"
        return Release(tick, ROLL_BACK, reason, self._last, back.limits, back.tick)

    def _ask(
        self, tick: int, features: Features, candidate: LogOdds, anchor: Snapshot
    ) -> tuple[JudgeRequest, ...]:
        """Ask about mails on which candidate and anchor disagree, drawn with the secret.

        They look at some of the mail: a stretch of it in the order of its ids, which are hashes. A
        candidate that is promoted is what is served an hour later, so the folder that the mail was
        put into speaks for it; one that is held has to be asked itself.
        """
        gate, mails = self._settings.gate, features.mail
        secret = key("ask", self._provider.secret.hex())
        many = min(len(mails), max(gate.looked_at, len(mails) // 4))
        first = int(combine(secret, tick)) % (len(mails) - many + 1)
        some = features.tokens.part(first, first + many)
        now = features.folder[first : first + many]
        if self._memory.held:
            now = folders(candidate.log_odds(some), self._memory.limits)
        then = folders(anchor.scorer.log_odds(some), anchor.limits)
        mails = mails[first : first + many]
        asked = mails[questions(now, then, combine(secret, mails), gate.asked_per_hour)]
        return tuple(sorted(JudgeRequest(mail, tick) for mail in asked.tolist()))

    def freeze(self) -> bytes:
        """Training, limits, judged mails, the mailroom and the snapshots."""
        model = self._model.freeze()
        snapshots = [(s.tick, s.training, s.limits) for s in self._snapshots]
        parts = (codec.pack(self._memory), self._mails.freeze(), self._taught.freeze())
        return codec.pack((model, *parts, snapshots))

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen state."""
        kind = tuple[bytes, bytes, bytes, bytes, list[tuple[int, bytes, Limits]]]
        model, memory, mails, taught, snapshots = codec.unpack(kind, frozen)
        self._model.thaw(model)
        self._memory = codec.unpack(Memory, memory)
        self._mails.thaw(mails)
        self._taught.thaw(taught)
        self._snapshots = [self._snapshot(*one) for one in snapshots] if self._gate else []
        if self._gate and not self._snapshots:
            limits = self._memory.limits
            self._snapshots = [Snapshot(0, model, limits, self._model.release(0))]
        last = self._memory.last
        kept = [snapshot.scorer for snapshot in self._snapshots if snapshot.tick == last]
        self._last = kept[0] if kept else self._model.release(last)

    def _snapshot(self, tick: int, training: bytes, limits: Limits) -> Snapshot:
        model = self._model_settings.begin()
        model.thaw(training)
        return Snapshot(tick, training, limits, model.release(tick))
