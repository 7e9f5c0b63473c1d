import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.cli import main
from simulator.durable import FolderError
from simulator.folder import RunFolder
from simulator.mail import Text
from simulator.scripting import Silent
from simulator.session import simulate
from simulator.show import show
from simulator.synthetic import Synthetic
from tests.contracts.small import small


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    made = RunFolder.create(small(), tmp_path_factory.mktemp("runs") / "run")
    simulate(made.scenario(), made, Silent(), [])
    return RunFolder.open(made.path)


def lines(folder: RunFolder, mail: str) -> list[str]:
    return show(folder, mail, lambda _: None)


def votes(folder: RunFolder) -> Iterator[dict[str, Any]]:
    return (line for line in folder.events() if line["type"] == "vote")


def test_a_mail_that_was_voted_on_is_shown_with_its_story(folder: RunFolder) -> None:
    vote = next(one for one in votes(folder) if not one["bot"])
    said = lines(folder, vote["mail"])
    assert said[0] == f"mail        {vote['mail']}, sent at {vote['sent']} h"
    assert said[2].endswith(vote["account"])
    assert any(line.startswith("in truth    ") for line in said)
    assert any(vote["vote"] in line and repr(vote["label"]) in line for line in said)
    rulings = [one for one in folder.events() if one["type"] == "ruling"]
    last = [one["ruling"] for one in rulings if one["vote"] == vote["vote"]][-1]
    assert any(vote["vote"] in line and last in line for line in said)


def test_its_verdict_is_the_one_that_people_saw(folder: RunFolder) -> None:
    """Nobody rescues what is in the inbox, and nobody reports what is in spam."""
    seen = {"spam": ("inbox", "unsure"), "ham": ("spam", "unsure")}
    some = [one for one in votes(folder) if not one["bot"]]
    for vote in [*some[:3], *some[-3:]]:
        verdict = next(line for line in lines(folder, vote["mail"]) if line.startswith("verdict"))
        assert verdict.split()[1].rstrip(",") in seen[vote["label"]]


def test_a_copy_to_a_bot_says_so_and_is_shown_word_for_word(folder: RunFolder) -> None:
    vote = next(one for one in votes(folder) if one["bot"])
    said = lines(folder, vote["mail"])
    assert any("a copy of the campaign, sent to a bot" in line for line in said)
    assert any("by a bot" in line for line in said)
    body = [line for line in said if line.startswith("  ")]
    assert sum(len(line.split()) for line in body) >= 60


def test_a_mail_that_nobody_voted_on_is_found_by_its_whole_id(folder: RunFolder) -> None:
    voted = {one["mail"] for one in votes(folder)}
    source = Synthetic(folder.scenario().synthetic, folder.scenario().seed)
    ids = [f"{one:016x}" for one in source.letters(12).mail.tolist()]
    alone = next(one for one in ids if one not in voted)
    said = lines(folder, alone)
    assert said[0] == f"mail        {alone}, sent at 12 h"
    assert said[-1] == "votes       nobody has voted on it"


def test_a_few_digits_do_if_no_other_mail_begins_so(folder: RunFolder) -> None:
    known = sorted({one["mail"] for one in votes(folder)})
    wanted = known[0]
    short = next(
        wanted[:length]
        for length in range(1, 17)
        if sum(one.startswith(wanted[:length]) for one in known) == 1
    )
    assert lines(folder, short) == lines(folder, wanted)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("", "expected 16 hexadecimal digits"),
        ("zz", "expected 16 hexadecimal digits"),
        ("0123456789abcdef", "there is none in this run; there are, for example: "),
    ],
)
def test_a_mail_that_is_not_there_is_told_with_some_that_are(
    folder: RunFolder, wanted: str, why: str
) -> None:
    with pytest.raises(FolderError, match=why):
        lines(folder, wanted)


def test_digits_that_several_mails_begin_with_are_not_enough(folder: RunFolder) -> None:
    known = {one["mail"] for one in votes(folder)}
    first = [one[0] for one in known]
    common = max(set(first), key=first.count)
    with pytest.raises(FolderError, match=r"\d+ mails .* begin so; name one of them: ") as caught:
        lines(folder, common)
    named = dict(re.findall(r"(\w{16}) \(([^)]+) vote, \w+\)", str(caught.value)))
    assert set(named) <= known
    assert all(mail.startswith(common) for mail in named)
    assert len(set(named.values())) == 2, "of people and of bots"


def test_what_a_mail_says_does_not_act_on_the_terminal(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = Text("\x1b]52;c;aGk=\x07 [red]\u202e" + "x" * 10_000, "a\n\x1b[2Jb\r\x00" * 3000)
    monkeypatch.setattr(Synthetic, "texts", lambda *_: [hostile])
    said = lines(folder, next(votes(folder))["mail"])
    assert all(one.isprintable() for one in said)
    assert max(map(len, said)) <= 310
    assert sum(map(len, said)) < 10_000


def test_a_run_that_the_program_would_no_longer_give_is_not_shown(folder: RunFolder) -> None:
    other = RunFolder(folder.path, msgspec.structs.replace(folder.manifest, source="another"))
    with pytest.raises(FolderError, match="the program's own files have changed"):
        lines(other, next(votes(folder))["mail"])


def test_the_command_prints_it(folder: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    mail = next(votes(folder))["mail"]
    assert main(["show", str(folder.path), mail]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines() == lines(folder, mail)
    assert "simulating the arm 'attacked' again" in err
    assert main(["show", str(folder.path), "zz"]) == 2


def test_of_several_seeds_one_has_to_be_named(tmp_path: Path) -> None:
    made = RunFolder.create(small(), tmp_path / "run", replicates=2)
    with pytest.raises(FolderError, match=r"name one of them, as .*run/seed-1"):
        lines(made, "0")
    assert json.loads((made.path / "manifest.json").read_text())["replicates"] == 2
