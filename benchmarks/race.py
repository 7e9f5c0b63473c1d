"""The race: all contenders on the same mails, lap by lap, so that a slow minute hits them all."""

from dataclasses import replace
from statistics import median
from typing import NamedTuple

from benchmarks import report
from benchmarks.loop import Lap, Loop, corpus_scenario
from benchmarks.plan import Plan
from benchmarks.rivals import River, vowpal_lap
from benchmarks.strings import Strings

LOOP = "closed loop"
HASHED = "closed loop, hashed corpus"
TWIN = "closed loop and its twin"
RIVER = "River, predict and learn"
VOWPAL = "Vowpal Wabbit, learn"
VOWPAL_LINES = "Vowpal Wabbit, learn, lines ready"


class Spread(NamedTuple):
    """A median with the least and the greatest of what was measured."""

    median: float
    min: float
    max: float


Laps = dict[str, list[Lap]]


def race(plan: Plan, path: str, said: Strings) -> tuple[Laps, Loop]:
    """Run all laps; also gives the loop, for somebody who wants to run on with it.

    Raises:
        RuntimeError: the loop on strings and the one on the hashed corpus gave other results.
    """
    loops = _loops(plan, path, said)
    for loop in loops.values():
        loop.lap(plan.warm_up)
    river = River()
    laps: Laps = {}
    for number in range(plan.rounds):
        for name, loop in loops.items():
            laps.setdefault(name, []).append(loop.lap(plan.lap))
        rows = loops[LOOP].dealt
        texts, spam = [said.texts[row] for row in rows], [said.spam[row] for row in rows]
        some = plan.river_mails
        laps.setdefault(RIVER, []).append(river.lap(texts[:some], spam[:some]))
        both = vowpal_lap(texts, spam)
        laps.setdefault(VOWPAL, []).append(both.from_strings)
        laps.setdefault(VOWPAL_LINES, []).append(both.from_lines)
        report.round_done(number + 1, plan.rounds, {n: done[-1].rate for n, done in laps.items()})
    if loops[LOOP].hash != loops[HASHED].hash:
        raise RuntimeError("the loop on strings and on the hashed corpus gave other results")
    return laps, loops[LOOP]


def _loops(plan: Plan, path: str, said: Strings) -> dict[str, Loop]:
    duration = plan.warm_up + plan.lap * (plan.rounds + 1)
    full = corpus_scenario(path, plan.mails_per_tick, duration, plan.start_mails)
    loops = {LOOP: Loop(full, said), HASHED: Loop(full)}
    twin = replace(full, arms=("attacked", "twin"))
    loops[TWIN] = Loop(twin, said)
    for size in plan.small_ticks:
        small = corpus_scenario(path, size, duration, plan.start_mails)
        loops[small_tick(size)] = Loop(small, said)
    return loops


def small_tick(size: int) -> str:
    """The name of the loop with so many mails a tick."""
    return f"closed loop, {size} mails a tick"


def spread(values: list[float]) -> Spread:
    """Median, least and greatest.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, min=1.0, max=3.0)
    """
    return Spread(median(values), min(values), max(values))


def rate(laps: Laps, name: str) -> Spread:
    """A contender's mails a second."""
    return spread([lap.rate for lap in laps[name]])


def ratio(laps: Laps, name: str, other: str) -> Spread:
    """How many times as fast one is as another, in the same round."""
    pairs = zip(laps[name], laps[other], strict=True)
    return spread([one.rate / two.rate for one, two in pairs])
