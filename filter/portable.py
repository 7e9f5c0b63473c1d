"""Logarithm, exponential and sigmoid whose last bit does not depend on the processor.

``np.log`` and ``np.exp`` give other last bits with AVX-512 than without, and one bit is enough for
two runs to part. Here everything is ``+ - * /``, whole-number arithmetic and tables that are
computed in whole numbers: exact by IEEE 754 on every machine. The method is Tang's (ACM TOMS 16(4),
1990): a table for the leading bits, a short polynomial for the rest.
"""

from collections.abc import Callable
from functools import lru_cache
from math import isqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Scratch = NDArray[np.int64]

_BLOCK: Final = 16_384
_LEADING: Final = 12
_CELLS: Final = 1 << _LEADING
_POINT: Final = 128
"""Tables are computed in whole numbers with this many binary places, then rounded once."""
_LARGEST: Final = 708.0
_LEADING_BITS: Final = -(1 << 52 - _LEADING)
_HALF_CELL: Final = 1 << 51 - _LEADING
_SMALLEST_NORMAL: Final = 2.0**-1022


def log(x: Floats) -> Floats:
    """The natural logarithm of positive finite numbers; off by less than 2 ulp or 2.4e-16.

    Powers of two are exact multiples of log 2. Zero, negative and infinite numbers and NaN give
    nonsense, not a warning.

    >>> log(np.array([1.0, 2.0, 10.0])).tolist()
    [0.0, 0.6931471805599453, 2.3025850929940455]
    """
    return _blockwise(_log_block, x)


def exp(x: Floats) -> Floats:
    """The exponential; off by less than 2 ulp. Beyond 708 either way it is that of 708.

    >>> exp(np.array([0.0, 1.0, -1e9])).tolist()
    [1.0, 2.718281828459045, 3.3075530036384083e-308]
    """
    return _blockwise(_exp_block, x)


def sigmoid(x: Floats) -> Floats:
    """The probability of log odds: 1 / (1 + exp(-x)).

    >>> sigmoid(np.array([-1e9, 0.0, 2.0])).tolist()
    [3.307553003638408e-308, 0.5, 0.8807970779778825]
    """
    return _blockwise(_sigmoid_block, x)


def logit(p: Floats) -> Floats:
    """The log odds of probabilities above 0 and below 1: log(p / (1 - p)).

    >>> logit(np.array([0.5, 0.75])).tolist()
    [0.0, 1.0986122886681096]
    """
    return log(p / (1.0 - p))


def _blockwise(compute: Callable[[Floats, Floats, Scratch], None], x: Floats) -> Floats:
    """Compute block by block, so that what lies between stays in the processor's cache."""
    given = np.ascontiguousarray(x, np.float64)
    result = np.empty(np.shape(x), np.float64)
    flat, into = given.reshape(-1), result.reshape(-1)
    scratch = np.empty((4, min(_BLOCK, len(flat))), np.int64)
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        compute(block, into[start : start + _BLOCK], scratch[:, : len(block)])
    return result


def _log_block(x: Floats, result: Floats, scratch: Scratch) -> None:
    """With x = 2^e m and c the grid point nearest to m: e log 2 + log c + log(1 + (m - c) / c)."""
    if x.min() < _SMALLEST_NORMAL:
        _log_of_small(x, result, scratch)
        return
    bits, table = x.view(np.int64), _logarithms()
    nearest, exponent, scale, point = scratch
    np.add(bits, _HALF_CELL, out=nearest)
    np.right_shift(nearest, 52, out=exponent)
    exponent -= 1023
    np.left_shift(exponent, 52, out=scale)
    np.bitwise_and(nearest, _LEADING_BITS, out=point)
    point -= scale
    rest = np.subtract(bits, scale, out=scale).view(np.float64)
    rest -= point.view(np.float64)
    rest /= point.view(np.float64)
    nearest >>= 52 - _LEADING
    nearest &= _CELLS - 1
    np.multiply(rest, 1 / 3, out=result)
    result -= 0.5
    result *= rest
    result *= rest
    result += rest
    result += table.log.take(nearest, out=rest, mode="clip")
    result += np.multiply(exponent, table.log_two, out=rest)


