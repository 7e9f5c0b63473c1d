"""What a filter learned, and who taught it, is found out by simulating it again."""

from pathlib import Path

import msgspec
import pytest

from simulator.durable import FolderError
from simulator.folder import RunFolder
from simulator.learned import SAMPLE, Learned, learned, told
from tests.simulator.console.watched import ran


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return ran(tmp_path_factory.mktemp("runs") / "run", arms=["unguarded"])


@pytest.fixture(scope="module")
def found(folder: RunFolder) -> Learned:
    return learned(folder, 7, 19)


def test_the_lessons_are_those_of_the_run_s_journal(found: Learned, folder: RunFolder) -> None:
    taught = [line for line in folder.events() if line["type"] == "lesson"]
    assert found.lessons == sum(7 < line["tick"] <= 19 for line in taught) > 0


def test_an_attack_without_a_guard_moves_words_and_the_campaign(found: Learned) -> None:
    assert found.campaign is not None
    before, after = found.campaign
    assert before < 0.1 < 0.5 < after
    assert len(found.moved) == 12
    strong = [one for one in found.moved if one.bots > 10]
    assert strong
    assert all(one.after != one.before for one in found.moved)
    assert any(one.after < one.before for one in strong), "bots teach that its words are ham's"


def test_who_taught_a_word_are_the_accounts_of_its_lessons(
    found: Learned, folder: RunFolder
) -> None:
    events = [line for line in folder.events() if 7 < line["tick"] <= 19]
    teachers = {
        account for line in events if line["type"] == "lesson" for account in line["shares"]
    }
    bots = {line["account"] for line in events if line["type"] == "vote" and line["bot"]}
    for one in found.moved:
        assert 0 < one.accounts <= len(teachers)
        assert one.bots <= len(teachers & bots)
        assert f"{one.most:016x}" in teachers


def test_it_is_told_in_lines_with_both_probes(found: Learned) -> None:
    lines = told(found)
    assert f"{SAMPLE} mails of the campaign:" in lines[1]
    assert "in spam before" in lines[2]
    assert "+ towards spam, - towards ham" in lines[4]
    assert len(lines) == 6 + len(found.moved)


def test_in_peace_there_is_no_campaign(tmp_path: Path) -> None:
    of_peace = ran(tmp_path / "peace", arms=["default"], attack={"name": ""})
    found = learned(of_peace, 5, 20)
    assert found.campaign is None
    assert found.lessons > 0
    assert not any("campaign" in line for line in told(found))


def test_a_run_of_another_program_is_refused(folder: RunFolder, tmp_path: Path) -> None:
    other = RunFolder(tmp_path, msgspec.structs.replace(folder.manifest, source="another"))
    with pytest.raises(FolderError, match="own files have changed"):
        learned(other, 5, 20)
