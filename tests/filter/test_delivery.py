import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filter.delivery import sign, sign_one

MASK = 2**64 - 1
SECRET = bytes(range(16))
PUBLISHED = {
    0: "310e0edd47db6f72",
    1: "fd67dc93c539f874",
    8: "6224939a79f5f593",
    15: "e545be4961ca29a1",
}
"""From the authors' reference code: key 00..0f, message 00, 01, ... of so many bytes."""

words = st.integers(0, MASK)
ticks = st.integers(0, 10_000)


def siphash(secret: bytes, message: bytes) -> int:
    """SipHash-2-4 of a message of any length, written from the paper, section 2."""
    k0, k1 = struct.unpack("<QQ", secret)
    v: list[int] = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D]
    v += [k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(place: int, by: int) -> None:
        v[place] = (v[place] << by | v[place] >> (64 - by)) & MASK

    def rounds(count: int) -> None:
        for _ in range(count):
            for a, b, by, c, d, other in ((0, 1, 13, 2, 3, 16), (2, 1, 17, 0, 3, 21)):
                v[a] = (v[a] + v[b]) & MASK
                v[c] = (v[c] + v[d]) & MASK
                turn(b, by)
                turn(d, other)
                v[b] ^= v[a]
                v[d] ^= v[c]
                turn(a, 32)

    whole = len(message) // 8 * 8
    end = message[whole:].ljust(7, b"\0") + bytes([len(message) % 256])
    for place in range(0, whole + 8, 8):
        word = int.from_bytes((message[:whole] + end)[place : place + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def message(account: int, mail: int, tick: int) -> bytes:
    return struct.pack("<QQQ", account, mail, tick)[:23]


def column(*numbers: int) -> NDArray[np.uint64]:
    return np.array(numbers, np.uint64)


@pytest.mark.parametrize("length", PUBLISHED)
def test_the_reference_gives_the_published_vectors(length: int) -> None:
    token = siphash(SECRET, bytes(range(length)))
    assert token.to_bytes(8, "little").hex() == PUBLISHED[length]


def test_the_paper_s_example_is_its_own() -> None:
    assert siphash(SECRET, bytes(range(15))) == 0xA129CA6149BE45E5


@given(st.binary(min_size=16, max_size=16), words, words, ticks)
def test_one_token_is_the_siphash_of_its_delivery(
    secret: bytes, account: int, mail: int, tick: int
) -> None:
    token = siphash(secret, message(account, mail, tick))
    assert sign_one(secret, account, mail, tick) == token


@given(
    st.binary(min_size=16, max_size=16),
    st.lists(st.tuples(words, words, ticks), max_size=30),
)
def test_columns_are_signed_as_each_of_their_rows(
    secret: bytes, rows: list[tuple[int, int, int]]
) -> None:
    account, mail, tick = (column(*(row[place] for row in rows)) for place in range(3))
    assert sign(secret, account, mail, tick).tolist() == [sign_one(secret, *row) for row in rows]


@given(st.lists(st.tuples(words, words), min_size=1, max_size=30), ticks)
def test_one_tick_for_all_rows_is_signed_as_a_column_of_it(
    rows: list[tuple[int, int]], tick: int
) -> None:
    account, mail = (column(*(row[place] for row in rows)) for place in range(2))
    whole = sign(SECRET, account, mail, np.full(len(rows), tick, np.uint64))
    assert sign(SECRET, account, mail, tick).tolist() == whole.tolist()


def test_signing_leaves_the_columns_as_they_are() -> None:
    account, mail = column(1, 2), column(3, 4)
    sign(SECRET, account, mail, 5)
    assert (account.tolist(), mail.tolist()) == ([1, 2], [3, 4])


def test_another_account_mail_tick_or_secret_gives_another_token() -> None:
    tokens = {
        sign_one(SECRET, 1, 2, 3),
        sign_one(SECRET, 2, 1, 3),
        sign_one(SECRET, 1, 3, 3),
        sign_one(SECRET, 1, 2, 4),
        sign_one(bytes(16), 1, 2, 3),
    }
    assert len(tokens) == 5
