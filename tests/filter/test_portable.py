import hashlib
import math
import os
import subprocess
import sys
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filter.hashing import combine, uniform
from filter.portable import exp, log, logit, sigmoid

Floats = NDArray[np.float64]

ROOT = Path(__file__).parents[2]
WITHOUT_WIDE_REGISTERS = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR AVX2 FMA3 AVX512F AVX512_SKX"
"""Names of old and new numpy; it warns of those it does not know, and heeds the others."""

positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
exponents = st.floats(-708, 708)


def one(value: float) -> Floats:
    return np.array([value])


def decimal_log(value: float) -> Decimal:
    with localcontext(prec=40):
        return Decimal(value).ln()


def decimal_exp(value: float) -> Decimal:
    with localcontext(prec=40):
        return Decimal(value).exp()


def digest_of_everything() -> str:
    """What the child below computes too: a hash over every function, everywhere it is defined."""
    drawn = uniform(combine(11, np.arange(200_000, dtype=np.uint64)))
    spread = (drawn - 0.5) * 1400.0
    digest = hashlib.sha256(drawn.tobytes())
    for result in (
        exp(spread),
        sigmoid(spread),
        log(exp(spread)),
        log(drawn[1:]),
        log(1.0 + drawn),
        logit(0.001 + 0.998 * drawn),
    ):
        digest.update(result.tobytes())
    return digest.hexdigest()


@given(positive)
def test_log_is_right_to_two_units_in_the_last_place(x: float) -> None:
    right = decimal_log(x)
    error = abs(Decimal(float(log(one(x))[0])) - right)
    assert error <= 2 * Decimal(max(math.ulp(float(right)), 1.2e-16))


@given(st.floats(0.99994, 1.00012))
def test_log_keeps_its_relative_precision_on_both_sides_of_one(x: float) -> None:
    right = decimal_log(x)
    assert abs(Decimal(float(log(one(x))[0])) - right) <= abs(right) * Decimal("5e-13")


@given(exponents)
def test_exp_is_right_to_two_units_in_the_last_place(x: float) -> None:
    right = decimal_exp(x)
    assert abs(Decimal(float(exp(one(x))[0])) - right) <= 2 * Decimal(math.ulp(float(right)))


@given(st.floats(-700, 700))
def test_sigmoid_of_log_odds_is_their_probability(x: float) -> None:
    with localcontext(prec=40):
        right = 1 / (1 + decimal_exp(-x))
    error = abs(Decimal(float(sigmoid(one(x))[0])) - right)
    assert error <= 4 * Decimal(math.ulp(float(right)))


@given(st.floats(-30, 0))
def test_logit_undoes_sigmoid(x: float) -> None:
    assert logit(sigmoid(one(x)))[0] == pytest.approx(x, abs=1e-14, rel=1e-14)


@given(st.integers(-1022, 1023))
def test_the_log_of_a_power_of_two_is_a_multiple_of_the_log_of_two(power: int) -> None:
    assert log(one(math.ldexp(1.0, power)))[0] == power * math.log(2)


def test_log_agrees_with_numpy_over_two_hundred_and_sixty_thousand_numbers() -> None:
    x = 1e-3 + 1e4 * uniform(combine(3, np.arange(1 << 18, dtype=np.uint64)))
    assert np.abs(log(x) - np.log(x)).max() < 1e-14


def test_neighbouring_cells_of_the_table_do_not_make_log_fall() -> None:
    cells = np.arange(1 << 13) / (1 << 13) + 1.0
    edges = np.stack([np.nextafter(cells, 0), cells, np.nextafter(cells, 3)], axis=1)
    assert (np.diff(log(edges), axis=1) >= 0).all()


def test_beyond_seven_hundred_and_eight_exp_stays_finite_and_positive() -> None:
    far = np.array([-np.inf, -1e300, 1e300, np.inf])
    assert (exp(far) == exp(np.array([-708.0, -708.0, 708.0, 708.0]))).all()
    assert (sigmoid(far) > 0).all()


def test_shape_and_layout_of_the_numbers_do_not_matter() -> None:
    grid = 1.0 + np.arange(40_000, dtype=np.float64).reshape(100, 400)
    assert (log(grid.T) == log(grid).T).all()
    assert (exp(grid[::2, ::3] * 1e-3) == exp(grid * 1e-3)[::2, ::3]).all()
    assert log(np.empty((0, 3))).shape == (0, 3)
    assert log(np.array(1.0)).shape == ()


def test_a_number_gives_the_same_whatever_stands_beside_it() -> None:
    x = np.array([5e-324, 1e-310, 2.2250738585072014e-308, 0.3, 1.0, 1.7e308])
    assert log(x).tolist() == [float(log(one(value))[0]) for value in x]


def test_what_is_given_is_left_as_it_is() -> None:
    x = np.array([0.5, 1e-310])
    for function in (log, exp, sigmoid, logit):
        function(x)
        assert x.tolist() == [0.5, 1e-310]


def test_the_last_bit_does_not_depend_on_the_processor() -> None:
    program = (
        "import sys; from tests.filter.test_portable import digest_of_everything;"
        "sys.stdout.write(digest_of_everything())"
    )
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": WITHOUT_WIDE_REGISTERS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.stdout == digest_of_everything(), child.stderr
