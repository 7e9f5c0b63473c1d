"""How much of something is left after some ticks, to the last bit on every machine."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation
from functools import lru_cache
from typing import Final

_DIGITS: Final = 40


@lru_cache(maxsize=4096)
def halving(ticks: int, half_life: float) -> float:
    """What is left of 1 after ``ticks``: 2^(-ticks / half_life), correctly rounded.

    Args:
        ticks: How long it fades; negative ones grow.
        half_life: Ticks in which half fades, above 0; infinity fades nothing.

    >>> halving(48, half_life=24.0), halving(1, half_life=720.0)
    (0.25, 0.9990377588337834)
    """
    return _power_of_two(-ticks, half_life)


@lru_cache(maxsize=4096)
def growth(ticks: int, half_life: float) -> float:
    """By how much new evidence counts more after ``ticks``, for old evidence to stay as it is.

    The inverse of `halving`, 2^(ticks / half_life): forward decay (Cormode et al., "Forward decay:
    a practical time decay model for streaming systems", ICDE 2009).

    >>> growth(48, half_life=24.0)
    4.0
    """
    return _power_of_two(ticks, half_life)


def _power_of_two(ticks: int, half_life: float) -> float:
    """2^(ticks / half_life), by the rounding of `decimal`, which no processor changes."""
    arithmetic = Context(
        prec=_DIGITS,
        rounding=ROUND_HALF_EVEN,
        Emin=-999_999,
        Emax=999_999,
        capitals=1,
        clamp=0,
        flags=[],
        traps=[DivisionByZero, InvalidOperation],
    )
    halvings = arithmetic.divide(Decimal(ticks), Decimal(half_life))
    return float(arithmetic.exp(arithmetic.multiply(halvings, arithmetic.ln(Decimal(2)))))
