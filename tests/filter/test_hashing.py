import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filter.hashing import combine, draw, key, mix, uniform

ROOT = Path(__file__).parents[2]
MASK = 2**64 - 1

words = st.integers(0, MASK)


def column(*numbers: int) -> NDArray[np.uint64]:
    return np.array(numbers, np.uint64)


def splitmix64(seed: int, count: int) -> list[int]:
    """The published generator, as its authors write it."""
    numbers = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        numbers.append(z ^ (z >> 31))
    return numbers


def test_splitmix64_from_zero_starts_as_published() -> None:
    assert splitmix64(0, 2) == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


@given(words)
def test_one_column_reads_the_splitmix64_sequence_of_its_key(seed: int) -> None:
    counted = np.arange(1, 6, dtype=np.uint64)
    assert combine(seed, counted).tolist() == splitmix64(seed, 5)


@given(words, words, words)
def test_a_row_hashes_alike_as_integers_and_as_columns(seed: int, a: int, b: int) -> None:
    plain = combine(seed, a, b)
    assert plain.shape == ()
    for row in (
        combine(seed, column(a), column(b)),
        combine(seed, a, column(b)),
        combine(seed, column(a), b),
        combine(seed, np.array(a, np.uint64), column(b)),
    ):
        assert row.tolist() == [int(plain)]


def test_columns_broadcast() -> None:
    down, across = np.arange(3, dtype=np.uint64)[:, None], np.arange(4, dtype=np.uint64)
    table = combine(9, down, across)
    assert table.shape == (3, 4)
    assert int(table[2, 3]) == int(combine(9, 2, 3))
    assert combine(9, across, down).shape == (3, 4)


def test_how_a_column_lies_in_memory_does_not_matter() -> None:
    table = np.arange(12, dtype=np.uint64).reshape(3, 4)
    lying, down = np.asfortranarray(table), np.arange(3, dtype=np.uint64)[:, None]
    assert (combine(9, down, lying) == combine(9, down, table)).all()
    assert (draw(9, lying, lying) == draw(9, table, table)).all()
    assert (uniform(mix(lying)) == uniform(mix(table))).all()


def test_longer_columns_than_a_block_hash_row_by_row() -> None:
    ids = np.arange(50_000, dtype=np.uint64)
    assert combine(9, ids)[49_999] == combine(9, ids[49_999:])[0]
    assert (combine(9, ids[::-1]) == combine(9, ids)[::-1]).all()


def test_the_order_of_columns_matters() -> None:
    assert combine(9, column(1), column(2)) != combine(9, column(2), column(1))


def test_columns_stay_as_they_are() -> None:
    ids = column(1, 2, 3)
    combine(9, ids, ids)
    mix(ids)
    uniform(ids)
    assert ids.tolist() == [1, 2, 3]


def test_negative_ticks_count_modulo_two_to_the_sixty_four() -> None:
    assert combine(9, -1) == combine(9, MASK) == combine(9, np.array([-1]))[0]


@given(words, st.integers(0, 63))
def test_mix_is_a_bijection_that_spreads_every_bit(number: int, bit: int) -> None:
    one, other = mix(column(number, number ^ 1 << bit)).tolist()
    assert 8 <= (one ^ other).bit_count() <= 56


def test_flipping_a_bit_of_any_column_flips_half_the_bits_of_the_hash() -> None:
    ids = np.arange(2000, dtype=np.uint64)
    for bit in range(64):
        flipped = ids ^ np.uint64(1 << bit)
        for other in (combine(1, flipped, ids), combine(1, ids, flipped)):
            share = np.bitwise_count(combine(1, ids, ids) ^ other).mean() / 64
            assert share == pytest.approx(0.5, abs=0.008)


def test_structured_ids_do_not_collide() -> None:
    accounts, ticks = np.arange(2000, dtype=np.uint64)[:, None], np.arange(200, dtype=np.uint64)
    assert len(np.unique(combine(1, accounts, ticks))) == 400_000
    assert len(np.unique(combine(1, accounts << np.uint64(48), ticks << np.uint64(40)))) == 400_000


@given(st.lists(st.integers() | st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_different_parts_give_different_keys(one: list[int | str], other: list[str]) -> None:
    assert (key(*one) == key(*other)) == (one == other)


def test_a_key_tells_where_its_parts_end() -> None:
    assert len({key("ab"), key("a", "b"), key("b", "a"), key("", "ab"), key("ab", "")}) == 5
    assert key(12) != key("12")
    assert key(12) != key(1, 2)


def test_a_key_is_the_same_in_every_process() -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from filter.hashing import key; sys.stdout.write(str(key('looks', 7)))",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(child.stdout) == key("looks", 7)


@given(st.lists(words, max_size=20))
def test_uniform_takes_the_top_bits(bits: list[int]) -> None:
    drawn = uniform(column(*bits))
    assert drawn.tolist() == [(number >> 11) / 2**53 for number in bits]
    assert ((drawn >= 0) & (drawn < 1)).all()


@given(words, st.lists(words, max_size=20))
def test_draw_is_uniform_of_combine(seed: int, ids: list[int]) -> None:
    assert draw(seed, column(*ids), 3).tolist() == uniform(combine(seed, column(*ids), 3)).tolist()
