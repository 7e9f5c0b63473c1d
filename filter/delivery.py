"""The delivery token: only who got a mail, and when, can vote on it.

Scoring signs account, mail and tick with a secret that never leaves the provider, and the guard
signs again and compares. SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012) is a MAC made for
such short messages: 64 bits that nobody guesses without the secret.
"""

import struct
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]
State = tuple[int, int, int, int]

_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
_LENGTH: Final = 23 << 56
"""The length of a message, where SipHash has it: in the top byte of its last word."""
_TICK: Final = (1 << 56) - 1
"""The tick fills the seven bytes below."""
_TURNS: Final = {by: (np.uint64(by), np.uint64(64 - by)) for by in (13, 16, 17, 21)}


def sign(secret: bytes, account: Ids, mail: Ids, tick: Ids | int) -> Ids:
    """Sign whole columns of deliveries, as `sign_one` signs each.

    Args:
        secret: Sixteen bytes.
        account: Who got it; one entry a delivery, as are ``mail`` and ``tick``.
        mail: What was delivered.
        tick: When, from 0 up; a single number if all came in the same tick.

    >>> columns = np.array([7, 8], np.uint64)
    >>> [hex(token) for token in sign(bytes(16), columns, columns, 3).tolist()]
    ['0x463d163725accec', '0x2f06c8cb229d7136']
    """
    last = np.bitwise_and(tick, _TICK).astype(np.uint64) | np.uint64(_LENGTH)
    lanes = _Lanes(_keyed(secret), len(account))
    for words in (account, mail, last):
        lanes.absorb(words)
    return lanes.finish()


def sign_one(secret: bytes, account: int, mail: int, tick: int) -> int:
    """Sign one delivery: the SipHash-2-4 of account, mail (8 bytes each) and tick (7 bytes).

    >>> hex(sign_one(bytes(16), account=7, mail=7, tick=3))
    '0x463d163725accec'
    """
    state = _keyed(secret)
    for word in (account & _MASK, mail & _MASK, tick & _TICK | _LENGTH):
        state = _absorbed(state, word)
    v0, v1, v2, v3 = state
    v0, v1, v2, v3 = _round(_round(_round(_round((v0, v1, v2 ^ 0xFF, v3)))))
    return v0 ^ v1 ^ v2 ^ v3


def _keyed(secret: bytes) -> State:
    low, high = struct.unpack("<QQ", secret)
    return (
        low ^ 0x736F_6D65_7073_6575,
        high ^ 0x646F_7261_6E64_6F6D,
        low ^ 0x6C79_6765_6E65_7261,
        high ^ 0x7465_6462_7974_6573,
    )


def _absorbed(state: State, word: int) -> State:
    v0, v1, v2, v3 = state
    v0, v1, v2, v3 = _round(_round((v0, v1, v2, v3 ^ word)))
    return v0 ^ word, v1, v2, v3


def _round(state: State) -> State:
    v0, v1, v2, v3 = state
    v0 = v0 + v1 & _MASK
    v2 = v2 + v3 & _MASK
    v1 = _turned(v1, 13) ^ v0
    v3 = _turned(v3, 16) ^ v2
    v0 = _turned(v0, 32) + v3 & _MASK
    v2 = v2 + v1 & _MASK
    v1 = _turned(v1, 17) ^ v2
    v3 = _turned(v3, 21) ^ v0
    return v0, v1, _turned(v2, 32), v3


def _turned(x: int, by: int) -> int:
    return (x << by | x >> 64 - by) & _MASK


class _Pair(NamedTuple):
    """Two words of every row's state in one array, and views of each and of their halves."""

    both: Ids
    one: Ids
    two: Ids
    one_halves: tuple[NDArray[np.uint32], NDArray[np.uint32]]
    two_halves: tuple[NDArray[np.uint32], NDArray[np.uint32]]


def _pair(one: int, two: int, rows: int) -> _Pair:
    both = np.empty(2 * rows, np.uint64)
    both[:rows] = one
    both[rows:] = two
    first, second = both.view(np.uint32)[::2], both.view(np.uint32)[1::2]
    return _Pair(
        both,
        both[:rows],
        both[rows:],
        (first[:rows], second[:rows]),
        (first[rows:], second[rows:]),
    )


class _Lanes:
    """SipHash of many messages at once: v0 and v2 side by side, v1 and v3 side by side.

    In each half of a round the even words do to the odd ones the same, but for how far these turn;
    then the even ones change places, one of them turned by 32.
    """

    def __init__(self, state: State, rows: int) -> None:
        self._even = _pair(state[0], state[2], rows)
        self._odd = _pair(state[1], state[3], rows)
        self._spare = _pair(0, 0, rows)
        self._moved = _pair(0, 0, rows)

    def absorb(self, words: Ids | np.uint64) -> None:
        np.bitwise_xor(self._odd.two, words, self._odd.two)
        self._rounds(2)
        np.bitwise_xor(self._even.one, words, self._even.one)

    def finish(self) -> Ids:
        np.bitwise_xor(self._even.two, np.uint64(0xFF), self._even.two)
        self._rounds(4)
        mixed = self._even.both ^ self._odd.both
        return mixed[: len(self._even.one)] ^ mixed[len(self._even.one) :]

    def _rounds(self, count: int) -> None:
        for _ in range(count):
            self._half_round(self._even, 13, 16)
            _cross(self._even, self._spare)
            self._half_round(self._spare, 17, 21)
            _cross(self._spare, self._even)

    def _half_round(self, even: _Pair, turn_one: int, turn_two: int) -> None:
        odd, moved = self._odd, self._moved
        np.add(even.both, odd.both, even.both)
        _shift(odd.one, moved.one, turn_one)
        _shift(odd.two, moved.two, turn_two)
        np.bitwise_xor(odd.both, moved.both, odd.both)
        np.bitwise_xor(odd.both, even.both, odd.both)


def _shift(word: Ids, moved: Ids, by: int) -> None:
    """Both parts of a turned word; what falls out on the left goes to ``moved``."""
    left, right = _TURNS[by]
    np.right_shift(word, right, moved)
    np.left_shift(word, left, word)


def _cross(source: _Pair, target: _Pair) -> None:
    """The second word comes first; the first, its halves swapped, second."""
    target.one[:] = source.two
    target.two_halves[0][:] = source.one_halves[1]
    target.two_halves[1][:] = source.one_halves[0]
