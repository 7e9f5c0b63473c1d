"""The baselines: a guard that knows who is a bot, and one that stops as many by lot."""

from collections import Counter

import pytest

from filter.events import REJECTED, TAUGHT
from filter.plugins import SettingsError
from simulator import loop
from simulator.arms import Arm
from simulator.baselines import stopped
from simulator.fitting import fitted
from simulator.frame import Frame
from simulator.loop import Prepared
from simulator.metrics import measure
from tests.contracts.small import run, small

ARMS = ["attacked", "twin", "unguarded", "reference", "perfect", "random"]
SCENARIO = small(
    {
        "arms": ARMS,
        "duration": 40,
        "attack": {
            "duration": 30,
            "settings": {"accounts": 60, "mails_per_hour": 10, "votes_per_hour": 40},
        },
    }
)


@pytest.fixture(scope="module")
def done() -> Prepared:
    return run(SCENARIO)


def ruled(arm: Arm) -> tuple[Counter[str], Counter[str]]:
    """What became of people's and of bots' votes since the attack's start."""
    people: Counter[str] = Counter()
    bots: Counter[str] = Counter()
    for frame in arm.frames[8:]:
        people.update(frame.rulings_people)
        bots.update(frame.rulings_bots)
    return people, bots


def test_the_perfect_guard_stops_all_bots_and_nobody_else(done: Prepared) -> None:
    people, bots = ruled(done.arms["perfect"])
    assert set(bots) == {REJECTED}
    assert bots[REJECTED] > 400
    assert people[TAUGHT] > 20
    assert people[REJECTED] == 0
    found, without = (
        measure(done, name)["attack_success"].mean for name in ("perfect", "unguarded")
    )
    assert found is not None
    assert without is not None
    assert abs(found) < 0.05 < 0.3 < without


def test_the_random_guard_stops_as_many_as_the_first_arm_by_lot(done: Prepared) -> None:
    share = stopped(done.arms["attacked"].frames, 8)
    people, bots = ruled(done.arms["random"])
    assert 0.2 < share < 0.98
    stops = [of[REJECTED] / sum(of.values()) for of in (people, bots)]
    assert stops[1] == pytest.approx(share, abs=0.1)
    assert stops[0] == pytest.approx(share, abs=0.25)


def test_the_share_that_was_stopped_is_of_votes_and_a_second_ruling_counts_once() -> None:
    def one(tick: int, votes: int, **rulings: int) -> Frame:
        zero = dict.fromkeys(Frame.__struct_fields__, 0)
        fields = zero | {"tick": tick, "votes_people": votes, "release": "promote"}
        return Frame(**fields | {"rulings_people": rulings, "rulings_bots": {}})  # type: ignore[arg-type]

    frames = [
        one(1, 50, taught=50),
        one(2, 10, taught=4, merged=1, quarantined=5),
        one(3, 0, taught=2, rejected=1),
    ]
    assert stopped(frames, 2) == pytest.approx(0.3)
    assert stopped(frames, 9) == 0.0


def test_baselines_do_not_run_where_the_truth_is_not() -> None:
    scenario = small({"arms": ["perfect", "reference"]})
    with pytest.raises(SettingsError, match="perfect sees the truth"):
        loop.prepare(scenario, lambda *_: pytest.fail("an engine was made"))
    with pytest.raises(SettingsError, match="as many votes as the first arm"):
        loop.prepare(small({"arms": ["random", "reference"]}))


def test_an_arm_is_left_out_only_where_it_would_be_another_one() -> None:
    table = {"arms": ARMS, "attack": {"name": "not-spam-campaign"}}
    assert fitted(table, (), True, True).arms == ARMS
    peace = fitted({"arms": ARMS, "attack": {"name": ""}}, (), True, True).arms
    assert peace == ["default", "reference"]


def test_a_run_with_baselines_goes_on_from_a_saved_state() -> None:
    half, rest = loop.prepare(SCENARIO), loop.prepare(SCENARIO)
    for tick in loop.ticks(half):
        if tick == 20:
            break
    loop.thaw(rest, loop.freeze(half))
    for _ in loop.ticks(rest, 21):
        pass
    whole = run(SCENARIO)
    assert {n: a.hash for n, a in rest.arms.items()} == {n: a.hash for n, a in whole.arms.items()}
