"""A recording: a run's folder, up to the tick that is looked at; live, or again from the start."""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from sys import intern
from typing import Protocol

import msgspec

from simulator.console.carried import Carried
from simulator.console.following import Line, Lines, sound
from simulator.console.plan import Plan, plan
from simulator.console.seen import Seen
from simulator.console.turns import Turn, turns
from simulator.durable import FolderError
from simulator.folder import EVENTS, FRAMES, RunFolder, being_written
from simulator.frame import Frame
from simulator.joins import joins
from simulator.manifest import INTERRUPTED, RUNNING

KNOWN = Frame.__struct_fields__
RULED = ("rulings_people", "rulings_bots")
NONE: dict[str, int] = {}
"""No rulings: the same object in all frames, of which many are kept."""


class Watched(Protocol):
    """What the console can look at: a run's folder, or its topics.

    ``path`` is the folder, if there is one: what can be steered, looked at again, and saved.
    """

    plan: Plan
    seen: Seen
    path: Path | None

    @property
    def last(self) -> int:
        """The last tick that there is."""
        ...

    def status(self) -> str:
        """``running``, or how it ended."""
        ...

    def read(self) -> None:
        """Take note of what is new."""
        ...

    def go(self, tick: int) -> None:
        """See all there is up to a tick."""
        ...


class Recording:
    """What a run has written so far, and what was seen of it up to a tick.

    Frames are kept, for they are small and a chart needs them all; events are read when they are
    looked at. Going back reads them again.

    Args:
        folder: the run's.
        carried: tells who carries it, while it goes on.
    """

    def __init__(self, folder: RunFolder, carried: Callable[[], Carried] | None = None) -> None:
        """Nothing was read yet."""
        folder.must_be_one()
        self.folder = folder.path
        self.path: Path | None = folder.path
        self.plan: Plan = plan(sound(folder.manifest.scenario), folder.manifest.duration)
        self.seen = Seen(self.plan)
        self._carried, self._goes_on = carried, False
        self._frames = Lines(folder.path / FRAMES)
        self._events = Lines(folder.path / EVENTS)
        self._known: list[tuple[str, Frame]] = []
        self._given = 0
        self._waiting: deque[Line] = deque()

    @property
    def last(self) -> int:
        """The last tick of which there are frames."""
        return self._known[-1][1].tick if self._known else -1

    def turns(self) -> list[Turn]:
        """The turns of the run's story, also those that were not looked at yet."""
        return turns(self.plan, [frame for arm, frame in self._known if arm == self.plan.judged])

    def status(self) -> str:
        """What the manifest says now: ``running``, ``done``, ``interrupted`` or ``error``."""
        found = RunFolder.open(self.folder)
        status = found.manifest.status
        self._goes_on = status == RUNNING and being_written(found.path)
        return INTERRUPTED if status == RUNNING and not self._goes_on else status

    def read(self) -> None:
        """Take note of the frames that were written since the last time.

        Raises:
            FolderError: a file cannot be read.
        """
        try:
            self._read()
        except FolderError:
            self._frames.rewind()  # it may be a moment of a resume: all of it is read again
            self._known = []
            self._back()
            raise
        self.seen.carried = self._carried() if self._carried and self._goes_on else None

    def _read(self) -> None:
        while lines := self._frames.new():
            if self._frames.begun_anew():
                self._known = []
                self._back()
            self._known += [_frame(line, self.folder / FRAMES) for line in lines]
            self._learn_joins()

    def _learn_joins(self) -> None:
        """Learn which bots joined the run: its manifest has them before a frame does."""
        more = joins(RunFolder.open(self.folder).manifest.scenario)
        if more != self.plan.joins:
            self.plan = self.seen.plan = self.plan._replace(joins=more)

    def go(self, tick: int) -> None:
        """See all there is up to a tick; if that is before what was seen, from the start again.

        Raises:
            FolderError: a file cannot be read.
        """
        if tick < self.seen.tick:
            self._back()
        while self._given < len(self._known) and self._known[self._given][1].tick <= tick:
            arm, frame = self._known[self._given]
            self._events_to(frame.tick - 1)
            self.seen.frame(arm, frame)
            self._given += 1
        self._events_to(tick)

    def _events_to(self, tick: int) -> None:
        for line in self._until(tick):
            try:
                self.seen.event(line)
            except (KeyError, TypeError, AttributeError) as error:
                raise _unfit(self.folder / EVENTS, error) from error

    def _back(self) -> None:
        carried, self.seen = self.seen.carried, Seen(self.plan)
        self.seen.carried = carried
        self._given = 0
        self._events.rewind()
        self._waiting.clear()

    def _until(self, tick: int) -> Iterator[Line]:
        """The events up to a tick that were not given yet."""
        while True:
            while self._waiting and self._waiting[0]["tick"] <= tick:
                yield self._waiting.popleft()
            if self._waiting:
                return
            more = self._events.new()
            if not more:
                return
            self._waiting.extend(more)


def _frame(line: Line, path: Path) -> tuple[str, Frame]:
    try:
        for of in RULED:
            line[of] = {intern(ruling): many for ruling, many in line[of].items()} or NONE
        return intern(line["arm"]), msgspec.convert({name: line[name] for name in KNOWN}, Frame)
    except (KeyError, AttributeError, TypeError, msgspec.ValidationError) as error:
        raise _unfit(path, error) from error


def _unfit(path: Path, error: Exception) -> FolderError:
    return FolderError(f"{path}: cannot be read: a line without {error}")
