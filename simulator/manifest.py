"""The manifest: what a run is made of, so that it can be told, repeated, and gone on with."""

import platform
import shlex
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib import metadata
from typing import Any

import msgspec

from filter.plugins import Plugin
from simulator.durable import FolderError
from simulator.scenario import Scenario
from simulator.scenario import scenario as configured
from simulator.source import source

SCHEMA_VERSION = 2
RUNNING, DONE, INTERRUPTED, ERROR = "running", "done", "interrupted", "error"
ENDED = (DONE, ERROR)

PRINTED = ("hamstrung", "numpy", "river", "scikit-learn", "msgspec")


class Used(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plug-in at work; ``path`` is that of a user's own file, empty for one of the project's."""

    name: str
    digest: str
    path: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run's manifest.

    Args:
        schema_version: of the files in the folder.
        scenario: all settings, as they were asked for.
        duration: ticks; fewer than the scenario's where its corpus does not last as long.
        seed: the scenario's.
        status: ``running``, ``done``, ``interrupted`` or ``error``.
        began: date and time, UTC.
        command: what makes the same run again.
        versions: of Python and of the packages that a result may depend on.
        source: digest of the program's own files, as far as a result depends on them.
        plugins: those at work; empty until the run is prepared.
        corpus: digest of the corpus file; empty for synthetic mail.
        verdict: the run in a sentence, at its end.
        hashes: of each arm, at its end.
        replicates: seeds that it is run with, each in a folder of its own inside this one.
    """

    schema_version: int
    scenario: dict[str, Any]
    duration: int
    seed: int
    status: str
    began: str
    command: str
    versions: dict[str, str]
    source: str
    plugins: tuple[Used, ...] = ()
    corpus: str = ""
    verdict: str = ""
    hashes: dict[str, str] = {}
    replicates: int = 1

    def settings(self) -> Scenario:
        """The scenario to go on with."""
        return configured(self.scenario)


def begun(scenario: Scenario, began: str, command: str, replicates: int = 1) -> Manifest:
    """The manifest of a run before it is prepared."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        scenario=table(scenario),
        duration=scenario.duration,
        seed=scenario.seed,
        status=RUNNING,
        began=began,
        command=command,
        versions=versions(),
        source=source(),
        replicates=replicates,
    )


def with_world(begun: Manifest, plugins: Iterable[Plugin], corpus: str, duration: int) -> Manifest:
    """The manifest with what is known when a run is prepared."""
    return msgspec.structs.replace(begun, duration=duration, plugins=used(plugins), corpus=corpus)


def with_bots(before: Manifest, tick: int, count: int) -> Manifest:
    """The manifest of a run that bots have joined, and the command that lets them join again."""
    attack = before.scenario["attack"]
    more = [*attack["more"], [tick, count]]
    scenario = before.scenario | {"attack": attack | {"more": more}}
    words = _without(shlex.split(before.command), "attack.more=")
    command = shlex.join([*words, "--set", f"attack.more={more}"]) if words else ""
    return msgspec.structs.replace(before, scenario=scenario, command=command)


def _without(words: list[str], setting: str) -> list[str]:
    """A command without what it says of a setting."""
    for place, word in enumerate(words):
        if word.startswith(setting) and words[place - 1] == "--set":
            return words[: place - 1] + words[place + 1 :]
    return words


def table(scenario: Scenario) -> dict[str, Any]:
    """A scenario as JSON knows it.

    By `asdict`, which has every field: msgspec leaves out those that it has left at their default.
    """
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(asdict(scenario)))
    return made


def used(plugins: Iterable[Plugin]) -> tuple[Used, ...]:
    """Plug-ins as the manifest has them."""
    return tuple(sorted({Used(p.name, p.digest, p.path) for p in plugins}, key=_place))


def _place(plugin: Used) -> tuple[str, str, str]:
    return plugin.name, plugin.path, plugin.digest


def versions() -> dict[str, str]:
    """Python's version, and those of `PRINTED`."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PRINTED}


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def must_go_on(before: Manifest, now: Manifest) -> None:
    """Refuse to go on with a run where its result could change.

    Args:
        before: of the run.
        now: what it would be if it began now, prepared.

    Raises:
        FolderError: with what has changed, and what would do.
    """
    if before.plugins:
        _must_be_the_same(before.plugins, now.plugins)
    if before.corpus and before.corpus != now.corpus:
        raise FolderError("the corpus file has changed since the run began; start a new run")
    for name in ("hamstrung", "numpy"):
        if before.versions.get(name) != now.versions[name]:
            raise FolderError(
                f"the run began with {name} {before.versions.get(name)}, this is"
                f" {now.versions[name]}: its result could change; go on with the old version, or"
                " start a new run"
            )
    if before.source != now.source:
        raise FolderError(
            "the program's own files have changed since the run began, so its result could"
            " change; go on with the old ones, or start a new run"
        )


def must_be_its_own(before: Manifest, now: Manifest) -> None:
    """Refuse a run's folder to another scenario.

    Raises:
        FolderError: with the first setting that differs.
    """
    if before.scenario != now.scenario:
        raise FolderError(
            f"a run goes on with its own settings, but {_first(before.scenario, now.scenario)}"
            " differs; start a new run to change it"
        )


def _must_be_the_same(before: tuple[Used, ...], now: tuple[Used, ...]) -> None:
    for plugin in sorted(set(before) ^ set(now), key=_place):
        where = f" ({plugin.path})" if plugin.path else ""
        raise FolderError(
            f"the plug-in '{plugin.name}'{where} has changed since the run began; put the old one"
            " back, or start a new run"
        )


def _first(before: Any, now: Any, place: str = "") -> str:
    """The dotted place of the first setting that differs, with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in [*before, *(n for n in now if n not in before)]:
            if before.get(name) != now.get(name):
                return _first(before.get(name), now.get(name), f"{place}.{name}".lstrip("."))
    return f"{place} ({before!r}, now {now!r})"
