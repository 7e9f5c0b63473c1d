"""The catalogue: every attack, check, guard, scenario and model, and where it is from."""

from collections.abc import Iterator, Sequence
from typing import Any

from filter.plugins import load
from filter.settings import ALWAYS, guard, guard_names
from simulator.catalogue import RIVER
from simulator.reference.sections import PLUGINS, Section, plugin_sections
from simulator.scenario import read, scenario, scenario_names
from simulator.spelling import written

HEAD = """\
# The catalogue

Written by `{made_by}` from the code's docstrings. Do not edit it: a test compares
it with them.

What there is to choose from; `hamstrung list attacks` (or `checks`, `models`, `scenarios`,
`guards`, `packs`) prints it in a terminal. Findings of papers are in [packs.md](packs.md). What
each setting is for, and its range: [scenario.md](scenario.md). A1 to A28 and D1 to D27 number the
attacks and defences of the field as this project counts them ([plugins.md](plugins.md#codes)); AML
names a technique of [MITRE ATLAS](https://atlas.mitre.org).
"""
ATLAS = "https://atlas.mitre.org/techniques/"
ABOUT = {
    "attacks": (
        "attack.settings",
        "`--attack NAME`, or `attack.name` with `[attack.settings]`; one of your own by its file.",
    ),
    "checks": (
        "filter.checks",
        "Parts of a guard, by name: `--guard rate_limit,reputation,gate`; settings in"
        " `[filter.checks.NAME]`.",
    ),
    "models": (
        "filter.models",
        f"`--model NAME`, settings in `[filter.models.NAME]`; {RIVER}.",
    ),
}


def catalogue_page(made_by: str) -> str:
    """The page.

    Args:
        made_by: the command that writes it.
    """
    plugins = {kind: list(_plugins(kind)) for kind in ABOUT}
    order = [_scenarios(), plugins["attacks"], _guards(), plugins["checks"], plugins["models"]]
    lines = [line for part in order for line in ["", *part]]
    return HEAD.format(made_by=made_by) + "\n".join(lines) + "\n"


def _table(*rows: Sequence[str]) -> Iterator[str]:
    """A table of Markdown: its head, then its rows."""
    for place, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if not place:
            yield "|" + "---|" * len(row)


def _scenarios() -> Iterator[str]:
    yield "## Scenarios"
    yield ""
    yield "`hamstrung run NAME`. The first arm is the one that is judged; a tick is an hour."
    yield ""
    made = [scenario(read(name)) for name in scenario_names()]
    yield from _table(
        ("scenario", "what it shows", "attack", "ticks", "arms", "what has to hold"),
        *(
            (
                f"`{one.name}`",
                f"{one.about}.",
                _linked(one.attack.name) if one.attack.name else "none",
                str(one.duration),
                ", ".join(f"`{arm}`" for arm in one.arms),
                "<br>".join(f"`{rule}`" for rule in one.thresholds),
            )
            for one in made
        ),
    )


def _guards() -> Iterator[str]:
    yield "## Guards"
    yield ""
    always = " and ".join(f"`{one}`" for one in ALWAYS)
    yield f"`--guard NAME`: a list of checks, in the order in which they are asked. {always} are"
    yield "always on."
    yield ""
    every = [guard(name) for name in guard_names()]
    yield from _table(
        ("guard", "what it is", "checks", "gate", "responder"),
        *(
            (
                f"`{one.name}`",
                f"{one.about}.",
                ", ".join(_linked(check.replace("_", "-"), check) for check in one.checks),
                "on" if one.gate else "off",
                "on" if one.responder else "off",
            )
            for one in every
        ),
    )


def _linked(name: str, shown: str = "") -> str:
    return f"[`{shown or name}`](#{name})"


def _plugins(kind: str) -> Iterator[str]:
    """A table of all, then each one's own words and settings."""
    table, about = ABOUT[kind]
    every = list(plugin_sections(table))
    yield f"## {kind.capitalize()}"
    yield ""
    yield about
    yield ""
    rows = [(_linked(one.of), one.said.first, _source(table, one)) for one in every]
    yield from _table((kind[:-1], "in a sentence", "source"), *rows)
    for one in every:
        yield ""
        yield from _entry(table, one)


def _entry(table: str, one: Section) -> Iterator[str]:
    yield f"### {one.of}"
    for paragraph in one.said.paragraphs:
        yield ""
        yield paragraph
    yield ""
    if table == "filter.checks":
        yield f"* Looks at: {_looks_at(_class(table, one))}."
        within = [name for name in guard_names() if one.of.replace("-", "_") in guard(name).checks]
        yield f"* In the guards: {', '.join(within) or 'none; name it with `--guard`'}."
    if source := _source(table, one):
        yield f"* Source: {source}."
    settings = ", ".join(f"`{key.name} = {written(key.default)}`" for key in one.keys)
    yield f"* Settings: {settings or 'none'}."


def _class(table: str, one: Section) -> Any:
    package, what = PLUGINS[table]
    return load(package, one.of, what).settings


def _looks_at(kind: Any) -> str:
    return "one account's past" if hasattr(kind, "credited") else "everybody's claims together"


def _source(table: str, one: Section) -> str:
    """Codes, papers and techniques."""
    techniques = getattr(_class(table, one), "atlas", ())
    linked = [f"[{technique}]({ATLAS}{technique})" for technique in techniques]
    return "; ".join([*one.said.codes, *one.said.papers, *linked])
