"""What River's classifiers have learned, as bytes and back: for a tested list, no pickle.

A classifier of the list is its constructor's arguments and a few tables of numbers. The tables
travel by `filter.codec`, each with its type; a fresh classifier is made from the arguments and
filled. So the bytes name no code: all objects, factories and functions are the fresh one's own.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Final, Protocol, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter import codec
from filter.codec import CodecError

Argument = bool | int | float
"""What a scenario can set of a classifier of the list."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MOST: Final = 1 << 31
"""The highest count that travels: with `_TINY` added, and less itself, it is still above 0."""

Natural = Annotated[int, msgspec.Meta(ge=0)]


class Learned(Protocol):
    """What a family of classifiers has learned; ``attributes`` are all that such a one has."""

    attributes: ClassVar[frozenset[str]]
    arguments: ClassVar[frozenset[str]]

    @classmethod
    def of(cls, classifier: Any) -> Self:
        """Take it from a classifier."""
        ...

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier.

        Raises:
            CodecError: no classifier can have learned this.
        """
        ...


class Weights(msgspec.Struct, forbid_unknown_fields=True):
    """A float for each word, in the order in which they were first seen: sums follow it."""

    words: NDArray[np.uint32]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, table: Any) -> "Weights":
        """Take them from a dict, or a ``VectorDict``."""
        return cls(_words(table), _floats(table.values()))

    def table(self) -> dict[int, float]:
        """As a dict."""
        return dict(zip(_different(self.words), _of(self.values, len(self.words)), strict=True))


class Penalty(msgspec.Struct, forbid_unknown_fields=True):
    """What ``l1`` has taken off: at most, and for each word."""

    most: int | float
    taken: Weights


class Linear(msgspec.Struct, forbid_unknown_fields=True):
    """Logistic regression and the perceptron; ``penalty`` is None but with an ``l1``."""

    attributes: ClassVar = _names(
        "_weights _y_name clip_gradient initializer intercept intercept_init intercept_lr l1 l2"
        " loss optimizer"
    )
    arguments: ClassVar = _names("clip_gradient intercept_init intercept_lr l1 l2")
    intercept: int | float
    steps: Natural
    weights: Weights
    penalty: Penalty | None

    @classmethod
    def of(cls, classifier: Any) -> "Linear":
        """Take it from a classifier."""
        penalty = None
        if classifier.l1 != 0:
            penalty = Penalty(classifier.max_cum_l1, Weights.of(classifier.cum_l1))
        steps, weights = classifier.optimizer.n_iterations, Weights.of(classifier._weights)
        return cls(classifier.intercept, steps, weights, penalty)

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        if (self.penalty is None) != (fresh.l1 == 0):
            raise CodecError("a penalty goes with an l1, and only with one")
        fresh.intercept, fresh.optimizer.n_iterations = self.intercept, self.steps
        fresh._weights.update(self.weights.table())
        if self.penalty is not None:
            fresh.max_cum_l1 = self.penalty.most
            fresh.cum_l1.update(self.penalty.taken.table())


class Passive(msgspec.Struct, forbid_unknown_fields=True):
    """The passive-aggressive classifier."""

    attributes: ClassVar = _names("C calc_tau intercept learn_intercept loss mode weights")
    arguments: ClassVar = _names("C learn_intercept mode")
    intercept: int | float
    weights: Weights

    @classmethod
    def of(cls, classifier: Any) -> "Passive":
        """Take it from a classifier."""
        return cls(classifier.intercept, Weights.of(classifier.weights))

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        fresh.intercept = self.intercept
        fresh.weights.update(self.weights.table())


class LargeMargin(msgspec.Struct, forbid_unknown_fields=True):
    """ALMA, the approximate large margin algorithm."""

    attributes: ClassVar = _names("B C alpha k p w")
    arguments: ClassVar = _names("B C alpha p")
    step: Annotated[int, msgspec.Meta(ge=1)]
    weights: Weights

    @classmethod
    def of(cls, classifier: Any) -> "LargeMargin":
        """Take it from a classifier."""
        return cls(classifier.k, Weights.of(classifier.w))

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        fresh.k = self.step
        fresh.w.update(self.weights.table())


class Softmax(msgspec.Struct, forbid_unknown_fields=True):
    """Softmax regression: the steps and weights of each label, in the order of the labels."""

    attributes: ClassVar = _names("l2 loss optimizer optimizers weights")
    arguments: ClassVar = _names("l2")
    labels: dict[str, tuple[Natural, Weights]]

    @classmethod
    def of(cls, classifier: Any) -> "Softmax":
        """Take it from a classifier."""
        steps = {label: one.n_iterations for label, one in classifier.optimizers.items()}
        weights = classifier.weights.items()
        return cls({_LABELS[label]: (steps[label], Weights.of(one)) for label, one in weights})

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        for name, (steps, weights) in self.labels.items():
            label = _label(name)
            fresh.optimizers[label].n_iterations = steps
            fresh.weights[label].update(weights.table())


class Probit(msgspec.Struct, forbid_unknown_fields=True):
    """AdPredictor: mean and variance of each word's weight; ``bias`` came before the words."""

    attributes: ClassVar = _names("beta epsilon means prior_probability variances")
    arguments: ClassVar = _names("beta epsilon prior_probability")
    bias: tuple[float, float] | None
    means: Weights
    variances: Weights

    @classmethod
    def of(cls, classifier: Any) -> "Probit":
        """Take it from a classifier."""
        means, variances = dict(classifier.means), dict(classifier.variances)
        bias = (means.pop(_BIAS), variances.pop(_BIAS)) if _BIAS in means else None
        return cls(bias, Weights.of(means), Weights.of(variances))

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        means, variances = self.means.table(), self.variances.table()
        _between(abs(fresh.beta), _TINY, _HUGE)
        if means.keys() != variances.keys() or (means and self.bias is None):
            raise CodecError("expected a mean and a variance of each word, and of the bias")
        if self.bias is not None:
            fresh.means[_BIAS], fresh.variances[_BIAS] = self.bias
        fresh.means.update(means)
        fresh.variances.update(variances)
        if any(variance < 0.0 for variance in fresh.variances.values()):
            raise CodecError("expected variances of 0 or more")


