"""Running a scenario from Python."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from simulator import manifest
from simulator.arms import AttackError
from simulator.folder import RunFolder
from simulator.loop import prepare, ticks
from simulator.manifest import DONE, ERROR
from simulator.replicates import replicated
from simulator.scenario import Scenario, read, scenario
from simulator.session import Progress, elsewhere, simulate
from simulator.summary import Summary, summarise
from simulator.thresholds import Threshold, parse


def run(
    given: Scenario | str,
    *,
    folder: str | Path | None = None,
    replicates: int = 1,
    jobs: int = 1,
    **changes: Any,
) -> Summary:
    """Run a scenario to its end.

    Args:
        given: a scenario, its name, or the path of its file (``*.toml``).
        folder: where the run is written, created; nothing for a run that leaves no trace.
        replicates: seeds to run it with, its own and those after it; the summary's figures are
            means with intervals then.
        jobs: processes at a time, of several replicates.
        changes: other values of settings, tables as dicts: ``seed=3, world={"people": 300}``.

    Raises:
        SettingsError: an unknown scenario or setting, or a wrong value, with its place.
        FolderError: the folder already holds a run, or cannot be written.
    """
    table = read(given) if isinstance(given, str) else manifest.table(given)
    chosen = scenario(changed(table, changes))
    thresholds = [
        parse(text, f"thresholds[{place}]") for place, text in enumerate(chosen.thresholds)
    ]
    if replicates != 1:
        return _replicated(chosen, folder, thresholds, replicates, jobs)
    if folder is None:
        return _unwritten(chosen, thresholds)
    return simulate(chosen, RunFolder.create(chosen, folder), Silent(), thresholds)


def changed(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A table with other values; a table inside it keeps what is not changed."""
    new = dict(table)
    for name, value in changes.items():
        old = new.get(name)
        inside = isinstance(value, Mapping) and isinstance(old, Mapping)
        new[name] = changed(old or {}, value) if inside else value
    return new


def _replicated(
    chosen: Scenario,
    folder: str | Path | None,
    thresholds: list[Threshold],
    replicates: int,
    jobs: int,
) -> Summary:
    within = nullcontext(str(folder)) if folder else TemporaryDirectory(prefix="hamstrung-")
    with within as path:
        made = RunFolder.create(chosen, Path(path), replicates=replicates)
        return replicated(chosen, made, jobs, Silent(), thresholds)


def _unwritten(chosen: Scenario, thresholds: list[Threshold]) -> Summary:
    with elsewhere(chosen, uuid4().hex[:12], None) as engines:
        prepared = prepare(chosen, engines)
        try:
            for _ in ticks(prepared):
                pass
        except AttackError as error:
            return summarise(prepared, thresholds, ERROR, str(error))
        return summarise(prepared, thresholds, DONE)


class Silent:
    """A display that shows nothing."""

    def begin(self, lines: Sequence[str]) -> None:
        """Show nothing."""

    def tick(self, progress: Progress) -> None:
        """Show nothing."""

    def end(self, summary: Summary, folder: Path, command: str) -> None:
        """Show nothing."""