def _log_of_small(x: Floats, result: Floats, scratch: Scratch) -> None:
    """Where numbers are below the normal ones, compute 2^54 times them."""
    small = x < _SMALLEST_NORMAL
    _log_block(x * np.where(small, 2.0**54, 1.0), result, scratch)
    result -= small * (54 * _logarithms().log_two)


class _Logarithms(NamedTuple):
    """The logarithms of the grid points 1 + i / cells, and of 2."""

    log: Floats
    log_two: float


@lru_cache(maxsize=1)
def _logarithms() -> _Logarithms:
    """Sum log((n + 1) / n) = 2 artanh(1 / (2n + 1)) from point to point."""
    sums = [0]
    for n in range(_CELLS, 2 * _CELLS):
        sums.append(sums[-1] + 2 * _artanh_of_inverse(2 * n + 1))
    logarithms = _rounded(sums)
    return _Logarithms(logarithms[:-1], float(logarithms[-1]))


def _artanh_of_inverse(n: int) -> int:
    """1/n + 1/3n^3 + 1/5n^5 + ..., in `_POINT` binary places."""
    term, total, odd = (1 << _POINT) // n, 0, 1
    while term:
        total += term // odd
        term //= n * n
        odd += 2
    return total


def _rounded(fixed: list[int]) -> Floats:
    """Numbers in `_POINT` binary places as floats: Python rounds such a quotient correctly."""
    return np.array([number / (1 << _POINT) for number in fixed], np.float64)


class _Powers(NamedTuple):
    """2^(i / cells) for every cell, and the step log 2 / cells between them.

    ``step`` has 30 bits, so that its multiples are exact; ``rest_of_step`` is what it lacks.
    """

    power: Floats
    steps_in_one: float
    step: float
    rest_of_step: float


def _exp_block(x: Floats, result: Floats, scratch: Scratch) -> None:
    """With x = (cells e + i) log 2 / cells + r: 2^e 2^(i / cells) exp(r)."""
    table, whole = _powers(), scratch[0]
    rest, steps, part = scratch[1:].view(np.float64)
    np.clip(x, -_LARGEST, _LARGEST, out=rest)
    np.multiply(rest, table.steps_in_one, out=steps)
    np.rint(steps, out=steps)
    rest -= np.multiply(steps, table.step, out=part)
    rest -= np.multiply(steps, table.rest_of_step, out=part)
    np.copyto(whole, steps, casting="unsafe")
    np.multiply(rest, 1 / 6, out=result)
    result += 0.5
    result *= rest
    result *= rest
    result += rest
    np.bitwise_and(whole, _CELLS - 1, out=(cell := steps.view(np.int64)))
    power = table.power.take(cell, out=part, mode="clip")
    result *= power
    result += power
    whole >>= _LEADING
    whole += 1023
    whole <<= 52
    result *= whole.view(np.float64)


def _sigmoid_block(x: Floats, result: Floats, scratch: Scratch) -> None:
    _exp_block(-x, result, scratch)
    result += 1.0
    np.divide(1.0, result, out=result)


@lru_cache(maxsize=1)
def _powers() -> _Powers:
    """Take the root of 2 as often as halves the step, then multiply up."""
    root = 2 << _POINT
    for _ in range(_LEADING):
        root = isqrt(root << _POINT)
    powers = [1 << _POINT]
    for _ in range(_CELLS - 1):
        powers.append(powers[-1] * root >> _POINT)
    log_two = 2 * _artanh_of_inverse(3)
    short = log_two >> _POINT - 30
    rest = log_two - (short << _POINT - 30)
    return _Powers(
        _rounded(powers),
        (_CELLS << _POINT) / log_two,
        short / (_CELLS << 30),
        rest / (_CELLS << _POINT),
    )
