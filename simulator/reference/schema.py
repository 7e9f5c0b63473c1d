"""The scenario file as a JSON Schema, for editors that complete and check while one writes.

Its keywords are those of draft 4, the oldest that editors still read, and mean the same in all
later ones: so a condition is written as "not this, or that".
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

import msgspec

from filter.plugins import dot, names
from filter.settings import guard_names
from simulator.reference.scenario_page import counted
from simulator.reference.sections import ONE_OF, Key, Section, plugin_sections, section, tables
from simulator.scenario import Scenario

Schema = dict[str, Any]
FILE = r"\.py$"
"""A user's own plug-in."""


def schema_file() -> str:
    """The schema as the text of its file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """The schema of a whole scenario."""
    draft = {"$schema": "http://json-schema.org/draft-04/schema#", "title": "Hamstrung's scenario"}
    return draft | _table(Scenario, "")


def _table(kind: type, place: str) -> Schema:
    """A dataclass: its own keys, and the tables inside it."""
    made = _of(section(kind, place))
    for name, inside in tables(kind).items():
        made["properties"][name] = _table(inside, dot(place, name))
    return made | (CONDITIONS[place]() if place in CONDITIONS else {})


def _of(one: Section) -> Schema:
    return {
        "type": "object",
        "description": one.said.first,
        "properties": {key.name: _key(key) for key in one.keys},
        "additionalProperties": False,
    }


def _key(key: Key) -> Schema:
    made: Schema = {"description": key.about, "default": key.default} | _typed(key.hint)
    if key.within and counted(key.hint):
        bounds = {"minimum": key.within.low, "maximum": key.within.high}
        finite = {name: _whole(bound) for name, bound in bounds.items() if bound != math.inf}
        (made.get("additionalProperties") or made).update(finite)
    return made | (KEYS[key.place]() if key.place in KEYS else {})


def _typed(hint: Any) -> Schema:
    """A type as msgspec, which reads scenarios, says it."""
    assert not is_dataclass(hint), "a table is no key"
    return msgspec.json.schema(hint)


def _whole(bound: float) -> float:
    return int(bound) if float(bound).is_integer() else bound


def _any_of(known: Sequence[str], patterns: Sequence[str]) -> Schema:
    """One of the known names, which editors complete; or what else a name may look like."""
    either = [{"enum": list(known)}, *({"pattern": one} for one in patterns)]
    return {"anyOf": either}


def _spelt(name: str) -> str:
    """A name with ``-`` or ``_``, as a pattern."""
    return name.replace("-", "[-_]")


def _attack_names() -> Schema:
    known = names("agents.attacks")
    return _any_of(["", *known], [f"^({'|'.join(map(_spelt, known))})$", FILE])


def _guards() -> Schema:
    """A named guard, or parts separated by commas: checks, the two switches, one's own files."""
    checks = "|".join(map(_spelt, names("filter.checks")))
    part = rf" *({checks}|gate|responder|[^,]*\.py) *"
    return _any_of(guard_names(), [f"^{part}(,{part})*$"])


def _models() -> Schema:
    """A model, one's own file, or a classifier of River's with its module."""
    known = names("filter.model")
    return _any_of(known, [f"^({'|'.join(map(_spelt, known))})$", r"\."])


def _plugins(table: str) -> Schema:
    """A table for each plug-in; one's own have names of their own."""
    known = {one.place.rpartition(".")[2]: _of(one) for one in plugin_sections(table)}
    return {"properties": known, "additionalProperties": {"type": "object"}}


def _filter() -> Schema:
    """Tables of other names are only for plug-ins of one's own, and for River's modules."""
    return {"allOf": [_named("guard", FILE_AMONG, "checks"), _named("model", r"\.", "models")]}


FILE_AMONG = r"\.py *(,|$)"


def _named(key: str, own: str, table: str) -> Schema:
    """Only the known tables, unless a setting names something else."""
    known = [one.place.rpartition(".")[2] for one in plugin_sections(f"filter.{table}")]
    alone = {"properties": {name: {} for name in known}, "additionalProperties": False}
    return {"anyOf": [_says(key, own), {"properties": {table: alone}}]}


def _attack() -> Schema:
    """The settings of the attack that is named, and no others."""
    return {
        "allOf": [
            {"anyOf": [{"not": _says("name", f"^{_spelt(one.of)}$")}, _settings(one)]}
            for one in plugin_sections(ONE_OF)
        ]
    }


def _settings(one: Section) -> Schema:
    return {"properties": {"settings": _of(one)}}


def _says(key: str, pattern: str) -> Schema:
    return {"required": [key], "properties": {key: {"pattern": pattern}}}


KEYS: Mapping[str, Callable[[], Schema]] = {
    "name": lambda: {"pattern": r"\S"},
    "arms": lambda: {"minItems": 1, "uniqueItems": True},
    "attack.name": _attack_names,
    "filter.guard": _guards,
    "filter.model": _models,
    "filter.checks": lambda: _plugins("filter.checks"),
    "filter.models": lambda: _plugins("filter.models"),
}
"""What is known of a key besides its type and range, by its place."""
CONDITIONS: Mapping[str, Callable[[], Schema]] = {"attack": _attack, "filter": _filter}
"""What ties the keys of a table together, by its place."""
