"""The array naive Bayes behind River's interface: River's own checks, and River's MultinomialNB."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river.base.typing import FeatureName
from river.checks import yield_checks
from river.naive_bayes import MultinomialNB

from filter.estimator import HashedNaiveBayes
from filter.events import UNIT
from filter.features import hash_texts
from filter.model import naive_bayes
from filter.model.naive_bayes import NaiveBayes
from filter.ragged import Ragged, ragged

BUCKETS = np.uint32((1 << 18) - 1)

SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "as River's": {"length": "none", "priors": True},
    "forgetting": {"half_life": 3.0, "alpha": 0.5, "bits": 12},
}
CHECKS = [
    pytest.param(settings, check, id=f"{name}-{check.__name__}")
    for name, settings in SETTINGS.items()
    for check in yield_checks(HashedNaiveBayes(**settings))
]

Mail = dict[FeatureName, Any]

COUNTS = st.dictionaries(st.integers(0, 30), st.integers(1, 5), max_size=6)
MAILS = st.lists(st.tuples(COUNTS, st.booleans()), min_size=1, max_size=15)


def rivers_twin() -> HashedNaiveBayes:
    return HashedNaiveBayes(half_life=0, length="none", priors=True)


def is_as_river(mails: Iterable[tuple[Mail, bool]]) -> int:
    """Score and learn one mail after the other with both; how many were compared.

    River's divides by zero before its first word, and knows no class that it has not seen.
    """
    ours, compared = rivers_twin(), 0
    rivers: Any = MultinomialNB()  # type: ignore[no-untyped-call]  # River's has no annotations
    for counts, spam in mails:
        if rivers.n_terms and len(rivers.classes_) == 2:
            mine, theirs = ours.predict_proba_one(counts), rivers.predict_proba_one(counts)
            assert mine == pytest.approx(theirs, rel=0, abs=1e-9)
            if abs(theirs[True] - theirs[False]) > 1e-9:
                assert ours.predict_one(counts) == rivers.predict_one(counts)
            compared += 1
        ours.learn_one(counts, spam)
        rivers.learn_one(counts, spam)
    return compared


def token_counts(tokens: Ragged) -> list[Mail]:
    return [dict(Counter((tokens.row(n) & BUCKETS).tolist())) for n in range(tokens.rows)]


def frame(mails: list[tuple[Mail, bool]]) -> tuple[pd.DataFrame, pd.Series]:
    rows, labels = zip(*mails, strict=True)
    return pd.DataFrame(list(rows)), pd.Series(list(labels))


@pytest.mark.parametrize(("settings", "check"), CHECKS)
def test_it_passes_rivers_own_check(
    settings: dict[str, Any], check: Callable[[HashedNaiveBayes], None]
) -> None:
    check(HashedNaiveBayes(**settings))


def test_it_asks_to_be_let_off_no_check_of_rivers() -> None:
    assert not HashedNaiveBayes()._unit_test_skips()
    names = {check.__name__ for check in yield_checks(HashedNaiveBayes())}
    assert "check_learn_many_matches_learn_one" in names
    assert "check_predict_proba_one_binary" in names


@given(MAILS)
def test_made_up_mail_gets_the_probabilities_of_rivers_multinomial_nb(
    mails: list[tuple[Mail, bool]],
) -> None:
    is_as_river(mails)


def test_real_mail_gets_the_probabilities_of_rivers_multinomial_nb(corpora: Path) -> None:
    with gzip.open(corpora / "enron-spam.jsonl.gz", "rt", encoding="utf-8") as lines:
        mails = [json.loads(line) for line in lines]
    mails = Random(4).sample(mails, 400)
    counts = token_counts(hash_texts([f"{mail['subject']}\n{mail['text']}" for mail in mails]))
    spam = [mail["label"] == "spam" for mail in mails]
    assert is_as_river(zip(counts, spam, strict=True)) > 380


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@given(mails=MAILS)
def test_a_batch_teaches_what_its_mails_teach_one_by_one(
    settings: dict[str, Any], mails: list[tuple[Mail, bool]]
) -> None:
    at_once, one_by_one = HashedNaiveBayes(**settings), HashedNaiveBayes(**settings)
    rows, labels = frame(mails)
    at_once.learn_many(rows, labels)
    for counts, spam in mails:
        one_by_one.learn_one(counts, spam)
    assert at_once._model.freeze() == one_by_one._model.freeze()
    many = at_once.predict_proba_many(rows)
    for row, (counts, _) in enumerate(mails):
        assert many.iloc[row].to_dict() == pytest.approx(one_by_one.predict_proba_one(counts))


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=8), min_size=1, max_size=8), st.data())
def test_counts_teach_the_array_model_what_repeated_tokens_do(
    rows: list[list[int]], data: st.DataObject
) -> None:
    spam = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    tokens = ragged(rows)
    array_model = NaiveBayes().begin()
    array_model.learn(0, tokens, np.array(spam), np.full(len(rows), UNIT))
    estimator = HashedNaiveBayes()
    for row, label in zip(rows, spam, strict=True):
        estimator.learn_one(dict(Counter(row)), label)
    assert estimator._model.freeze() == array_model.freeze()
    unit = np.ones(len(tokens.values))
    released = array_model.release(0).log_odds(tokens)
    assert array_model.log_odds(0, tokens, unit).tolist() == released.tolist()


def test_old_evidence_fades_and_never_outgrows_its_integers() -> None:
    model = HashedNaiveBayes(half_life=2.0, length="none")
    model.learn_one({"pills": 1}, True)
    model.learn_one({"lunch": 1}, False)
    before = model.predict_proba_one({"pills": 1})[True]
    for number in range(1000):
        model.learn_one({"lunch": 1}, bool(number % 2))
    assert before > 0.6
    assert model.predict_proba_one({"pills": 1})[True] == pytest.approx(0.5, abs=0.1)
    assert max(model._model._mails) < 2**40


def test_a_new_epoch_changes_no_answer_by_more_than_rounding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = []
    for epoch in (20, 30):
        monkeypatch.setattr(naive_bayes, "EPOCH", epoch)
        model = HashedNaiveBayes(half_life=20.0, bits=10)
        for number in range(500):
            model.learn_one({number % 7: 1 + number % 3}, number % 3 == 0)
        answers.append([model.predict_proba_one({name: 1})[True] for name in range(8)])
    assert model._model._epoch == 0
    assert answers[0] == pytest.approx(answers[1], abs=1e-3)


def test_a_weight_counts_like_that_many_lessons() -> None:
    heavy, often = HashedNaiveBayes(), HashedNaiveBayes()
    heavy.learn_one({"pills": 1}, True, w=3.0)
    for _ in range(3):
        often.learn_one({"pills": 1}, True)
    assert heavy._model.freeze() == often._model.freeze()


def test_a_mail_without_words_is_learned_and_scored() -> None:
    model = HashedNaiveBayes(priors=True)
    assert model.predict_proba_one({}) == {False: 0.5, True: 0.5}
    for spam in (True, True, False):
        model.learn_one({}, spam)
    assert model.predict_proba_one({})[True] == pytest.approx(2 / 3)


def test_what_is_missing_from_a_frame_is_absent() -> None:
    model = HashedNaiveBayes()
    model.learn_many(pd.DataFrame([{"a": 1.0}, {"b": 2.0}]), pd.Series([True, False]))
    other = HashedNaiveBayes()
    other.learn_one({"a": 1}, True)
    other.learn_one({"b": 2, "c": 0}, False)
    assert model._model.freeze() == other._model.freeze()


@pytest.mark.parametrize("count", [-1, float("inf"), -0.5])
def test_a_count_below_zero_or_without_end_is_refused(count: float) -> None:
    with pytest.raises(ValueError, match="counts from 0 up"):
        HashedNaiveBayes().learn_one({"a": count}, True)


@pytest.mark.parametrize("label", ["spam", 2, None])
def test_a_third_label_is_refused(label: Any) -> None:
    with pytest.raises(ValueError, match="expected True or False"):
        HashedNaiveBayes().learn_one({"a": 1}, label)


@pytest.mark.parametrize("settings", [{"alpha": 0}, {"half_life": 0.5}, {"bits": 31}])
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected alpha > 0"):
        HashedNaiveBayes(**settings)
