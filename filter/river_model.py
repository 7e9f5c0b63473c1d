"""Any River classifier by its name, behind the arrays: a mail at a time, so it is slower.

Measured on 2,000 Enron mails, best to worst run, to learn and to score a mail: logistic regression
85 - 190 and 45 - 80 µs, naive Bayes 320 - 360 and 380 - 450; the default model 4 - 9 and 1 - 5. A
Hoeffding tree keeps statistics of every word: it learns a mail in 3.4 ms, and after 300 of them a
release takes 3.4 s.

Those of `river_travel.TRAVELS` are saved as bytes; all others stay in the process that taught them.
"""

import copy
import hashlib
import importlib
import inspect
import pkgutil
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from filter import codec, river_travel
from filter.columns import Bits, Floats, Ints
from filter.events import UNIT
from filter.model import LogOdds
from filter.plugins import PluginError, told, unknown
from filter.portable import logit
from filter.ragged import Ragged, ragged

RELEASE_EVERY: Final = 24
"""Ticks from one release to the next, if the settings say nothing else."""

_BITS: Final = 18
_NEAREST: Final = 1e-9
_PROBES: Final = 16

Counts = dict[int, int]
"""How often each bucket of the token hash stands in a mail, in the order of its text.

Whole numbers, not text: their hash is the same in every process, so that not even a set inside a
classifier depends on PYTHONHASHSEED. As many buckets as the default model has: what senders write
cannot make a classifier grow without end.
"""


def river_model(name: str, table: dict[str, Any]) -> "RiverModel":
    """A River classifier with its settings.

    Args:
        name: module and class under ``river``, as ``linear_model.LogisticRegression``.
        table: arguments of its constructor, and ``release_every`` (ticks, 1 or more). Where the
            constructor takes a ``seed`` and none is given it is 0: a run has to repeat.

    Raises:
        PluginError: there is no such classifier (the nearest is named), it gives no probabilities,
            or the settings do not fit it.
    """
    kind = _classifier(name)
    arguments = dict(table)
    release_every = arguments.pop("release_every", RELEASE_EVERY)
    place = f"filter.models.{name}"
    if type(release_every) is not int or release_every < 1:
        got = f"expected an integer from 1 up, got {release_every!r}"
        raise PluginError(f"{place}.release_every: {got}")
    settings = RiverModel(name, kind, _fitting(kind, arguments, place), release_every)
    _try(settings, place)
    return settings


