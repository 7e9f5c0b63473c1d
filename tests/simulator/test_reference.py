"""The pages that are written from the code, and the schema beside them."""

import json
import math
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from filter.plugins import PluginError, SettingsError, names
from filter.settings import guard_names
from simulator import scripting
from simulator.cli import app
from simulator.explain import explain
from simulator.folder import RunFolder
from simulator.layers import check_plugins
from simulator.reference import pages
from simulator.reference.__main__ import write
from simulator.reference.schema import schema
from simulator.reference.sections import Key, sections
from simulator.scenario import SCENARIOS, Scenario, read, scenario, scenario_names
from simulator.settings_file import text as settings_file
from tests.json_schema import faults, holds
from tests.simulator.test_config import resolved

DOCS = Path(__file__).parents[2] / "docs"
PAGES = pages()
SCHEMA = schema()
KEYS = [(one.of, key) for one in sections() for key in one.keys]
OWN = ("scenario.md", "catalogue.md", "concepts.md", "operations.md")
RIGHT: list[dict[str, Any]] = [
    {},
    {"seed": 2, "world": {"people": 10}, "synthetic": {"varies": 1}},
    {"attack": {"name": "slow_drip", "settings": {"pause": 24}}},
    {"attack": {"settings": {"whatever": 1}}},
    {"filter": {"guard": "rate-limit, near_duplicates,gate"}},
    {"filter": {"checks": {"rate_limit": {"burst": 2}}}},
    {"filter": {"models": {"naive_bayes": {"length": "none"}}}},
    {"filter": {"model": "linear_model.Perceptron", "models": {"linear_model": {}}}},
    {"people": {"mistaken_spam": {"newsletters": 0.5}}},
    {"arms": ["default"], "thresholds": []},
]
WRONG: list[dict[str, Any]] = [
    {"sede": 2},
    {"world": 3},
    {"world": {"persons": 3}},
    {"seed": "1"},
    {"seed": 1.5},
    {"seed": True},
    {"name": " "},
    {"arms": []},
    {"arms": ["twin", "twin"]},
    {"arms": ["twins"]},
    {"thresholds": "a < 1"},
    {"engine": "rabbit"},
    {"attack": {"name": "slow-drop"}},
    {"attack": {"name": "slow-drip", "settings": {"pauses": 24}}},
    {"attack": {"name": "slow_drip", "settings": {"pause": "1d"}}},
    {"attack": {"name": "lurkers", "settings": {"pause": 24}}},
    {"filter": {"guard": "rate_limits"}},
    {"filter": {"guard": "default,rate_limit"}},
    {"filter": {"model": "bayes"}},
    {"filter": {"checks": {"rate_limits": {}}}},
    {"filter": {"checks": {"rate_limit": {"brust": 2}}}},
    {"filter": {"checks": {"rate_limit": 3}}},
    {"filter": {"models": {"bayes": {}}}},
    {"people": {"mistaken_spam": {"newsletters": 2}}},
    {"people": {"uniform": 1}},
]


def program_takes(table: dict[str, Any]) -> bool:
    try:
        check_plugins(scenario(table))
    except (SettingsError, PluginError):
        return False
    return True


def nested(place: str, value: Any) -> dict[str, Any]:
    for name in reversed(place.split(".")):
        value = {name: value}
    made: dict[str, Any] = value
    return made


def test_the_pages_in_docs_are_what_the_code_says_today() -> None:
    old = [name for name, text in PAGES.items() if (DOCS / name).read_text("utf-8") != text]
    assert not old, "write them anew: python -m simulator.reference"


def test_the_command_writes_them_and_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert write(tmp_path) == 0
    assert {one.name: one.read_text("utf-8") for one in tmp_path.iterdir()} == PAGES
    assert capfd.readouterr().out.count("wrote ") == len(PAGES)


def test_a_folder_that_is_not_there_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert write(tmp_path / "none") == 2
    assert "there is no folder" in capfd.readouterr().err


def test_every_setting_says_what_it_is_for() -> None:
    assert len(KEYS) > 150
    assert not [(of, key.place) for of, key in KEYS if not key.about]


def test_every_number_of_a_check_or_a_model_has_a_range() -> None:
    own = [key for _, key in KEYS if key.place.startswith(("filter.checks.", "filter.models."))]
    numbers = [key for key in own if key.hint in (int, float)]
    assert len(numbers) > 40
    assert not [key.place for key in numbers if key.within is None]
    assert not [
        key.place
        for key in numbers
        if key.within and not key.within.low <= key.default <= key.within.high
    ]


def test_the_reference_has_every_key_that_a_settings_file_has() -> None:
    printed = tomllib.loads(settings_file(resolved("quickstart")))

    def places(table: dict[str, Any], at: str = "") -> set[str]:
        found = set()
        for name, value in table.items():
            place = f"{at}.{name}".lstrip(".")
            found |= places(value, place) if isinstance(value, dict) else {place}
        return found

    known = {key.place for _, key in KEYS}
    tables = tuple(f"{key.place}." for _, key in KEYS if isinstance(key.default, dict))
    assert {p for p in places(printed) if not p.startswith(tables)} <= known
    assert {p for p in places(printed) if p.startswith(("filter.checks", "attack.s"))} <= known


