"""Logistic regression in arrays: a plain implementation's weights, fading, and real mail."""

import gzip
import json
import math
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import numpy as np
import pytest
from river import linear_model

from filter.events import UNIT
from filter.features import hash_texts
from filter.model.logistic_regression import LogisticRegression, LogisticRegressionModel
from filter.ragged import Ragged, ragged

BITS = 12


def lessons(seed: int, count: int = 60) -> tuple[Ragged, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    spam = rng.random(count) < 0.5
    rows = [rng.integers(200 * label, 200 * label + 300, rng.integers(1, 25)) for label in spam]
    return ragged(rows), spam, rng.choice([100, UNIT], count).astype(np.int64)


def plainly(batches: list[list[tuple[list[int], bool, float]]], rate: float) -> dict[int, float]:
    """The weights after some batches, word by word."""
    weights: dict[int, float] = {}
    squares: dict[int, float] = {}
    for batch in batches:
        gradient: defaultdict[int, float] = defaultdict(float)
        for tokens, spam, weight in batch:
            root = 1 / math.sqrt(max(len(tokens), 1))
            odds = root * sum(weights.get(token, 0.0) for token in tokens)
            wrong = (1 / (1 + math.exp(-odds)) - spam) * weight
            for token in tokens:
                gradient[token] += wrong * root
        for token, part in gradient.items():
            squares[token] = squares.get(token, 0.0) + part * part
            step = rate * part / (math.sqrt(squares[token]) + 1e-6)
            weights[token] = weights.get(token, 0.0) - step
    return weights


def test_the_weights_are_those_of_plain_gradient_descent() -> None:
    settings = LogisticRegression(bits=BITS, batch=1000, half_life=0.0)
    model, batches = settings.begin(), []
    for tick in range(4):
        tokens, spam, weight = lessons(tick)
        model.learn(tick, tokens, spam, weight)
        rows = [tokens.row(row).tolist() for row in range(tokens.rows)]
        batches.append(list(zip(rows, spam.tolist(), (weight / UNIT).tolist(), strict=True)))
    table = model.release(4).table
    expected = plainly(batches, settings.rate)
    assert len(expected) > 200
    for token, weight_ in expected.items():
        assert table[token] == pytest.approx(weight_, abs=1e-9)
    assert np.count_nonzero(table) == len(expected)


def loss(model: LogisticRegressionModel, tick: int) -> float:
    """The mean logistic loss on what it was taught."""
    tokens, spam, _ = lessons(1, 400)
    odds = model.release(tick).log_odds(tokens)
    return float(np.log1p(np.exp(np.where(spam, -odds, odds))).mean())


def test_each_pass_over_the_same_lessons_lowers_their_loss() -> None:
    model = LogisticRegression(bits=BITS, half_life=0.0).begin()
    losses = [loss(model, 0)]
    for tick in range(6):
        model.learn(tick, *lessons(1, 400))
        losses.append(loss(model, tick + 1))
    assert losses[0] == pytest.approx(math.log(2))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.3


def test_a_tick_s_lessons_wait_and_show_in_its_release_all_the_same() -> None:
    whole, parts = (LogisticRegression(bits=BITS).begin() for _ in range(2))
    tokens, spam, weight = lessons(3)
    whole.learn(7, tokens, spam, weight)
    for row in Random(2).sample(range(tokens.rows), tokens.rows):
        one = np.array([row])
        parts.learn(7, tokens.take(one), spam[one], weight[one])
        assert np.isfinite(parts.release(7).table).all()
    assert parts.release(7).fingerprint() == whole.release(7).fingerprint()
    assert parts.freeze() == whole.freeze()


def test_what_was_learned_halves_in_a_half_life_day_by_day() -> None:
    model = LogisticRegression(bits=BITS, half_life=48.0).begin()
    model.learn(0, *lessons(1))
    now, hours, later = (model.release(tick).table for tick in (0, 23, 48))
    assert hours.tolist() == now.tolist()
    assert later.tolist() == (now / 2).tolist()
    model.learn(48, ragged([]), np.empty(0, np.bool_), np.empty(0, np.int64))
    assert model.release(48).table.tolist() == later.tolist()
    never = LogisticRegression(bits=BITS, half_life=0.0).begin()
    never.learn(0, *lessons(1))
    assert never.release(10**6).table.tolist() == never.release(0).table.tolist()


def test_an_intercept_is_there_when_asked_for() -> None:
    tokens, _, weight = lessons(1, 300)
    spam = np.ones(300, np.bool_)
    nothing = ragged([[]])
    for priors in (False, True):
        model = LogisticRegression(bits=BITS, priors=priors).begin()
        model.learn(0, tokens, spam, weight)
        odds = float(model.release(0).log_odds(nothing)[0])
        assert (odds > 0.5) == priors
        assert priors or odds == 0.0


@pytest.mark.parametrize("weight", [0, 1, UNIT, 10**12])
def test_any_weight_leaves_finite_weights_and_steps_no_longer_than_the_rate(weight: int) -> None:
    settings = LogisticRegression(bits=BITS, batch=1)
    model = settings.begin()
    tokens = ragged([[7, 7, 9]])
    model.learn(0, tokens, np.array([True]), np.array([weight]))
    table = model.release(0).table
    assert np.isfinite(table).all()
    assert np.abs(table).max() <= settings.rate
    assert bool(table.any()) == (weight > 0)


def test_on_real_mail_it_errs_no_more_than_river_s(corpora: Path) -> None:
    """Progressive validation over 3,000 mails: each is scored, then learned."""
    with gzip.open(corpora / "enron-spam.jsonl.gz", "rt", encoding="utf-8") as lines:
        mails = Random(3).sample([json.loads(line) for line in lines], 3000)
    tokens = hash_texts([f"{mail['subject']}\n{mail['text']}" for mail in mails])
    spam = np.array([mail["label"] == "spam" for mail in mails])
    ours = LogisticRegression(half_life=0.0).begin()
    theirs = linear_model.LogisticRegression()
    errors = {"ours": 0, "river": 0}
    for first in range(0, 3000, 50):
        rows = np.arange(first, first + 50)
        odds = ours.release(first).log_odds(tokens.take(rows))
        errors["ours"] += int(((odds > 0) != spam[rows]).sum())
        ours.learn(first, tokens.take(rows), spam[rows], np.full(50, UNIT))
        for row in rows.tolist():
            counts = dict(Counter(tokens.row(row).tolist()))
            errors["river"] += theirs.predict_one(counts) != spam[row]
            theirs.learn_one(counts, bool(spam[row]))
    assert errors["ours"] < 0.08 * 3000
    assert errors["ours"] <= errors["river"], errors
