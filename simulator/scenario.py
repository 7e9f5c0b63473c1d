"""A scenario: all the settings of a run, as data."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from agents.people import BotSettings, Habits
from agents.vocabulary import GENRES
from filter.plugins import SettingsError, configured, unknown
from filter.settings import FilterSettings
from simulator.dealt import CorpusSettings
from simulator.judges import JudgeSettings
from simulator.ranges import MOST, check_ranges
from simulator.servers import KafkaSettings, RedisSettings
from simulator.synthetic import SyntheticSettings
from simulator.world import WorldSettings

SCENARIOS = Path(__file__).parent / "scenarios"
CREW = 10_000
"""Bots that join at a tick, at most."""
ArmName = Literal[
    "default", "attacked", "twin", "unguarded", "reference", "reject_all", "perfect", "random"
]


@dataclass(frozen=True)
class AttackSettings:
    """Which attack, and when.

    Args:
        name: a name, or the path of a file of one's own; empty for none.
        start: tick at which it begins.
        duration: ticks that it lasts.
        settings: the attack's own settings.
        bots: where the attacker's accounts come from.
        more: bots that join later, as ``[tick, how many]``; the console adds some at a key. Each
            does as much as each of the first.
    """

    name: str = ""
    start: int = 72
    duration: int = 96
    settings: dict[str, Any] = field(default_factory=dict)
    bots: BotSettings = field(default_factory=BotSettings)
    more: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Scenario:
    """All the settings of a run.

    Args:
        name: what it is called.
        about: what it shows, in a sentence.
        seed: every seed is another world with other luck.
        duration: ticks; a tick is an hour.
        feedback_delay: ticks after which what flows back acts, 1 or more.
        arms: which runs are simulated side by side; the first is the one that is judged.
        thresholds: what has to hold, as ``attack_success.mean < 0.05``.
        engine: what carries the judged arm: this process, or Kafka, Faust and Redis. The result is
            the same.
        synthetic: made-up mail.
        corpus: real mail, where it has a path.
    """

    name: str = "custom"
    about: str = ""
    seed: int = 1
    duration: int = 240
    feedback_delay: int = 1
    arms: tuple[ArmName, ...] = ("attacked", "twin")
    thresholds: tuple[str, ...] = ()
    engine: Literal["embedded", "kafka"] = "embedded"
    world: WorldSettings = field(default_factory=WorldSettings)
    synthetic: SyntheticSettings = field(default_factory=SyntheticSettings)
    corpus: CorpusSettings = field(default_factory=CorpusSettings)
    people: Habits = field(default_factory=Habits)
    judges: JudgeSettings = field(default_factory=JudgeSettings)
    filter: FilterSettings = field(default_factory=FilterSettings)
    attack: AttackSettings = field(default_factory=AttackSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)


def scenario_names() -> list[str]:
    """The scenarios that come with the program."""
    return sorted(path.stem for path in SCENARIOS.glob("*.toml"))


def read(name: str) -> dict[str, Any]:
    """A scenario's table, by its name or the path of a file (``*.toml``).

    Raises:
        SettingsError: there is none, or it does not parse (with line and column).
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise SettingsError(f"scenario: there is no file {name}")
    elif name in scenario_names():
        path = SCENARIOS / f"{name}.toml"
    else:
        raise SettingsError(f"scenario: {unknown(name, scenario_names())}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    return {"name": path.stem} | table


def scenario(table: dict[str, Any]) -> Scenario:
    """A table as a scenario.

    Raises:
        SettingsError: an unknown key or a wrong value, with its place.
    """
    return validated(configured(Scenario, table, ""))


def validated(made: Scenario) -> Scenario:
    """The scenario, if its numbers can be run.

    Raises:
        SettingsError: a number out of its range, or one that does not fit another, with its place.
    """
    check_ranges(made)
    for place, fault in _misfits(made):
        raise SettingsError(f"{place}: {fault}")
    return made


def _misfits(made: Scenario) -> Iterator[tuple[str, str]]:
    """The settings that are wrong beside others, each with its place."""
    window, kept, delay = made.filter.mail_window, made.people.kept_after, made.feedback_delay
    if delay >= window:
        yield "feedback_delay", f"expected less than filter.mail_window = {window}, got {delay}"
    if window < kept + delay:
        least = f"people.kept_after + feedback_delay = {kept + delay}"
        yield "filter.mail_window", f"expected at least {least}, got {window}"
    limits = made.filter.learner.limits
    if limits.ham_in_spam + limits.ham_unsure > 1:
        yield "filter.learner.limits", "expected ham_in_spam + ham_unsure of 1 at most"
    if not made.arms or len(set(made.arms)) < len(made.arms):
        yield "arms", f"expected one or more, each once, got {list(made.arms)}"
    usual = (*(genre.name for genre in GENRES), *Habits().mistaken_spam, *Habits().mistaken_ham)
    known = list(dict.fromkeys(usual))
    for table in ("mistaken_spam", "mistaken_ham"):
        for genre in getattr(made.people, table):
            if genre not in known:
                yield f"people.{table}", f"genre {unknown(genre, known)}"
    for tick, count in made.attack.more:
        if not (0 <= tick <= MOST and 1 <= count <= CREW):
            wanted = f"[tick, 1 to {CREW:,} bots]"
            yield "attack.more", f"expected {wanted}, got {[tick, count]}"
    if not made.name.strip():
        yield "name", "expected a name, got an empty one"