class Counts(msgspec.Struct, forbid_unknown_fields=True):
    """Naive Bayes: lessons of each label, and how often each word stood in them.

    The counts of words are three columns, a word's labels one after the other. What a classifier
    keeps besides are sums of them.
    """

    attributes: ClassVar = _names("alpha class_counts feature_counts")
    arguments: ClassVar = _names("alpha")
    lessons: dict[str, Annotated[int, msgspec.Meta(ge=1, le=_MOST)]]
    words: NDArray[np.uint32]
    spam: NDArray[np.bool_]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, classifier: Any) -> Self:
        """Take it from a classifier."""
        table = classifier.feature_counts
        words = np.repeat(_words(table), [len(one) for one in table.values()])
        spam = [label for one in table.values() for label in one]
        counts = [count for one in table.values() for count in one.values()]
        lessons = {_LABELS[label]: count for label, count in classifier.class_counts.items()}
        return cls(lessons, words, np.array(spam, np.bool_), np.array(counts, np.int64))

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        _between(fresh.alpha, _TINY, _HUGE)
        fresh.class_counts.update({_label(name): one for name, one in self.lessons.items()})
        counts = _of(self.counts, len(self.words))
        rows = zip(self.words.tolist(), _of(self.spam, len(self.words)), counts, strict=True)
        table = fresh.feature_counts
        for word, label, count in rows:
            table[word][label] = count
        if sum(map(len, table.values())) != len(self.words):
            raise CodecError("expected each label of a word once")
        if counts and not 0 <= min(counts) <= max(counts) <= _MOST:
            raise CodecError(f"expected counts from 0 to {_MOST}")


class Multinomial(Counts):
    """Multinomial naive Bayes: how many words each label has is a sum."""

    attributes: ClassVar = Counts.attributes | {"class_totals"}

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        super().into(fresh)
        for one in fresh.feature_counts.values():
            fresh.class_totals.update(one)


class Complement(Multinomial):
    """Complement naive Bayes: so is how often a word stands in all."""

    attributes: ClassVar = Multinomial.attributes | {"feature_totals"}

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        super().into(fresh)
        for word, one in fresh.feature_counts.items():
            fresh.feature_totals[word] = sum(one.values())


class Bernoulli(Counts):
    """Bernoulli naive Bayes: a word counts once a lesson."""

    attributes: ClassVar = Counts.attributes | {"true_threshold"}
    arguments: ClassVar = Counts.arguments | {"true_threshold"}

    def into(self, fresh: Any) -> None:
        """Give it to a fresh classifier."""
        super().into(fresh)
        lessons = fresh.class_counts
        for one in fresh.feature_counts.values():
            if any(count > lessons[label] for label, count in one.items()):
                raise CodecError("expected no word in more lessons than there were")


