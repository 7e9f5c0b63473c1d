"""How far a run is, kept as sums while it goes: no frame is looked at twice."""

from typing import NamedTuple

from simulator.arms import TWINS
from simulator.frame import Frame
from simulator.loop import Prepared
from simulator.metrics import window
from simulator.phases import ALL, phase


class Progress(NamedTuple):
    """How far a run is.

    ``attack_success`` and ``..._misclassified`` are those of the judged arm, as ratios of sums:
    of the run so far before the attack, of the attack so far under it, and of all of it after it.

    Args:
        tick: ticks done.
        duration: ticks of the run.
        mails: simulated in this session, in all arms.
        seconds: since this session began to simulate.
        attack_success: share of the campaign in the inbox, less the twin's; None: no data.
        ham_misclassified: share of ham in the spam folder; None: no data.
        phase: ``before``, ``under`` or ``after`` the attack; ``all`` without one.
        spam_misclassified: share of spam, without the campaign, in the inbox; None: no data.
        hour: the last tick that was measured, the first one being 0: the hour that is told. Of
            several seeds, which have none in common, -1.
    """

    tick: int
    duration: int
    mails: int
    seconds: float
    attack_success: float | None
    ham_misclassified: float | None
    phase: str
    spam_misclassified: float | None = None
    hour: int = -1


class _Sums:
    """Ham, spam and campaign mail of an arm, and how much of it was put where it should not be."""

    def __init__(self) -> None:
        self._ham = self._ham_in_spam = 0
        self._spam = self._spam_in_inbox = 0
        self._campaign = self._campaign_in_inbox = 0

    def add(self, frame: Frame) -> None:
        self._ham += frame.ham
        self._ham_in_spam += frame.ham_in_spam
        self._spam += frame.spam
        self._spam_in_inbox += frame.spam_in_inbox
        self._campaign += frame.campaign
        self._campaign_in_inbox += frame.campaign_in_inbox

    def ham_misclassified(self) -> float | None:
        return self._ham_in_spam / self._ham if self._ham else None

    def spam_misclassified(self) -> float | None:
        return self._spam_in_inbox / self._spam if self._spam else None

    def success(self, twin: "_Sums") -> float | None:
        if not self._campaign or not twin._campaign:
            return None
        theirs = twin._campaign_in_inbox / twin._campaign
        return self._campaign_in_inbox / self._campaign - theirs


class Running:
    """What progress is made of: sums that each frame is added to once."""

    def __init__(self, prepared: Prepared) -> None:
        self._scenario = prepared.scenario
        self._start, self._end = window(prepared)
        self._attacked = prepared.strike is not None
        self._fork = prepared.fork
        self._judged = next(iter(prepared.arms))
        self._twin = TWINS.get(self._judged, "")
        self._sums: dict[str, _Sums] = {}
        self._mails = 0
        self.seen = 0
        for name, arm in prepared.arms.items():
            for frame in arm.frames:
                self._add(name, frame)

    def add(self, arm: str, frame: Frame) -> None:
        """Add a frame that was simulated now."""
        if arm == self._judged or frame.tick >= self._fork:
            self._mails += frame.mails
        self._add(arm, frame)

    def _add(self, arm: str, frame: Frame) -> None:
        self.seen = max(self.seen, frame.tick)
        if arm not in (self._judged, self._twin) or frame.tick >= self._end:
            return
        if arm not in self._sums or frame.tick == self._start:
            self._sums[arm] = _Sums()
        self._sums[arm].add(frame)

    def progress(self, tick: int, seconds: float) -> Progress:
        """How far the run is after a tick."""
        duration = self._scenario.duration
        ours, theirs = (self._sums.get(arm, _Sums()) for arm in (self._judged, self._twin))
        return Progress(
            tick=min(tick + 1, duration),
            duration=duration,
            mails=self._mails,
            seconds=seconds,
            attack_success=ours.success(theirs),
            ham_misclassified=ours.ham_misclassified(),
            phase=self._phase(),
            spam_misclassified=ours.spam_misclassified(),
            hour=self.seen,
        )

    def _phase(self) -> str:
        return phase(self.seen, self._start, self._end) if self._attacked else ALL
