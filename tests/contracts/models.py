"""What any classifier has to keep, as functions: for ours, and for a file of a user's own."""

from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np

from filter import codec
from filter.columns import Bits, Floats, Ints
from filter.events import PROMOTE, UNIT, Limits
from filter.plugins import Plugin
from filter.ragged import Ragged, concatenate, ragged
from filter.stage import Release


class Lessons(NamedTuple):
    tokens: Ragged
    spam: Bits
    weight: Ints


def lessons(seed: int, count: int = 40) -> Lessons:
    """Made-up mails of different words for ham and spam, an empty one among them."""
    rng = np.random.default_rng(seed)
    spam = rng.random(count) < 0.5
    base = np.where(spam, 1 << 10, 0)
    rows = [rng.integers(low, low + 50, rng.integers(0, 30)) for low in base.tolist()]
    rows[0] = np.empty(0, np.int64)
    weight = rng.choice([100, 500, UNIT], count).astype(np.int64)
    return Lessons(ragged(rows), spam, weight)


def hold_contract(plugin: Plugin) -> None:
    """All of it.

    Raises:
        AssertionError: what is not kept.
    """
    said = plugin.settings.__doc__ or ""
    for field in fields(plugin.settings):
        assert f"{field.name}: " in said, f"the setting {field.name} is not explained"
    settings: Any = plugin.settings()
    learns_and_answers(settings)
    if settings.travels:
        lessons_of_a_tick_have_no_order(settings)


def learns_and_answers(settings: Any) -> None:
    """What one of River's has to keep as well, which learns a mail after the other.

    Raises:
        AssertionError: what is not kept.
    """
    assert isinstance(settings.travels, bool)
    scores_are_log_odds(settings)
    releases_never_change(settings)
    what_is_learned_shows(settings)
    batches_may_be_cut_anywhere(settings)
    snapshots_go_back(settings)
    stays_finite(settings)
    if settings.travels:
        freezing_changes_no_bit(settings)


def taught(settings: Any, *batches: Lessons, tick: int = 3) -> Any:
    model = settings.begin()
    for batch in batches:
        assert model.learn(tick, *batch) is None, "what changes returns nothing"
    return model


def scores_are_log_odds(settings: Any) -> None:
    """One finite number a mail, whatever the batch, also before anything was learned."""
    mails = lessons(2).tokens
    for model in (settings.begin(), taught(settings, lessons(1))):
        odds = model.release(3).log_odds(mails)
        assert odds.shape == (mails.rows,)
        assert odds.dtype == np.float64
        assert np.isfinite(odds).all()
        one_by_one = [model.release(3).log_odds(mails.take(np.array([n])))[0] for n in range(5)]
        assert odds[:5].tolist() == one_by_one, "a mail's score depends on its batch"
        assert len(model.release(3).log_odds(ragged([]))) == 0


def releases_never_change(settings: Any) -> None:
    model = taught(settings, lessons(1))
    release = model.release(3)
    before, print_ = release.log_odds(lessons(2).tokens), release.fingerprint()
    assert release.log_odds(lessons(2).tokens).tolist() == before.tolist()
    model.learn(4, *lessons(5))
    assert release.log_odds(lessons(2).tokens).tolist() == before.tolist()
    assert release.fingerprint() == print_
    assert isinstance(print_, int)


def what_is_learned_shows(settings: Any) -> None:
    learned = lessons(1, 200)
    odds = taught(settings, learned).release(3).log_odds(learned.tokens)
    long = learned.tokens.lengths > 3
    assert odds[long & learned.spam].mean() > odds[long & ~learned.spam].mean() + 0.5


def batches_may_be_cut_anywhere(settings: Any) -> None:
    """Cut batches do the same as whole ones."""
    first, second = lessons(1), lessons(2)
    both = Lessons(
        concatenate([first.tokens, second.tokens]),
        np.concatenate((first.spam, second.spam)),
        np.concatenate((first.weight, second.weight)),
    )
    assert answers(taught(settings, first, second)) == answers(taught(settings, both))


def lessons_of_a_tick_have_no_order(settings: Any) -> None:
    first, second = lessons(1), lessons(2)
    assert answers(taught(settings, second, first)) == answers(taught(settings, first, second))


def answers(model: Any, tick: int = 3) -> tuple[list[float], int]:
    return answers_of(model.release(tick))


def answers_of(release: Any) -> tuple[list[float], int]:
    odds: Floats = release.log_odds(lessons(9).tokens)
    return odds.tolist(), release.fingerprint()


def snapshots_go_back(settings: Any) -> None:
    model = taught(settings, lessons(1))
    snapshot, before = model.snapshot(), answers(model)
    later = answers(taught(settings, lessons(1)), 50)
    for _ in range(2):
        model.learn(3, *lessons(2))
        assert answers(model, 50) != later
        model.restore(snapshot)
        assert answers(model) == before


def freezing_changes_no_bit(settings: Any) -> None:
    model = taught(settings, lessons(1))
    frozen = model.freeze()
    other = taught(settings, lessons(7))
    other.thaw(frozen)
    assert other.freeze() == frozen
    assert answers(other) == answers(model)
    for one in (model, other):
        one.learn(40, *lessons(2))
    assert answers(other, 41) == answers(model, 41)
    assert other.freeze() == model.freeze()
    assert answers_of(again(model.release(42))) == answers(other, 42)


def again(release: Any) -> Any:
    """A release after a journey."""
    served = Release(3, PROMOTE, "", release, Limits(-1.0, 1.0))
    return codec.unpack(Release, codec.pack(served)).scorer


def stays_finite(settings: Any) -> None:
    """A year of one and the same lesson, and none at all, leave finite scores."""
    model = settings.begin()
    nothing = Lessons(ragged([]), np.empty(0, np.bool_), np.empty(0, np.int64))
    model.learn(0, *nothing)
    for tick in range(0, 8760, 365):
        model.learn(tick, *lessons(1)._replace(spam=np.ones(40, np.bool_)))
    assert np.isfinite(model.release(8760).log_odds(lessons(2).tokens)).all()