def test_the_catalogue_has_everything_that_can_be_chosen() -> None:
    page = PAGES["catalogue.md"]
    for package in ("agents.attacks", "filter.checks", "filter.model"):
        assert not [one for one in names(package) if f"### {one}\n" not in page]
    rows = [*scenario_names(), *guard_names()]
    assert not [one for one in rows if f"\n| `{one}` | " not in page]


def test_an_attack_s_source_is_its_number_its_paper_and_its_techniques() -> None:
    (row,) = re.findall(r"\n(\| \[`sybil-farm`\].*)", PAGES["catalogue.md"])
    assert 'A11; Douceur, "The Sybil Attack", IPTPS 2002; [AML.T0020](' in row


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_of_ours_keeps_to_the_schema(name: str) -> None:
    table = tomllib.loads((SCENARIOS / f"{name}.toml").read_text("utf-8"))
    assert not list(faults(SCHEMA, table))
    assert not list(faults(SCHEMA, read(name)))


@pytest.mark.parametrize("name", scenario_names())
def test_what_config_prints_keeps_to_the_schema(name: str) -> None:
    assert not list(faults(SCHEMA, tomllib.loads(settings_file(resolved(name)))))


@pytest.mark.parametrize("table", RIGHT, ids=str)
def test_the_schema_takes_what_the_program_takes(table: dict[str, Any]) -> None:
    assert program_takes(table)
    assert not list(faults(SCHEMA, table))


@pytest.mark.parametrize("table", WRONG, ids=str)
def test_the_schema_refuses_what_the_program_refuses(table: dict[str, Any]) -> None:
    assert not program_takes(table)
    assert not holds(SCHEMA, table)


def test_a_plug_in_of_one_s_own_may_have_any_settings() -> None:
    assert holds(SCHEMA, {"attack": {"name": "./night_shift.py", "settings": {"night": 3}}})
    own = {"guard": "rate_limit,./my_check.py", "checks": {"my_check": {"pause": 3}}}
    assert holds(SCHEMA, {"filter": own})
    assert not holds(SCHEMA, {"filter": own | {"guard": "rate_limit"}})


BOUNDED = [(of, key) for of, key in KEYS if key.within and isinstance(key.default, int | float)]


@pytest.mark.parametrize(("of", "key"), BOUNDED, ids=lambda one: getattr(one, "place", one))
def test_the_schema_ends_where_the_program_s_ranges_end(of: str, key: Key) -> None:
    if isinstance(key.default, bool) or key.within is None:
        return
    whole = isinstance(key.default, int)
    bounds = [(key.within.low, -1)]
    bounds += [(key.within.high, 1)] if key.within.high != math.inf else []
    for bound, step in bounds:
        at, beyond = (int(bound), int(bound) + step) if whole else (bound, bound + step)
        for value, inside in ((at, True), (beyond, False)):
            table = nested(key.place, value)
            if key.place.startswith("attack.settings"):
                table["attack"]["name"] = of
            assert holds(SCHEMA, table) == inside
            if not inside:
                assert not program_takes(table)


def test_the_schema_is_read_as_it_was_made() -> None:
    assert json.loads(PAGES["scenario.schema.json"]) == json.loads(json.dumps(SCHEMA))
    assert SCHEMA["properties"].keys() == set(Scenario.__dataclass_fields__)


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes of a page's titles."""
    titles = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", OWN)
def test_every_link_of_the_pages_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", (DOCS / name).read_text("utf-8"))
    assert links
    for path, anchor in links:
        if path.startswith("https:"):
            continue
        target = DOCS / (path or name)
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), f"{path}#{anchor}"


@pytest.mark.parametrize("name", OWN)
def test_every_command_of_the_pages_is_there(name: str) -> None:
    said = re.findall(r"hamstrung ([a-z]+)\b(?! are| is)", (DOCS / name).read_text("utf-8"))
    known = {
        one.name or (one.callback.__name__ if one.callback else "")
        for one in app.registered_commands
    }
    assert said
    assert not set(said) - known


def test_the_explained_votes_are_what_the_quickstart_gives_today(tmp_path: Path) -> None:
    page = (DOCS / "concepts.md").read_text("utf-8")
    examples = re.findall(r"```text\n(vote +([0-9a-f]{16}) .*?)\n```", page, re.DOTALL)
    assert len(examples) == 3
    # Of the quickstart, as long as the examples tell of it; no other arm changes the judged one.
    scripting.run("quickstart", folder=tmp_path / "run", duration=140, arms=["attacked", "twin"])
    folder = RunFolder.open(tmp_path / "run")
    for text, vote in examples:
        assert explain(folder, vote) == text, "put what is printed now into docs/concepts.md"
