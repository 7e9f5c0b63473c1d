"""The plan of a run: what its manifest says before anything has happened."""

from typing import Any, NamedTuple

from simulator.arms import TWINS
from simulator.joins import Joins, joins
from simulator.phases import ALL, NAMES, UNDER, phase


class Plan(NamedTuple):
    """What is known of a run from its manifest.

    Args:
        name: the scenario's.
        about: the scenario in a sentence.
        seed: its seed.
        engine: ``embedded`` or ``kafka``.
        duration: ticks.
        arms: the arms, the judged one first.
        attack: the attack's name; nothing in peace.
        start: the attack's first tick.
        end: the tick after its last one.
        rules: the thresholds.
        guard: the guard's name.
        joins: the bots that joined later.
    """

    name: str
    about: str
    seed: int
    engine: str
    duration: int
    arms: tuple[str, ...]
    attack: str
    start: int
    end: int
    rules: tuple[str, ...]
    guard: str
    joins: Joins = ()

    @property
    def judged(self) -> str:
        """The arm that is judged."""
        return self.arms[0]

    @property
    def twin(self) -> str:
        """The arm that was never poisoned, if it is simulated."""
        name = TWINS.get(self.judged, "")
        return name if name in self.arms else ""

    def phase(self, tick: int) -> str:
        """Where in the story a tick is, in words."""
        return NAMES[phase(tick, self.start, self.end) if self.attack else ALL]

    def attacked(self, tick: int) -> bool:
        """Whether a tick is one of the attack's."""
        return bool(self.attack) and phase(tick, self.start, self.end) == UNDER


def plan(scenario: dict[str, Any], duration: int) -> Plan:
    """What a manifest says of its run; texts in it are made safe before."""
    attack = scenario.get("attack", {})
    name = str(attack.get("name", ""))
    start = int(attack.get("start", 0))
    return Plan(
        name=str(scenario.get("name", "")),
        about=str(scenario.get("about", "")),
        seed=int(scenario.get("seed", 0)),
        engine=str(scenario.get("engine", "embedded")),
        duration=duration,
        arms=tuple(scenario.get("arms", ("attacked",))),
        attack=name.rpartition("/")[2],
        start=start if name else duration,
        end=min(start + int(attack.get("duration", 0)), duration) if name else duration,
        rules=tuple(scenario.get("thresholds", ())),
        guard=str(scenario.get("filter", {}).get("guard", "")),
        joins=joins(scenario),
    )
