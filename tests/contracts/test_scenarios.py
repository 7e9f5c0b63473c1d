from dataclasses import replace

import pytest

from filter.settings import guard, model
from simulator import loop
from simulator.arms import PLANS, TWINS
from simulator.scenario import read, scenario, scenario_names
from simulator.thresholds import parse
from tests.contracts.small import SMALL, run

SCENARIOS = scenario_names()


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 3


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_what_it_shows_and_what_has_to_hold(name: str) -> None:
    made = scenario(read(name))
    assert made.name == name
    assert made.about
    assert not made.about.endswith(".")
    assert made.thresholds
    for place, text in enumerate(made.thresholds):
        rule = parse(text, f"thresholds[{place}]")
        assert rule.arm in ("", *made.arms)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_s_arms_guard_model_and_attack_exist(name: str) -> None:
    made = scenario(read(name))
    assert set(made.arms) <= PLANS.keys()
    assert TWINS.get(made.arms[0], made.arms[0]) in made.arms
    guard(made.filter.guard)
    model(made.filter)
    if made.attack.name:
        loop.attack_plugin(made.attack.name)
        assert made.attack.start < made.duration


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_runs_three_ticks_small(name: str) -> None:
    table = read(name)
    table = table | {"duration": 3, "world": SMALL["world"], "synthetic": SMALL["synthetic"]}
    made = scenario(table | {"filter": table.get("filter", {}) | SMALL["filter"]})
    if made.attack.name:
        own = {"accounts": 20}
        made = replace(made, attack=replace(made.attack, start=1, duration=1, settings=own))
    done = run(made)
    for arm in done.arms.values():
        assert [frame.tick for frame in arm.frames] == [0, 1, 2]
