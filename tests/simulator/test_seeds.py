import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.seeds import Draws

Floats = NDArray[np.float64]

IDS = np.arange(100_000, dtype=np.uint64)
STRUCTURED = {
    "counted": IDS,
    "from a million": IDS + np.uint64(1_000_000),
    "in the upper half": IDS << np.uint64(32),
    "every 4096th": IDS * np.uint64(4096),
    "account and tick": (IDS // np.uint64(100) << np.uint64(32)) | IDS % np.uint64(100),
}

seeds = st.integers(0, 2**63)
ids = st.integers(0, 2**64 - 1)


def chi_square_in_deviations(places: NDArray[np.int64], cells: int) -> float:
    """How far Pearson's statistic lies from its mean, in its standard deviations."""
    expected = len(places) / cells
    statistic = float(((np.bincount(places, minlength=cells) - expected) ** 2).sum() / expected)
    return (statistic - (cells - 1)) / math.sqrt(2 * (cells - 1))


def cells_of(drawn: Floats, cells: int) -> NDArray[np.int64]:
    return (drawn * cells).astype(np.int64)


def kolmogorov(drawn: Floats) -> float:
    """Kolmogorov's statistic times the root of the sample: above 1.95 once in a thousand."""
    ordered, count = np.sort(drawn), len(drawn)
    steps = np.arange(count + 1) / count
    apart = max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max())
    return float(apart * count**0.5)


def assert_independent(one: Floats, other: Floats) -> None:
    together = cells_of(one, 32) * 32 + cells_of(other, 32)
    assert abs(chi_square_in_deviations(together, 1024)) < 4
    assert abs(np.corrcoef(one, other)[0, 1]) * len(one) ** 0.5 < 4


@pytest.mark.parametrize("which", STRUCTURED)
@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_draws_are_uniform_whatever_the_ids_look_like(which: str, seed: int) -> None:
    drawn = Draws(seed).uniform("looks", STRUCTURED[which], 5)
    assert abs(chi_square_in_deviations(cells_of(drawn, 256), 256)) < 4
    assert kolmogorov(drawn) < 1.95


def test_the_low_bits_are_uniform_too() -> None:
    low = (Draws(1).bits("looks", IDS) & np.uint64(255)).astype(np.int64)
    assert abs(chi_square_in_deviations(low, 256)) < 4


@pytest.mark.parametrize("which", STRUCTURED)
def test_neighbouring_ids_draw_independently(which: str) -> None:
    drawn = Draws(1).uniform("looks", STRUCTURED[which], 5)
    assert_independent(drawn[:-1], drawn[1:])


def test_purposes_ticks_seeds_and_columns_draw_independently() -> None:
    drawn = Draws(1).uniform("looks", IDS, 5)
    assert_independent(drawn, Draws(1).uniform("votes", IDS, 5))
    assert_independent(drawn, Draws(1).uniform("looks", IDS, 6))
    assert_independent(drawn, Draws(2).uniform("looks", IDS, 5))
    assert_independent(drawn, Draws(1).uniform("looks", 5, IDS))
    assert_independent(drawn, Draws(1).uniform("looks", IDS))


@given(seeds, st.text(max_size=8), st.lists(ids, min_size=1, max_size=10), st.integers(0, 2000))
def test_a_number_depends_on_its_own_ids_alone(
    seed: int, purpose: str, people: list[int], tick: int
) -> None:
    together = Draws(seed).uniform(purpose, np.array(people, np.uint64), tick).tolist()
    assert together == [float(Draws(seed).uniform(purpose, one, tick)) for one in people]


def test_adding_somebody_moves_nobody_else_s_numbers() -> None:
    draws = Draws(3)
    assert (draws.uniform("votes", IDS[:-1], 9) == draws.uniform("votes", IDS, 9)[:-1]).all()


def test_the_numbers_of_a_seed_stay_as_they_were() -> None:
    """A change here is a behaviour change: every seed's result moves."""
    drawn = Draws(1).bits("looks", IDS[:2], 24)
    assert [hex(bits) for bits in drawn.tolist()] == ["0xbd6de3d1c759cb41", "0xfc55f512f7abb09d"]
    assert Draws(1).generator("not-spam", 3).integers(1 << 32, size=2).tolist() == [
        439002177,
        3701234600,
    ]


@given(seeds, st.lists(st.integers(0, 99) | st.text(max_size=5), max_size=3))
def test_a_generator_starts_alike_each_time(seed: int, parts: list[int | str]) -> None:
    one, other = Draws(seed).generator(*parts), Draws(seed).generator(*parts)
    assert one.random(3).tolist() == other.random(3).tolist()


def test_other_parts_give_another_generator() -> None:
    first = {
        float(Draws(seed).generator(*parts).random())
        for seed in (1, 2)
        for parts in (("a", 1), ("a", 2), ("a", "1"), ("b", 1), ("a",), ())
    }
    assert len(first) == 12
