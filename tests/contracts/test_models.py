from pathlib import Path

import pytest

from benchmarks.filter import OTHERS
from filter.plugins import load, names
from filter.river_model import river_model
from filter.river_travel import TRAVELS
from simulator import loop
from tests.contracts import models
from tests.contracts.small import finish, hashes, small

MODELS = names("filter.model")
RIVER = sorted(TRAVELS)
QUICK = ["linear_model.LogisticRegression", "naive_bayes.MultinomialNB"]
"""River's for a whole run: BernoulliNB and ComplementNB look at all words for each mail."""


def test_there_is_a_model() -> None:
    assert MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_model_keeps_the_contract(name: str) -> None:
    models.hold_contract(load("filter.model", name, "model"))


@pytest.mark.parametrize("name", RIVER)
@pytest.mark.parametrize("every", [1, 24])
def test_a_river_classifier_that_travels_keeps_the_contract(name: str, every: int) -> None:
    settings = river_model(name, {"release_every": every})
    assert settings.travels
    models.learns_and_answers(settings)


@pytest.mark.parametrize("name", OTHERS)
def test_a_river_classifier_that_stays_keeps_what_of_the_contract_it_can(name: str) -> None:
    settings = river_model(name, {"release_every": 24})
    assert not settings.travels
    models.learns_and_answers(settings)


@pytest.mark.parametrize("name", [*MODELS, *QUICK])
def test_a_model_learns_in_a_small_run_that_can_be_resumed(name: str) -> None:
    given = small({"filter": {"model": name}, "duration": 16})
    whole = loop.prepare(given)
    frozen = b""
    for tick in loop.ticks(whole):
        if tick == 11 and whole.travels:
            frozen = loop.freeze(whole)
    if frozen:
        fresh = loop.prepare(given)
        loop.thaw(fresh, frozen)
        finish(fresh, 12)
        assert hashes(fresh) == hashes(whole)


@pytest.mark.parametrize("name", MODELS)
def test_a_file_of_one_s_own_keeps_the_same_contract(name: str, tmp_path: Path) -> None:
    ours = load("filter.model", name, "model")
    source = Path(__file__).parents[2] / "filter" / "model" / f"{name.replace('-', '_')}.py"
    path = tmp_path / "my_own.py"
    path.write_text(source.read_text().replace(ours.settings.__name__, "MyOwn"))
    models.hold_contract(load("filter.model", str(path), "model"))


def test_the_contract_refuses_a_model_that_forgets_what_it_was_taught(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "filter" / "model" / "naive_bayes.py"
    text = source.read_text().replace("NaiveBayes", "MyOwn")
    broken = text.replace(
        "rate = self._rate(tick)\n        return weight", "rate = 1.0\n        return 0 * weight"
    )
    assert broken != text
    path = tmp_path / "my_own.py"
    path.write_text(broken)
    with pytest.raises(AssertionError):
        models.hold_contract(load("filter.model", str(path), "model"))
