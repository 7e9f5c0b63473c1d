"""Every vote cast is in exactly one bucket, at every tick, and teaches at most once."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter import codec
from filter.events import DUPLICATE, QUARANTINED, RULINGS, TAUGHT, Ruling, Vote
from simulator import loop
from simulator.tally import AccountingError, Tally
from tests.contracts.small import Table, small, stubborn

ids = st.integers(0, 30)


def vote(number: int) -> Vote:
    return Vote(number, 1, 2, 3, "ham", 4, 5, 6, 7, 8)


def ruling(number: int, what: str = TAUGHT) -> Ruling:
    return Ruling(number, 1, 2, 4, what, "", "")


def test_votes_and_rulings_of_a_tick_add_up() -> None:
    tally = Tally()
    tally.count((vote(1), vote(2)), [ruling(1), ruling(2, "rejected")])
    assert (tally.cast, tally.buckets) == (2, {"taught": 1, "rejected": 1})


def test_a_held_vote_moves_to_the_bucket_of_its_second_ruling() -> None:
    tally = Tally()
    tally.count((vote(1), vote(2)), [ruling(1, QUARANTINED), ruling(2)])
    assert (set(tally.open), tally.buckets) == ({1}, {"quarantined": 1, "taught": 1})
    tally.count((), [ruling(1, "rejected")])
    assert (set(tally.open), tally.buckets) == (
        set(),
        {"quarantined": 0, "taught": 1, "rejected": 1},
    )


def test_a_vote_may_be_held_again_by_another_check() -> None:
    tally = Tally()
    tally.count((vote(1),), [ruling(1, QUARANTINED)])
    tally.count((), [ruling(1, QUARANTINED)])
    assert (set(tally.open), tally.buckets) == ({1}, {"quarantined": 1})


def test_a_vote_without_a_ruling_fails_the_run() -> None:
    with pytest.raises(AccountingError, match="2 votes were cast, 1 are accounted for"):
        Tally().count((vote(1), vote(2)), [ruling(1)])


def test_two_rulings_of_a_vote_at_a_tick_fail_the_run() -> None:
    with pytest.raises(AccountingError, match="ruled on twice"):
        Tally().count((vote(1),), [ruling(1), ruling(1)])


def test_a_second_ruling_of_a_vote_that_was_not_held_fails_the_run() -> None:
    tally = Tally()
    tally.count((vote(1),), [ruling(1)])
    with pytest.raises(AccountingError, match="ruled on twice"):
        tally.count((), [ruling(1, "rejected")])


def test_a_ruling_of_a_vote_never_cast_fails_the_run() -> None:
    with pytest.raises(AccountingError, match="vote 9 was ruled on twice, or never cast"):
        Tally().count((), [ruling(9)])


def test_two_votes_of_one_id_fail_the_run() -> None:
    with pytest.raises(AccountingError, match="the same id"):
        Tally().count((vote(1), vote(1)), [ruling(1), ruling(1)])


def test_a_ruling_that_does_not_exist_fails_the_run() -> None:
    with pytest.raises(AccountingError, match="'forgiven'"):
        Tally().count((vote(1),), [ruling(1, "forgiven")])


@given(st.lists(st.lists(st.sampled_from(RULINGS), max_size=8), max_size=8))
def test_the_buckets_always_hold_every_vote_once(ticks: list[list[str]]) -> None:
    tally, number = Tally(), 0
    expected: Counter[str] = Counter()
    for tick in ticks:
        cast = range(number, number + len(tick))
        number += len(tick)
        tally.count(tuple(map(vote, cast)), list(map(ruling, cast, tick)))
        expected.update(tick)
    assert {name: n for name, n in tally.buckets.items() if n} == dict(expected)
    assert len(tally.open) == expected[QUARANTINED]


def test_a_tally_survives_the_codec() -> None:
    tally = Tally()
    tally.count((vote(1), vote(2)), [ruling(1, QUARANTINED), ruling(2)])
    assert codec.unpack(Tally, codec.pack(tally)) == tally


STINGY: Table = {"filter": {"checks": {"rate_limit": {"votes_per_day": 1.0, "burst": 2.0}}}}
"""So that rate limits show in a small world."""


@pytest.mark.parametrize("arm", ["attacked", "unguarded", "reject_all"])
@pytest.mark.parametrize("delay", [1, 3])
def test_every_tick_of_a_run_accounts_for_every_vote_whatever_bots_repeat(
    arm: str, delay: int, tmp_path: Path
) -> None:
    change = {"arms": [arm], "feedback_delay": delay}
    prepared = loop.prepare(small(stubborn(tmp_path), STINGY, change))
    latest: dict[int, str] = {}
    taught: Counter[int] = Counter()
    cast: set[int] = set()
    said: Counter[tuple[int, int]] = Counter()
    for _ in loop.ticks(prepared):
        flow = prepared.arms[arm].last
        if flow is None:
            continue
        cast |= {vote.id for vote in flow.votes or ()}
        for one in (*(flow.stopped or ()), *(flow.rulings or ())):
            latest[one.vote] = one.ruling
            taught[one.vote] += one.ruling == TAUGHT
        said.update(
            (share[0], lesson.mail) for lesson in flow.lessons or () for share in lesson.shares
        )
        frame = prepared.arms[arm].frames[-1]
        assert latest.keys() == cast
        assert frame.held == sum(ruling == QUARANTINED for ruling in latest.values())
        tally = prepared.arms[arm]._tally
        assert tally.cast == sum(tally.buckets.values()) == len(cast)
    if arm != "reject_all":
        assert taught.total() > 10
        assert max(taught.values()) == 1
        assert max(said.values()) == 1
    assert Counter(latest.values())[DUPLICATE] > 50


def test_what_a_frame_counts_is_what_was_ruled(tmp_path: Path) -> None:
    prepared = loop.prepare(small(stubborn(tmp_path), {"arms": ["attacked"]}))
    for _ in loop.ticks(prepared):
        flow = prepared.arms["attacked"].last
        if flow is None:
            continue
        frame = prepared.arms["attacked"].frames[-1]
        ruled = Counter(r.ruling for r in (*(flow.stopped or ()), *(flow.rulings or ())))
        assert Counter(frame.rulings_people) + Counter(frame.rulings_bots) == ruled
        assert frame.votes_people + frame.votes_bots == len(flow.votes or ())
        weight = sum(lesson.weight for lesson in flow.lessons or ()) / 1000
        assert frame.lessons_people + frame.lessons_bots == pytest.approx(weight)


def test_the_votes_of_bots_count_for_the_check_that_ruled_on_them_last() -> None:
    tally = Tally()
    held = Ruling(1, 1, 2, 4, QUARANTINED, "budget", "")
    of_person = Ruling(2, 9, 2, 4, "rejected", "budget", "")
    tally.count((vote(1), vote(2), vote(3)), [held, of_person, ruling(3, "merged")], {1})
    assert tally.bots == {"budget": 1}
    tally.count((), [Ruling(1, 1, 2, 4, "rejected", "golden", "")], {1})
    assert tally.bots == {"budget": 0, "golden": 1}
