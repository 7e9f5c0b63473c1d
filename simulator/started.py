"""What ``hamstrung run`` does: resolve, make the folder, simulate, tell."""

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from filter.plugins import SettingsError
from simulator import stdout
from simulator.display import FULL, Full, Nothing, Shown, display
from simulator.exits import INTERRUPTED, of_summary, say
from simulator.flags import Flags, option, together
from simulator.spelling import pace, whole

if TYPE_CHECKING:
    from simulator.folder import RunFolder
    from simulator.scenario import Scenario
    from simulator.session import Watcher
    from simulator.summary import Replicate, Summary
    from simulator.thresholds import Threshold

HOW = ("display", "json", "resume", "jobs", "speed", "junit", "prometheus_port")
"""The flags that a run which goes on may have: they say how it is shown, not what it is."""
MOST = 10_000
"""Replicates, or processes at a time, at most."""

SCENARIOS = Path(__file__).parent / "scenarios"


def version() -> str:
    """The program's version."""
    try:
        return metadata.version("hamstrung")
    except metadata.PackageNotFoundError:
        return "of a checkout"


def start(name: str | None, flags: Flags, a_child: bool = False) -> int:
    """Run a scenario, or go on with a run; gives the exit code.

    Args:
        name: the scenario's.
        flags: of the command line.
        a_child: whether a process of ours began this one, maybe with a console that already asks.
    """
    every = together(flags, os.environ, Path())
    shown = display(every.display)
    if every.resume:
        return _show(
            shown, every, lambda: _resumed(name, flags, every.resume or "", shown, a_child)
        )
    if name is None:
        raise SettingsError("which scenario? try: hamstrung run quickstart (or: list scenarios)")
    _greet(name, shown)
    return _show(shown, every, lambda: _fresh(name, flags, shown))


Simulate = Callable[[], "Summary"]


def _show(shown: Shown, every: Flags, simulate: Simulate) -> int:
    """Simulate, and leave the terminal as it was whatever happens."""
    try:
        summary = simulate()
    except KeyboardInterrupt:
        shown.close()
        say("interrupted; if it had begun, go on with: hamstrung run --resume latest")
        return INTERRUPTED
    finally:
        shown.close()
    if every.json:
        stdout.summary(summary)
    if every.junit:
        from simulator import junit

        junit.save(Path(every.junit), summary)
    code = of_summary(summary)
    if code and not isinstance(shown, Nothing):
        _say_why(summary)
    return code


def _say_why(summary: "Summary") -> None:
    skipped = [attack for attack in summary.attacks if attack.status == "skipped"]
    if summary.status == "done" and skipped:
        say(f"nothing was measured: {skipped[0].why}; make --duration longer")


def _greet(name: str, shown: Shown) -> None:
    """A first line, before anything heavy is imported; not for a name that will be refused."""
    known = name.endswith(".toml") or (SCENARIOS / f"{name}.toml").is_file()
    if known and not isinstance(shown, Nothing):
        say(f"version {version()}, scenario {name}")


def _fresh(name: str, flags: Flags, shown: Shown) -> "Summary":
    from simulator.folder import RunFolder
    from simulator.layers import resolve

    resolved = resolve(name, flags, os.environ, Path())
    if not isinstance(shown, Nothing):
        for note in resolved.notes:
            say(f"note: {note}")
    command, out = shlex.join(resolved.command), resolved.flags.out
    scenario = resolved.scenario
    if scenario.corpus.path and not Path(scenario.corpus.path).exists():
        raise SettingsError(f"corpus.path: there is no file {scenario.corpus.path}")
    replicates = _count("replicates", resolved.flags.replicates)
    _count("jobs", resolved.flags.jobs)
    with _watcher(resolved.flags, replicates) as watcher:
        folder = RunFolder.create(scenario, out, command=command, replicates=replicates)
        try:
            _announce(scenario, resolved.flags)
            return _simulated(scenario, folder, shown, resolved.flags, watcher)
        except Exception:  # whatever it was, an empty folder is nobody's run; it goes on up
            _discard(folder)
            raise


