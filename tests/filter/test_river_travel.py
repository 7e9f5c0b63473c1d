"""River's classifiers as bytes: no bit changes, and no bytes do harm."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import linear_model, optim
from river.utils import VectorDict

from filter import codec, river_travel
from filter.codec import CodecError
from filter.hashing import key
from filter.river_travel import TRAVELS, freeze, thaw, travels

linear: Any = linear_model

ROOT = Path(__file__).resolve().parents[2]


class Case(NamedTuple):
    name: str
    arguments: dict[str, Any]


CASES = [
    *(Case(name, {}) for name in TRAVELS),
    Case("linear_model.LogisticRegression", {"l1": 0.01, "intercept_lr": 0.5}),
    Case("linear_model.LogisticRegression", {"l2": 0.1, "clip_gradient": 3, "intercept_init": 1}),
    Case("linear_model.Perceptron", {"l2": 0.01}),
    Case("linear_model.PAClassifier", {"C": 0.01, "mode": 0, "learn_intercept": False}),
    Case("linear_model.PAClassifier", {"C": 2, "mode": 2}),
    Case("linear_model.ALMAClassifier", {"alpha": 0.5, "p": 3}),
    Case("linear_model.SoftmaxRegression", {"l2": 0.01}),
    Case("linear_model.AdPredictor", {"epsilon": 0, "beta": 1, "prior_probability": 0.1}),
    Case("naive_bayes.BernoulliNB", {"alpha": 0.1, "true_threshold": 1}),
    Case("naive_bayes.MultinomialNB", {"alpha": 2}),
]
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}{case.arguments}")
BY_NAME = pytest.mark.parametrize("name", TRAVELS)

Lesson = tuple[dict[int, int], bool]


def stream(seed: int, count: int) -> list[Lesson]:
    """Mails of hashed words: some of one label, some of both, and one without words."""
    rng = random.Random(seed)
    mails: list[Lesson] = [({}, True)] if seed % 2 else []
    for _ in range(count):
        spam = rng.random() < 0.4
        words = [rng.randrange(60) + 40 * spam for _ in range(rng.randrange(1, 30))]
        hashed = [int(key("word", word)) % (1 << 18) for word in words]
        mails.append(({word: hashed.count(word) for word in hashed}, spam))
    return mails


def fresh(case: Case) -> Any:
    made = thaw(*case, freeze(case.name, river_travel._fresh(*case)))
    assert type(made).__name__ == case.name.split(".")[1]
    return made


def learn(classifier: Any, lessons: list[Lesson]) -> Any:
    for counts, spam in lessons:
        classifier.learn_one(counts, spam)
    return classifier


def answers(classifier: Any, mails: list[Lesson]) -> list[list[tuple[bool, str]]]:
    """Bit by bit, types too."""
    told = (classifier.predict_proba_one(counts) for counts, _ in mails)
    return [[(label, f"{p!r} {type(p).__name__}") for label, p in one.items()] for one in told]


@EVERY
@pytest.mark.parametrize("seed", range(3))
def test_a_thawed_classifier_goes_on_bit_by_bit_as_the_frozen_one(case: Case, seed: int) -> None:
    before, after, asked = stream(seed, 250), stream(seed + 10, 250), stream(seed + 20, 40)
    one = learn(fresh(case), before)
    frozen = freeze(case.name, one)
    other = thaw(*case, frozen)
    assert freeze(case.name, other) == frozen
    assert answers(other, asked) == answers(one, asked)
    learn(one, after)
    assert freeze(case.name, other) == frozen, "they share nothing"
    learn(other, after)
    assert answers(other, asked) == answers(one, asked)
    assert freeze(case.name, other) == freeze(case.name, one)


@BY_NAME
@given(st.integers(0, 1 << 30), st.lists(st.integers(0, 12), max_size=6))
def test_it_does_not_matter_when_and_how_often_one_is_frozen(
    name: str, seed: int, cuts: list[int]
) -> None:
    case = Case(name, {})
    one, other = fresh(case), fresh(case)
    lessons = stream(seed, 12)
    for number, lesson in enumerate(lessons):
        if number in cuts:
            other = thaw(*case, freeze(name, other))
        learn(one, [lesson])
        learn(other, [lesson])
    assert freeze(name, other) == freeze(name, one)
    assert answers(other, lessons) == answers(one, lessons)


def state(value: Any) -> Any:
    """All of an object as plain values with their types, tables in their order."""
    if isinstance(value, Mapping | VectorDict):
        kind = type(value).__name__
        return kind, [(state(key), state(one)) for key, one in value.items()]
    if isinstance(value, int | float | str | None):
        # A flag counts as one: `Counter` keeps the first `True` that BernoulliNB gives it.
        return repr(int(value) if value is True or value is False else value)
    if type(value).__module__.startswith("river."):
        return type(value).__name__, [(name, state(one)) for name, one in value.__dict__.items()]
    return type(value).__name__


@EVERY
def test_the_tables_are_all_that_a_classifier_learns(case: Case) -> None:
    one = learn(fresh(case), stream(1, 300))
    assert state(thaw(*case, freeze(case.name, one))) == state(one)


def containers(value: Any) -> Iterator[int]:
    """The identity of each object that can change."""
    if isinstance(value, Mapping | VectorDict):
        yield id(value)
        for one in value.values():
            yield from containers(one)
    elif type(value).__module__.startswith("river."):
        yield id(value)
        for one in value.__dict__.values():
            yield from containers(one)


@EVERY
def test_no_object_of_a_classifier_stands_at_two_places(case: Case) -> None:
    one = learn(fresh(case), stream(1, 100))
    for classifier in (one, thaw(*case, freeze(case.name, one))):
        found = list(containers(classifier))
        assert len(set(found)) == len(found)


@EVERY
def test_to_ask_changes_nothing_of_one_that_has_learned(case: Case) -> None:
    one = learn(fresh(case), stream(2, 50))
    frozen = freeze(case.name, one)
    answers(one, stream(3, 50))
    assert freeze(case.name, one) == frozen


SEEDED = """
import hashlib
from tests.filter.test_river_travel import CASES, answers, fresh, learn, stream
from filter.river_travel import freeze, thaw
for case in CASES:
    half = freeze(case.name, learn(fresh(case), stream(5, 150)))
    whole = learn(thaw(*case, half), stream(6, 150))
    told = repr(answers(whole, stream(7, 30))).encode()
    print(case, hashlib.sha256(half + freeze(case.name, whole) + told).hexdigest())
