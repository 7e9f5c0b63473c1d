from collections.abc import Iterator
from typing import Any

from filter.events import STOPS
from simulator.page.count import (
    SPARING,
    Count,
    Done,
    Ruled,
    counted,
    precision,
    recall,
    rightly,
    total,
    worst_tenth,
)

Line = dict[str, Any]


WRONG = ("p1", "p6")
"""Votes of people that the answer key contradicts."""


def vote(name: str, account: str, bot: bool, tick: int = 1, subnet: str = "s") -> Line:
    return {
        "type": "vote",
        "arm": "attacked",
        "tick": tick,
        "vote": name,
        "account": account,
        "bot": bot,
        "right": None if bot else name not in WRONG,
        "address": f"at {account[0]}",
        "subnet": subnet,
    }


def ruling(of: str, said: str, check: str = "", arm: str = "attacked") -> Line:
    return {
        "type": "ruling",
        "arm": arm,
        "tick": 2,
        "vote": of,
        "ruling": said,
        "check": check,
    }


def response(action: str, arm: str = "attacked", **source: str) -> Line:
    return {"type": "response", "arm": arm, "tick": 3, "action": action, **source}


def events() -> Iterator[Line]:
    """Four votes of bots and eight of people, before a check that stops three and two of them."""
    for place in range(4):
        yield vote(f"b{place}", f"bot {place % 2}", True, subnet="theirs")
    for place in range(8):
        yield vote(f"p{place}", f"person {place // 2}", False, tick=place)
    yield ruling("b0", "rejected", "x")
    yield ruling("b1", "limited", "x")
    yield ruling("b2", "quarantined", "x")
    yield ruling("b3", "taught")
    yield ruling("p0", "quarantined", "x")
    yield ruling("p1", "rejected", "x")
    yield ruling("p2", "merged", "stories")
    yield ruling("p3", "duplicate", "duplicates")
    for place in (4, 5, 6):
        yield ruling(f"p{place}", "taught")


def count(*more: Line) -> Count:
    return counted([*events(), *more], "attacked")


def test_precision_and_recall_are_of_bots_votes() -> None:
    stopped = total(count().ruled, STOPS)
    assert stopped == Ruled(bots=3, people=2, mistaken=1)
    assert precision(stopped) == 3 / 5
    assert rightly(stopped) == 4 / 5, "one of the people was mistaken"
    assert recall(stopped, 4) == 3 / 4


def test_what_was_merged_or_cast_twice_is_no_accusation() -> None:
    assert total(count().ruled, SPARING) == Ruled(0, 2, 0)
    assert count().silenced == [("person 0", 1)]


def test_the_last_ruling_of_a_vote_counts_alone() -> None:
    later = count(ruling("b2", "taught"), ruling("p0", "merged", "stories"))
    assert total(later.ruled, STOPS) == Ruled(2, 1, 1)
    assert later.ruled["", "taught"] == Ruled(2, 3, 1)
    assert later.ruled["stories", "merged"] == Ruled(0, 2, 0)


def test_a_vote_that_was_never_ruled_on_waits() -> None:
    assert count().ruled["", "waiting"] == Ruled(0, 1, 0)
    assert count().flow[7, False, "waiting"] == 1


def test_every_vote_is_counted_once_in_the_flow_and_in_the_rulings() -> None:
    found = count(ruling("b2", "rejected", "x"))
    assert sum(found.flow.values()) == found.bots + found.people == 12
    assert sum(of.bots + of.people for of in found.ruled.values()) == 12


def test_who_was_mistaken_was_not_silenced_wrongly() -> None:
    found = count()
    assert found.ruled["x", "rejected"] == Ruled(1, 1, 1)
    assert found.silenced == [("person 0", 1)]
    assert found.mistaken == len(WRONG)


def test_a_vote_that_waited_and_was_refused_counts_for_who_refused_it() -> None:
    found = count(ruling("p0", "rejected", "responder"))
    assert found.ruled["responder", "rejected"] == Ruled(0, 1, 0)
    assert found.ruled["x", "quarantined"] == Ruled(1, 0, 0)


def test_who_lost_most_stands_first() -> None:
    more = [vote("p8", "person 3", False), ruling("p8", "limited", "x")]
    found = count(ruling("p7", "rejected", "x"), *more)
    assert found.silenced == [("person 3", 2), ("person 0", 1)]
    assert worst_tenth(many for _, many in found.silenced) == 2 / 3
    assert worst_tenth([]) is None


def test_the_attacker_s_accounts_addresses_and_subnets_are_distinct_ones() -> None:
    found = count(vote("b9", "cot 9", True, subnet="other"))
    assert (found.accounts, found.addresses, found.subnets) == (3, 2, 2)
    assert found.voters == 4


def test_responses_are_told_by_whose_the_sources_are() -> None:
    found = count(
        response("quarantine", account="bot 0"),
        response("quarantine", account="bot 0"),
        response("quarantine", account="person 1"),
        response("quarantine", subnet="theirs"),
        response("decoy", account="who never voted"),
    ).done
    assert found["quarantine", "account"] == Done(times=3, bots=1, people=1)
    assert found["quarantine", "subnet"] == Done(times=1, bots=1)
    assert found["decoy", "account"] == Done(times=1, unknown=1)


def test_other_arms_count_nothing() -> None:
    found = count(
        ruling("p7", "rejected", "x", arm="twin"),
        response("quarantine", arm="twin", account="person 1"),
    )
    assert found == count()


def test_what_was_never_cast_is_not_counted() -> None:
    assert count(ruling("nobody", "rejected", "x")) == count()
