"""The learner: what it is taught, what it serves, and what it takes back."""

from dataclasses import replace
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
import pytest

from filter import codec
from filter.columns import Features, Floats, Judgements, Kept, no_judgements, no_kept
from filter.events import (
    HOLD,
    INBOX,
    JUNK,
    PROMOTE,
    QUARANTINE,
    ROLL_BACK,
    UNIT,
    UNLEARN,
    Lesson,
    Response,
)
from filter.gate import Decision, GateSettings
from filter.learner import Learner, LearnerIn, LearnerOut, LearnerSettings, StartSet
from filter.limits import LimitSettings
from filter.model import LogOdds
from filter.model.logistic_regression import LogisticRegression
from filter.model.naive_bayes import NaiveBayes
from filter.ragged import Ragged, concatenate, ragged
from filter.scoring import folders
from filter.stage import Provider, Release

PROVIDER = Provider(bytes(16), 48)
MODEL = NaiveBayes(bits=12)
STORY = [3000 + place for place in range(30)]
"""A spam campaign of which the start set has ten mails."""
GATE = GateSettings(significance=0.01, asked_per_hour=5, patience=3)
WARY = 9
Source = Literal["votes", "votes+kept", "votes+kept+judgements", "all"]


def some(count: int, low: int, seed: int) -> Ragged:
    """Mails of six words of their class and two dozen that everybody uses."""
    rng = np.random.default_rng(seed)
    own, shared = rng.integers(low, low + 300, (count, 6)), rng.integers(2000, 2300, (count, 24))
    return ragged(list(np.concatenate((own, shared), axis=1)))


def start() -> StartSet:
    tokens = concatenate([some(140, 1000, 1), ragged([STORY] * 10), some(150, 0, 2)])
    return StartSet(tokens, np.arange(300) < 150, some(300, 0, 3))


def learner(
    gate: bool = False, source: Source = "votes+kept", heeds: bool = False, model: Any = MODEL
) -> Learner:
    settings = LearnerSettings(source, 0.1, 8, LimitSettings(), GATE, wary=WARY)
    return Learner(PROVIDER, settings, model, start(), gate, heeds)


def mail(tick: int, count: int = 20) -> Features:
    """A tick's mail, all of it of the story; ids count up from 100 t."""
    number = np.arange(100 * tick, 100 * tick + count, dtype=np.uint64)
    return Features(number, number, number, np.zeros(count, np.int8), ragged([STORY] * count))


def lessons(tick: int, count: int, spam: bool = False) -> tuple[Lesson, ...]:
    return tuple(Lesson(100 * tick + n, spam, tick, UNIT, ((n, UNIT),)) for n in range(count))


def kept(tick: int, count: int, spam: bool = False) -> Kept:
    number = mail(tick, count).mail
    when = np.full(count, tick)
    return Kept(number, number, when, when - 999, np.full(count, spam))


def judged(tick: int, count: int, spam: bool, asked: bool = False) -> Judgements:
    number = mail(tick, count).mail
    return Judgements(
        number,
        np.full(count, tick),
        np.full(count, spam),
        np.full(count, INBOX, np.int8),
        number,
        np.full(count, asked),
        np.ones(count, np.int64),
    )


served: WeakKeyDictionary[Learner, int] = WeakKeyDictionary()


def step(
    stage: Learner,
    tick: int,
    taught: tuple[Lesson, ...] = (),
    looks: Kept | None = None,
    said: Judgements | None = None,
    told: tuple[Response, ...] = (),
) -> LearnerOut:
    """A tick; its mail was put where the last release that was served puts the story."""
    here = mail(tick)
    folder = np.full(len(here.mail), served.get(stage, JUNK), np.int8)
    given = LearnerIn(
        here._replace(folder=folder), taught, looks or no_kept(), said or no_judgements(), told
    )
    out = stage.step(tick, given)
    if out.releases[0].scorer is not None:
        served[stage] = put(out.releases[0])
    return out


def odds(release: Release, tokens: Ragged | None = None) -> Floats:
    assert release.scorer is not None
    return release.scorer.log_odds(tokens or ragged([STORY]))


def put(release: Release) -> int:
    assert release.limits is not None
    return int(folders(odds(release), release.limits)[0])


def test_it_begins_with_what_the_start_set_says() -> None:
    begun = learner().start
    assert (begun.tick, begun.action) == (0, PROMOTE)
    assert put(begun) == JUNK
    ham = odds(begun, some(300, 0, 3))
    assert begun.limits is not None
    assert (ham >= begun.limits.spam).mean() == pytest.approx(0.01, abs=0.004)


