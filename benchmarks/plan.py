"""How much is measured: the sizes of one run of the benchmark."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Plan:
    """The sizes of a run.

    Args:
        mails_per_tick: ordinary mails a tick in the loop that is compared.
        small_ticks: sizes of a tick that are measured beside it.
        warm_up: ticks before the first lap; from 48 on (the mail window) every buffer is full.
        lap: ticks of a lap; 24 of them hold what is done once a day exactly once.
        rounds: laps of each contender.
        river_mails: mails of a lap that River takes, which is slow.
        start_mails: labelled mails, and as much further ham, that the filter starts from.
        growth: numbers of synthetic mails of the runs whose time and memory are compared.
        growth_mails_per_tick: ordinary mails a tick in those runs.
        growth_repeats: how often the small ones among them are run.
        seeds: of a run with one process and with two.
        seed_ticks: of each of them.
        seed_rounds: how often both are timed.
    """

    mails_per_tick: int = 2000
    small_ticks: tuple[int, ...] = (500, 75)
    warm_up: int = 48
    lap: int = 24
    rounds: int = 7
    river_mails: int = 3000
    start_mails: int = 2000
    growth: tuple[int, ...] = (10_000, 31_600, 100_000, 316_000, 1_000_000)
    growth_mails_per_tick: int = 500
    growth_repeats: int = 3
    seeds: int = 4
    seed_ticks: int = 300
    seed_rounds: int = 3


FULL: Final = Plan()
QUICK: Final = Plan(
    warm_up=6,
    lap=6,
    rounds=3,
    river_mails=500,
    growth=(2_000, 4_000, 8_000, 16_000, 32_000),
    growth_repeats=1,
    seeds=2,
    seed_ticks=62,
    seed_rounds=1,
)