TRAVELS: Final[Mapping[str, type[Learned]]] = {
    "linear_model.ALMAClassifier": LargeMargin,
    "linear_model.AdPredictor": Probit,
    "linear_model.LogisticRegression": Linear,
    "linear_model.PAClassifier": Passive,
    "linear_model.Perceptron": Linear,
    "linear_model.SoftmaxRegression": Softmax,
    "naive_bayes.BernoulliNB": Bernoulli,
    "naive_bayes.ComplementNB": Complement,
    "naive_bayes.MultinomialNB": Multinomial,
}
"""The classifiers that travel. Each is tested bit by bit; with any other a run is not saved."""


def travels(name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a classifier of that name and with those arguments can be frozen.

    Not if this version of River gives it other attributes, or another optimizer.
    """
    plain = all(type(value) in (bool, int, float) for value in arguments.values())
    if not plain or name not in TRAVELS:
        return False
    try:
        fresh = _fresh(name, arguments)
        thaw(name, arguments, freeze(name, fresh))
    except CodecError:
        return False
    optimizer: Any = getattr(fresh, "optimizer", None)
    steps = optimizer is None or optimizer.__dict__.keys() == {"lr", "n_iterations"}
    penalty = _names("max_cum_l1 cum_l1") if hasattr(fresh, "cum_l1") else frozenset()
    return bool(steps) and set(fresh.__dict__) == TRAVELS[name].attributes | penalty


def freeze(name: str, classifier: Any) -> bytes:
    """What a classifier of `TRAVELS` has learned.

    Raises:
        CodecError: it is another one, or holds what a classifier of that name never does.
    """
    if name not in TRAVELS or type(classifier) is not _kind(name):
        raise CodecError(f"a {type(classifier).__name__} does not travel as {name}")
    return codec.pack(TRAVELS[name].of(classifier))


def thaw(name: str, arguments: Mapping[str, Argument], frozen: bytes) -> Any:
    """A classifier that goes on exactly as the frozen one.

    Args:
        name: one of `TRAVELS`.
        arguments: of its constructor, as the frozen one had them.
        frozen: by `freeze`.

    Raises:
        CodecError: the bytes are not such a classifier's, or the arguments do not fit it.
    """
    fresh = _fresh(name, arguments)
    learned: Learned = codec.unpack(TRAVELS[name], frozen)
    learned.into(fresh)
    return fresh


def _fresh(name: str, arguments: Mapping[str, Argument]) -> Any:
    if name not in TRAVELS or not arguments.keys() <= TRAVELS[name].arguments:
        raise CodecError(f"{name[:60]!r} does not travel with {', '.join(arguments)[:60]!r}")
    try:
        return _kind(name)(**arguments)
    except (TypeError, ValueError, KeyError, ArithmeticError, NotImplementedError) as problem:
        raise CodecError(f"{name}: the arguments do not fit: {problem}") from problem


def _kind(name: str) -> Any:
    """A class of the list; only now is River loaded."""
    from river import linear_model, naive_bayes

    module, _, kind = name.partition(".")
    return getattr({"linear_model": linear_model, "naive_bayes": naive_bayes}[module], kind)


_BIAS: Final = "__bias__"
_LABELS: Final = {False: "ham", True: "spam"}
_TINY: Final = 1e-6
_HUGE: Final = 1e9


def _label(name: str) -> bool:
    if name not in _LABELS.values():
        raise CodecError(f"expected ham or spam, got {name[:20]!r}")
    return name == "spam"


def _between(value: float, low: float, high: float) -> None:
    """Settings so far out that a classifier divides by zero do not travel."""
    if not low <= value <= high:
        raise CodecError(f"expected a setting from {low} to {high}, got {value}")


def _words(table: Any) -> NDArray[np.uint32]:
    words = list(table.keys())
    if not set(map(type, words)) <= {int} or (
        words and not 0 <= min(words) <= max(words) < 1 << 32
    ):
        raise CodecError("expected words as their hashes of 32 bits")
    return np.array(words, np.uint32)


def _floats(values: Iterable[Any]) -> NDArray[np.float64]:
    kept = list(values)
    if not set(map(type, kept)) <= {float}:
        raise CodecError("expected a float for each word")
    return np.array(kept, np.float64)


def _different(words: NDArray[np.uint32]) -> list[int]:
    listed: list[int] = _of(words, len(words))
    if len(set(listed)) != len(listed):
        raise CodecError("expected each word once")
    return listed


def _of(column: NDArray[Any], length: int) -> list[Any]:
    """A column as a list, if it is one of that length."""
    if column.shape != (length,):
        raise CodecError(f"expected a column of {length}, got the shape {column.shape}")
    listed: list[Any] = column.tolist()
    return listed
