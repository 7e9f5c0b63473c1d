"""The player: which hour of a recording is looked at, and what is asked of a run that goes on."""

from collections.abc import Callable

from msgspec import structs

from simulator.console.recording import Recording, Watched
from simulator.console.turns import START, Turn
from simulator.durable import FolderError
from simulator.manifest import ENDED, INTERRUPTED, RUNNING
from simulator.steering import Asked, ask, read

SPEEDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 0.0)
"""Ticks a second; the last one is as many as can be."""
REPLAY = 8.0
NO_FOLDER = "topics can only be watched: for this, watch the folder of the run"
NOBODY_JOINS = "bots join a run with an attack while it goes on: this one does not"


class Player:
    """Plays a recording: at the end of a run that goes on, else from the beginning.

    What it cannot do it says: methods that may have something to tell give it as a text.

    Args:
        recording: what is played.
        behind: of a run that ends when the console is left, whether it lives.
        clock: seconds, for the pace of a replay.
    """

    def __init__(
        self, recording: Watched, behind: Callable[[], bool] | None, clock: Callable[[], float]
    ) -> None:
        """Find out whether the run goes on."""
        self.recording = recording
        self._behind, self._clock = behind, clock
        self._then = clock()
        self.status = self._now()
        self.live = self.status == RUNNING
        self.paused = False
        self.asked = Asked()
        self.failed = ""
        """What went wrong with reading, as long as it does."""
        self._speed = 0.0 if self.live else REPLAY
        self._position = 0.0

    @property
    def ends_the_run(self) -> bool:
        """Whether leaving the console ends the run."""
        return self._behind is not None

    @property
    def pace(self) -> float:
        """Ticks a second; 0: as many as can be."""
        return self.asked.speed if self.live else self._speed

    @property
    def holds_the_run(self) -> bool:
        """Whether the run itself waits."""
        return self.status == RUNNING and self.asked.paused

    def advance(self) -> str:
        """Read what is new, and go on as the clock does."""
        now = self._clock()
        passed, self._then = now - self._then, now
        said = ""
        try:
            said = self._look()
            self.recording.read()
            self._go(passed)
            self.failed = ""
        except FolderError as error:
            self.failed = self._told(error)
        return said

    def _look(self) -> str:
        """Whether the run still goes on, and what is asked of it."""
        if self.status in ENDED:
            return ""
        before, self.status = self.status, self._now()
        if self.status == RUNNING:
            self.asked = read(self.recording.path) if self.recording.path else Asked()
            if before != RUNNING:
                self.live = True
                return "the run goes on"
        elif before == RUNNING:
            leave = "q shows what it came to" if self.ends_the_run else "q leaves"
            return f"the run has ended ({self.status}); ← → Home look back, {leave}"
        return ""

    def _now(self) -> str:
        """The run's status; one behind the console may not have begun to write yet."""
        status = self.recording.status()
        preparing = status == INTERRUPTED and self._behind is not None and self._behind()
        return RUNNING if preparing else status

    def _go(self, passed: float) -> None:
        if self.paused:
            return
        last = self.recording.last
        if self.live:
            self._position = last
        else:
            self._position = min(self._position + passed * (self._speed or 1e9), max(last, 0))
        self.recording.go(int(self._position))
        self.live = self.live and self.status == RUNNING

    def show(self, tick: int) -> None:
        """Look at a tick, by hand: the view leaves the end of a run that goes on, and stays."""
        if self.recording.path is None:
            return
        self.live, self.paused = False, True
        self._position = float(min(max(tick, 0), max(self.recording.last, 0)))
        try:
            self.recording.go(int(self._position))
        except FolderError as error:
            self.failed = self._told(error)

    def turn(self) -> Turn | None:
        """The next turn of the story, after the last one the first; None: topics tell of none."""
        if not isinstance(self.recording, Recording):
            return None
        known = self.recording.turns()
        after = (one for one in known if one.tick > self.recording.seen.tick)
        return next(after, START)

    def follow(self) -> None:
        """Look at the last tick, and stay there while the run goes on."""
        self.show(self.recording.last)
        self.live = self.status == RUNNING
        self.paused = False

    def hold(self) -> None:
        """Hold the view, or let it go on; the run does not notice."""
        self.paused = not self.paused

    def hold_run(self) -> str:
        """Let the run wait, or go on; in a replay, the replay."""
        if self.status == RUNNING:
            return self._ask(structs.replace(self.asked, paused=not self.asked.paused))
        self.hold()
        return ""

    def faster(self, step: int) -> str:
        """Faster or slower: the run, if it goes on, else the replay."""
        place = SPEEDS.index(self.pace) if self.pace in SPEEDS else 2
        speed = SPEEDS[min(max(place + step, 0), len(SPEEDS) - 1)]
        if self.status == RUNNING and self.live:
            return self._ask(structs.replace(self.asked, speed=speed))
        self._speed = speed
        return ""

    def join(self, count: int) -> str:
        """Let more bots join the attack, from the next tick on."""
        if self.status != RUNNING or not self.recording.plan.attack:
            return NOBODY_JOINS
        failed = self._ask(structs.replace(self.asked, bots=self.asked.bots + count))
        total = f", {self.asked.bots} in all" if self.asked.bots > count else ""
        said = "a bot" if count == 1 else f"{count} bots"
        return failed or f"{said} asked for{total}; the log says when they join"

    def _ask(self, asked: Asked) -> str:
        if self.recording.path is None:
            return NO_FOLDER
        try:
            ask(self.recording.path, asked)
        except FolderError as error:
            return self._told(error)
        self.asked = asked
        return ""

    def _told(self, error: FolderError) -> str:
        """What went wrong, without the folder that everybody knows, which would fill the line."""
        folder = f"{self.recording.path}/" if self.recording.path else ""
        return str(error).replace(folder, "") if folder else str(error)
