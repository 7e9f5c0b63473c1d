"""River's classifiers by name: they learn, their releases stand still, and nothing is lost."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from river import optim

from filter import codec
from filter.events import PROMOTE, UNIT, Limits
from filter.model import LogOdds
from filter.plugins import PluginError
from filter.ragged import Ragged, ragged
from filter.river_model import RiverRelease, RiverTraining, UnlistedRelease, river_model
from filter.settings import FilterSettings, model
from filter.stage import Release

ROOT = Path(__file__).resolve().parents[2]
LOGISTIC = "linear_model.LogisticRegression"
UNLISTED = "tree.HoeffdingTreeClassifier"
LISTED = [LOGISTIC, "naive_bayes.MultinomialNB"]
NAMES = [*LISTED, UNLISTED]


def mails(count: int, seed: int = 3) -> tuple[Ragged, Any]:
    """A third is spam, where word 1 stands often and word 2 seldom; in ham it is the reverse."""
    rng = np.random.default_rng(seed)
    spam = np.arange(count) % 3 == 1
    often, seldom = rng.integers(5, 10, count), rng.integers(1, 4, count)
    ones, twos = np.where(spam, often, seldom), np.where(spam, seldom, often)
    noise = rng.integers(10, 20, (count, 3)).tolist()
    rows = zip(ones.tolist(), twos.tolist(), noise, strict=True)
    return ragged([[1] * one + [2] * two + rest for one, two, rest in rows]), spam


def full(count: int) -> Any:
    return np.full(count, UNIT, np.int64)


def taught(name: str, count: int = 200, **table: Any) -> RiverTraining:
    training = river_model(name, table).begin()
    tokens, spam = mails(count)
    training.learn(0, tokens, spam, full(count))
    return training


@pytest.mark.parametrize("name", NAMES)
def test_a_river_classifier_by_name_tells_spam_from_ham(name: str) -> None:
    tokens, spam = mails(100, seed=4)
    odds = taught(name).release(0).log_odds(tokens)
    assert odds.dtype == np.float64
    assert ((odds > 0) == spam).mean() >= 0.95
    assert np.abs(odds).max() < 20.8


def test_the_settings_of_a_filter_lead_to_it() -> None:
    nested = {"linear_model": {"LogisticRegression": {"l2": 0.5, "release_every": 3}}}
    settings = FilterSettings(model=LOGISTIC, models=nested)
    made = model(settings)
    assert made.travels
    assert made == river_model(LOGISTIC, {"l2": 0.5, "release_every": 3})


@pytest.mark.parametrize("name", NAMES)
def test_a_release_never_changes(name: str) -> None:
    training = taught(name)
    tokens, spam = mails(50, seed=5)
    release = training.release(0)
    before, print_before = release.log_odds(tokens).tolist(), release.fingerprint()
    training.learn(1, tokens, ~spam, full(50))
    assert release.log_odds(tokens).tolist() == before
    assert release.fingerprint() == print_before
    assert training.release(24).log_odds(tokens).tolist() != before


def test_a_release_is_made_every_so_many_ticks_and_not_between() -> None:
    training = taught(LOGISTIC, release_every=3)
    first = training.release(0)
    tokens, spam = mails(2)
    training.learn(1, tokens, spam, full(2))
    assert training.release(1) is first
    assert training.release(2) is first
    second = training.release(3)
    assert second is not first
    assert training.release(5) is second


@pytest.mark.parametrize("name", NAMES)
def test_one_more_lesson_changes_the_fingerprint(name: str) -> None:
    training = taught(name, release_every=1)
    before = training.release(0).fingerprint()
    assert training.release(1).fingerprint() == before
    training.learn(2, ragged([[99_000]]), np.array([True]), full(1))
    assert training.release(2).fingerprint() != before


@pytest.mark.parametrize("name", NAMES)
def test_how_lessons_are_batched_does_not_matter(name: str) -> None:
    tokens, spam = mails(200)
    split = river_model(name, {}).begin()
    for rows in (np.arange(70), np.arange(70, 70), np.arange(70, 200)):
        split.learn(0, tokens.take(rows), spam[rows], full(len(rows)))
    assert split.release(0).fingerprint() == taught(name).release(0).fingerprint()


@pytest.mark.parametrize("name", NAMES)
def test_a_restored_snapshot_goes_on_as_if_nothing_had_been_learned_since(name: str) -> None:
    training, other = taught(name), taught(name)
    tokens, spam = mails(30, seed=6)
    snapshot = training.snapshot()
    for _ in range(2):
        training.learn(1, tokens, ~spam, full(30))
        training.restore(snapshot)
    assert training.release(1).fingerprint() == other.release(1).fingerprint()
    for one in (training, other):
        one.learn(2, tokens, spam, full(30))
    assert training.release(25).fingerprint() == other.release(25).fingerprint()


def test_weights_go_on_to_a_classifier_that_takes_them() -> None:
    light, heavy = (river_model(LOGISTIC, {}).begin() for _ in range(2))
    for training, weight in ((light, 100), (heavy, UNIT)):
        training.learn(0, ragged([[1]]), np.array([True]), np.array([weight]))
    odds = [t.release(0).log_odds(ragged([[1]]))[0] for t in (light, heavy)]
    assert odds[1] == pytest.approx(10 * odds[0])


def test_other_classifiers_learn_the_mail_that_makes_a_full_lesson() -> None:
    training = river_model("naive_bayes.MultinomialNB", {}).begin()
    tokens = ragged([[number] for number in range(20)])
    ham_and_spam = np.arange(20) % 2 == 1
    training.learn(0, tokens, ham_and_spam, np.full(20, 250, np.int64))
    learned = training._classifier.feature_counts
    assert sorted(learned) == [6, 7, 14, 15]
    assert dict(training._classifier.class_counts) == {False: 2, True: 2}
    training.learn(0, tokens.take(np.array([0])), np.array([True]), np.array([2500]))
    assert training._classifier.class_counts[True] == 5


@pytest.mark.parametrize("name", NAMES)
def test_lessons_of_no_weight_teach_nothing(name: str) -> None:
    training = taught(name)
    tokens, spam = mails(10)
    training.learn(0, tokens, ~spam, np.zeros(10, np.int64))
    assert training.release(0).fingerprint() == taught(name).release(0).fingerprint()


@pytest.mark.parametrize("name", NAMES)
def test_who_has_learned_nothing_answers_even_odds(name: str) -> None:
    release = river_model(name, {}).begin().release(0)
    assert release.log_odds(ragged([[1], []])).tolist() == [0.0, 0.0]
    assert release.log_odds(ragged([])).tolist() == []


class Wild:
    """Answers with what no probability should be."""

    def __init__(self, answer: dict[bool, float]) -> None:
        self.answer = answer

    def predict_proba_one(self, counts: dict[int, int]) -> dict[bool, float]:
        return self.answer


@pytest.mark.parametrize(
    ("answer", "odds"),
    [
        ({True: float("nan"), False: float("nan")}, 0.0),
        ({}, 0.0),
        ({False: 1.0}, -20.723),
        ({True: 1.0}, 20.723),
        ({True: 0.5, False: 0.5}, 0.0),
    ],
)
def test_certainty_is_bounded_and_nonsense_is_even_odds(
    answer: dict[bool, float], odds: float
) -> None:
    training = river_model(UNLISTED, {}).begin()
    training._classifier = Wild(answer)
    assert training.release(0).log_odds(ragged([[1]]))[0] == pytest.approx(odds, abs=1e-3)


def test_packing_an_unlisted_release_is_an_error_and_never_loses_the_classifier() -> None:
    release = taught(UNLISTED).release(0)
    for value in (release, (1, release), Release(0, PROMOTE, "", release, None)):
        with pytest.raises(codec.CodecError, match="a UnlistedClassifier does not travel"):
            codec.pack(value)
    assert isinstance(release, UnlistedRelease)


def test_unlisted_training_cannot_be_frozen_and_the_message_says_why() -> None:
    training = taught(UNLISTED, count=2)
    assert not river_model(UNLISTED, {}).travels
    with pytest.raises(TypeError, match=r"HoeffdingTreeClassifier: .* has no safe file format"):
        training.freeze()
    with pytest.raises(TypeError, match="no checkpoints"):
        training.thaw(b"")


def test_a_listed_classifier_set_by_an_object_stays_in_its_process() -> None:
    settings = river_model(LOGISTIC, {"optimizer": optim.Adam(0.1)})
    assert not settings.travels
    training = settings.begin()
    with pytest.raises(TypeError, match="no safe file format"):
        training.freeze()
    assert isinstance(training.release(0), UnlistedRelease)
    tokens, spam = mails(50)
    training.learn(0, tokens, spam, full(50))
    snapshot, before = training.snapshot(), training.release(24).fingerprint()
    training.restore(snapshot)
    assert training.release(24).fingerprint() == before


@pytest.mark.parametrize("name", LISTED)
def test_a_release_of_a_listed_classifier_travels_in_the_release_of_a_tick(name: str) -> None:
    release = Release(7, PROMOTE, "good", taught(name).release(0), Limits(-1.0, 1.0))
    packed = codec.pack(release)
    again = codec.unpack(Release, packed)
    assert codec.pack(again) == packed
    assert again.fingerprint() == release.fingerprint()
    tokens, _ = mails(20, seed=9)
    assert isinstance(again.scorer, RiverRelease)
    assert isinstance(release.scorer, RiverRelease)
    assert again.scorer.log_odds(tokens).tolist() == release.scorer.log_odds(tokens).tolist()
    assert again.scorer.finite()


def test_a_release_of_a_linear_model_comes_back_as_one() -> None:
    scorer = LogOdds(np.array([0.5, -1.0]), 0.25, -1.0, True)
    release = Release(7, PROMOTE, "good", scorer, Limits(-1.0, 1.0))
    again = codec.unpack(Release, codec.pack(release))
    assert type(again.scorer) is LogOdds
    assert again.fingerprint() == release.fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "tree.HoeffdingTreeClassifier"},
        {"name": "os.path"},
        {"name": "naive_bayes.MultinomialNB"},
        {"arguments": {"optimizer": 1}},
        {"arguments": {"l1": 0.5}},
        {"arguments": {"l1": 0.5, "l2": 0.5}},
        {"learned": b""},
        {"learned": b"\x80"},
    ],
)
def test_what_is_no_release_of_the_list_is_refused(change: dict[str, Any]) -> None:
    good = taught(LOGISTIC).release(0)
    assert isinstance(good, RiverRelease)
    fields = {name: getattr(good, name) for name in good.__struct_fields__}
    packed = codec.pack({"type": "river", **fields})
    assert codec.unpack(RiverRelease, packed).fingerprint() == good.fingerprint()
    with pytest.raises(codec.CodecError):
        codec.unpack(RiverRelease, codec.pack({"type": "river", **fields, **change}))


@pytest.mark.parametrize("name", LISTED)
def test_a_thawed_training_makes_the_same_releases_at_the_same_ticks(name: str) -> None:
    training = taught(name, release_every=5)
    tokens, spam = mails(120, seed=8)
    weight = np.full(120, 700, np.int64)
    for tick in range(40):
        some = np.arange(3 * tick, 3 * tick + 3)
        frozen = training.freeze()
        other = taught(name, count=9, release_every=5)
        other.thaw(frozen)
        assert other.freeze() == frozen
        for one in (training, other):
            one.learn(tick, tokens.take(some), spam[some], weight[some])
        assert other.release(tick).fingerprint() == training.release(tick).fingerprint()
        assert other.freeze() == training.freeze()
        training = other


@pytest.mark.parametrize("name", LISTED)
def test_a_snapshot_is_what_is_frozen_and_makes_its_release_again(name: str) -> None:
    training = taught(name)
    release = training.release(24)
    snapshot = training.snapshot()
    assert snapshot == training.freeze()
    assert isinstance(snapshot, bytes)
    other = river_model(name, {}).begin()
    other.thaw(snapshot)
    assert other.release(24).fingerprint() == release.fingerprint()


@pytest.mark.parametrize("bad", [b"", b"\x90", b"\xc1", codec.pack((b"", 1))])
def test_bytes_that_are_no_training_change_nothing(bad: bytes) -> None:
    training = taught(LOGISTIC)
    before = training.freeze()
    with pytest.raises(codec.CodecError):
        training.thaw(bad)
    assert training.freeze() == before


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("linear_modle.LogisticRegression", {}, "did you mean 'linear_model'"),
        ("linear_model.LogisticRegresion", {}, "did you mean 'LogisticRegression'"),
        (
            "linear_model.LinearRegression",
            {},
            r"no classifier in river\.linear_model.*There are: A",
        ),
        ("linear_model.base.GLM", {}, "unknown 'linear_model.base'"),
        ("..os.path", {}, "model: unknown"),
        ("multioutput.ClassifierChain", {}, r"no classifier in river\.multioutput"),
        ("ensemble.VotingClassifier", {}, r"no classifier in river\.ensemble"),
        (LOGISTIC, {"l3": 1}, r"LogisticRegression\.l3: unknown 'l3'; did you mean 'l"),
        (LOGISTIC, {"l2": "much"}, r"LogisticRegression: .*l2='much'.* does not work: TypeError"),
        (LOGISTIC, {"l1": 0.1, "l2": 0.1}, "does not work: NotImplementedError"),
        (LOGISTIC, {"release_every": 0}, r"release_every: expected an integer from 1 up, got 0"),
        (LOGISTIC, {"release_every": True}, "release_every: expected an integer"),
        ("ensemble.BaggingClassifier", {}, "BaggingClassifier needs model"),
        ("facto.FFMClassifier", {}, "does not work: AttributeError"),
    ],
)
def test_what_cannot_be_a_model_is_refused_with_its_place(
    name: str, table: dict[str, Any], message: str
) -> None:
    given = dict(table)
    with pytest.raises(PluginError, match=message):
        river_model(name, table)
    assert table == given


def test_a_classifier_that_draws_gets_a_seed_so_that_a_run_repeats() -> None:
    assert river_model("forest.ARFClassifier", {}).arguments == {"seed": 0}
    assert river_model("forest.ARFClassifier", {"seed": 5}).arguments == {"seed": 5}
    assert river_model(LOGISTIC, {}).arguments == {}


PRINTS = """
import numpy as np
from filter.ragged import ragged
from filter.river_model import river_model
tokens = ragged(np.random.default_rng(8).integers(0, 5000, (60, 40)))
spam, weight = np.arange(60) % 3 == 0, np.full(60, 1000)
for name in {names}:
    training = river_model(name, {{}}).begin()
    training.learn(0, tokens, spam, weight)
    release = training.release(0)
    print(name, release.fingerprint(), release.log_odds(tokens).tobytes().hex())
"""


def test_the_hash_seed_of_python_changes_no_fingerprint_and_no_answer() -> None:
    code = PRINTS.format(names=[*NAMES, "forest.ARFClassifier", "linear_model.PAClassifier"])
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    ]
    assert outputs[0].count("\n") == 5
    assert outputs[0] == outputs[1]


def test_river_is_not_loaded_before_a_classifier_is_asked_for() -> None:
    names = "filter.settings, filter.river_model, filter.stage, filter.scoring"
    code = f"import sys, {names}; sys.exit('river' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
