"""What there is to choose from: attacks, checks, models, packs, scenarios and guards."""

import textwrap
from collections.abc import Iterator
from dataclasses import fields

from filter.plugins import SettingsError, about, load, names, unknown
from filter.settings import guard, guard_names
from simulator.scenario import read, scenario_names
from simulator.spelling import written

PACKAGES = {
    "attacks": "agents.attacks",
    "checks": "filter.checks",
    "models": "filter.model",
    "packs": "simulator.packs",
}
KINDS = ("attacks", "checks", "models", "packs", "scenarios", "guards")
RIVER = (
    "or any classifier of River, by module and class, as linear_model.LogisticRegression (slower)"
)


def listed(kind: str, width: int) -> str:
    """A list for people.

    Args:
        kind: one of `KINDS`.
        width: columns.

    Raises:
        SettingsError: there is no such list.
    """
    if kind not in KINDS:
        raise SettingsError(f"list: {unknown(kind, list(KINDS))}")
    return "\n".join(_lines(kind, width))


def _lines(kind: str, width: int) -> Iterator[str]:
    entries = list(_entries(kind))
    column = max(len(name) for name, _, _ in entries) + 2
    for name, said, more in entries:
        yield from _wrapped(f"{name:<{column}}{said}", column, width)
        if more:
            yield from _wrapped(f"{'':<{column}}{more}", column, width)
    if kind == "models":
        yield from _wrapped(RIVER, 2, width)


def _wrapped(text: str, column: int, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=" " * column, drop_whitespace=True) or [""]


def _entries(kind: str) -> Iterator[tuple[str, str, str]]:
    """Name, what it is in a sentence, and what else is good to know."""
    match kind:
        case "scenarios":
            for name in scenario_names():
                yield name, str(read(name).get("about", "")), ""
        case "guards":
            for name in guard_names():
                one = guard(name)
                yield name, one.about, f"checks: {', '.join(one.checks)}"
        case _:
            for name in names(PACKAGES[kind]):
                yield name, *_plugin(PACKAGES[kind], name, kind[:-1])


def _plugin(package: str, name: str, what: str) -> tuple[str, str]:
    made = load(package, name, what).settings
    settings = ", ".join(f"{one.name}={written(one.default)}" for one in fields(made))
    return about(made), f"settings: {settings}" if settings else ""
