import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.folder import FolderError, RunFolder, file_name, runs
from simulator.journal import id_text
from simulator.scenario import read, scenario
from simulator.scripting import Silent
from simulator.session import simulate
from tests.simulator.small_run import small


def test_a_new_run_is_named_after_time_scenario_and_seed(tmp_path: Path) -> None:
    folder = RunFolder.create(small(seed=7), root=tmp_path / "runs")
    assert re.fullmatch(r"\d{8}-\d{6}-small-7(-\d+)?", folder.path.name)
    assert folder.path.parent == tmp_path / "runs"


def test_runs_of_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    made = {RunFolder.create(small(), root=tmp_path).path for _ in range(5)}
    assert len(made) == 5


@given(st.text())
def test_a_scenario_s_name_is_safe_in_a_file_name(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", file_name(text))


def test_a_hostile_name_stays_in_the_folder_of_runs(tmp_path: Path) -> None:
    folder = RunFolder.create(replace(small(), name="../../\x1b[2Jevil\n"), root=tmp_path / "runs")
    assert folder.path.resolve().parent == (tmp_path / "runs").resolve()
    assert folder.path.name.isprintable()


def test_a_folder_that_holds_a_run_is_refused(tmp_path: Path) -> None:
    RunFolder.create(small(), tmp_path / "mine")
    with pytest.raises(FolderError, match="already holds a run"):
        RunFolder.create(small(), tmp_path / "mine")


def test_an_empty_folder_and_a_new_one_are_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "a" / "b"):
        assert RunFolder.create(small(), path).path == path


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(FolderError, match=r"file"):
            RunFolder.create(small(), path)


def test_a_run_is_found_by_path_by_name_and_as_the_latest(tmp_path: Path) -> None:
    first = RunFolder.create(small(), tmp_path / "zuerst")
    last = RunFolder.create(small(), tmp_path / "danach")
    assert RunFolder.open(first.path).path == first.path
    assert RunFolder.open("zuerst", tmp_path).path == first.path
    assert RunFolder.open("latest", tmp_path).path == last.path


def test_a_run_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="there is no run 'absent'"):
        RunFolder.open("absent", tmp_path)
    with pytest.raises(FolderError, match="there is no run in"):
        RunFolder.open("latest", tmp_path / "none")
    assert runs(tmp_path / "none") == []


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"\xff\xfe", b"null", b"[" * 100_000, b'{"schema_version": "1"}']
)
def test_a_damaged_manifest_is_refused_and_listed_as_such(damage: bytes, tmp_path: Path) -> None:
    RunFolder.create(small(), tmp_path / "run")
    (tmp_path / "run" / "manifest.json").write_bytes(damage)
    with pytest.raises(FolderError, match="cannot be read"):
        RunFolder.open(tmp_path / "run")
    assert [record.status for record in runs(tmp_path)] == ["unreadable"]
    with pytest.raises(FolderError, match="there is no run in"):
        RunFolder.open("latest", tmp_path)


@pytest.mark.parametrize("name", ["peace", "quickstart", "not-spam-campaign"])
def test_a_scenario_comes_back_from_its_manifest_as_it_was(name: str, tmp_path: Path) -> None:
    given_ = scenario(read(name))
    RunFolder.create(given_, tmp_path / "run")
    assert RunFolder.open(tmp_path / "run").scenario() == given_


def test_a_run_in_the_list_has_its_verdict(tmp_path: Path) -> None:
    chosen = small(duration=10)
    folder = RunFolder.create(chosen, root=tmp_path, command="hamstrung run small")
    summary = simulate(chosen, folder, Silent(), [])
    (record,) = runs(tmp_path)
    assert (record.status, record.verdict, record.seed) == ("done", summary.verdict, 1)
    assert folder.manifest.command == "hamstrung run small"
    assert folder.manifest.hashes["attacked"] == summary.hash
    assert {plugin.name for plugin in folder.manifest.plugins} > {"not-spam-campaign"}


def test_a_run_without_a_summary_says_so(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="no summary yet"):
        RunFolder.create(small(), tmp_path / "run").summary()


def test_a_line_that_is_being_written_is_left_out_and_a_damaged_one_is_named(
    tmp_path: Path,
) -> None:
    folder = RunFolder.create(small(), tmp_path / "run")
    assert list(folder.events()) == []
    path = tmp_path / "run" / "events.jsonl"
    path.write_bytes(b'{"type":"alert"}\n{"type":"al')
    assert list(folder.events()) == [{"type": "alert"}]
    path.write_bytes(b'{"type":"alert"}\n{"type":\n')
    with pytest.raises(FolderError, match=r"events.jsonl:2: cannot be read"):
        list(folder.events())


@given(st.integers(0, 2**64 - 1))
def test_an_id_is_a_text_that_a_number_in_javascript_would_not_round(number: int) -> None:
    written = msgspec.json.decode(msgspec.json.encode(id_text(number)))
    assert len(written) == 16
    assert int(written, 16) == number
