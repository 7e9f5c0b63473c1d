"""The settings of the filter: the table ``[filter]`` of a scenario."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from filter.learner import LearnerSettings
from filter.model import ModelSettings
from filter.plugins import Plugin, PluginError, configured, load, names, unknown
from filter.responder import ResponderSettings

GUARDS = Path(__file__).parent / "guards"
ALWAYS = ("data_quality", "duplicates")


@dataclass(frozen=True)
class FilterSettings:
    """How the filter works.

    Args:
        guard: a named set of checks, or checks separated by commas; ``gate`` and ``responder`` may
            stand among them.
        model: a classifier's name, or River's, as ``linear_model.LogisticRegression``.
        mail_window: ticks in which feedback on a mail still counts.
        new_age: ticks that an account has to be old for what it keeps to count.
        alike: equal min-hashes of 8 from which mails are near-duplicates.
        common: share of the start set's mails that hold a token from which it is a common word.
        watched_from: mails of a day from which their recipient is looked through for probes.
        most_stories: groups of near-duplicates remembered at most.
        models: settings of classifiers, a table for each (River's in a table for each module).
        checks: settings of checks, a table for each.
    """

    guard: str = "default"
    model: str = "naive-bayes"
    mail_window: int = 48
    new_age: int = 168
    alike: int = 3
    common: float = 0.01
    watched_from: int = 12
    most_stories: int = 20_000
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    learner: LearnerSettings = field(default_factory=LearnerSettings)
    responder: ResponderSettings = field(default_factory=ResponderSettings)


class Guard(NamedTuple):
    """A named set of checks, in the order in which they are asked."""

    name: str
    about: str
    checks: tuple[str, ...]
    gate: bool
    responder: bool


def guard_names() -> list[str]:
    """The named guards."""
    return sorted(path.stem for path in GUARDS.glob("*.toml"))


def guard(name: str) -> Guard:
    """A guard by its name, or made of checks separated by commas.

    Raises:
        PluginError: there is neither a guard nor a check of that name.
    """
    if name in guard_names():
        table = tomllib.loads((GUARDS / f"{name}.toml").read_text())
        checks = tuple(table["checks"])
        return Guard(name, table["about"], checks, table["gate"], table["responder"])
    parts = [_spelt(part.strip()) for part in name.split(",") if part.strip()]
    switches = {"gate", "responder"}
    own = tuple(p for p in parts if p not in switches and p not in ALWAYS)
    for check in own:
        check_plugin(check, guard_names())
    if not parts:
        raise PluginError(f"guard: {unknown(name, guard_names())}")
    return Guard(
        name, "checks of one's own choice", ALWAYS + own, "gate" in parts, "responder" in parts
    )


def _spelt(name: str) -> str:
    return name if name.endswith(".py") else name.replace("-", "_")


def plugins(settings: FilterSettings) -> tuple[Plugin, ...]:
    """The plug-ins that a filter is made of: its checks, and its classifier if it is ours."""
    checks = tuple(check_plugin(name) for name in guard(settings.guard).checks)
    own = "." not in settings.model or settings.model.endswith(".py")
    return (*checks, load("filter.model", settings.model, "model")) if own else checks


def check_plugin(name: str, others: list[str] | None = None) -> Plugin:
    """A check by its name or file."""
    try:
        plugin = load("filter.checks", name, "check", ("fresh", "examine"))
    except PluginError:
        if name.endswith(".py") or not others:
            raise
        checks = names("filter.checks")
        raise PluginError(f"guard or check: {unknown(name, [*others, *checks])}") from None
    made: Any = plugin.settings
    if not (hasattr(made, "credited") and hasattr(made, "stale")) and not hasattr(made, "learn"):
        raise PluginError(
            f"check: {plugin.name} is neither a check of accounts (credited and stale)"
            " nor one of the crowd (learn)"
        )
    if "return" not in get_type_hints(made.fresh):
        raise PluginError(f"check: {plugin.name}: fresh has to say the type that it returns")
    return plugin


def check(name: str, tables: Mapping[str, Mapping[str, Any]]) -> tuple[str, Any]:
    """A check's name and the check with its settings."""
    plugin = check_plugin(name)
    key = plugin.name.replace("-", "_")
    return key, configured(plugin.settings, tables.get(key, {}), f"filter.checks.{key}")


def model(settings: FilterSettings) -> ModelSettings:
    """The classifier with its settings: ours by file name, River's by module and class."""
    name = settings.model
    if "." in name and not name.endswith(".py"):
        from filter.river_model import river_model

        table: Any = settings.models
        for part in name.split("."):
            table = table.get(part, {}) if isinstance(table, dict) else {}
        return river_model(name, table)
    plugin = load("filter.model", name, "model")
    key = plugin.name.replace("-", "_")
    made: ModelSettings = configured(
        plugin.settings, settings.models.get(key, {}), f"filter.models.{key}"
    )
    return made
