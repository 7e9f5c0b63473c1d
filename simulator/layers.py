"""Where a run's settings come from: flag > environment > ./hamstrung.toml > scenario > default."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from filter.plugins import SettingsError, check_keys, configured, dot, load, names, unknown
from filter.settings import FilterSettings, check, guard, model
from simulator.fitting import fitted
from simulator.flags import (
    FILE,
    NO_ATTACK,
    PLACES,
    Flags,
    Setting,
    leaves,
    of_environment,
    of_file,
    option,
    settings,
    together,
    variable,
)
from simulator.scenario import Scenario, read
from simulator.scenario import scenario as made
from simulator.servers import KafkaSettings, RedisSettings
from simulator.spelling import quoted, written

OF_ATTACK = "attack.settings"
Tables = dict[str, Any]


class Resolved(NamedTuple):
    """What is to be run, and how.

    Args:
        scenario: all settings.
        flags: of all places together.
        sources: of each setting that has not its default, by dotted place.
        notes: what a user should know, in sentences.
        command: what makes the same run again, as words.
    """

    scenario: Scenario
    flags: Flags
    sources: dict[str, str]
    notes: tuple[str, ...]
    command: tuple[str, ...]


def resolve(name: str, flags: Flags, environment: Mapping[str, str], folder: Path) -> Resolved:
    """Put the layers of settings over one another.

    Args:
        name: a scenario's name, or the path of its file.
        flags: of the command line.
        environment: variables; those called ``HAMSTRUNG_...`` count, one for each flag.
        folder: where ``hamstrung.toml`` is looked for.

    Raises:
        SettingsError: an unknown key or a wrong value, with its place and, where it helps, source.
        PluginError: an attack, check, guard or model that is not there or does not load.
    """
    of_place, in_file = of_file(folder / FILE)
    asked = [
        [*in_file, *settings(of_place, lambda _: FILE)],
        [*settings(of_environment(environment), variable)],
        [*settings(flags, option)],
    ]
    table, sources = _merged([leaves(read(name), f"scenario {name}"), *asked])
    every = together(flags, environment, folder)
    free = sources.get("arms", "scenario").startswith("scenario")
    fit = fitted(table, every.fail_if, not every.no_twin, free)
    scenario = _made(table | {"arms": fit.arms, "thresholds": fit.thresholds}, sources)
    check_plugins(scenario)
    command = _command(name, [one for layer in asked for one in layer], sources, every)
    return Resolved(scenario, every, sources, fit.notes, command)


def servers(
    set_: tuple[str, ...], environment: Mapping[str, str], folder: Path
) -> tuple[KafkaSettings, RedisSettings]:
    """Where Kafka and Redis are, for commands that run no scenario.

    Raises:
        SettingsError: as `resolve` does.
    """
    of_place, in_file = of_file(folder / FILE)
    asked = [
        [*in_file, *settings(of_place, lambda _: FILE)],
        [*settings(of_environment(environment), variable)],
        [*settings(Flags(set=set_), option)],
    ]
    table, sources = _merged(asked)
    made = _made({name: table[name] for name in ("kafka", "redis") if name in table}, sources)
    return made.kafka, made.redis


def _merged(layers: Iterable[Sequence[Setting]]) -> tuple[Tables, dict[str, str]]:
    """One table of all settings, later layers over earlier ones, and the source of each setting."""
    table: Tables = {}
    sources: dict[str, str] = {}
    for layer in layers:
        for setting in sorted(layer, key=lambda one: one.place != "attack.name"):
            _check_key(setting)
            if setting.place == "attack.name":
                _forget_settings(table, sources, setting.value)
            _put(table, setting)
            sources[setting.place] = setting.source
    return table, sources


def _forget_settings(table: Tables, sources: dict[str, str], name: str) -> None:
    """Drop the settings of an attack that is replaced by another one, which has its own."""
    attack = table.get("attack")
    if isinstance(attack, dict) and attack.get("name") not in (None, name):
        attack.pop("settings", None)
        for place in [one for one in sources if one.startswith(OF_ATTACK)]:
            del sources[place]


def _check_key(setting: Setting) -> None:
    nested: Any = setting.value
    for name in reversed(setting.keys):
        nested = {name: nested}
    try:
        check_keys(Scenario, nested, "")
    except SettingsError as error:
        raise SettingsError(f"{error} (from {setting.source})") from None


def _put(table: Tables, setting: Setting) -> None:
    *tables, last = setting.keys
    for name in tables:
        inside = table.get(name)
        if not isinstance(inside, dict):
            inside = table[name] = {}
        table = inside
    table[last] = setting.value


def _made(table: Tables, sources: Mapping[str, str]) -> Scenario:
    """The scenario; an error names the source of the value, which may be far from the command."""
    try:
        return made(table)
    except SettingsError as error:
        source = sources.get(str(error).partition(":")[0], "")
        raise SettingsError(f"{error} (from {source})" if source else str(error)) from None


def check_plugins(scenario: Scenario) -> None:
    """Load every plug-in and try its settings on, before anything is written or simulated.

    Raises:
        SettingsError: settings that an attack, check or model does not have.
        PluginError: a plug-in that is not there, or does not load.
    """
    if scenario.attack.name:
        attack = load("agents.attacks", scenario.attack.name, "attack")
        configured(attack.settings, scenario.attack.settings, OF_ATTACK)
    own = scenario.filter
    chosen = [check(name, own.checks)[0] for name in guard(own.guard).checks]
    _check_names(own.checks, [*_keys("filter.checks"), *chosen], "filter.checks")
    for name in own.checks.keys() - set(chosen):
        check(name, own.checks)
    model(own)
    _check_names(own.models, [*_keys("filter.model"), _model_key(own)], "filter.models")


def _keys(package: str) -> list[str]:
    return [name.replace("-", "_") for name in names(package)]


def _model_key(own: FilterSettings) -> str:
    """The name of the table that holds the settings of the chosen classifier."""
    return Path(own.model).stem if own.model.endswith(".py") else own.model.partition(".")[0]


def _check_names(tables: Mapping[str, Any], known: list[str], place: str) -> None:
    for name in tables:
        if name not in known:
            raise SettingsError(f"{dot(place, name)}: {unknown(name, sorted(set(known)))}")


def _command(
    name: str, asked: Iterable[Setting], sources: Mapping[str, str], flags: Flags
) -> tuple[str, ...]:
    """The words of the command that makes the same run again, whatever the environment."""
    words = ["hamstrung", "run", name]
    flag_of = {place: option(flag) for flag, place in PLACES.items()}
    for place, setting in {one.place: one for one in asked}.items():
        if sources.get(place) != setting.source:
            continue
        if place in flag_of:
            words += [flag_of[place], str(setting.value) or NO_ATTACK]
        else:
            words += ["--set", f"{quoted(setting.keys)}={written(setting.value)}"]
    words += ["--replicates", flags.replicates] if flags.replicates else []
    words += ["--no-twin"] if flags.no_twin else []
    for rule in flags.fail_if:
        words += ["--fail-if", rule]
    return tuple(words)