def test_one_vote_does_not_move_a_well_known_story_out_of_spam_and_a_hundred_do() -> None:
    stage = learner()
    (after_one,), _ = step(stage, 1, lessons(1, 1))
    assert put(after_one) == JUNK
    assert odds(after_one)[0] < odds(stage.start)[0]
    for tick in range(2, 7):
        (release,), _ = step(stage, tick, lessons(tick, 20))
    assert put(release) == INBOX


def test_lessons_of_a_tick_have_no_order() -> None:
    given = (*lessons(1, 9), *lessons(1, 9, spam=True)[4:])
    one, other = learner(), learner()
    first, second = step(one, 1, given), step(other, 1, given[::-1])
    assert first.releases[0].fingerprint() == second.releases[0].fingerprint()


def test_what_was_kept_counts_a_tenth_of_a_vote() -> None:
    by_votes, by_looks = learner(), learner()
    (voted,), _ = step(by_votes, 1, lessons(1, 2))
    (looked,), _ = step(by_looks, 1, (), kept(1, 20))
    assert odds(looked)[0] == pytest.approx(odds(voted)[0], rel=0.01)


@pytest.mark.parametrize(
    ("source", "moves"),
    [
        ("votes", (True, False, False)),
        ("votes+kept", (True, True, False)),
        ("votes+kept+judgements", (True, True, True)),
        ("all", (False, False, True)),
    ],
)
def test_it_learns_from_what_it_is_told_to(source: Source, moves: tuple[bool, ...]) -> None:
    given = ((lessons(1, 9), None, None), ((), kept(1, 9), None), ((), None, judged(1, 9, False)))
    before = odds(step(learner(source=source), 1).releases[0])[0]
    for (taught, looks, said), moved in zip(given, moves, strict=True):
        after = odds(step(learner(source=source), 1, taught, looks, said).releases[0])[0]
        assert (after < before - 0.01) == moved


def test_a_lesson_on_a_mail_that_is_gone_teaches_no_word() -> None:
    stage, other = learner(), learner()
    gone = (Lesson(77, False, -30, UNIT, ((1, UNIT),)),)
    one, two = step(stage, 1, gone).releases[0], step(other, 1).releases[0]
    assert odds(one).tolist() == odds(two).tolist()


def poisoned(stage: Learner, ticks: range) -> list[LearnerOut]:
    """Twenty false votes an hour; the judges look at what the gate asked for."""
    found, asked = [], 0
    for tick in ticks:
        said = judged(tick - 1, asked, spam=True, asked=True) if asked else None
        out = step(stage, tick, lessons(tick, 20), None, said)
        asked = len(out.requests)
        found.append(out)
    return found


def test_without_a_gate_whatever_was_learned_is_served_and_nobody_is_asked() -> None:
    found = poisoned(learner(), range(1, 15))
    assert {out.releases[0].action for out in found} == {PROMOTE}
    assert not any(out.requests for out in found)
    assert put(found[-1].releases[0]) == INBOX


