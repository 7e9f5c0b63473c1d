"""One result on both engines: a sample that has each value of each setting at least once.

`python -m benchmarks.parity` runs the whole grid.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator import Scenario, run
from simulator.folder import RunFolder
from simulator.scripting import Silent
from simulator.session import simulate
from simulator.stack import Stack
from simulator.summary import Summary
from simulator.templates import make
from tests.contracts.small import NO_ATTACK, Table, small
from tests.simulator.small_run import EVERY_TICK
from tests.simulator.test_session import asking

SHORT: Table = {"duration": 24}


def kafka(stack: Stack, **changes: Any) -> Table:
    """The settings with which a scenario runs there."""
    return {
        "engine": "kafka",
        "kafka": {"broker": stack.broker} | changes,
        "redis": {"url": stack.redis_url},
    }


def hashes(summary: Summary) -> dict[str, str]:
    return {name: arm.hash for name, arm in summary.arms.items()}


def must_equal(stack: Stack, scenario: Mapping[str, Any], **changes: Any) -> None:
    """All arms, of which the first is on Kafka, have the hashes of the embedded run."""
    wanted = hashes(run(small(SHORT, scenario)))
    got = hashes(run(small(SHORT, scenario, kafka(stack, **changes))))
    assert got == wanted
    assert len(set(wanted.values())) == len(wanted)


def test_one_event_a_message(stack: Stack) -> None:
    arms = ["attacked", "twin", "unguarded", "reference", "reject_all"]
    must_equal(stack, {"arms": arms}, partitions=1, workers=1, events_per_message=1)


def test_five_partitions_on_three_workers_with_eight_ticks_in_flight(stack: Stack) -> None:
    scenario = {"seed": 2, "feedback_delay": 8, "duration": 40}
    must_equal(stack, scenario, partitions=5, workers=3, events_per_message=37)


def test_peace(stack: Stack) -> None:
    scenario = {"seed": 3, "arms": ["default", "reference"], **NO_ATTACK}
    must_equal(stack, scenario, partitions=2, workers=2, events_per_message=500)


def test_an_arm_without_a_guard_is_judged(stack: Stack) -> None:
    must_equal(stack, {"arms": ["unguarded", "attacked"]})


def test_no_guard(stack: Stack) -> None:
    must_equal(stack, {"filter": {"guard": "none"}, "feedback_delay": 8}, partitions=5)


def test_a_classifier_of_rivers(stack: Stack) -> None:
    river = {"model": "linear_model.LogisticRegression", "models": {}}
    scenario = {"filter": river, "synthetic": {"mails_per_hour": 40}}
    must_equal(stack, scenario, workers=2, events_per_message=37)


def test_a_check_of_ones_own(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make("check", "my_check", tmp_path)
    guard = "./my_check.py,reputation,near_duplicates,gate,responder"
    must_equal(stack, {"filter": {"guard": guard}}, workers=2)


@pytest.mark.parametrize("delay", [1, 8])
def test_a_run_that_was_interrupted_and_goes_on(stack: Stack, tmp_path: Path, delay: int) -> None:
    scenario = small(SHORT, {"feedback_delay": delay, "kafka": {"snapshot_every": 5}})
    there = small(SHORT, {"feedback_delay": delay}, kafka(stack, snapshot_every=5, workers=2))
    folder = tmp_path / "run"
    first = simulate(there, RunFolder.create(there, folder), asking(14), [], pace=EVERY_TICK)
    assert first.status == "interrupted"
    second = resumed(there, folder)
    assert second.status == "done"
    assert hashes(second) == hashes(run(scenario))


def resumed(scenario: Scenario, folder: Path) -> Summary:
    return simulate(scenario, RunFolder.open(folder), Silent(), [], resume=True)


def test_without_a_twin_the_arms_part_alike_also_when_it_is_resumed_before(
    stack: Stack, tmp_path: Path
) -> None:
    arms = {"arms": ["attacked", "unguarded", "reject_all"]}
    there = small(SHORT, arms, kafka(stack))
    folder = tmp_path / "run"
    first = simulate(there, RunFolder.create(there, folder), asking(5), [], pace=EVERY_TICK)
    assert first.status == "interrupted"
    assert hashes(resumed(there, folder)) == hashes(run(small(SHORT, arms)))
