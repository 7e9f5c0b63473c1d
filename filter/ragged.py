"""Rows of unequal length in one flat array: a batch of mails as their tokens."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

BLOCK: Final = 96
"""Entries from which a block of neighbouring rows is sooner copied as a slice."""


class Ragged(NamedTuple):
    """Rows of unequal length in one flat array.

    A NamedTuple of two fields: ``len`` answers 2 and ``==`` compares arrays, so ask for `rows`.

    >>> mails = ragged([[7, 8, 9], [], [5]])
    >>> mails.rows, mails.lengths.tolist(), mails.row(0).tolist()
    (3, [3, 0, 1], [7, 8, 9])
    """

    values: NDArray[np.uint32]
    """All rows' entries, one after the other."""

    starts: NDArray[np.int64]
    """n + 1 offsets; row i is ``values[starts[i]:starts[i + 1]]``."""

    @property
    def rows(self) -> int:
        """How many rows there are, empty ones too."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many entries each row has."""
        return self.starts[1:] - self.starts[:-1]

    def row(self, number: int) -> NDArray[np.uint32]:
        """One row's entries, as a view."""
        first, stop = self.starts[:-1][number], self.starts[1:][number]
        return self.values[first:stop]

    def part(self, first: int, stop: int) -> "Ragged":
        """The rows from ``first`` to before ``stop``, as a view.

        >>> ragged([[7, 8, 9], [], [5]]).part(1, 3).lengths.tolist()
        [0, 1]
        """
        starts = self.starts[first : stop + 1]
        return Ragged(self.values[starts[0] : starts[-1]], starts - starts[0])

    def take(self, rows: NDArray[np.integer[Any]]) -> "Ragged":
        """The rows of these numbers, in this order, as often as they are named.

        >>> ragged([[7, 8, 9], [], [5]]).take(np.array([2, 0, 1, 2])).values.tolist()
        [5, 7, 8, 9, 5]
        """
        first, lengths = self.starts[:-1][rows], self.lengths[rows]
        starts = _offsets(lengths)
        follows = rows[1:] == rows[:-1] + 1
        blocks = len(rows) - int(np.count_nonzero(follows))
        if not len(rows) or rows.min() < 0 or starts[-1] < BLOCK * blocks:
            place = np.arange(starts[-1])
            place += np.repeat(first - starts[:-1], lengths)
            return Ragged(self.values[place], starts)
        cuts = np.flatnonzero(~follows)
        begin = first[np.concatenate(([0], cuts + 1))].tolist()
        end = (first + lengths)[np.concatenate((cuts, [len(rows) - 1]))].tolist()
        parts = [self.values[one:two] for one, two in zip(begin, end, strict=True)]
        return Ragged(np.concatenate(parts), starts)


def ragged(rows: Sequence[ArrayLike]) -> Ragged:
    """Rows given one by one, put into one array.

    >>> ragged([[1], [2, 3]]).starts.tolist()
    [0, 1, 3]
    """
    arrays = [np.asarray(row, np.uint32) for row in rows]
    values = np.concatenate([np.empty(0, np.uint32), *arrays])
    return Ragged(values, _offsets(np.fromiter(map(len, arrays), np.int64, len(arrays))))


def concatenate(parts: Sequence[Ragged]) -> Ragged:
    """The rows of several batches, one batch after the other.

    >>> concatenate([ragged([[1], []]), ragged([[2, 3]])]).lengths.tolist()
    [1, 0, 2]
    """
    if not parts:
        return ragged([])
    values = np.concatenate([part.values for part in parts])
    return Ragged(values, _offsets(np.concatenate([part.lengths for part in parts])))


def sums(rows: Ragged, per_value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row's sum of numbers that stand beside its entries; 0 where a row is empty.

    A row's sum is bit for bit the same whichever rows stand in the batch with it: it is added up
    in the order of its own entries.

    Args:
        rows: whose entries the numbers belong to.
        per_value: one number for each of ``rows.values``.

    >>> sums(ragged([[7, 8], [], [9]]), np.array([0.5, 0.25, 4.0])).tolist()
    [0.75, 0.0, 4.0]
    """
    result = np.zeros(rows.rows)
    filled = np.flatnonzero(rows.lengths)
    if len(filled):
        result[filled] = np.add.reduceat(per_value, rows.starts[filled])
    return result


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts
