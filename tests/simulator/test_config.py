from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.plugins import PluginError, SettingsError
from simulator.flags import Flags
from simulator.layers import Resolved, resolve
from simulator.ranges import RANGES
from simulator.scenario import Scenario, scenario, validated
from simulator.settings_file import text as settings_file
from simulator.spelling import hours, key_path, quoted, toml_value, written

NOWHERE = Path("/nowhere")


def resolved(
    name: str = "quickstart",
    environment: Mapping[str, str] | None = None,
    folder: Path = NOWHERE,
    **flags: Any,
) -> Resolved:
    return resolve(name, Flags(**flags), environment or {}, folder)


def refused(**given: Any) -> str:
    with pytest.raises((SettingsError, PluginError)) as caught:
        resolved(**given)
    return str(caught.value)


def a_file(folder: Path, text: str) -> Path:
    (folder / "hamstrung.toml").write_text(text)
    return folder


def test_a_flag_counts_more_than_the_environment_the_file_and_the_scenario(tmp_path: Path) -> None:
    folder = a_file(tmp_path, "seed = 2\nduration = 100\n[world]\npeople = 7\n")
    made = resolved(
        environment={"HAMSTRUNG_SEED": "3", "HAMSTRUNG_DURATION": "90"}, folder=folder, seed="4"
    )
    assert (made.scenario.seed, made.scenario.duration, made.scenario.world.people) == (4, 90, 7)
    assert made.scenario.synthetic.mails_per_hour == 1000
    assert made.sources["seed"] == "--seed"
    assert made.sources["duration"] == "HAMSTRUNG_DURATION"
    assert made.sources["world.people"] == "hamstrung.toml"
    assert made.sources["synthetic.mails_per_hour"] == "scenario quickstart"
    assert "people.delay" not in made.sources


def test_a_table_in_the_file_leaves_the_rest_of_the_scenarios_table(tmp_path: Path) -> None:
    made = resolved(folder=a_file(tmp_path, "[attack]\nstart = 50\n"))
    assert (made.scenario.attack.start, made.scenario.attack.duration) == (50, 96)


def test_flags_have_the_same_names_in_the_file(tmp_path: Path) -> None:
    text = 'guard = "none"\nattack = "none"\nno_twin = true\nfail_if = "ham_unsure.mean > 1"\n'
    made = resolved(folder=a_file(tmp_path, f'{text}display = "plain"\n'))
    assert made.scenario.filter.guard == "none"
    assert made.scenario.attack.name == ""
    assert made.flags.display == "plain"
    assert made.scenario.thresholds == ("ham_unsure.mean <= 1",)


def test_a_flag_of_its_own_counts_more_than_set() -> None:
    assert resolved(set=("seed=3",), seed="4").scenario.seed == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("none", "none"),
        ("", ""),
        ("1\nb = 2", "1\nb = 2"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_a_value_is_read_as_toml_or_else_as_text(text: str, value: Any) -> None:
    assert toml_value(text) == value


@given(st.text())
def test_any_text_is_a_value(text: str) -> None:
    toml_value(text)


TEXT = st.text(st.characters(codec="utf-8"))
SIMPLE = st.booleans() | st.integers(-(2**53), 2**53) | TEXT


@given(
    st.recursive(
        SIMPLE | st.floats(allow_nan=False),
        lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
        max_leaves=8,
    )
)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert toml_value(written(value)) == value


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_a_key_that_is_written_is_read_again(keys: list[str]) -> None:
    assert key_path(quoted(keys), "--set") == tuple(keys)


@pytest.mark.parametrize(
    ("text", "ticks"), [("240", 240), ("2h", 2), ("10d", 240), (" 3 d ", 72), ("1h", 1)]
)
def test_a_duration_is_in_hours_or_days(text: str, ticks: int) -> None:
    assert hours(text, "--duration") == ticks


@pytest.mark.parametrize("text", ["", "h", "2w", "-3", "1.5d", "²", "9" * 30, "1e3", "2 h h"])
def test_another_duration_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--duration: expected hours or days"):
        hours(text, "--duration")


def test_another_attack_leaves_the_settings_of_the_first_behind(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(
        '[attack]\nname = "not-spam-campaign"\n[attack.settings]\naccounts = 9\n', encoding="utf-8"
    )
    kept = resolved(name=str(own), attack="not-spam-campaign")
    assert kept.scenario.attack.settings == {"accounts": 9}
    dropped = resolved(name=str(own), attack="none")
    assert dropped.scenario.attack.settings == {}
    assert "attack.settings.accounts" not in dropped.sources
    set_anew = resolved(
        name=str(own), attack="not_spam_campaign", set=("attack.settings.varies=0.1",)
    )
    assert set_anew.scenario.attack.settings == {"varies": 0.1}


@pytest.mark.parametrize(
    ("name", "flags", "arms"),
    [
        ("quickstart", {"guard": "none"}, ("attacked", "twin")),
        ("quickstart", {"no_twin": True}, ("attacked", "unguarded")),
        ("quickstart", {"attack": "none"}, ("default", "reference")),
        ("not-spam-campaign", {"guard": "none"}, ("attacked", "twin", "reject_all")),
        ("peace", {}, ("default", "reference", "reject_all")),
        ("peace", {"no_twin": True}, ("default", "reference", "reject_all")),
        ("peace", {"guard": "none"}, ("reference", "reject_all")),
        (
            "peace",
            {"attack": "not-spam-campaign"},
            ("attacked", "twin", "reference", "reject_all"),
        ),
        ("peace", {"guard": "none", "set": ('arms=["default", "reference"]',)}, None),
    ],
)
def test_arms_that_would_say_the_same_twice_are_left_out(
    name: str, flags: dict[str, Any], arms: tuple[str, ...] | None
) -> None:
    assert resolved(name, **flags).scenario.arms == (arms or ("default", "reference"))


def test_a_rule_follows_its_arm_when_that_is_another_ones_double() -> None:
    made = resolved(guard="none", fail_if=("unguarded.attack_success.max>0.9",))
    assert made.scenario.thresholds[1:] == (
        "attacked.attack_success.mean >= 0.3",
        "attacked.attack_success.max <= 0.9",
    )


def test_a_rule_that_no_arm_can_answer_is_left_out_and_said() -> None:
    made = resolved(no_twin=True)
    assert made.scenario.thresholds == ()
    assert "no twin of the arm 'attacked': attack_success.mean < 0.05" in made.notes[0]


def test_a_rule_that_was_asked_for_is_never_left_out() -> None:
    made = resolved(no_twin=True, fail_if=("attack_success.mean > 0.05 or no data",))
    assert made.scenario.thresholds == ("attack_success.mean <= 0.05 or no data",)


def test_the_command_makes_the_same_run_again(tmp_path: Path) -> None:
    folder = a_file(tmp_path, "[people]\ndelay = 2.5\n")
    first = resolved(
        environment={"HAMSTRUNG_GUARD": "near_duplicates,gate", "HAMSTRUNG_SEED": "5"},
        folder=folder,
        duration="4d",
        set=('arms=["attacked"]', "name=a b"),
        fail_if=("ham_misclassified.mean > 0.5",),
    )
    words = list(first.command)
    assert words[:3] == ["hamstrung", "run", "quickstart"]
    sets = tuple(words[at + 1] for at, word in enumerate(words) if word == "--set")
    one = {word: words[at + 1] for at, word in enumerate(words[:-1]) if word[:2] == "--"}
    again = resolved(
        set=sets,
        seed=one["--seed"],
        guard=one["--guard"],
        duration=one["--duration"],
        fail_if=(one["--fail-if"],),
    )
    assert again.scenario == first.scenario


def test_a_resolved_scenario_printed_as_a_file_is_the_same_scenario(tmp_path: Path) -> None:
    first = resolved(name="not-spam-campaign", seed="9", guard="reputation,rate_limit")
    path = tmp_path / "again.toml"
    path.write_text(settings_file(first))
    again = resolved(name=str(path)).scenario
    assert (again.seed, again.filter.guard) == (9, "reputation,rate_limit")
    assert again.filter.checks["rate_limit"] == {"votes_per_day": 20.0, "burst": 20.0}
    assert again.attack.settings["varies"] == 0.3
    assert again.thresholds == first.scenario.thresholds


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "quikstart"}, "scenario: unknown 'quikstart'; did you mean 'quickstart'?"),
        ({"name": "./nope.toml"}, "there is no file ./nope.toml"),
        ({"attack": "not-spam"}, "attack: unknown 'not-spam'; did you mean 'not-spam-campaign'?"),
        ({"attack": "./nope.py"}, "attack: there is no file nope.py"),
        ({"guard": "reputatoin"}, "did you mean 'reputation'?"),
        ({"guard": ""}, "guard: unknown ''"),
        ({"model": "naive-bays"}, "model: unknown 'naive-bays'; did you mean 'naive-bayes'?"),
        ({"model": "linear_model.LogisticRegresion"}, "did you mean 'LogisticRegression'?"),
        ({"set": ("filter.gard=none",)}, "filter.gard: unknown 'gard'; did you mean 'guard'?"),
        ({"set": ("filter.gard=none",)}, "(from --set)"),
        ({"set": ("filter.checks.ratelimit.burst=3",)}, "did you mean 'rate_limit'?"),
        ({"set": ("filter.checks.rate_limit.burts=3",)}, "filter.checks.rate_limit.burts"),
        ({"set": ("filter.models.naive_bayse.bits=3",)}, "did you mean 'naive_bayes'?"),
        ({"set": ("attack.settings.acounts=3",)}, "did you mean 'accounts'?"),
        ({"set": ("attack.settings.votes=5",)}, "did you mean 'votes_per_hour'?"),
        ({"set": ("seed",)}, "--set: expected key=value"),
        ({"set": ("a b=3",)}, "--set: expected a key such as world.people, got 'a b'"),
        ({"set": ("seed=x",)}, "seed: expected a whole number, got a text (from --set)"),
        ({"set": ("attack=3",)}, "attack: expected a table, got a whole number (from --set)"),
        ({"set": ('arms=["tvin"]',)}, "arms[0]: unknown 'tvin'; did you mean 'twin'?"),
        ({"set": ("arms=[]",)}, "arms: expected a list of names"),
        ({"set": ("thresholds=3",)}, "thresholds: expected a list of texts"),
        ({"set": ('thresholds=["x"]',)}, "thresholds[0]: 'x' is no rule"),
        ({"seed": "x"}, "--seed: expected a whole number, got 'x'"),
        ({"seed": "-1"}, "seed: expected 0 to"),
        ({"environment": {"HAMSTRUNG_SEED": "x"}}, "HAMSTRUNG_SEED: expected a whole number"),
        ({"environment": {"HAMSTRUNG_NO_TWIN": "maybe"}}, "HAMSTRUNG_NO_TWIN: expected 1 or 0"),
        ({"duration": "0"}, "duration: expected 1 to 100,000, got 0 (from --duration)"),
        ({"fail_if": ("attack_sucess.max>1",)}, "metric unknown 'attack_sucess'; did you mean"),
        ({"fail_if": ("attack_success.maxi>1",)}, "statistic unknown 'maxi'; did you mean 'max'?"),
        ({"fail_if": ("atacked.ham_unsure.max>1",)}, "arm unknown 'atacked'; did you mean"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_nearest_name(
    given: dict[str, Any], said: str
) -> None:
    assert said in refused(**given)


def test_a_file_that_does_not_parse_is_named_with_line_and_column(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text("a = [1,\nb = 2")
    assert "line 2, column 1" in refused(name=str(own))
    assert "hamstrung.toml: " in refused(folder=a_file(tmp_path, "x = "))
    assert "(at end of document)" in refused(folder=tmp_path)


def test_an_unknown_key_in_the_file_names_the_file(tmp_path: Path) -> None:
    said = refused(folder=a_file(tmp_path, "[wrold]\npeople = 3"))
    assert "wrold: unknown 'wrold'; did you mean 'world'?" in said
    assert "(from hamstrung.toml)" in said


def test_an_attack_that_does_not_load_is_named_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("x = 1\nraise RuntimeError('no')\n")
    assert refused(attack=str(path)) == f"attack: {path}:2: RuntimeError: no"
    path.write_text("x = 1\ndef f(:\n")
    assert refused(attack=str(path)).startswith(f"attack: {path}:2: SyntaxError")


def tables(place: str, value: Any) -> dict[str, Any]:
    table: Any = value
    for name in reversed(place.replace("*", "memory").split(".")):
        table = {name: table}
    made: dict[str, Any] = table
    return made


@pytest.mark.parametrize("place", [place for place in RANGES if ".mistaken" not in place])
def test_a_number_out_of_its_range_is_refused_with_its_place(place: str) -> None:
    within = RANGES[place]
    whole = within.low == int(within.low)
    for wrong in (int(within.low) - 1 if whole else -1, float("nan")):
        with pytest.raises(SettingsError, match=place.replace("*", "memory")):
            scenario(tables(place, wrong))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"feedback_delay": 48}, "feedback_delay: expected less than filter.mail_window = 48"),
        ({"filter": {"mail_window": 5}}, "filter.mail_window: expected at least"),
        ({"people": {"mistaken_spam": {"work": 2.0}}}, "people.mistaken_spam.work: expected 0 to"),
        ({"people": {"delay": float("inf")}}, "people.delay: expected a number, got inf"),
        ({"arms": ["twin", "twin"]}, "arms: expected one or more, each once"),
        ({"filter": {"learner": {"limits": {"ham_unsure": 1.0}}}}, "ham_in_spam + ham_unsure"),
        ({"name": " "}, "name: expected a name"),
    ],
)
def test_settings_that_do_not_fit_one_another_are_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        scenario(table)
    assert said in str(caught.value)


def test_the_defaults_are_valid() -> None:
    assert validated(Scenario()) == Scenario()


def test_a_genre_that_there_is_not_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(SettingsError, match=r"people\.mistaken_spam: genre unknown 'newsleters'"):
        scenario({"people": {"mistaken_spam": {"newsleters": 0.1}}})
    made = scenario({"people": {"mistaken_ham": {"spam": 0.1, "phishing": 0.0}}})
    assert made.people.mistaken_ham["spam"] == 0.1
