"""A resolved scenario as the text of a TOML file, with the source of each value beside it."""

from collections.abc import Iterator
from typing import Any

from filter.plugins import load
from filter.settings import check, guard, model
from simulator.layers import Resolved
from simulator.ranges import leaves
from simulator.spelling import BARE, quoted, written

COMMENT = 44
"""Column at which the source stands."""


def text(resolved: Resolved) -> str:
    """The file: ``hamstrung run FILE.toml`` makes the same run.

    Args:
        resolved: the scenario and its sources.
    """
    scenario = resolved.scenario
    values = dict(leaves(scenario))
    for place, settings in _plugins(resolved):
        values.pop(place, None)
        values |= dict(leaves(settings, place))
    tables: dict[str, list[str]] = {"": []}
    for place, value in values.items():
        table, _, name = place.rpartition(".")
        tables.setdefault(table, []).append(_line(name, value, resolved.sources.get(place)))
    return "\n".join(_lines(tables))


def _plugins(resolved: Resolved) -> Iterator[tuple[str, Any]]:
    """The plug-ins at work, with the place of their settings."""
    own = resolved.scenario.filter
    attack = resolved.scenario.attack
    if attack.name:
        from filter.plugins import configured

        plugin = load("agents.attacks", attack.name, "attack")
        yield "attack.settings", configured(plugin.settings, attack.settings, "attack.settings")
    for name in guard(own.guard).checks:
        key, made = check(name, own.checks)
        yield f"filter.checks.{key}", made
    if "." not in own.model:
        yield f"filter.models.{own.model.replace('-', '_')}", model(own)


def _line(name: str, value: Any, source: str | None) -> str:
    shown = f"{name if BARE.fullmatch(name) else quoted([name])} = {written(value)}"
    return f"{shown:<{COMMENT}}  # {source or 'default'}"


def _lines(tables: dict[str, list[str]]) -> Iterator[str]:
    for table, lines in tables.items():
        if table and lines:
            yield ""
            yield f"[{table}]"
        yield from lines
