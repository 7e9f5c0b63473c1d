"""Outlying sources: found by two detectors, whose memory survives being saved."""

from collections.abc import Iterator

import numpy as np
import pytest

from filter import codec
from filter.checks import Case, Heard, remembered
from filter.checks.outlying_sources import OutlyingSources, Past
from filter.columns import no_judgements
from filter.events import QUARANTINED, UNIT, Claim

CHECK = OutlyingSources(share=0.01, window=60, trees=10)


def case(
    vote: int, account: int, tick: int, story: int, spam: bool = True, judged: bool | None = None
) -> Case:
    claim = Claim(vote, account, vote, tick, spam, tick, account, account, 0.7, False, UNIT, "")
    return Case(claim, story, judged, tick)


def honest(ticks: range) -> Iterator[tuple[int, list[Case]]]:
    """Eight of three hundred people an hour, mostly with reports, each on a story of its own."""
    rng = np.random.default_rng(7)
    for tick in ticks:
        who = rng.choice(300, 8, replace=False).tolist()
        yield (
            tick,
            [
                case(100 * tick + n, account, tick, 100 * tick + n, bool(rng.random() < 0.8))
                for n, account in enumerate(who)
            ],
        )


def learned(past: Past, tick: int, cases: list[Case]) -> Past:
    return CHECK.learn(tick, past, Heard(cases, (), no_judgements(), 100))


@pytest.fixture(scope="module")
def usual() -> Past:
    past = CHECK.fresh()
    for tick, cases in honest(range(60)):
        past = learned(past, tick, cases)
    return past


def again(past: Past) -> Past:
    thawed: Past = codec.unpack(remembered(CHECK), codec.pack(past))
    return thawed


def frantic(past: Past, tick: int, hours: int = 12) -> Past:
    """An account that rescues one story six times an hour."""
    for hour in range(hours):
        cases = [case(9000 + 10 * hour + n, 999, tick + hour, 77, spam=False) for n in range(6)]
        past = learned(past, tick + hour, cases)
    return past


def test_a_source_that_is_unlike_all_others_is_held_with_its_scores(usual: Past) -> None:
    past = frantic(usual, 60, hours=2)
    odd, plain = case(1, 999, 62, 77, spam=False), case(2, 5, 62, 5)
    found = CHECK.examine(62, past, [odd, plain])
    assert [one.ruling for one in found] == [QUARANTINED, ""]
    assert "half-space trees" in found[0].reason or "isolation forest" in found[0].reason


def test_of_the_honest_about_the_stated_share_is_held(usual: Past) -> None:
    past, held, all_ = usual, 0, 0
    for tick, cases in honest(range(60, 160)):
        held += sum(bool(one.ruling) for one in CHECK.examine(tick, past, cases))
        all_ += len(cases)
        past = learned(past, tick, cases)
    assert held / all_ < 0.06


def test_a_judged_story_frees_its_claim(usual: Past) -> None:
    past = frantic(usual, 60, hours=2)
    (found,) = CHECK.examine(62, past, [case(1, 999, 62, 77, spam=False, judged=False)])
    assert not found.ruling


def test_before_enough_was_seen_nobody_is_an_outlier() -> None:
    past = CHECK.fresh()
    for tick, cases in honest(range(8)):
        past = learned(past, tick, cases)
        assert not any(one.ruling for one in CHECK.examine(tick, past, cases))


def test_saved_and_taken_up_it_answers_as_before_and_goes_on_alike(usual: Past) -> None:
    one, other = usual, again(usual)
    for tick, cases in honest(range(60, 100)):
        assert CHECK.examine(tick, one, cases) == CHECK.examine(tick, other, cases)
        one, other = learned(one, tick, cases), again(learned(other, tick, cases))
        assert codec.pack(one) == codec.pack(other)


def test_a_past_that_went_on_is_still_the_past_it_was(usual: Past) -> None:
    tick, cases = next(honest(range(60, 61)))
    before = CHECK.examine(tick, usual, cases), codec.pack(usual)
    frantic(usual, 60)
    assert (CHECK.examine(tick, usual, cases), codec.pack(usual)) == before


def test_what_is_a_week_old_is_forgotten(usual: Past) -> None:
    assert usual.claims
    past = usual
    for tick, cases in honest(range(60, 240)):
        past = learned(past, tick, cases)
        assert len(past.shown) < 2 * CHECK.window
        assert len(past.scores) <= 4 * CHECK.window
    assert min(then for of in past.claims.values() for then, _, _ in of) > 240 - 168 - 24
    assert codec.pack(learned(past, 480, [])) == codec.pack(CHECK.fresh())
