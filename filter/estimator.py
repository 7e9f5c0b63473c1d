"""The array naive Bayes behind River's interface, for River's pipelines, metrics and checks."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from river.base import MiniBatchClassifier, tags
from river.base.typing import ClfTarget, FeatureName
from river.utils.pandas import import_pandas

from filter.columns import Bits, Floats
from filter.events import UNIT
from filter.hashing import key
from filter.model.naive_bayes import NaiveBayes
from filter.portable import sigmoid
from filter.ragged import Ragged

if TYPE_CHECKING:
    import pandas as pd


class HashedNaiveBayes(MiniBatchClassifier):
    """Multinomial naive Bayes for two classes, on hashed features, with forgetting.

    Features are counts, 0 or more, whole or not; one that is 0 or NaN is absent. A feature's name
    may be anything: a whole number is taken for a hash already made (`filter.features`), the text
    of anything else is hashed. Labels are true and false. With ``length="none"``, ``priors=True``
    it equals River's ``MultinomialNB``, once both classes were learned and where no two names
    share a bucket.

    Args:
        alpha: smoothing, in lessons of full weight; above 0.
        half_life: lessons after which evidence counts half, 1 or more; 0 never forgets. River has
            no clock, so each lesson is a tick.
        length: ``sqrt`` divides the log odds by the square root of the number of tokens.
        priors: whether the classes' shares count.
        bits: features are told apart by this many bits of their hash; from 1 to 30.

    >>> model = HashedNaiveBayes()
    >>> model.learn_one({"cheap": 2, "pills": 1}, True)
    >>> model.learn_one({"lunch": 1, "today": 1}, False)
    >>> {label: round(p, 3) for label, p in model.predict_proba_one({"cheap": 1}).items()}
    {False: 0.28, True: 0.72}
    """

    def __init__(
        self,
        alpha: float = 1.0,
        half_life: float = 0.0,
        length: Literal["sqrt", "none"] = "sqrt",
        priors: bool = False,
        bits: int = 18,
    ) -> None:
        if alpha <= 0 or not 1 <= bits <= 30 or 0 != half_life < 1:
            got = f"alpha={alpha!r}, half_life={half_life!r}, bits={bits!r}"
            raise ValueError(f"expected alpha > 0, half_life 0 or >= 1, bits 1 to 30; got {got}")
        self.alpha = alpha
        self.half_life = half_life
        self.length = length
        self.priors = priors
        self.bits = bits
        self._lessons = 0
        self._model = NaiveBayes(bits, alpha, half_life, length, priors).begin()

    def _more_tags(self) -> set[str]:
        return {tags.POSITIVE_INPUT}

    def learn_one(self, x: dict[FeatureName, Any], y: ClfTarget, *, w: float = 1.0) -> None:
        """Learn one mail.

        Args:
            x: counts by name.
            y: whether it is spam: a bool, or 0 or 1.
            w: weight, 0 or more; 1 is a full lesson.
        """
        self._learn(*_counted(list(x), [list(x.values())]), _labels([y]), w)

    def learn_many(self, X: "pd.DataFrame", y: "pd.Series", *, w: float = 1.0) -> None:  # noqa: N803  # River's name
        """Learn a frame of counts, a column a name: as `learn_one` row by row, to the last bit."""
        tokens, counts = _counted(list(X.columns), X.to_numpy(np.float64))
        spam = _labels(y.tolist())
        if not self.half_life:
            self._learn(tokens, counts, spam, w)
            return
        for row in range(tokens.rows):
            first, stop = tokens.starts[row : row + 2]
            one = tokens.take(np.array([row]))
            self._learn(one, counts[first:stop], spam[row : row + 1], w)

    def predict_proba_one(self, x: dict[FeatureName, Any], **kwargs: Any) -> dict[ClfTarget, float]:
        """The probabilities of both labels; one half each before anything was learned."""
        [[ham, spam]] = self._probabilities(*_counted(list(x), [list(x.values())])).tolist()
        return {False: ham, True: spam}

    def predict_proba_many(self, X: "pd.DataFrame") -> "pd.DataFrame":  # noqa: N803  # River's name
        """The probabilities of both labels for each row of a frame."""
        both = self._probabilities(*_counted(list(X.columns), X.to_numpy(np.float64)))
        return import_pandas().DataFrame(both, index=X.index, columns=[False, True])

    def _learn(self, tokens: Ragged, counts: Floats, spam: Bits, w: float) -> None:
        weight = np.full(tokens.rows, round(w * UNIT), np.int64)
        self._model.learn_counts(self._tick, tokens, counts, spam, weight)
        self._lessons += tokens.rows

    @property
    def _tick(self) -> int:
        return self._lessons if self.half_life else 0

    def _probabilities(self, tokens: Ragged, counts: Floats) -> Floats:
        odds = self._model.log_odds(self._tick, tokens, counts)
        return sigmoid(np.stack((-odds, odds), axis=1))


def _counted(names: list[FeatureName], given: Any) -> tuple[Ragged, Floats]:
    """Rows of counts in columns of these names, as tokens with their counts beside them.

    Raises:
        ValueError: a count is negative, infinite or no number.
    """
    counts = np.nan_to_num(np.asarray(given, np.float64), nan=0.0, posinf=-1.0, neginf=-1.0)
    if (counts < 0).any():
        raise ValueError("expected counts from 0 up; some are negative or infinite")
    rows, columns = np.nonzero(counts)
    tokens = np.array([_token(name) for name in names], np.uint32)
    starts = np.searchsorted(rows, np.arange(len(counts) + 1))
    return Ragged(tokens[columns], starts.astype(np.int64)), counts[rows, columns]


def _token(name: FeatureName) -> int:
    if isinstance(name, int | np.integer) and not isinstance(name, bool):
        return int(name) & 0xFFFF_FFFF
    return _hashed(str(name))


@lru_cache(maxsize=1 << 16)
def _hashed(name: str) -> int:
    return key(name) & 0xFFFF_FFFF


def _labels(given: list[Any]) -> Bits:
    """Two classes and no more: a bool, or 0 or 1.

    Raises:
        ValueError: a label is something else.
    """
    for label in given:
        if label not in (0, 1):
            raise ValueError(f"expected True or False as a label, got {label!r}")
    return np.array(given, np.bool_)
