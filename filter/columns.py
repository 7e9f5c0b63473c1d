"""The columns of the filter: a tick's mail, verdicts, looks and judgements as arrays.

Whatever every mail passes is an array with one entry a mail; a tick's columns are in order of the
mail's id, so that they are the same whatever partition they came from.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from filter.hashing import combine
from filter.ragged import Ragged, concatenate

Ids = NDArray[np.uint64]
Ticks = NDArray[np.int64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.bool_]
Folders = NDArray[np.int8]


class Mails(NamedTuple):
    """Mail as it comes in: id, sender's address and domain, recipient, hashed tokens."""

    mail: Ids
    sender: Ids
    domain: Ids
    recipient: Ids
    tokens: Ragged


class Verdicts(NamedTuple):
    """What the filter decided: score from 0 (ham) to 1 (spam), folder, and the token it signed.

    ``shown`` is the folder that the recipient sees it in: another one if he is shown decoys.
    """

    mail: Ids
    recipient: Ids
    score: Floats
    folder: Folders
    token: Ids
    shown: Folders


class Features(NamedTuple):
    """What later stages see of a mail: its tokens, where it was put and for whom."""

    mail: Ids
    recipient: Ids
    domain: Ids
    folder: Folders
    tokens: Ragged


class Kept(NamedTuple):
    """Implicit feedback: the reader looked at a mail and left it where the filter had put it."""

    mail: Ids
    account: Ids
    sent: Ticks
    opened: Ticks
    spam: Bits


class Judgements(NamedTuple):
    """What the provider's staff say of mails; ``asked`` for by the gate, or drawn at random.

    ``times`` is how often a mail was judged: one that contradicts its folder is judged twice more.
    """

    mail: Ids
    sent: Ticks
    spam: Bits
    folder: Folders
    domain: Ids
    asked: Bits
    times: Ints


Columns = TypeVar("Columns", bound=tuple[Any, ...])
"""Any NamedTuple of columns."""


def rows(columns: Columns, chosen: NDArray[Any]) -> Columns:
    """Some rows of columns, by a mask or by numbers, in the order given."""
    index = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
    make: Any = type(columns)
    taken: Columns = make(*(_taken(column, index) for column in columns))
    return taken


def _taken(column: Any, index: NDArray[Any]) -> Any:
    if isinstance(column, Ragged):
        return column.take(index)
    return [column[row] for row in index.tolist()] if isinstance(column, list) else column[index]


def stacked(parts: Sequence[Columns]) -> Columns:
    """The rows of all parts, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    make: Any = type(parts[0])
    whole: Columns = make(
        *(
            concatenate(column) if isinstance(column[0], Ragged) else np.concatenate(column)
            for column in zip(*parts, strict=True)
        )
    )
    return whole


def joined(parts: Sequence[Columns]) -> Columns:
    """The rows of all parts, in order of the first column: the mail's id."""
    whole = stacked(parts)
    return whole if len(parts) == 1 else rows(whole, np.argsort(whole[0], kind="stable"))


def partition(ids: Ids, parts: int) -> Ints:
    """Which of ``parts`` partitions each key belongs to: a matter of the key alone."""
    return (combine(0x9A27, ids) % np.uint64(parts)).astype(np.int64)


def find(sorted_ids: Ids, wanted: Ids) -> Ints:
    """Where each wanted id stands in sorted ids, -1 where it does not."""
    if not len(sorted_ids):
        return np.full(len(wanted), -1, np.int64)
    place = np.searchsorted(sorted_ids, wanted)
    place[place == len(sorted_ids)] = 0
    return np.where(sorted_ids[place] == wanted, place, -1)


def no_mails() -> Mails:
    """No mail at all."""
    none = np.empty(0, np.uint64)
    return Mails(none, none, none, none, no_tokens())


def no_tokens() -> Ragged:
    """No rows of tokens."""
    return Ragged(np.empty(0, np.uint32), np.zeros(1, np.int64))


def no_kept() -> Kept:
    """Nobody looked."""
    none, ticks = np.empty(0, np.uint64), np.empty(0, np.int64)
    return Kept(none, none, ticks, ticks, np.empty(0, np.bool_))


def no_judgements() -> Judgements:
    """Nothing judged."""
    none, ticks = np.empty(0, np.uint64), np.empty(0, np.int64)
    bits = np.empty(0, np.bool_)
    return Judgements(none, ticks, bits, np.empty(0, np.int8), none, bits, ticks)
