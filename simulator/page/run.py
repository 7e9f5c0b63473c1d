"""One run as its page needs it: its summary, its frames by arm, and the count of its events."""

from typing import NamedTuple

from simulator.folder import RunFolder
from simulator.frame import Frame
from simulator.joins import Joins, joins
from simulator.page.count import Count, counted
from simulator.summary import Summary


class Run(NamedTuple):
    """What is known of one run; ``judged`` is its first arm, ``joins`` are bots that came later."""

    summary: Summary
    judged: str
    frames: dict[str, list[Frame]]
    counted: Count
    joins: Joins = ()

    def of_judged(self) -> list[Frame]:
        """The judged arm's frames."""
        return self.frames.get(self.judged, [])


def read(folder: RunFolder, summary: Summary) -> Run:
    """Read a run's files, each once.

    Raises:
        FolderError: one of them cannot be read.
    """
    judged = next(iter(summary.arms), "")
    frames: dict[str, list[Frame]] = {}
    for arm, frame in folder.frames():
        frames.setdefault(arm, []).append(frame)
    count = counted(folder.events(), judged)
    return Run(summary, judged, frames, count, joins(folder.manifest.scenario))
