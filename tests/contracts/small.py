"""Small worlds for tests: a run of half a second that has everything in it."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from filter import chain
from filter.chain import CHAIN, Link
from filter.stage import Flow, Stage
from simulator import loop
from simulator.engine import Embedded
from simulator.loop import Prepared
from simulator.scenario import Scenario, scenario

Table = dict[str, Any]

SMALL: Table = {
    "duration": 30,
    "arms": ["attacked", "twin"],
    "world": {"people": 300},
    "synthetic": {
        "mails_per_hour": 80,
        "start_mails": 300,
        "start_ham": 200,
        "foreign": 0.0,
        "campaigns": 12,
    },
    "judges": {"golden": 0.05},
    "filter": {"models": {"naive_bayes": {"bits": 14}}},
    "attack": {
        "name": "not-spam-campaign",
        "start": 8,
        "duration": 14,
        "settings": {"accounts": 20, "mails_per_hour": 10, "votes_per_hour": 8},
    },
}

NO_ATTACK: Table = {"attack": {"name": "", "settings": {}}}

STUBBORN = '''"""Bots that vote thrice on every copy, and say both things."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import HAM, SPAM, Vote


@dataclass(frozen=True)
class Stubborn:
    """Every copy gets three votes at once, of both labels."""

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020",)

    accounts: int = 20
    copies: int = 8

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """Ten mails an hour."""
        for _ in range(10):
            yield Draft(0.3)

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Say it thrice."""
        for delivery in view.inbox:
            for label in (HAM, SPAM, HAM):
                yield delivery.vote(view.tick, label)
        for bot in rng.choice(self.accounts, self.copies, replace=False).tolist():
            yield Draft(0.3, to=bot)
'''


def stubborn(folder: Path) -> Table:
    """The settings of an attack whose votes come twice, and of both labels at one tick."""
    path = folder / "stubborn.py"
    path.write_text(STUBBORN)
    return {"attack": {"name": str(path), "settings": {}}}


def small(*changes: Mapping[str, Any]) -> Scenario:
    """A small scenario with tables laid over it; ``settings`` is replaced, all else is merged."""
    table = SMALL
    for change in changes:
        table = _over(table, change)
    return scenario(table)


def _over(table: Table, change: Mapping[str, Any]) -> Table:
    merged = dict(table)
    for name, value in change.items():
        into = table.get(name)
        deeper = isinstance(value, Mapping) and isinstance(into, dict) and name != "settings"
        merged[name] = _over(into, value) if deeper and into is not None else value
    return merged


def run(given: Scenario) -> Prepared:
    """A scenario from its first tick to its last."""
    prepared = loop.prepare(given)
    finish(prepared)
    return prepared


def finish(prepared: Prepared, start: int = 0) -> None:
    for _ in loop.ticks(prepared, start):
        pass


def flows(given: Scenario, arm: str) -> Iterator[Flow]:
    """What flowed in an arm, tick by tick."""
    prepared = loop.prepare(given)
    for _ in loop.ticks(prepared):
        flow = prepared.arms[arm].last
        if flow is not None:
            yield flow


def hashes(prepared: Prepared) -> dict[str, str]:
    return {name: arm.hash for name, arm in prepared.arms.items()}


def with_engines(
    prepared: Prepared,
    parts: Mapping[str, int],
    order: tuple[Link, ...] = CHAIN[::-1],
    kind: type[Embedded] = Embedded,
) -> Prepared:
    """The same run with other engines: so many parts of each keyed stage, in another order."""
    beginning = prepared.world.beginning()
    for arm in prepared.arms.values():
        own = prepared.scenario.filter
        if arm.plan.guard is not None:
            own = replace(own, guard=arm.plan.guard)
        stages: dict[str, list[Stage[Any, Any]]] = chain.stages(own, beginning)
        for stage, count in parts.items():
            stages[stage] = chain.stages(own, beginning, count)[stage]
        arm.engine = kind(stages, prepared.scenario.feedback_delay, order)
    return prepared


def say_hashes() -> None:
    """For a process of its own: the hashes of a small run, of five ticks of delay in it too."""
    arms = ["attacked", "twin", "unguarded"]
    for delay in (1, 3):
        done = run(small({"arms": arms, "duration": 20, "feedback_delay": delay}))
        sys.stdout.write(repr(hashes(done)))
