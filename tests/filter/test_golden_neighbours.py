"""Golden neighbours: a claim that the judges contradict is refused."""

import pytest

from filter import codec
from filter.checks import NOTHING, Case, Suspicion, remembered
from filter.checks.golden_neighbours import GoldenNeighbours
from filter.events import REJECTED, UNIT, Claim

CHECK = GoldenNeighbours()


def case(*, spam: bool, judged: bool | None, story: int = 1) -> Case:
    claim = Claim(1, 1, 1, 0, spam, 1, 0, 0, 0.99, True, UNIT, "")
    return Case(claim, story, judged, 1)


@pytest.mark.parametrize(("judged", "word"), [(True, "spam"), (False, "ham")])
def test_a_claim_that_the_judges_contradict_is_rejected_and_told_why(
    judged: bool, word: str
) -> None:
    assert CHECK.examine(1, None, [case(spam=not judged, judged=judged)]) == [
        Suspicion(REJECTED, f"judged {word} (golden neighbour)")
    ]


@pytest.mark.parametrize("spam", [True, False])
def test_a_claim_that_nobody_judged_passes(spam: bool) -> None:
    assert CHECK.examine(1, None, [case(spam=spam, judged=None)]) == [NOTHING]


@pytest.mark.parametrize("spam", [True, False])
def test_a_claim_that_the_judges_agree_with_passes(spam: bool) -> None:
    assert CHECK.examine(1, None, [case(spam=spam, judged=spam)]) == [NOTHING]


def test_each_claim_is_compared_with_its_own_story_in_the_order_given() -> None:
    given = [
        case(spam=False, judged=True, story=1),
        case(spam=False, judged=None, story=2),
        case(spam=False, judged=False, story=3),
        case(spam=True, judged=False, story=3),
    ]
    found = [said.ruling for said in CHECK.examine(1, None, given)]
    assert found == [REJECTED, "", "", REJECTED]


def test_there_is_nothing_to_say_of_no_claims() -> None:
    assert CHECK.examine(1, None, []) == []


def test_it_remembers_nothing() -> None:
    assert codec.unpack(remembered(CHECK), codec.pack(None)) is None