def test_the_gate_asks_about_at_most_five_mails_an_hour_on_which_the_releases_disagree() -> None:
    stage = learner(gate=True)
    assert step(stage, 1).requests == ()
    found = poisoned(stage, range(2, 12))
    counts = [len(out.requests) for out in found]
    assert max(counts) == 5
    asked = [(one.mail // 100, one.sent) for out in found for one in out.requests]
    assert asked
    assert all(of == sent for of, sent in asked)


def test_the_gate_holds_a_candidate_that_judges_find_worse_then_rolls_it_back() -> None:
    stage = learner(gate=True)
    found = [out.releases[0] for out in poisoned(stage, range(1, 20))]
    actions = [release.action for release in found]
    first = actions.index(HOLD)
    assert actions[:first] == [PROMOTE] * first
    assert actions[first : first + 4] == [HOLD] * 3 + [ROLL_BACK]
    held, back = found[first], found[first + 3]
    assert (held.scorer, held.limits, held.dropped) == (None, None, -1)
    assert "spam let in, ham rescued: 10 worse than the anchor" in held.reason
    assert back.dropped == 0
    assert back.reason.endswith("back to 0 h")
    assert odds(back).tolist() == odds(stage.start).tolist()
    assert put(back) == JUNK


def test_after_a_refusal_looks_teach_nothing_for_a_while_and_votes_go_on() -> None:
    """The gate cannot tell which lesson was the wrong one, but nobody has looked at looks."""
    stage = learner(gate=True)
    found = [out.releases[0].action for out in poisoned(stage, range(1, 20))]
    last = max(tick for tick, action in enumerate(found, 1) if action != PROMOTE)
    for tick, moves in ((last + WARY, False), (last + WARY + 1, True)):
        other, same = learner(gate=True), learner(gate=True)
        for one in (other, same):
            one.thaw(stage.freeze())
        step(other, tick, (), kept(tick, 20))
        step(same, tick)
        assert (other._model.freeze() != same._model.freeze()) == moves
        step(other, tick + 1, lessons(tick + 1, 1))
        step(same, tick + 1)
        assert other._model.freeze() != same._model.freeze()


def test_a_roll_back_restores_training_and_limits_too() -> None:
    stage, fresh = learner(gate=True), learner(gate=True)
    found = poisoned(stage, range(1, 20))
    rolled = [out.releases[0].action for out in found].index(ROLL_BACK)
    before = learner(gate=True)
    poisoned(before, range(1, rolled + 1))
    assert before._model.freeze() != fresh._model.freeze()
    again = learner(gate=True)
    poisoned(again, range(1, rolled + 2))
    assert again._model.freeze() == fresh._model.freeze()
    assert again._memory.limits == fresh._memory.limits
    assert again._memory.held == 0


def test_daily_states_are_kept_for_a_week_and_a_day() -> None:
    stage = learner(gate=True)
    for tick in range(1, 24 * 12):
        step(stage, tick)
    ticks = [snapshot.tick for snapshot in stage._snapshots]
    assert ticks == [24 * day for day in range(4, 12)]
    assert stage._anchor(24 * 12).tick == 24 * 5


def test_judged_mail_is_kept_for_the_window_and_ham_up_to_its_number() -> None:
    settings = LearnerSettings(limits=LimitSettings(pool=50), gate=GATE)
    stage = Learner(PROVIDER, settings, MODEL, start(), True)
    for tick in range(1, 121):
        step(stage, tick, said=judged(tick, 2, spam=tick % 2 == 0))
    assert len(stage._memory.judged.sent) == 2 * 49
    assert len(stage._memory.ham) == 50


def forget(*accounts: int) -> tuple[Response, ...]:
    return tuple(Response(account, UNLEARN, 99, "refuted") for account in accounts)


def test_what_a_source_taught_is_forgotten_when_the_responder_says_so() -> None:
    stage, never = learner(heeds=True), learner(heeds=True)
    for tick in range(1, 4):
        step(stage, tick, lessons(tick, 9))
        step(never, tick, tuple(one for one in lessons(tick, 9) if one.shares[0][0] >= 5))
    quarantine = (Response(1, QUARANTINE, 99, "refuted"),)
    step(stage, 4, told=forget(0, 1, 2, 3, 4) + quarantine)
    step(never, 4)
    assert stage._model.freeze() == never._model.freeze()


def test_a_roll_back_does_not_bring_back_what_was_forgotten() -> None:
    stage, never = learner(gate=True, heeds=True), learner(gate=True, heeds=True)
    keep = tuple(one for one in lessons(20, 9) if one.shares[0][0] >= 5)
    for tick in range(1, 30):
        for one, taught in ((stage, lessons(20, 9)), (never, keep)):
            step(one, tick, taught if tick == 20 else ())
    assert stage._snapshots[-1].tick == 24
    step(stage, 30, told=forget(0, 1, 2, 3, 4))
    step(never, 30)
    back = stage._roll_back(31, stage._snapshots[0], Decision(ROLL_BACK, "worse"))
    assert back.dropped == 24
    assert stage._model.freeze() == never._snapshots[-1].training
    assert back.scorer is not None
    assert codec.pack(back.scorer) == codec.pack(stage._model.release(31))
    assert odds(back)[0] > stage._snapshots[-1].scorer.log_odds(ragged([STORY]))[0]
    again = learner(gate=True, heeds=True)
    again.thaw(stage.freeze())
    assert codec.pack(again._last) == codec.pack(stage._last)


@pytest.mark.parametrize(
    ("heeds", "model", "unlearns"),
    [(True, MODEL, True), (False, MODEL, False), (True, LogisticRegression(bits=12), False)],
)
def test_who_heeds_nobody_or_cannot_unlearn_goes_on_as_it_was(
    heeds: bool, model: Any, unlearns: bool
) -> None:
    stage, other = (learner(heeds=heeds, model=model) for _ in range(2))
    assert stage.unlearns == unlearns
    for one in (stage, other):
        step(one, 1, lessons(1, 9))
    step(stage, 2, told=forget(1, 2, 3))
    step(other, 2)
    assert (stage.freeze() == other.freeze()) == (not unlearns)


@pytest.mark.parametrize("source", ["votes+kept", "all"])
def test_limits_are_told_by_what_golden_ham_scored_before_it_was_learned(source: Source) -> None:
    stage = learner(source=source)
    for tick in range(1, 30):
        before, level = stage._last.log_odds(ragged([STORY]))[0], stage._memory.level
        said = judged(tick, 3, spam=False)
        (release,), _ = step(stage, tick, lessons(tick, 9), said=said)
        assert stage._memory.ham[-3:].tolist() == [before - level] * 3
        assert odds(release)[0] < before
    assert len(stage._memory.ham) == 300 + 29 * 3


def test_limits_follow_the_start_set_s_ham_as_the_model_moves() -> None:
    settings = LearnerSettings(limits=LimitSettings(step_per_day=100.0), gate=GATE)
    stage = Learner(PROVIDER, settings, MODEL, start(), False)
    for tick in range(1, 26):
        (release,), _ = step(stage, tick, lessons(tick, 20) if tick < 24 else ())
    ham = odds(release, start().ham)
    begun = odds(stage.start, start().ham)
    assert abs(np.quantile(ham, 0.99) - np.quantile(begun, 0.99)) > 0.05
    assert release.limits is not None
    assert (ham >= release.limits.spam).mean() == pytest.approx(0.01, abs=0.004)


def test_mails_that_the_gate_asked_about_do_not_move_limits() -> None:
    stage = learner(gate=True)
    step(stage, 1, said=judged(1, 9, spam=False, asked=True))
    step(stage, 2, said=judged(2, 9, spam=True))
    assert len(stage._memory.ham) == 300


def test_the_gate_is_tested_on_the_newest_judged_mails_if_there_are_too_many() -> None:
    settings = LearnerSettings(gate=replace(GATE, most=20))
    stage = Learner(PROVIDER, settings, MODEL, start(), True)
    for tick in range(1, 20):
        step(stage, tick, said=judged(tick, 3, spam=True))
    assert stage._memory.judged.sent.tolist() == [13] * 2 + [
        t for t in range(14, 20) for _ in "123"
    ]
    assert len(stage._memory.judged.then) == 20


@pytest.mark.parametrize("gate", [False, True])
@pytest.mark.parametrize("tick", [3, 8, 24, 26])
def test_a_thawed_learner_goes_on_as_if_nothing_had_happened(gate: bool, tick: int) -> None:
    stage, other = learner(gate, heeds=True), learner(gate, heeds=True)
    poisoned(stage, range(1, tick + 1))
    other.thaw(stage.freeze())
    served[other] = served[stage]
    assert other.freeze() == stage.freeze()
    for one, two in zip(
        poisoned(stage, range(tick + 1, tick + 30)),
        poisoned(other, range(tick + 1, tick + 30)),
        strict=True,
    ):
        assert one.releases[0].fingerprint() == two.releases[0].fingerprint()
        assert one.requests == two.requests
    assert other.freeze() == stage.freeze()


def test_a_learner_without_a_gate_may_be_forked_into_one_with_a_gate() -> None:
    bare, gated = learner(), learner(gate=True)
    step(bare, 1, lessons(1, 5))
    gated.thaw(bare.freeze())
    assert step(gated, 2).releases[0].action == PROMOTE


def test_releases_survive_the_codec() -> None:
    (release,), _ = step(learner(), 1, lessons(1, 3))
    again = codec.unpack(Release, codec.pack(release))
    assert again.fingerprint() == release.fingerprint()
    assert odds(again).tolist() == odds(release).tolist()


@pytest.mark.parametrize("gate", [False, True])
def test_a_release_that_is_not_finite_is_never_served(
    gate: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = learner(gate)
    assert stage.start.scorer is not None
    broken = replace_table(stage.start.scorer, np.nan)
    monkeypatch.setattr(stage._model, "release", lambda _: broken)
    (release,), asked = step(stage, 1)
    assert (release.action, release.scorer) == (HOLD, None)
    assert asked == ()
    assert "finite" in release.reason


def replace_table(scorer: LogOdds, value: float) -> LogOdds:
    table = scorer.table.copy()
    table[7] = value
    return LogOdds(table, scorer.per_token, scorer.prior, scorer.by_root)
