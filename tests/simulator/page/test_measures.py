from typing import Any

import msgspec

from simulator.frame import Frame
from simulator.page.count import Count, Done
from simulator.page.measures import measures
from simulator.page.run import Run
from tests.simulator.page.test_course import frame
from tests.simulator.test_printed import SUMMARY

NOTHING = Count(0, 0, 0, 0, 0, {}, {}, {}, [], 0)


def of(*frames: Frame, done: Any = None, **changes: Any) -> Run:
    summary = msgspec.structs.replace(SUMMARY, **changes)
    return Run(summary, "attacked", {"attacked": [*frames]}, NOTHING._replace(done=done or {}))


def words(run: Run) -> str:
    part = measures(run)
    assert part is not None
    return " ".join(part.words)


def test_who_was_found_out_is_told_by_the_answer_key() -> None:
    run = of(frame(0, alarms=5, alarms_true=3), frame(1, alarms=2, alarms_true=1, release="hold"))
    assert "found out 6 times" in words(run)
    assert "4 times it was one of the attacker's, 2 times one of people's" in words(run)


def test_in_peace_whoever_is_found_out_is_one_of_the_people() -> None:
    said = words(of(frame(0, alarms=2), attacks=[]))
    assert "found out 2 times" in said
    assert "attacker" not in said


def test_roll_backs_and_decoys_are_told() -> None:
    said = words(of(frame(0, release="roll back", alarms=1), frame(1, decoys=7, harmed=2)))
    assert "rolled the model back 1 times" in said
    assert "7 copies to bots" in said
    assert "2 mails of people" in said
    assert "found out" not in said


def test_a_column_of_sources_is_there_only_if_there_are_any() -> None:
    part = measures(of(done={("quarantine", "account"): Done(3, 0, 2)}))
    assert part is not None
    [table] = part.tables
    assert table.head == ("measure", "what it does", "times", "people")
    assert table.rows[0][0] == "quarantine, account"
    assert table.rows[0][2:] == ("3", "2")


def test_where_nothing_was_done_nothing_is_said() -> None:
    assert measures(of(frame(0))) is None
