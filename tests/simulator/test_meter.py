"""Honest votes lost, and the area above the ROC curve: numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filter import codec
from filter.columns import Features, Floats, Verdicts, no_tokens
from filter.events import (
    HAM,
    HOLD,
    PROMOTE,
    QUARANTINE,
    ROLL_BACK,
    SPAM,
    UNLEARN,
    Lesson,
    Response,
    Vote,
)
from filter.stage import Flow, Release
from simulator.mail import CAMPAIGN, COPY, PEOPLE
from simulator.meter import EDGES, Cast, Meter, Taught
from simulator.truth import Known, Truth

ENOUGH = 4
END = 100


def meter(cast: list[Cast], taught: list[Taught]) -> Meter:
    return Meter(0, END, cast, taught)


def lost(cast: list[Cast], taught: list[Taught]) -> float | None:
    return meter(cast, taught).lost(END, enough=ENOUGH)


def votes(stories: list[int], tick: int = 10, spam: bool = False) -> list[Cast]:
    return [Cast(tick, story, spam) for story in stories]


def lesson(story: int, tick: int = 10, weight: float = 1.0, promoted: int | None = None) -> Taught:
    return Taught(tick, story, False, weight, tick if promoted is None else promoted)


def test_a_vote_whose_story_was_taught_at_full_weight_is_not_lost() -> None:
    assert lost(votes([1, 2, 3, 4]), [lesson(1), lesson(2), lesson(3)]) == 0.25


def test_one_lesson_serves_all_votes_of_its_story() -> None:
    assert lost(votes([1, 1, 1, 2]), [lesson(1)]) == 0.25


def test_weights_add_up_and_no_vote_counts_for_more_than_one() -> None:
    taught = [lesson(1, weight=0.25), lesson(1, weight=0.25), *[lesson(2)] * 5]
    assert lost(votes([1, 1, 2, 3]), taught) == pytest.approx(1 - (0.5 + 0.5 + 1 + 0) / 4)


def test_a_lesson_of_the_other_label_saves_nothing() -> None:
    other = lesson(1)._replace(spam=True)
    assert lost(votes([1, 1, 1, 1]), [other]) == 1.0


@pytest.mark.parametrize(("tick", "share"), [(34, 0.0), (35, 1.0), (5, 0.0)])
def test_a_lesson_counts_for_a_day(tick: int, share: float) -> None:
    assert lost(votes([1, 1, 1, 1]), [lesson(1, tick)]) == share


@pytest.mark.parametrize(("promoted", "share"), [(34, 0.0), (35, 1.0), (-1, 1.0)])
def test_a_lesson_counts_if_it_was_promoted_within_a_day(promoted: int, share: float) -> None:
    assert lost(votes([1, 1, 1, 1]), [lesson(1, promoted=promoted)]) == share


def test_the_label_that_loses_more_counts() -> None:
    cast = votes([1, 1, 2, 2]) + votes([3, 3, 3, 4], spam=True)
    taught = [lesson(1), lesson(3)._replace(spam=True)]
    assert lost(cast, taught) == 0.5
    assert lost(cast, [lesson(1), lesson(2), lesson(3)._replace(spam=True)]) == 0.25


def test_a_label_with_too_few_votes_does_not_count_and_without_any_there_is_no_data() -> None:
    few = votes([9, 9, 9], spam=True)
    assert lost(votes([1, 1, 1, 1]) + few, [lesson(1)]) == 0.0
    assert lost(few, []) is None
    assert meter(votes([1] * 299), []).lost(END) is None
    assert meter(votes([1] * 300), []).lost(END) == 1.0


def test_votes_of_the_last_day_are_too_young_to_tell() -> None:
    assert lost(votes([1, 1, 1, 1], tick=END - 25), []) == 1.0
    assert lost(votes([1, 1, 1, 1], tick=END - 24), []) is None


def test_mistakes_are_refused_as_far_as_they_taught_nothing() -> None:
    read = Meter(0, END, mistaken=votes([1, 2, 3, 4]), taught=[lesson(1), lesson(2, weight=0.5)])
    assert read.mistakes_refused(END, enough=4) == pytest.approx(1 - 1.5 / 4)
    assert read.mistakes_refused(END, enough=5) is None


def test_lost_votes_of_a_few_people_are_told_from_those_of_many() -> None:
    few = [Cast(10, story, False, account=7) for story in range(30)]
    many = [Cast(10, story, False, account=100 + story) for story in range(30)]
    rest = [Cast(10, 99, False, account=200 + n) for n in range(9)]
    assert meter(few + rest, [lesson(99)]).lost_by_few(END) == 1.0
    assert meter(many, []).lost_by_few(END) == pytest.approx(0.1)
    assert meter(few[:29] + rest, [lesson(99)]).lost_by_few(END) is None


def test_lost_votes_are_counted_by_genre() -> None:
    cast = [Cast(10, story, False, genre=story % 2) for story in range(5)]
    found = meter(cast, [lesson(0), lesson(1, weight=0.25)]).lost_by_genre(END)
    assert found == {0: (3, 2.0), 1: (2, 1.75)}


def test_a_correction_waits_until_a_promoted_release_holds_its_lesson() -> None:
    def delay(share: float, taught: list[Taught], stories: list[int]) -> float | None:
        return meter(votes(stories), taught).delay(share, END, enough=4)

    taught = [lesson(1, 12, promoted=13), lesson(1, 30), lesson(2, 9), lesson(3, 20, promoted=50)]
    assert delay(0.0, taught, [1, 1, 2, 3]) == 0
    assert delay(0.5, taught, [1, 1, 2, 3]) == 3
    assert delay(0.95, taught, [1, 1, 2, 3]) == 40
    assert delay(0.5, taught, [1, 1, 9, 9]) is None
    assert delay(0.3, taught, [1, 1, 9, 9]) == 3
    assert delay(0.5, taught, [1, 1, 1]) is None
    late = [lesson(1, promoted=-1), lesson(1)._replace(spam=True), lesson(1, tick=-20)]
    assert delay(0.0, late, [1, 1, 1, 1]) is None


def key(*mails: tuple[int, int, bool], kind: int = PEOPLE) -> Known:
    """Mails (id, story, is spam), sent at tick 0."""
    count = len(mails)
    number = np.array([mail for mail, _, _ in mails], np.uint64)
    return Known(
        number,
        number,
        number,
        np.zeros(count, np.int8),
        np.array([spam for _, _, spam in mails], np.bool_),
        np.array([story for _, story, _ in mails], np.uint64),
        np.full(count, kind, np.int8),
        np.zeros(count, np.int8),
        np.zeros(count, np.int8),
    )


KNOWN = key((1, 11, False), (2, 11, False), (3, 33, True))
BOT = 666


def truth() -> Truth:
    made = Truth(100, {BOT}, set())
    made.restore({0: KNOWN})
    return made


def verdicts(scores: list[float], mails: Known = KNOWN) -> Verdicts:
    zero = np.zeros(len(scores), np.uint64)
    folder = np.zeros(len(scores), np.int8)
    return Verdicts(mails.mail, zero, np.array(scores), folder, zero, folder)


def flow(
    cast: tuple[Vote, ...] = (),
    lessons: tuple[Lesson, ...] = (),
    action: str = PROMOTE,
    dropped: int = -1,
    responses: tuple[Response, ...] = (),
) -> Flow:
    release = Release(0, action, "", None, None, dropped)
    none = np.empty(0, np.uint64)
    empty = Features(none, none, none, np.empty(0, np.int8), no_tokens())
    return Flow(
        verdicts=verdicts([0.5] * 3),
        votes=cast,
        lessons=lessons,
        responses=responses,
        releases=(release,),
        features=empty,
    )


def vote(mail: int, label: str, account: int = 1) -> Vote:
    return Vote(mail, account, mail, 0, label, 1, 0, 0, 0, 0)


def taught(mail: int) -> Lesson:
    return Lesson(mail, False, 0, 250, ((1, 250),))


def test_what_was_unlearned_saves_no_vote_any_more() -> None:
    read = Meter(0, 9)
    read.read(1, flow(lessons=(taught(1), Lesson(2, False, 0, 250, ((2, 250),)))), KNOWN, truth())
    read.read(2, flow(responses=(Response(2, QUARANTINE, 9, ""),)), KNOWN, truth())
    assert len(read.taught) == 2
    read.read(3, flow(responses=(Response(2, UNLEARN, 9, ""),)), KNOWN, truth())
    assert [one.account for one in read.taught] == [1]


def test_a_lesson_that_is_too_old_to_be_unlearned_stays() -> None:
    old, young = lesson(1, 5)._replace(account=2), lesson(1, 6)._replace(account=2)
    read = Meter(0, END, taught=[old, young], unlearns=10)
    read.read(15, flow(responses=(Response(2, UNLEARN, 9, ""),)), KNOWN, truth())
    assert [one.tick for one in read.taught] == [5]


def test_only_right_votes_of_honest_people_inside_the_window_are_counted() -> None:
    read = Meter(1, 2)
    cast = (vote(1, HAM), vote(2, SPAM), vote(3, SPAM), vote(3, HAM, BOT), vote(1, HAM, BOT))
    for tick in range(3):
        read.read(tick, flow(cast), KNOWN, truth())
    assert read.cast == [Cast(1, 11, False, 1), Cast(1, 33, True, 1)]
    assert read.mistaken == [Cast(1, 11, True, 1)]


def test_a_lesson_is_promoted_with_the_next_promotion_not_with_a_held_release() -> None:
    read = Meter(0, 9)
    read.read(1, flow(lessons=(taught(1),), action=HOLD), KNOWN, truth())
    assert [one.promoted for one in read.taught] == [-1]
    read.read(2, flow(lessons=(taught(2),), action=HOLD), KNOWN, truth())
    read.read(3, flow(lessons=(taught(3),)), KNOWN, truth())
    assert [(one.tick, one.promoted) for one in read.taught] == [(1, 3), (2, 3), (3, 3)]
    assert read.taught[0] == Taught(1, 11, False, 0.25, 3, account=1)


def test_a_roll_back_takes_the_lessons_back_that_it_drops() -> None:
    read = Meter(0, 9)
    for tick in range(1, 5):
        read.read(tick, flow(lessons=(taught(1),)), KNOWN, truth())
    read.read(5, flow(lessons=(taught(2),), action=ROLL_BACK, dropped=2), KNOWN, truth())
    assert [one.tick for one in read.taught] == [1, 2]
    read.read(6, flow(lessons=(taught(3),)), KNOWN, truth())
    assert [(one.tick, one.promoted) for one in read.taught] == [(1, 1), (2, 2), (6, 6)]


def roca(ham: list[float], spam: list[float]) -> float | None:
    mails = [(number, 0, number >= len(ham)) for number in range(len(ham) + len(spam))]
    known = key(*mails)
    read = Meter(0, 1)
    one = flow()
    one.verdicts = verdicts(ham + spam, known)
    read.read(0, one, known, truth())
    return read.one_minus_roca()


def test_the_area_above_the_curve_is_how_often_ham_scores_above_spam() -> None:
    assert roca([0.1, 0.2], [0.8, 0.9]) == 0.0
    assert roca([0.8, 0.9], [0.1, 0.2]) == 1.0
    assert roca([0.1, 0.7], [0.5, 0.9]) == 0.25
    assert roca([0.5, 0.5], [0.5, 0.5]) == 0.5


def test_without_ham_or_without_spam_there_is_no_curve() -> None:
    assert roca([0.1], []) is None
    assert roca([], [0.1]) is None


scores = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@settings(deadline=None)  # the first one imports scikit-learn
@given(scores, scores)
def test_it_is_one_less_scikit_learn_s_area_under_the_curve(
    ham: list[float], spam: list[float]
) -> None:
    from sklearn.metrics import roc_auc_score

    binned = np.searchsorted(EDGES, np.array(ham + spam))
    label = [False] * len(ham) + [True] * len(spam)
    assert roca(ham, spam) == pytest.approx(1.0 - roc_auc_score(label, binned), abs=1e-12)


def test_it_is_over_the_whole_window_not_a_mean_of_ticks() -> None:
    read = Meter(0, 2)
    for tick, (ham, spam) in enumerate([(0.1, 0.2), (0.8, 0.9)]):
        known = key((1, 0, False), (2, 0, True))
        one = flow()
        one.verdicts = verdicts([ham, spam], known)
        read.read(tick, one, known, truth())
    assert read.one_minus_roca() == 0.25


def test_copies_to_bots_are_not_people_s_mail_but_the_campaign_is() -> None:
    for kind, counted in ((COPY, 0), (CAMPAIGN, 1), (PEOPLE, 1)):
        read = Meter(0, 1)
        known = key((1, 0, True), kind=kind)
        one = flow()
        one.verdicts = verdicts([0.9], known)
        read.read(0, one, known, truth())
        assert sum(read.spam) == counted


def test_a_thousand_bins_lose_next_to_nothing_of_real_scores() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(4)

    def sigmoid(odds: Floats) -> list[float]:
        return [float(score) for score in 1 / (1 + np.exp(-odds))]

    ham, spam = sigmoid(rng.normal(-2, 2, 3000)), sigmoid(rng.normal(2, 2, 3000))
    exact = 1 - roc_auc_score([False] * 3000 + [True] * 3000, ham + spam)
    assert roca(ham, spam) == pytest.approx(exact, abs=1e-4)


def test_a_meter_survives_the_codec() -> None:
    read = Meter(0, 9)
    read.read(1, flow((vote(1, HAM),), (taught(1),)), KNOWN, truth())
    again = codec.unpack(Meter, codec.pack(read))
    assert codec.pack(again) == codec.pack(read)
    assert (again.cast, again.taught) == (read.cast, read.taught)
