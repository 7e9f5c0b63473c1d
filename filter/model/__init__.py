"""What a spam filter can learn with: one classifier a file.

A classifier's settings are the fields of its frozen dataclass; `Settings.begin` gives a fresh one.
"""

from functools import lru_cache
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter.columns import Bits, Floats, Ints
from filter.hashing import key
from filter.ragged import Ragged, sums


class LogOdds(msgspec.Struct, frozen=True, tag="linear", forbid_unknown_fields=True):
    """A release of a linear model: it answers and never changes.

    Args:
        table: the log odds that each bucket of the token hash adds; a power of two of them.
        per_token: what every token adds.
        prior: what every mail starts from.
        by_root: whether the sum over the tokens is divided by the root of their number.
    """

    table: NDArray[np.float64]
    per_token: float
    prior: float
    by_root: bool

    def log_odds(self, tokens: Ragged) -> Floats:
        """How much more likely spam than ham each mail is, as log odds (n values)."""
        mask = np.uint32(len(self.table) - 1)
        odds = sums(tokens, self.table.take(tokens.values & mask))
        odds += self.per_token * tokens.lengths
        if self.by_root:
            odds /= np.sqrt(np.maximum(tokens.lengths, 1))
        return odds + self.prior

    def fingerprint(self) -> int:
        """A 64-bit number that tells this release from any other, for the run's hash."""
        bits = self.table.view(np.uint64)
        odd = _odd_numbers(len(bits))
        rest = np.array([self.per_token, self.prior, self.by_root]).view(np.uint64)
        folded = bits ^ bits >> np.uint64(32)
        return key("release", int(np.dot(folded, odd)), *rest.tolist())

    def finite(self) -> bool:
        """Whether every answer will be a number."""
        same = np.isfinite([self.per_token, self.prior]).all()
        return bool(same and np.isfinite(self.table).all())


@lru_cache(maxsize=4)
def _odd_numbers(count: int) -> NDArray[np.uint64]:
    return np.arange(1, 2 * count, 2, dtype=np.uint64)


class SpamModel(Protocol):
    """A classifier in training."""

    def learn(self, tick: int, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """Learn n mails at once; weights in `filter.events.UNIT`, one a mail, 0 or more."""
        ...

    def release(self, tick: int) -> LogOdds:
        """What has been learned so far, to score with."""
        ...

    def snapshot(self) -> object:
        """The state of training, to `restore` in this process."""
        ...

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot."""
        ...

    def freeze(self) -> bytes:
        """The state of training as bytes, and what `snapshot` gives; only if it travels."""
        ...

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen state again."""
        ...


class ModelSettings(Protocol):
    """The plug-in: a frozen dataclass whose fields are the settings."""

    @property
    def travels(self) -> bool:
        """Whether its state can be frozen: if not, a run has no checkpoints and forks nothing."""
        ...

    def begin(self) -> SpamModel:
        """A model that has learned nothing."""
        ...