@dataclass(frozen=True)
class RiverModel:
    """A River classifier that learns from raw counts of hashed tokens.

    Nothing is done to the counts on the way: a classifier that wants them scaled, as logistic
    regression does, gets long mails with large numbers all the same.

    A lesson's weight is given on to a ``learn_one`` that takes one as ``w``. For all others the
    weights of a label's lessons add up, and the mail that makes them a full lesson is learned: of
    ten kept mails at a tenth, the last.

    Args:
        name: module and class under ``river``.
        kind: the class.
        arguments: of its constructor.
        release_every: ticks between releases. A release is a copy, which takes milliseconds, or
            for classifiers that do not travel up to seconds.
    """

    name: str
    kind: type[Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    release_every: int = RELEASE_EVERY

    @property
    def travels(self) -> bool:
        """Whether it is of the tested list, and set by nothing but numbers."""
        return river_travel.travels(self.name, self.arguments)

    def begin(self) -> "RiverTraining":
        """A model that has learned nothing."""
        return RiverTraining(self)


class RiverRelease(
    LogOdds, frozen=True, dict=True, kw_only=True, tag="river", forbid_unknown_fields=True
):
    """A release of a River classifier that travels; the table of a linear model stays empty.

    Args:
        name: of the classifier, one of `river_travel.TRAVELS`.
        arguments: of its constructor.
        learned: the classifier, frozen.
        digest: tells it from any other.
    """

    name: str
    arguments: dict[str, river_travel.Argument]
    learned: bytes
    digest: int

    def __post_init__(self) -> None:
        """Thaw the classifier, so that nothing is served that cannot be."""
        self._classifier  # noqa: B018  made now, and kept

    @cached_property
    def _classifier(self) -> Any:
        """Nobody teaches it any more."""
        return river_travel.thaw(self.name, self.arguments, self.learned)

    def log_odds(self, tokens: Ragged) -> Floats:
        """The log odds of each mail's probability, which is kept 1e-9 off 0 and 1."""
        return _log_odds(self._classifier, list(_counts(tokens)))

    def fingerprint(self) -> int:
        """A 64-bit hash of all that was learned, and of the answers for what was learned last."""
        return self.digest


class UnlistedClassifier:
    """Holds a classifier that does not travel: a plain class, which no codec packs."""

    __slots__ = ("classifier",)

    def __init__(self, classifier: Any) -> None:
        """Hold a classifier that nobody teaches any more."""
        self.classifier = classifier


class UnlistedRelease(LogOdds, frozen=True, kw_only=True, tag="unlisted"):
    """A release of any other River classifier; to pack it is an error.

    Args:
        held: the classifier as it was.
        digest: tells it from any other.
    """

    held: UnlistedClassifier
    digest: int

    def log_odds(self, tokens: Ragged) -> Floats:
        """The log odds of each mail's probability, which is kept 1e-9 off 0 and 1."""
        return _log_odds(self.held.classifier, list(_counts(tokens)))

    def fingerprint(self) -> int:
        """A 64-bit hash of all that was learned, and of the answers for what was learned last."""
        return self.digest


class State(NamedTuple):
    """What a classifier has become; ``owed`` is the weight of each label not learned so far."""

    classifier: Any
    owed: tuple[int, int]
    history: bytes
    recent: tuple[Counts, ...]


class FrozenState(msgspec.Struct, forbid_unknown_fields=True):
    """The same as bytes, and the last release.

    Args:
        learned: the classifier.
        owed: as in `State`.
        history: as in `State`.
        recent: as in `State`.
        released: tick and digest of the last release, and its classifier; None for a classifier
            that has learned nothing since, which is not kept twice.
    """

    learned: bytes
    owed: tuple[int, int]
    history: bytes
    recent: list[Counts]
    released: tuple[int, int, bytes | None] | None


class RiverTraining:
    """A River classifier in training."""

    def __init__(self, settings: RiverModel) -> None:
        """Start from nothing."""
        self._settings = settings
        self._travels = settings.travels
        self._classifier = settings.kind(**settings.arguments)
        self._weighs = "w" in inspect.signature(self._classifier.learn_one).parameters
        self._owed = [0, 0]
        self._history = _digest(b"", repr(settings).encode())
        self._recent: deque[Counts] = deque(maxlen=_PROBES)
        self._released: tuple[int, LogOdds] | None = None

    def learn(self, tick: int, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """Learn n mails one after the other; those of weight 0 are passed over."""
        lessons = zip(_counts(tokens), spam.tolist(), weight.tolist(), strict=True)
        for number, (counts, label, amount) in enumerate(lessons):
            taught = self._teach(counts, label, amount)
            if taught:
                mail = tokens.row(number).astype("<u4").tobytes()
                self._history = _digest(self._history, f"{label} {taught} ".encode() + mail)
                self._recent.append(counts)

    def _teach(self, counts: Counts, label: bool, amount: int) -> int:
        """Learn a mail if it weighs enough; what weight was learned."""
        if self._weighs:
            if amount:
                self._classifier.learn_one(counts, label, w=amount / UNIT)
            return amount
        lessons, self._owed[label] = divmod(self._owed[label] + amount, UNIT)
        for _ in range(lessons):
            self._classifier.learn_one(counts, label)
        return lessons * UNIT

    def release(self, tick: int) -> LogOdds:
        """A copy of the classifier, or the last one while it is younger than ``release_every``."""
        if self._released and tick - self._released[0] < self._settings.release_every:
            return self._released[1]
        release = self._copied()
        self._released = tick, release
        return release

    def _copied(self) -> LogOdds:
        if self._travels:
            return self._release(self._learned(), self._print(self._classifier))
        held = copy.deepcopy(self._classifier)
        digest = self._print(held)
        return UnlistedRelease(_NONE, 0.0, 0.0, False, held=UnlistedClassifier(held), digest=digest)

    def _learned(self) -> bytes:
        return river_travel.freeze(self._settings.name, self._classifier)

    def _print(self, classifier: Any) -> int:
        answers = _log_odds(classifier, list(self._recent)).astype("<f8").tobytes()
        return int.from_bytes(_digest(self._history, answers), "little")

    def _release(self, learned: bytes, digest: int) -> RiverRelease:
        name, arguments = self._settings.name, self._settings.arguments
        return RiverRelease(
            _NONE, 0.0, 0.0, False, name=name, arguments=arguments, learned=learned, digest=digest
        )

    def snapshot(self) -> object:
        """What `freeze` gives; of a classifier that does not travel a copy, for this process."""
        if self._travels:
            return self.freeze()
        owed = self._owed[0], self._owed[1]
        classifier = copy.deepcopy(self._classifier)
        return State(classifier, owed, self._history, tuple(self._recent))

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot; the next release is a new one."""
        if isinstance(snapshot, bytes):
            self.thaw(snapshot)
        else:
            assert isinstance(snapshot, State)
            self._classifier = copy.deepcopy(snapshot.classifier)
            self._owed = list(snapshot.owed)
            self._history = snapshot.history
            self._recent = deque(snapshot.recent, _PROBES)
        self._released = None

    def freeze(self) -> bytes:
        """All of it as bytes; one that is thawed goes on as this one would.

        Raises:
            TypeError: the classifier does not travel.
        """
        self._must_travel()
        learned, owed = self._learned(), (self._owed[0], self._owed[1])
        released = None
        if self._released:
            tick, last = self._released
            assert isinstance(last, RiverRelease)
            released = tick, last.digest, None if last.learned == learned else last.learned
        state = FrozenState(learned, owed, self._history, list(self._recent), released)
        return codec.pack(state)

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen state.

        Raises:
            TypeError: the classifier does not travel.
            CodecError: the bytes are no such state.
        """
        self._must_travel()
        state: FrozenState = codec.unpack(FrozenState, frozen)
        name, arguments = self._settings.name, self._settings.arguments
        classifier = river_travel.thaw(name, arguments, state.learned)
        released = None
        if state.released:
            tick, digest, learned = state.released
            released = tick, self._release(state.learned if learned is None else learned, digest)
        self._classifier, self._released = classifier, released
        self._owed, self._history = list(state.owed), state.history
        self._recent = deque(state.recent, _PROBES)

    def _must_travel(self) -> None:
        if not self._travels:
            raise TypeError(f"{self._settings.name}: {_STAYS}")


_NONE: Final = np.zeros(3)
"""No table: whoever takes it for a linear model's finds that 3 is no power of two."""
_STAYS: Final = (
    "this River classifier has no safe file format, so its training stays in this process: "
    "a run with it has no checkpoints"
)


def _counts(tokens: Ragged) -> Iterator[Counts]:
    buckets = (tokens.values & np.uint32((1 << _BITS) - 1)).tolist()
    for first, stop in pairwise(tokens.starts.tolist()):
        yield dict(Counter(buckets[first:stop]))


def _log_odds(classifier: Any, mails: list[Counts]) -> Floats:
    """Log odds of the probability of spam; 0 where the classifier knows nothing, or says NaN."""
    given = [classifier.predict_proba_one(mail) for mail in mails]
    spam = np.array([p.get(True, 0.0 if p else 0.5) for p in given], np.float64)
    spam[np.isnan(spam)] = 0.5
    return logit(np.clip(spam, _NEAREST, 1.0 - _NEAREST))


def _digest(before: bytes, more: bytes) -> bytes:
    return hashlib.blake2b(before + more, digest_size=8).digest()


def _classifier(name: str) -> type[Any]:
    """The class of that name, found among River's public classifiers."""
    import river

    module, _, wanted = name.rpartition(".")
    found = sorted(m.name for m in pkgutil.iter_modules(river.__path__))
    modules = [m for m in found if not m.startswith(("_", "test"))]
    if module not in modules:
        raise PluginError(f"model: {unknown(module, modules)}")
    known = _classifiers_of(module)
    if wanted not in known:
        raise PluginError(f"model: no classifier in river.{module}: {unknown(wanted, list(known))}")
    return known[wanted]


def _classifiers_of(module: str) -> dict[str, type[Any]]:
    """What can tell spam from ham there, by name."""
    try:
        found = vars(importlib.import_module(f"river.{module}"))
    except ImportError as error:
        raise PluginError(f"model: river.{module} does not load here: {told(error)}") from error
    return {name: kind for name, kind in sorted(found.items()) if _is_usable(kind)}


def _is_usable(kind: object) -> bool:
    """Whether it is a class of classifiers, of one label, that give probabilities."""
    from river.base import Classifier, MultiLabelClassifier

    if not isinstance(kind, type) or not issubclass(kind, Classifier):
        return False
    if inspect.isabstract(kind) or issubclass(kind, MultiLabelClassifier):
        return False
    return kind.predict_proba_one is not Classifier.predict_proba_one


def _fitting(kind: type[Any], arguments: dict[str, Any], place: str) -> dict[str, Any]:
    """The arguments, with a seed where one is taken.

    Raises:
        PluginError: one is unknown, or one is missing.
    """
    named = [p for p in inspect.signature(kind).parameters.values() if p.kind not in _STARS]
    known = [p.name for p in named]
    for name in arguments:
        if name not in known:
            raise PluginError(f"{place}.{name}: {unknown(name, [*known, 'release_every'])}")
    missing = [p.name for p in named if p.default is p.empty and p.name not in arguments]
    if missing:
        raise PluginError(f"{place}: {kind.__name__} needs {', '.join(missing)}")
    return {"seed": 0, **arguments} if "seed" in known else arguments


_STARS: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _try(settings: RiverModel, place: str) -> None:
    """Teach and ask a fresh one, so that what cannot work is told before the run.

    Raises:
        PluginError: with what the classifier raised.
    """
    mails = ragged([[1, 2, 2], [2, 3]])
    try:
        trial = settings.begin()
        trial.learn(0, mails, np.array([False, True]), np.full(2, UNIT, np.int64))
        trial.release(0)
    except Exception as error:  # whatever River raises is told with its place
        raise PluginError(f"{place}: {_shown(settings)} does not work: {told(error)}") from error


def _shown(settings: RiverModel) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in settings.arguments.items())
    return f"{settings.kind.__name__}({given})"
