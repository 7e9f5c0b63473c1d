"""Whole-array hashing to 64 bits: the same number for the same ids, on every machine and run.

A hash here spreads; it does not protect. What must not be forged is signed (`filter.delivery`).
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Floats = NDArray[np.float64]

_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
_GAMMA: Final = 0x9E37_79B9_7F4A_7C15
_FIRST: Final = 0xBF58_476D_1CE4_E5B9
_SECOND: Final = 0x94D0_49BB_1331_11EB
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))
_FACTORS: Final = (np.uint64(_FIRST), np.uint64(_SECOND))
_BLOCK: Final = 16_384
_UNIT: Final = 2.0**-53


def mix(x: Hashes) -> Hashes:
    """Spread 64-bit numbers: every bit of the result depends on every bit of the number.

    The finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014, with Stafford's constants): a
    bijection that maps 0 to 0.

    >>> [hex(spread) for spread in mix(np.array([1, 2], np.uint64)).tolist()]
    ['0x5692161d100b05e5', '0xdbd238973a2b148a']
    """
    mixed = np.array(x, np.uint64, order="C")
    _mix_in_place(mixed)
    return mixed


def key(*parts: int | str) -> int:
    """A 64-bit key made of names and numbers, for `combine`; by BLAKE2b.

    >>> hex(key("delay", 7))
    '0x3b00dcf11eba553c'
    >>> key("delay", 7) == key("delay", "7")
    False
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        text = f"s{part}" if isinstance(part, str) else f"i{int(part)}"
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return int.from_bytes(digest.digest(), "little")


def combine(key: int, *columns: Hashes | int) -> Hashes:
    """Hash rows of several columns under a key.

    Each column in turn picks a number from the splitmix64 sequence that the columns before it
    started, so ids that count up do not correlate, and the columns' order matters.

    Args:
        key: 64 bits, most often from `key`; another key gives unrelated hashes.
        columns: Integer arrays that broadcast together, or integers (taken modulo 2^64).

    Returns:
        A new array of the columns' common shape; of no dimension if all are integers.

    >>> combine(5, np.arange(3, dtype=np.uint64), 40).shape
    (3,)
    """
    start, rest = _start(key & _MASK, columns)
    state = np.full(np.shape(rest[0]) if rest else (), start, np.uint64)
    for column in rest:
        state = _advanced(state, column)
    return state


def uniform(bits: Hashes) -> Floats:
    """The top 53 bits of each hash as a number in [0, 1).

    >>> uniform(np.array([0, 1 << 63, 2**64 - 1], np.uint64)).tolist()
    [0.0, 0.5, 0.9999999999999999]
    """
    drawn = np.empty(bits.shape, np.float64)
    _scale(bits, drawn)
    return drawn


def draw(key: int, *columns: Hashes | int) -> Floats:
    """``uniform(combine(key, *columns))`` in the same memory, which is quicker.

    >>> draw(5, np.arange(3, dtype=np.uint64)).round(3).tolist()
    [0.714, 0.387, 0.752]
    """
    bits = combine(key, *columns)
    drawn = bits.view(np.float64)
    _scale(bits, drawn)
    return drawn


def _scale(bits: Hashes, drawn: Floats) -> None:
    """Write the numbers in [0, 1) where they belong, over the bits if that is there."""
    flat, into = bits.reshape(-1), drawn.reshape(-1)
    for start in range(0, len(flat), _BLOCK):
        top = flat[start : start + _BLOCK] >> 11
        np.multiply(top.view(np.int64), _UNIT, out=into[start : start + _BLOCK])


def _start(state: int, columns: tuple[Hashes | int, ...]) -> tuple[int, tuple[Hashes | int, ...]]:
    """Go through the leading integers: nothing there needs an array yet."""
    for place, column in enumerate(columns):
        if np.ndim(column):
            return state, columns[place:]
        state = _mix_int(state + int(column) * _GAMMA & _MASK)
    return state, ()


def _advanced(state: Hashes, column: Hashes | int) -> Hashes:
    """The hashes with one more column, in the memory of ``state`` where the shapes agree."""
    if not np.ndim(column):
        state += np.uint64(int(column) * _GAMMA & _MASK)
    elif np.shape(column) == state.shape:
        _add_steps(state, _unsigned(column))
    else:
        state = np.add(state, _unsigned(column) * np.uint64(_GAMMA), order="C")
    _mix_in_place(state)
    return state


def _add_steps(state: Hashes, column: Hashes) -> None:
    flat, numbers = state.reshape(-1), column.reshape(-1)
    steps = np.empty(min(_BLOCK, len(flat)), np.uint64)
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        part = steps[: len(block)]
        np.multiply(numbers[start : start + _BLOCK], np.uint64(_GAMMA), part)
        np.add(block, part, block)


def _unsigned(column: Hashes | int) -> Hashes:
    return np.asarray(column).astype(np.uint64, copy=False)


def _mix_int(x: int) -> int:
    x = (x ^ x >> 30) * _FIRST & _MASK
    x = (x ^ x >> 27) * _SECOND & _MASK
    return x ^ x >> 31


def _mix_in_place(x: Hashes) -> None:
    """Mix an array that nobody else holds, in blocks that stay in the processor's cache."""
    flat = x.reshape(-1)
    shifted = np.empty(min(_BLOCK, len(flat)), np.uint64)
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        _mix_block(block, shifted[: len(block)])


def _mix_block(block: Hashes, shifted: Hashes) -> None:
    np.right_shift(block, _SHIFTS[0], shifted)
    np.bitwise_xor(block, shifted, block)
    np.multiply(block, _FACTORS[0], block)
    np.right_shift(block, _SHIFTS[1], shifted)
    np.bitwise_xor(block, shifted, block)
    np.multiply(block, _FACTORS[1], block)
    np.right_shift(block, _SHIFTS[2], shifted)
    np.bitwise_xor(block, shifted, block)
