"""What every paper pack keeps to: its scenarios exist, and its findings are of what was run."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from filter.plugins import load, names
from filter.settings import guard, model
from simulator.arms import PLANS
from simulator.metric_names import NAMES
from simulator.packs import Pack, Values
from simulator.reproduce import PACKS
from simulator.scenario import read
from simulator.scenario import scenario as read_in
from simulator.scripting import changed

ALL = names(PACKS)
SEEDS = 3


class Recorded:
    """Resolves what a pack would run, and answers with figures that differ by run and arm."""

    def __init__(self, figure: float) -> None:
        self.figure = figure
        self.count = 0

    def __call__(self, scenario: str, **changes: Any) -> Sequence[Values]:
        made = read_in(changed(read(scenario), changes))
        assert set(made.arms) <= PLANS.keys()
        guard(made.filter.guard)
        model(made.filter)
        self.count += 1
        figures = {arm: self.figure**self.count / place for place, arm in enumerate(made.arms, 1)}
        return [{arm: dict.fromkeys(NAMES, of) for arm, of in figures.items()}] * SEEDS


def pack(name: str) -> Pack:
    made: Pack = load(PACKS, name, "pack").settings(seeds=SEEDS)
    return made


def test_the_packs_that_the_paper_list_names_are_there() -> None:
    assert {"r12", "r13", "r14"} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_pack_runs_scenarios_that_exist_and_says_its_paper_and_its_bands(name: str) -> None:
    made = pack(name)
    runs = Recorded(0.04)
    found = list(made.findings(runs))
    assert made.paper
    assert runs.count > 0
    assert any(one.low is not None or one.high is not None for one in found)
    assert all(one.n == SEEDS and one.what and one.unit for one in found)


@pytest.mark.parametrize("name", ALL)
def test_a_pack_s_findings_are_made_of_what_was_run(name: str) -> None:
    one, other = (list(pack(name).findings(Recorded(figure))) for figure in (0.04, 0.08))
    assert [finding.what for finding in one] == [finding.what for finding in other]
    assert _means(one) != _means(other)


def _means(found: Sequence[Any]) -> Mapping[str, float]:
    return {one.what: one.mean for one in found}