"""


def test_the_hash_seed_of_python_changes_no_byte() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SEEDED],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    ]
    assert outputs[0].count("\n") == len(CASES)
    assert outputs[0] == outputs[1]


def harmed(rng: random.Random, frozen: bytes) -> bytes:
    """Some bits flipped, bytes put in their place, or the end cut off."""
    bytes_ = bytearray(frozen)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        place = rng.randrange(len(bytes_))
        if rng.random() < 0.5:
            bytes_[place] ^= 1 << rng.randrange(8)
        else:
            bytes_[place] = rng.choice([0, 1, 0x7F, 0x80, 0x90, 0xC0, 0xCF, 0xDD, 0xFF])
    return bytes(bytes_[: rng.randrange(len(bytes_))] if rng.random() < 0.1 else bytes_)


@EVERY
def test_harmed_bytes_are_refused_or_give_one_that_answers(case: Case) -> None:
    rng = random.Random(key("harm", *case.name.encode()))
    asked = stream(8, 15)
    states = [learn(fresh(case), stream(4, count)) for count in (1, 25)]
    refused = answered = 0
    for number in range(1200):
        try:
            one = thaw(*case, harmed(rng, freeze(case.name, states[number % 2])))
        except CodecError:
            refused += 1
            continue
        answered += 1
        for told in answers(one, asked):
            assert len(told) in (0, 1, 2)
    assert refused > 100
    assert answered > 100


@BY_NAME
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(CodecError):
        thaw(name, {}, data)


@BY_NAME
@pytest.mark.parametrize("other", [n for n in TRAVELS if n != "linear_model.Perceptron"])
def test_one_classifier_s_bytes_are_another_s_only_if_it_has_the_same_tables(
    name: str, other: str
) -> None:
    frozen = freeze(other, learn(fresh(Case(other, {})), stream(1, 20)))
    if TRAVELS[name] is TRAVELS[other] or {TRAVELS[name], TRAVELS[other]} <= NAIVE:
        return
    with pytest.raises(CodecError):
        thaw(name, {}, frozen)


NAIVE = {river_travel.Multinomial, river_travel.Complement, river_travel.Bernoulli}


def test_what_is_not_of_the_list_or_set_by_more_than_numbers_does_not_travel() -> None:
    assert travels("linear_model.LogisticRegression", {"l2": 0.1})
    assert not travels("tree.HoeffdingTreeClassifier", {})
    assert not travels("naive_bayes.GaussianNB", {})
    assert not travels("linear_model.LogisticRegression", {"optimizer": optim.Adam()})
    assert not travels("linear_model.LogisticRegression", {"loss": None})
    assert not travels("linear_model.LogisticRegression", {"l2": np.float64(0.1)})
    assert not travels("linear_model.LogisticRegression", {"l1": 0.1, "l2": 0.1})
    assert not travels("linear_model.PAClassifier", {"mode": 3})
    assert not travels("naive_bayes.MultinomialNB", {"alpha": 0.0})


def test_a_river_that_gives_a_classifier_another_attribute_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class More(linear_model.LogisticRegression):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.momentum: dict[int, float] = {}

    monkeypatch.setattr(linear_model, "LogisticRegression", More)
    assert not travels("linear_model.LogisticRegression", {})


def test_a_river_that_gives_a_classifier_another_optimizer_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Other(linear_model.LogisticRegression):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(optimizer=optim.Adam(), **arguments)

    monkeypatch.setattr(linear_model, "LogisticRegression", Other)
    assert not travels("linear_model.LogisticRegression", {})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("tree.HoeffdingTreeClassifier", {}),
        ("os.system", {}),
        ("", {}),
        ("linear_model.LogisticRegression", {"optimizer": 1}),
        ("linear_model.PAClassifier", {"mode": 7}),
        ("naive_bayes.MultinomialNB", {"alpha": -1.0}),
        ("linear_model.AdPredictor", {"beta": 1e200}),
    ],
)
def test_names_and_arguments_of_no_such_classifier_are_refused(
    name: str, arguments: dict[str, Any]
) -> None:
    for known in TRAVELS:
        with pytest.raises(CodecError):
            thaw(name, arguments, freeze(known, fresh(Case(known, {}))))


def test_to_freeze_one_as_another_is_refused() -> None:
    with pytest.raises(CodecError, match="a Perceptron does not travel as"):
        freeze("linear_model.LogisticRegression", linear_model.Perceptron())
    with pytest.raises(CodecError, match="does not travel"):
        freeze("tree.HoeffdingTreeClassifier", linear_model.Perceptron())


@pytest.mark.parametrize("word", ["a word", True, -1, 1 << 32, 1.5])
def test_words_are_hashes(word: Any) -> None:
    one: Any = linear.PAClassifier()
    one.learn_one({word: 1}, True)
    with pytest.raises(CodecError, match="hashes of 32 bits"):
        freeze("linear_model.PAClassifier", one)


@pytest.mark.parametrize("value", [np.float64(1.0), 1, None, "1"])
def test_weights_are_floats_and_nothing_like_them(value: Any) -> None:
    one: Any = linear.PAClassifier()
    one.weights[5] = value
    with pytest.raises(CodecError, match="a float for each word"):
        freeze("linear_model.PAClassifier", one)


def test_weights_that_are_no_numbers_travel_as_they_are() -> None:
    one: Any = linear.PAClassifier()
    one.weights.update({5: float("nan"), 3: float("inf"), 4: -0.0})
    again = thaw("linear_model.PAClassifier", {}, freeze("linear_model.PAClassifier", one))
    assert repr(again.weights) == repr(one.weights)


def test_an_integer_beyond_64_bits_is_refused() -> None:
    one: Any = linear.ALMAClassifier()
    one.k = 1 << 70
    with pytest.raises(CodecError, match="cannot pack"):
        freeze("linear_model.ALMAClassifier", one)


def test_huge_columns_are_refused_before_room_is_made_for_them() -> None:
    shape = ("<f8", (1 << 40,), b"")
    weights = {"words": ("<u4", (1 << 40,), b""), "values": shape}
    with pytest.raises(CodecError, match="bytes for an array"):
        thaw("linear_model.PAClassifier", {}, codec.pack({"intercept": 0.0, "weights": weights}))
