"""Corroboration: two who say the same are believed, one is not."""

from filter import codec
from filter.checks import Case, Heard, remembered
from filter.checks.corroboration import Corroboration, Witnesses
from filter.columns import no_judgements
from filter.events import QUARANTINED, UNIT, Claim

CHECK = Corroboration(addresses=2, memory=10)
Past = dict[int, Witnesses]


def case(
    vote: int, address: int, story: int = 1, *, spam: bool = True, judged: bool | None = None
) -> Case:
    claim = Claim(vote, vote, vote, 0, spam, 1, address, 0, 0.5, False, UNIT, "")
    return Case(claim, story, judged, 1)


def heard(tick: int, past: Past, *claims: Case) -> Past:
    return CHECK.learn(tick, past, Heard(claims, (), no_judgements(), 100))


def rulings(past: Past, *cases: Case) -> list[str]:
    return [said.ruling for said in CHECK.examine(1, past, cases)]


def test_two_addresses_that_say_the_same_pass_at_once() -> None:
    assert rulings({}, case(1, 10), case(2, 11)) == ["", ""]


def test_one_waits_until_another_says_the_same_of_its_story() -> None:
    first = case(1, 10)
    assert rulings({}, first) == [QUARANTINED]
    past = heard(1, {}, first)
    assert rulings(past, first) == [QUARANTINED]
    assert rulings(past, first, case(2, 11)) == ["", ""]
    assert rulings(past, first, case(2, 11, story=2)) == [QUARANTINED] * 2
    assert rulings(past, first, case(2, 11, spam=False)) == [QUARANTINED] * 2


def test_colleagues_behind_one_address_are_one_witness() -> None:
    assert rulings({}, case(1, 10), case(2, 10)) == [QUARANTINED] * 2


def test_who_was_stopped_elsewhere_is_a_witness_all_the_same() -> None:
    assert rulings(heard(1, {}, case(1, 10)), case(2, 11)) == [""]


def test_a_story_of_which_the_judges_said_the_same_needs_none() -> None:
    assert rulings({}, case(1, 10, judged=True), case(2, 11, story=2, judged=False)) == [
        "",
        QUARANTINED,
    ]


def test_witnesses_are_forgotten_and_no_more_are_kept_than_are_needed() -> None:
    past = heard(1, {}, *(case(vote, vote) for vote in range(50)))
    assert len(past[1].spam) == 2
    assert heard(10, past) == past
    assert heard(11, past) == {}


def test_what_it_remembers_is_not_changed_in_place_and_survives_a_freeze() -> None:
    past = heard(1, {}, case(1, 10))
    frozen = codec.pack(past)
    heard(2, past, case(2, 11))
    assert codec.pack(past) == frozen
    assert codec.unpack(remembered(CHECK), frozen) == past
