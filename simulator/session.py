"""A session: a run from its first tick, or from a checkpoint, to its end; written as it goes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from simulator import checkpoint, manifest
from simulator.arms import AttackError
from simulator.dealt import Dealt
from simulator.display import beginning
from simulator.exits import say
from simulator.folder import FolderError, RunFolder
from simulator.frame import Frame
from simulator.journal import Journal, Offsets
from simulator.loop import Engines, Prepared, prepare, thaw, ticks
from simulator.manifest import DONE, ENDED, ERROR, INTERRUPTED
from simulator.running import Progress, Running
from simulator.saver import Pace, Saver
from simulator.scenario import Scenario
from simulator.signals import Signals
from simulator.steering import Steering
from simulator.summary import Summary, summarise
from simulator.thresholds import Threshold

__all__ = ["Display", "Pace", "Progress", "simulate"]

OnFrames = Callable[[str, Frame], None]


class Display(Protocol):
    """Shows a run to people; decides itself when to draw."""

    def begin(self, lines: Sequence[str]) -> None:
        """Before the first tick."""
        ...

    def tick(self, progress: Progress) -> None:
        """After every tick."""
        ...

    def end(self, summary: Summary, folder: Path, command: str) -> None:
        """After the last tick; ``command`` makes the same run again."""
        ...


class Watcher(Protocol):
    """Looks at a run from inside, arms and all; decides nothing."""

    def begin(self, prepared: Prepared) -> None:
        """Before the first tick that is simulated now."""
        ...

    def tick(self, progress: Progress) -> None:
        """After every tick."""
        ...


def simulate(
    scenario: Scenario,
    folder: RunFolder,
    display: Display,
    thresholds: list[Threshold],
    on_frames: OnFrames | None = None,
    resume: bool = False,
    pace: Pace = Pace(),  # noqa: B008  a value
    speed: float = 0.0,
    watcher: Watcher | None = None,
) -> Summary:
    """Run a scenario into its folder, or go on with it; a finished run gives its summary again.

    The first SIGINT or SIGTERM ends the run after its tick: it is saved and can be resumed. The
    second one ends it at once: it can be resumed from its last checkpoint.

    Args:
        scenario: what to run; of a run that goes on, its own (`RunFolder.scenario`).
        folder: the run's.
        display: shows it.
        thresholds: what has to hold.
        on_frames: is given each frame that is simulated now, and its arm's name.
        resume: go on with the run that the folder holds.
        pace: how often to make checkpoints.
        speed: ticks a second at most; 0 for as many as can be. Whoever watches may ask for another.
        watcher: looks at the arms after every tick.

    Raises:
        FolderError: the folder cannot be written, or the run in it cannot go on: something that
            its result depends on has changed, or its classifier's state cannot be saved.
        KeyboardInterrupt: at the second signal.
    """
    before = folder.manifest
    now = manifest.begun(scenario, before.began, before.command)
    if resume:
        manifest.must_be_its_own(before, now)
        if before.status in ENDED:
            summary = folder.summary()
            display.end(summary, folder.path, before.command)
            return summary
    with elsewhere(scenario, folder.run_id(), folder.path) as engines:
        prepared = prepare(scenario, engines)
        now = _prepared(now, prepared)
        if resume:
            manifest.must_go_on(before, now)
        with Journal(folder.path, prepared) as journal:
            start, notes = _where_to_begin(folder, prepared, journal, resume)
            prepared = prepared._replace(notes=prepared.notes + notes)
            folder.save(now)
            display.begin(beginning(prepared, folder.path))
            saver = Saver(prepared, folder.checkpoints, journal, pace)
            steering = Steering(folder.path, speed)
            session = _Session(folder, prepared, journal, saver, steering, on_frames, watcher)
            status, why = session.play(start, display)
    summary = summarise(prepared, thresholds, status, why)
    folder.save_summary(summary)
    if status in ENDED:
        checkpoint.forget(folder.checkpoints)
    display.end(summary, folder.path, folder.manifest.command)
    return summary


def elsewhere(
    scenario: Scenario, run: str, folder: Path | None
) -> AbstractContextManager[Engines | None]:
    """What makes the engine of the judged arm; its modules are imported only if it is on Kafka."""
    if scenario.engine == "embedded":
        return nullcontext()
    from simulator.fleet import engines

    return engines(scenario, run, folder, say)


def _prepared(begun: manifest.Manifest, prepared: Prepared) -> manifest.Manifest:
    """The manifest with what is known when a run is prepared."""
    return manifest.with_world(
        begun, prepared.plugins, corpus_digest(prepared), prepared.scenario.duration
    )


def corpus_digest(prepared: Prepared) -> str:
    """The digest of the corpus file; empty for synthetic mail."""
    mail = prepared.world.source
    return mail.corpus.digest if isinstance(mail, Dealt) else ""


def _must_travel(prepared: Prepared) -> None:
    if not prepared.travels:
        raise FolderError(
            f"this run cannot be resumed: the state of {prepared.scenario.filter.model} cannot be"
            " saved safely (no pickle is ever loaded), so it has no checkpoints; start a new run"
        )


def _where_to_begin(
    folder: RunFolder, prepared: Prepared, journal: Journal, resume: bool
) -> tuple[int, tuple[str, ...]]:
    """The first tick to simulate, and what to say of it."""
    empty = journal.offsets() == Offsets(0, 0)
    if not resume and not empty:
        raise FolderError(f"{folder.path} already holds a run; resume it, or start a new one")
    if not resume:
        return 0, ()
    if not empty:
        _must_travel(prepared)
    return _taken_up(folder, prepared, journal)


def _taken_up(
    folder: RunFolder, prepared: Prepared, journal: Journal
) -> tuple[int, tuple[str, ...]]:
    """Take up the latest valid checkpoint: the next tick, and what to say of those refused."""
    found, notes = checkpoint.latest(folder.checkpoints, journal.offsets())
    if found is None:
        checkpoint.forget(folder.checkpoints)
        journal.cut(Offsets(0, 0))
        return 0, (*notes, "no checkpoint to go on from: the run starts again from its first tick")
    checkpoint.forget(folder.checkpoints, after=found.tick)
    thaw(prepared, found.state, found.tick)
    journal.cut(found.offsets)
    return found.tick + 1, notes


class _Session:
    """A run on its way."""

    def __init__(
        self,
        folder: RunFolder,
        prepared: Prepared,
        journal: Journal,
        saver: Saver,
        steering: Steering,
        on_frames: OnFrames | None,
        watcher: Watcher | None,
    ) -> None:
        self._folder = folder
        self._prepared = prepared
        self._journal = journal
        self._saver = saver
        self._steering = steering
        self._on_frames = on_frames
        self._watcher = watcher
        self._running = Running(prepared)

    def play(self, start: int, display: Display) -> tuple[str, str]:
        """Simulate to the end, or until somebody asks to end: the status, and what went wrong."""
        scenario = self._prepared.scenario
        last = scenario.duration + scenario.feedback_delay - 1
        if self._watcher is not None:
            self._watcher.begin(self._prepared)
        with Signals() as signals:
            try:
                for tick in ticks(self._prepared, start):
                    self._write()
                    progress = self._running.progress(tick, self._saver.seconds())
                    display.tick(progress)
                    if self._watcher is not None:
                        self._watcher.tick(progress)
                    if tick < last:
                        self._steering.wait(lambda: signals.asked)
                        self._intervene(tick + 1)
                    if tick < last and signals.asked:
                        self._saver.save(tick)
                        return INTERRUPTED, ""
                    if tick < last:
                        self._saver.save_if_due(tick)
            except AttackError as error:
                self._write()
                self._journal.alert(self._running.seen, str(error))
                return ERROR, str(error)
        return DONE, ""

    def _intervene(self, tick: int) -> None:
        """Let the bots join that somebody asked for; the manifest says so before they act."""
        count = self._steering.joining()
        ends = tick >= self._prepared.scenario.duration
        if not count or ends or self._prepared.strike is None:
            return
        self._folder.save(manifest.with_bots(self._folder.manifest, tick, count))
        self._prepared.more[tick] = self._prepared.more.get(tick, 0) + count

    def _write(self) -> None:
        for arm, frame in self._journal.write():
            self._running.add(arm, frame)
            if self._on_frames is not None:
                self._on_frames(arm, frame)
