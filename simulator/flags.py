"""Flags: the same ones on the command line, in the environment and in ``./hamstrung.toml``."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from filter.plugins import SettingsError
from simulator.spelling import hours, key_path, switch, toml_value, whole

FILE = "hamstrung.toml"
PLACES = {
    "seed": "seed",
    "duration": "duration",
    "attack": "attack.name",
    "guard": "filter.guard",
    "model": "filter.model",
    "corpus": "corpus.path",
    "engine": "engine",
    "workers": "kafka.workers",
}
"""The flags that are another name for a setting."""
SWITCHES = ("no_twin", "json")
SEVERAL = ("set", "fail_if")
NO_ATTACK = "none"


@dataclass(frozen=True)
class Flags:
    """What was asked for in one place, as it was written; None or nothing where nothing was.

    Args:
        set: ``key=value``, any number.
        fail_if: rules that must not come true, any number.
        replicates: how many seeds.
        jobs: processes at a time, of several seeds.
        speed: ticks a second at most, or ``max``.
        no_twin: whether to leave out the arms that are never poisoned.
        json: whether to write JSON Lines to stdout.
        junit: a file for what the run came to, as JUnit XML.
        prometheus_port: where figures are served while it runs.
    """

    set: tuple[str, ...] = ()
    seed: str | None = None
    duration: str | None = None
    attack: str | None = None
    guard: str | None = None
    model: str | None = None
    corpus: str | None = None
    engine: str | None = None
    workers: str | None = None
    replicates: str | None = None
    jobs: str | None = None
    no_twin: bool | None = None
    display: str | None = None
    speed: str | None = None
    json: bool | None = None
    fail_if: tuple[str, ...] = ()
    junit: str | None = None
    prometheus_port: str | None = None
    resume: str | None = None
    out: str | None = None


class Setting(NamedTuple):
    """A value for one setting, and who says so: a flag, a variable or a file."""

    keys: tuple[str, ...]
    value: Any
    source: str

    @property
    def place(self) -> str:
        """The dotted place."""
        return ".".join(self.keys)


def over(strong: Flags, weak: Flags) -> Flags:
    """Two places as one: what the weaker one says counts where the stronger says nothing.

    Rules that must not come true add up: a bar is never lowered by asking for another one.
    """
    either = {
        one.name: getattr(weak if getattr(strong, one.name) is None else strong, one.name)
        for one in fields(Flags)
    }
    return replace(Flags(**either), fail_if=(*weak.fail_if, *strong.fail_if))


def together(flags: Flags, environment: Mapping[str, str], folder: Path) -> Flags:
    """The flags of all places: how to run, whatever is run."""
    return over(flags, over(of_environment(environment), of_file(folder / FILE)[0]))


def option(name: str) -> str:
    """How a flag is written on the command line."""
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    """The environment variable of a flag."""
    return f"HAMSTRUNG_{name.upper()}"


def of_environment(environment: Mapping[str, str]) -> Flags:
    """The flags that variables stand for; what may be given several times is parted by ``;``.

    >>> of_environment({"HAMSTRUNG_GUARD": "none", "HAMSTRUNG_SET": "seed=3; world.people=9"}).set
    ('seed=3', 'world.people=9')
    """
    return Flags(**{one.name: _variable(one.name, environment) for one in fields(Flags)})


def _variable(name: str, environment: Mapping[str, str]) -> Any:
    text = environment.get(variable(name), "")
    if name in SEVERAL:
        return tuple(part.strip() for part in text.split(";") if part.strip())
    if name in SWITCHES and text:
        return switch(text, variable(name))
    return text or None


def of_file(path: Path) -> tuple[Flags, list[Setting]]:
    """The flags and settings of ``hamstrung.toml``, if it is there: flags' names are keys too.

    Raises:
        SettingsError: it does not parse, or a flag in it has a wrong value.
    """
    if not path.is_file():
        return Flags(), []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{FILE}: {error}") from None
    names = {one.name for one in fields(Flags)} - {"set", "resume"}
    own = {name for name, value in table.items() if name in names and not isinstance(value, dict)}
    flags = Flags(**{name: _in_file(name, table.pop(name)) for name in own})
    return flags, leaves(table, FILE)


def _in_file(name: str, value: Any) -> Any:
    if name in SWITCHES:
        return switch(str(value), f"{FILE}: {name}")
    if name in SEVERAL:
        return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
    return str(value)


def leaves(table: Mapping[str, Any], source: str, keys: tuple[str, ...] = ()) -> list[Setting]:
    """A table's settings, one by one."""
    found: list[Setting] = []
    for name, value in table.items():
        here = (*keys, name)
        inside = leaves(value, source, here) if isinstance(value, dict) else []
        found += inside or [Setting(here, value, source)]
    return found


def settings(flags: Flags, spell: Callable[[str], str]) -> Iterator[Setting]:
    """The settings that flags stand for; a flag of its own counts more than ``--set``.

    Args:
        flags: of one place.
        spell: how a flag is written there.

    Raises:
        SettingsError: a flag has a value that it cannot have.
    """
    for text in flags.set:
        yield _set(text, spell("set"))
    for name, place in PLACES.items():
        text = getattr(flags, name)
        if text is not None:
            yield Setting(tuple(place.split(".")), _read(name, text, spell(name)), spell(name))


def _set(text: str, source: str) -> Setting:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SettingsError(f"{source}: expected key=value such as world.people=300, got {text!r}")
    return Setting(key_path(key.strip(), source), toml_value(value.strip()), source)


def _read(name: str, text: str, source: str) -> Any:
    match name:
        case "seed" | "workers":
            return whole(text, source)
        case "duration":
            return hours(text, source)
        case "attack":
            return "" if text == NO_ATTACK else text
    return text
