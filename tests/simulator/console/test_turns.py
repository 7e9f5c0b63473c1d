from typing import Any

from simulator.console.plan import Plan
from simulator.console.turns import JOINS, START, turns
from tests.simulator.page.test_course import frame

PLAN = Plan("n", "", 1, "embedded", 48, ("attacked", "twin"), "a", 8, 20, (), "default")
HAPPENED: dict[int, dict[str, Any]] = {
    5: {"alarms": 1},
    9: {"alarms": 2, "alarms_true": 1},
    12: {"release": "hold"},
    13: {"release": "hold"},
    15: {"release": "roll back"},
}


def test_the_turns_are_where_something_began_or_happened_first() -> None:
    frames = [frame(tick, **HAPPENED.get(tick, {})) for tick in range(48)]
    found = turns(PLAN._replace(joins=((11, 10), (12, 1))), frames)
    assert found == [
        (0, "the run begins"),
        (5, "the first alarm"),
        (8, "the attack begins"),
        (9, "the attack is detected"),
        (11, "10 bots join the attack"),
        (12, "a bot joins the attack, the gate holds for the first time"),
        (15, "the gate rolls back for the first time"),
        (20, "the attack ends"),
        (47, "the last hour"),
    ]


def test_of_a_run_that_goes_on_no_turn_is_told_before_it_came() -> None:
    assert turns(PLAN, []) == []
    found = turns(PLAN, [frame(tick) for tick in range(10)])
    assert found == [START, (8, "the attack begins"), (9, "the last hour so far")]


def test_however_many_bots_join_the_turns_are_few() -> None:
    many = PLAN._replace(joins=tuple((tick, 1) for tick in range(8, 20)))
    assert len(turns(many, [frame(tick) for tick in range(48)])) < JOINS + 4


def test_in_peace_there_are_an_alarm_and_the_ends() -> None:
    peace = PLAN._replace(attack="", start=48, end=48)
    frames = [frame(tick, **HAPPENED.get(tick, {})) for tick in range(12)]
    assert [one.tick for one in turns(peace, frames)] == [0, 5, 11]
