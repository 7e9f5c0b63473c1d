"""Phases: an arm's damage before, under and after the attack, and how two arms differ in it."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from simulator.frame import Frame
from simulator.loop import Prepared
from simulator.metrics import inbox_share, inside, window
from simulator.phases import AFTER, ALL, BEFORE, UNDER

NOTABLE = 0.005
"""Difference of two shares from which it is spoken of."""


class Phase(msgspec.Struct, frozen=True):
    """An arm's damage in a phase of the run: before, under or after the attack; or all of it."""

    arm: str
    phase: str
    start: int
    end: int
    ham_misclassified: float | None
    spam_misclassified: float | None
    campaign_in_inbox: float | None


class Beside(NamedTuple):
    """What two arms misclassify of a label, from the attack's start on.

    Args:
        label: ``ham`` or ``spam``.
        phases: those in which both have data, `UNDER` and `AFTER`.
        ours: the share of one arm in each of them.
        theirs: that of the other one.
    """

    label: str
    phases: tuple[str, ...]
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def notable(self) -> bool:
        """Whether they differ by so much that it is spoken of."""
        return any(abs(a - b) >= NOTABLE for a, b in zip(self.ours, self.theirs, strict=True))


def beside(told: Iterable[Phase], ours: str, theirs: str) -> list[Beside]:
    """Two arms beside each other, spam first; nothing of a label of which there is no data."""
    rows = {(one.arm, one.phase): one for one in told}
    found = []
    for label in ("spam", "ham"):
        pairs = {
            phase: tuple(
                getattr(rows[arm, phase], f"{label}_misclassified")
                if (arm, phase) in rows
                else None
                for arm in (ours, theirs)
            )
            for phase in (UNDER, AFTER)
        }
        known = {phase: pair for phase, pair in pairs.items() if None not in pair}
        if known:
            found.append(Beside(label, tuple(known), *zip(*known.values(), strict=True)))
    return found


def phases(prepared: Prepared) -> list[Phase]:
    """Each arm's phases; without an attack there is one, ``all``."""
    start, end = window(prepared)
    duration = prepared.scenario.duration
    spans = [(ALL, 0, duration)]
    if prepared.strike:
        spans = [(BEFORE, 0, start), (UNDER, start, end), (AFTER, end, duration)]
    return [
        _phase(arm.frames, name, *span)
        for name, arm in prepared.arms.items()
        for span in spans
        if span[2] > span[1]
    ]


def _phase(frames: list[Frame], arm: str, phase: str, start: int, end: int) -> Phase:
    here = inside(frames, start, end)
    ham = sum(frame.ham for frame in here)
    spam = sum(frame.spam for frame in here)
    return Phase(
        arm,
        phase,
        start,
        end,
        sum(frame.ham_in_spam for frame in here) / ham if ham else None,
        sum(frame.spam_in_inbox for frame in here) / spam if spam else None,
        inbox_share(here),
    )
