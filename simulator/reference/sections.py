"""The sections of a scenario: every table that there can be, and every key of it."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, get_type_hints

from filter.plugins import dot, load, names
from simulator.ranges import Range, within
from simulator.reference.docstrings import Said, said
from simulator.scenario import Scenario

PLUGINS = {
    "filter.checks": ("filter.checks", "check"),
    "filter.models": ("filter.model", "model"),
    "attack.settings": ("agents.attacks", "attack"),
}
"""The tables whose keys are those of plug-ins: where these lie, and what they are."""
ONE_OF = "attack.settings"
"""The table that holds the settings of one plug-in, not a table for each."""


class Key(NamedTuple):
    """A setting: its name, dotted place, type, default, range if any, and what it is for.

    The range of a table of numbers is that of each.
    """

    name: str
    place: str
    hint: Any
    default: Any
    within: Range | None
    about: str


class Section(NamedTuple):
    """A table of the file; ``of`` is the plug-in whose settings it holds, if any."""

    place: str
    said: Said
    keys: tuple[Key, ...]
    of: str = ""


def section(kind: type, place: str, of: str = "") -> Section:
    """A dataclass as a section: those of its fields that are no tables of their own."""
    told, hints, made = said(kind.__doc__), get_type_hints(kind), kind()
    keys = []
    for name in own_fields(kind):
        at = dot(place, name)
        default = getattr(made, name)
        bounds = within(at) or within(f"{at}.*")
        keys.append(Key(name, at, hints[name], default, bounds, told.args.get(name, "")))
    return Section(place, told, tuple(keys), of)


def own_fields(kind: Any) -> list[str]:
    """The fields of a dataclass that are no dataclasses."""
    hints = get_type_hints(kind)
    return [one.name for one in fields(kind) if not is_dataclass(hints[one.name])]


def tables(kind: Any) -> dict[str, type]:
    """The fields of a dataclass that are dataclasses."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind) if is_dataclass(hints[one.name])}


def sections(kind: type = Scenario, place: str = "") -> Iterator[Section]:
    """Every section, in the order of the settings; plug-ins' after the table they are in."""
    yield section(kind, place)
    for name, inside in tables(kind).items():
        yield from sections(inside, dot(place, name))
    for table in PLUGINS:
        if table.rpartition(".")[0] == place and place:
            yield from plugin_sections(table)


def plugin_sections(table: str) -> Iterator[Section]:
    """The settings of each plug-in that a table is for."""
    package, what = PLUGINS[table]
    for name in names(package):
        own = table if table == ONE_OF else dot(table, name.replace("-", "_"))
        yield section(load(package, name, what).settings, own, name)
