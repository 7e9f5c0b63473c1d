"""What build servers are told of a run."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.plugins import SettingsError
from simulator import junit
from simulator.safe import safe
from simulator.summary import Planned, Replicate, Rule, Summary
from tests.simulator.test_cli import QUICK, Ended, _elsewhere, process
from tests.simulator.test_printed import SUMMARY

__all__ = ["_elsewhere"]
"""Used by pytest: each test has a folder of its own."""


def suite(document: bytes) -> Element:
    (found,) = fromstring(document)
    return found


def read(path: Path) -> Element:
    return suite(path.read_bytes())


def of(summary: Summary = SUMMARY, **changes: Any) -> Element:
    return suite(junit.document(msgspec.structs.replace(summary, **changes)))


def cases(found: Element) -> dict[tuple[str, str], Element]:
    """Each case by the last word of its class and its name."""
    return {
        (one.attrib["classname"].rpartition(".")[2], one.attrib["name"]): one
        for one in found.iter("testcase")
    }


def outcome(found: Element, group: str, name: str) -> tuple[str, str, str]:
    """How a case ended: the tag, its type and message; nothing of one that passed."""
    inside = list(cases(found)[group, name])
    return next(((one.tag, one.attrib["type"], one.attrib["message"]) for one in inside), ("",) * 3)


def test_every_threshold_is_a_case_that_passes_fails_or_has_no_data() -> None:
    found = of()
    assert [name for group, name in cases(found) if group == "thresholds"] == [
        rule.rule for rule in SUMMARY.thresholds
    ]
    assert outcome(found, "thresholds", "attack_success.mean < 0.05")[0] == ""
    assert outcome(found, "thresholds", "honest_votes_lost.mean < 0.01") == (
        "error",
        "no data",
        "expected honest_votes_lost.mean < 0.01, but there is no data",
    )
    assert outcome(found, "thresholds", "ticks_to_recover.mean < 9") == (
        "failure",
        "broken",
        "expected ticks_to_recover.mean < 9; ticks_to_recover.mean is never reached",
    )
    assert (found.attrib["tests"], found.attrib["failures"], found.attrib["errors"]) == (
        "5",
        "1",
        "1",
    )


def test_a_broken_threshold_says_its_actual_value() -> None:
    rule = Rule("unguarded.attack_success.max < 0.5", 0.75, False)
    tag, kind, message = outcome(of(thresholds=[rule]), "thresholds", rule.rule)
    assert (tag, kind) == ("failure", "broken")
    assert message == "expected unguarded.attack_success.max < 0.5; attack_success.max is 0.75"


@pytest.mark.parametrize(
    ("status", "why", "tag"),
    [("ran", "", ""), ("skipped", "the run ended before", "failure"), ("error", "oh", "error")],
)
def test_an_attack_that_did_not_run_does_not_pass(status: str, why: str, tag: str) -> None:
    found = of(attacks=[Planned("sleepers", 1, 2, status, why, 0, 0, 0, 0)])
    assert outcome(found, "attacks", "sleepers ran") == (tag, status if tag else "", why)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"status": "interrupted"}, "interrupted"),
        ({"status": "error"}, "error"),
        ({"ticks": 0}, "error"),
    ],
)
def test_a_run_that_did_not_end_is_an_error_whatever_held(
    changes: dict[str, Any], kind: str
) -> None:
    assert outcome(of(**changes), "run", "ended")[:2] == ("error", kind)


def test_every_seed_is_a_case() -> None:
    rows = [
        Replicate(1, "done", "", "a/seed-1", {}, {}),
        Replicate(2, "failed", "its process was ended by SIGKILL", "a/seed-2", {}, {}),
    ]
    found = of(replicates=rows)
    assert outcome(found, "seeds", "seed 1")[0] == ""
    assert outcome(found, "seeds", "seed 2") == (
        "error",
        "failed",
        "its process was ended by SIGKILL",
    )


HOSTILE = [
    "\x00\x1b[2J",
    "</testsuite>&\"'",
    "]]><!--",
    "\ud800",
    "\ufffe",
    "\u202e..",
    "\r\n",
    "🐷",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_scenario_can_break_the_file(name: str) -> None:
    found = of(
        scenario=name, verdict=name, attacks=[Planned(name, 1, 2, "error", name, 0, 0, 0, 0)]
    )
    assert len(list(found.iter("testcase"))) == 5
    assert found.attrib["errors"] == "2"


@given(st.text())
def test_any_text_can_be_written_and_parsed(text: str) -> None:
    assert of(scenario=text, verdict=text).attrib["name"] == safe(text, junit.MOST)


def test_a_run_writes_its_file_when_a_threshold_breaks(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rule = "campaign_in_inbox.mean >= 0"
    ended = Ended(capfd, *QUICK, "--display", "none", "--junit", "out.xml", "--fail-if", rule)
    found = read(tmp_path / "out.xml")
    assert ended.code == 99
    assert found.attrib["name"] == "quickstart"
    assert outcome(found, "run", "ended")[0] == ""
    assert outcome(found, "thresholds", "campaign_in_inbox.mean < 0")[:2] == ("failure", "broken")
    assert outcome(found, "attacks", "not-spam-campaign ran")[0] == ""


def test_the_environment_and_the_file_ask_for_it_too(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hamstrung.toml").write_text('junit = "of-file.xml"\n')
    assert Ended(capfd, *QUICK, "--display", "none").code == 0
    assert read(tmp_path / "of-file.xml").attrib["errors"] == "0"
    monkeypatch.setenv("HAMSTRUNG_JUNIT", "of-variable.xml")
    assert Ended(capfd, "run", "--resume", "latest", "--display", "none").code == 0
    assert read(tmp_path / "of-variable.xml").attrib["errors"] == "0"


@pytest.mark.parametrize(
    "path", ["absent/out.xml", "a-folder", "a-file/out.xml", f"{'x' * 300}", ""]
)
def test_a_file_that_cannot_be_written_is_refused_before_the_run(
    path: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "a-file").touch()
    if not path:
        with pytest.raises(SettingsError):
            junit.begin(Path("a\0b"), "x")
        return
    ended = Ended(capfd, *QUICK, "--junit", path, "-o", "mine")
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith("hamstrung: --junit: ")
    assert not (tmp_path / "mine").exists()


def test_it_may_lie_in_the_run_s_own_folder(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    where = ("-o", "mine", "--junit", "mine/junit.xml")
    assert Ended(capfd, *QUICK, "--display", "none", *where).code == 0
    assert read(tmp_path / "mine" / "junit.xml").attrib["errors"] == "0"


def test_an_interrupted_run_writes_its_file(tmp_path: Path) -> None:
    options = ("--json", "--display", "none", "-o", "mine", "--junit", "out.xml")
    run = process(*QUICK, *options, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    assert json.loads(run.stdout.readline())["type"] == "frame"
    assert outcome(read(tmp_path / "out.xml"), "run", "ended") == (
        "error",
        "unended",
        junit.UNENDED,
    )
    run.send_signal(signal.SIGINT)
    run.communicate()
    assert run.returncode == 130
    assert outcome(read(tmp_path / "out.xml"), "run", "ended")[:2] == ("error", "interrupted")


def test_several_seeds_write_one_file_for_all_of_them(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "hamstrung.toml").write_text('junit = "out.xml"\n')
    options = ("--replicates", "2", "-j", "2", "--display", "none", "-o", "mine")
    assert Ended(capfd, *QUICK, *options).code == 0
    found = read(tmp_path / "out.xml")
    assert {name for group, name in cases(found) if group == "seeds"} == {"seed 1", "seed 2"}
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"hamstrung.toml", "mine", "out.xml"}
    assert not list((tmp_path / "mine").rglob("*.xml"))
