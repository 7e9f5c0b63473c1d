"""Near-duplicates: a crowd of claims on one story is one lesson."""

import pytest

from filter import codec
from filter.checks import NOTHING, Case, Heard, Suspicion, remembered
from filter.checks.near_duplicates import NearDuplicates, Past
from filter.columns import no_judgements
from filter.events import MERGED, QUARANTINED, UNIT, Claim

CHECK = NearDuplicates(once_per=5)


def case(vote: int, story: int = 1, *, spam: bool = True, judged: bool | None = None) -> Case:
    claim = Claim(vote, vote, vote, 0, spam, 1, 0, 0, 0.5, False, UNIT, "")
    return Case(claim, story, judged, 1)


def learned(tick: int, past: Past, *taught: Case) -> Past:
    return CHECK.learn(tick, past, Heard((), taught, no_judgements(), 100))


def rulings(tick: int, past: Past, *cases: Case) -> list[str]:
    return [said.ruling for said in CHECK.examine(tick, past, cases)]


def test_the_first_claim_of_a_story_passes_and_the_others_wait() -> None:
    found = CHECK.examine(1, CHECK.fresh(), [case(1), case(2), case(3, story=2), case(4)])
    waits = Suspicion(QUARANTINED, "waits for the lesson of its story")
    assert found == [NOTHING, waits, NOTHING, waits]


def test_they_wait_on_while_a_later_check_keeps_the_first_from_teaching() -> None:
    past = learned(1, CHECK.fresh())
    assert rulings(2, past, case(1), case(2)) == ["", QUARANTINED]


def test_only_what_was_taught_counts_as_a_lesson() -> None:
    claims_only = Heard([case(1)], (), no_judgements(), 100)
    assert rulings(2, CHECK.learn(1, CHECK.fresh(), claims_only), case(2)) == [""]


def test_after_its_lesson_a_story_s_claims_merge_until_the_time_has_passed() -> None:
    past = learned(10, CHECK.fresh(), case(1))
    for tick in range(11, 15):
        assert rulings(tick, past, case(2), case(3)) == [MERGED, MERGED]
        past = learned(tick, past)
    assert rulings(15, past, case(2), case(3)) == ["", QUARANTINED]


@pytest.mark.parametrize("once_per", [1, 12, 30])
def test_how_long_they_merge_is_a_setting(once_per: int) -> None:
    check = NearDuplicates(once_per)
    past = check.learn(0, check.fresh(), Heard((), [case(1)], no_judgements(), 100))
    merged = [tick for tick in range(1, 60) if check.examine(tick, past, [case(2)])[0].ruling]
    assert merged == list(range(1, once_per))


def test_a_lesson_at_the_first_tick_is_one() -> None:
    past = learned(0, CHECK.fresh(), case(1))
    assert CHECK.examine(1, past, [case(2)]) == [
        Suspicion(MERGED, "its story taught this at 0 h"),
    ]


def test_a_new_lesson_starts_the_time_anew() -> None:
    past = learned(14, learned(10, CHECK.fresh(), case(1)), case(2))
    assert rulings(18, past, case(3)) == [MERGED]
    assert rulings(19, past, case(3)) == [""]


def test_the_two_labels_teach_apart() -> None:
    both = [case(1, spam=True), case(2, spam=False), case(3, spam=True), case(4, spam=False)]
    assert rulings(1, CHECK.fresh(), *both) == ["", "", QUARANTINED, QUARANTINED]
    for label in (True, False):
        past = learned(10, CHECK.fresh(), case(1, spam=label))
        assert rulings(11, past, case(2, spam=label), case(3, spam=not label)) == [MERGED, ""]


def test_each_label_keeps_its_own_time() -> None:
    past = learned(10, CHECK.fresh(), case(1, spam=True))
    past = learned(13, past, case(2, spam=False))
    assert rulings(14, past, case(3, spam=True), case(4, spam=False)) == [MERGED, MERGED]
    assert rulings(15, past, case(3, spam=True), case(4, spam=False)) == ["", MERGED]
    assert rulings(18, past, case(4, spam=False)) == [""]


@pytest.mark.parametrize("label", [True, False])
def test_a_story_that_was_judged_alike_teaches_as_often_as_it_is_claimed(label: bool) -> None:
    past = learned(10, CHECK.fresh(), case(1, spam=label))
    alike = [case(vote, spam=label, judged=label) for vote in range(5)]
    assert rulings(11, past, *alike) == [""] * 5


def test_a_story_that_was_judged_otherwise_is_held_like_any() -> None:
    otherwise = [case(vote, spam=True, judged=False) for vote in range(3)]
    assert rulings(1, CHECK.fresh(), *otherwise) == ["", QUARANTINED, QUARANTINED]


def test_it_forgets_what_holds_nobody_back() -> None:
    past = learned(10, CHECK.fresh(), case(1, story=1), case(2, story=2, spam=False))
    for tick in range(11, 15):
        past = learned(tick, past)
        assert set(past) == {1, 2}
    assert learned(15, past) == {}


def test_its_memory_is_no_larger_than_the_lessons_of_its_time() -> None:
    past = CHECK.fresh()
    for tick in range(500):
        past = learned(tick, past, *(case(n, story=10 * tick + n) for n in range(10)))
        assert len(past) <= 10 * CHECK.once_per


def test_learning_leaves_the_past_as_it_was_and_packing_keeps_it() -> None:
    past = learned(10, CHECK.fresh(), case(1), case(2, story=2, spam=False))
    before = codec.pack(past)
    learned(11, past, case(3, spam=False))
    assert codec.pack(past) == before
    assert codec.unpack(remembered(CHECK), before) == past
