"""The turns of a run's story: the few hours at which something began, or happened first."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from filter.events import HOLD, ROLL_BACK
from simulator.console.plan import Plan
from simulator.frame import Frame
from simulator.joins import joined

JOINS = 8
"""Hours at which bots joined that are turns, at most: the first ones."""


class Turn(NamedTuple):
    """A tick, and what happens at it."""

    tick: int
    text: str


START = Turn(0, "the run begins")


def turns(plan: Plan, frames: Sequence[Frame]) -> list[Turn]:
    """The turns so far, in their order; those of one tick are one.

    Args:
        plan: of the run.
        frames: of its judged arm, all there are.
    """
    found: dict[int, list[str]] = {}
    for turn in _turns(plan, frames):
        if frames and turn.tick <= frames[-1].tick:
            found.setdefault(turn.tick, []).append(turn.text)
    return [Turn(tick, ", ".join(found[tick])) for tick in sorted(found)]


def _turns(plan: Plan, frames: Sequence[Frame]) -> Iterator[Turn]:
    yield START
    if plan.attack:
        yield Turn(plan.start, "the attack begins")
        yield Turn(plan.end, "the attack ends")
        yield from _first(frames, _found(plan), "the attack is detected")
    for tick, count in plan.joins[:JOINS]:
        yield Turn(tick, joined(count))
    yield from _first(frames, lambda frame: frame.alarms > 0, "the first alarm")
    yield from _first(
        frames, lambda frame: frame.release == HOLD, "the gate holds for the first time"
    )
    yield from _first(
        frames, lambda frame: frame.release == ROLL_BACK, "the gate rolls back for the first time"
    )
    if frames:
        ended = frames[-1].tick >= plan.duration - 1
        yield Turn(frames[-1].tick, "the last hour" if ended else "the last hour so far")


def _found(plan: Plan) -> Callable[[Frame], bool]:
    """Whether a frame detects the attack, as `ticks_to_detect` has it."""
    refused = (HOLD, ROLL_BACK)
    return lambda frame: (
        plan.attacked(frame.tick) and (frame.alarms_true > 0 or frame.release in refused)
    )


def _first(frames: Sequence[Frame], happens: Callable[[Frame], bool], text: str) -> Iterator[Turn]:
    tick = next((frame.tick for frame in frames if happens(frame)), None)
    if tick is not None:
        yield Turn(tick, text)
