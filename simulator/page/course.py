"""The course of a run: shares over simulated time, from its frames, few enough points to draw."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from filter.events import HOLD, PROMOTE, ROLL_BACK
from simulator.frame import Frame
from simulator.metrics import RATES

HOURS = 6
"""Hours that a share is taken over, as for `ticks_to_compromise`."""
POINTS, BINS = 400, 96
"""What a chart draws at most, however long the run: of a line, and of a stack."""
STATES = (ROLL_BACK, HOLD, PROMOTE)
"""What the gate did; of several in one place, the first is shown."""


class Curve(NamedTuple):
    """A share at some ticks; nan where there was nothing to measure."""

    ticks: list[int]
    shares: list[float]

    def highest(self) -> tuple[float, int] | None:
        """The highest share and its tick."""
        known = [(share, -tick) for tick, share in zip(*self, strict=True) if share == share]
        share, tick = max(known, default=(-1.0, 0))
        return (share, -tick) if known else None


class Bins(NamedTuple):
    """Counts an hour, by what was counted, between edges (ticks)."""

    edges: list[int]
    rates: dict[str, list[float]]


class Span(NamedTuple):
    """What the gate did from a tick to before another."""

    state: str
    start: int
    end: int


def curve(frames: Sequence[Frame], rate: str, hours: int = HOURS) -> Curve:
    """A rate of `simulator.metrics.RATES` as a ratio of sums over the last hours."""
    part, whole = ([0.0, *accumulate(map(count, frames))] for count in RATES[rate])
    apart = -(-len(frames) // POINTS) or 1
    places = range(len(frames) - 1, -1, -apart)[::-1]
    spans = [(max(0, place + 1 - hours), place + 1) for place in places]
    shares = [
        (part[end] - part[start]) / all_of
        if (all_of := whole[end] - whole[start])
        else float("nan")
        for start, end in spans
    ]
    return Curve([frames[place].tick for place in places], shares)


def binned(flow: Mapping[tuple[int, bool, str], int], bot: bool, duration: int) -> Bins:
    """Votes an hour by what became of them, of bots or of people."""
    size = -(-duration // BINS) or 1
    edges = list(range(0, duration + size, size))
    rates: dict[str, list[float]] = {}
    for (tick, of_bot, ruling), votes in flow.items():
        if of_bot == bot and 0 <= tick < edges[-1]:
            rate = rates.setdefault(ruling, [0.0] * (len(edges) - 1))
            rate[tick // size] += votes / size
    return Bins(edges, rates)


def gate(frames: Sequence[Frame]) -> list[Span]:
    """What the gate did, in spans."""
    size = -(-len(frames) // POINTS) or 1
    spans: list[Span] = []
    for place in range(0, len(frames), size):
        here = frames[place : place + size]
        seen = {frame.release for frame in here}
        state = next((state for state in STATES if state in seen), "")
        start, end = here[0].tick, here[-1].tick + 1
        if spans and spans[-1].state == state and spans[-1].end == start:
            spans[-1] = spans[-1]._replace(end=end)
        else:
            spans.append(Span(state, start, end))
    return [span for span in spans if span.state]