def _resumed(name: str | None, flags: Flags, run: str, shown: Shown, a_child: bool) -> "Summary":
    from simulator.folder import RunFolder
    from simulator.steering import Steering

    folder = RunFolder.open(run)
    if not a_child:
        Steering.forget(folder.path)
    scenario = folder.scenario()
    if name is not None and name != scenario.name:
        raise SettingsError(
            f"--resume: {run} is a run of '{scenario.name}', not of '{name}'; leave the name out"
        )
    for one in fields(Flags):
        if one.name not in HOW and getattr(flags, one.name) not in (None, ()):
            raise SettingsError(
                f"{option(one.name)}: a run goes on with its own settings; leave it out, or start"
                " a new run"
            )
    every = replace(together(flags, os.environ, Path()), resume=run)
    with _watcher(every, folder.manifest.replicates) as watcher:
        _announce(scenario, every)
        return _simulated(scenario, folder, shown, every, watcher)


def _announce(scenario: "Scenario", flags: Flags) -> None:
    """Say where machines read it that a run is about to begin."""
    if flags.junit:
        from simulator import junit

        junit.begin(Path(flags.junit), scenario.name)


def _watcher(flags: Flags, replicates: int) -> "AbstractContextManager[Watcher | None]":
    """What serves figures of the run while it goes, if that was asked for.

    Raises:
        SettingsError: it was asked for several seeds: whose figures would they be?
    """
    if not flags.prometheus_port or flags.display == FULL:
        return nullcontext()  # behind the console, the run's own process serves them
    if replicates > 1:
        name = option("prometheus_port")
        raise SettingsError(f"{name}: it serves one run, and --replicates makes several")
    from simulator.exporter import exported

    return exported(flags.prometheus_port, version())


def _simulated(
    scenario: "Scenario",
    folder: "RunFolder",
    shown: Shown,
    flags: Flags,
    watcher: "Watcher | None",
) -> "Summary":
    from simulator.session import simulate
    from simulator.thresholds import parse

    rules = scenario.thresholds
    thresholds = [parse(text, f"thresholds[{place}]") for place, text in enumerate(rules)]
    if folder.manifest.replicates > 1:
        if isinstance(shown, Full) or flags.speed:
            raise SettingsError(
                "--display full and --speed are for one run: leave out --replicates"
            )
        return _replicated(scenario, folder, shown, flags, thresholds)
    if isinstance(shown, Full):
        return _behind_console(folder, shown, flags)
    frames = stdout.frame if flags.json else None
    return simulate(
        scenario,
        folder,
        shown,
        thresholds,
        frames,
        resume=bool(flags.resume),
        speed=pace(flags.speed, option("speed")),
        watcher=watcher,
    )


def _behind_console(folder: "RunFolder", shown: Shown, flags: Flags) -> "Summary":
    from simulator.behind import simulated
    from simulator.folder import RunFolder

    pace(flags.speed, option("speed"))
    if flags.prometheus_port:
        from simulator.exporter import port

        port(flags.prometheus_port)
    if flags.json:
        raise SettingsError(
            "--json: the console has the terminal with --display full; leave one out"
        )
    summary = simulated(folder, flags)
    after = RunFolder.open(folder.path)  # bots may have joined: the command says so
    shown.end(summary, folder.path, after.manifest.command)
    return summary


def _replicated(
    scenario: "Scenario",
    folder: "RunFolder",
    shown: Shown,
    flags: Flags,
    thresholds: "list[Threshold]",
) -> "Summary":
    from simulator.replicates import replicated, told

    def print_row(row: "Replicate") -> None:
        stdout.record("replicate", told(row))

    cores = 1 if scenario.engine == "kafka" else len(os.sched_getaffinity(0))
    jobs = _count("jobs", flags.jobs) if flags.jobs else cores
    on_end = print_row if flags.json else None
    return replicated(scenario, folder, jobs, shown, thresholds, on_end)


def _count(name: str, text: str | None) -> int:
    count = whole(text or "1", option(name))
    if not 1 <= count <= MOST:
        raise SettingsError(f"{option(name)}: expected a number from 1 to {MOST}, got {count}")
    return count


def end_with_stdin() -> None:
    """Ask this process to end, as Ctrl-C does, when its standard input ends: its parent is gone."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()


def _discard(folder: "RunFolder") -> None:
    """Remove the folder of a run that never began: it would be listed, and cannot be resumed."""
    frames = folder.path / "frames.jsonl"
    if frames.exists() and frames.stat().st_size:
        return
    for name in ("frames.jsonl", "events.jsonl", "manifest.json", "said.log", "steer.json"):
        (folder.path / name).unlink(missing_ok=True)
    try:
        folder.path.rmdir()
    except OSError:
        return
