import re
from collections import Counter
from pathlib import Path

import pytest

from filter.events import RULINGS
from simulator.explain import explain
from simulator.folder import FolderError, RunFolder
from simulator.scripting import Silent
from simulator.session import simulate
from tests.simulator.small_run import small


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    chosen = small(duration=60, attack={"name": "not-spam-campaign", "start": 8, "duration": 40})
    made = RunFolder.create(chosen, tmp_path_factory.mktemp("explain") / "run")
    simulate(chosen, made, Silent(), [])
    return made


def ruled(folder: RunFolder, ruling: str) -> str:
    for event in folder.events():
        if event["type"] == "ruling" and event["ruling"] == ruling:
            return str(event["vote"])
    pytest.fail(f"no vote was {ruling}")


def test_of_several_seeds_one_has_to_be_named(tmp_path: Path) -> None:
    made = RunFolder.create(small(), tmp_path / "run", replicates=2)
    with pytest.raises(FolderError, match=r"several seeds: name one of them, as .*run/seed-1"):
        explain(made, "0")


def test_every_vote_of_the_run_can_be_explained(folder: RunFolder) -> None:
    votes = [event["vote"] for event in folder.events() if event["type"] == "vote"]
    assert votes
    for vote in votes[::25]:
        text = explain(folder, vote)
        assert vote in text
        assert re.search(r"^ruling +(none|\w+ at \d+ h)", text, re.MULTILINE)


def test_a_vote_that_was_taught_has_its_lesson_and_its_release(folder: RunFolder) -> None:
    text = explain(folder, ruled(folder, "taught"))
    assert re.search(r"^lesson +at \d+ h: '\w+' with weight 1 of 1; in the release", text, re.M)


def test_a_vote_that_was_rejected_has_the_check_and_no_lesson(folder: RunFolder) -> None:
    text = explain(folder, ruled(folder, "rejected"))
    assert re.search(r"^ruling +rejected at \d+ h by the check \w+: \w+", text, re.M)
    assert "lesson" not in text


def test_a_vote_that_was_held_has_its_rulings_in_order(folder: RunFolder) -> None:
    held: dict[str, list[str]] = {}
    for event in folder.events():
        if event["type"] == "ruling":
            held.setdefault(event["vote"], []).append(event["ruling"])
    vote, rulings = next((v, r) for v, r in held.items() if len(r) == 2)
    text = explain(folder, vote)
    assert re.search(rf"^ruling +{rulings[0]}.*\nthen +{rulings[1]}", text, re.M)


def test_a_refuted_bot_s_vote_has_its_credit_and_quarantine(folder: RunFolder) -> None:
    events = list(folder.events())
    found = next(
        e for e in events if e["type"] == "response" and e["arm"] == "attacked" and "account" in e
    )
    vote = next(
        e["vote"]
        for e in events
        if e["type"] == "credit" and e["account"] == found["account"] and e["outcome"] < 0
    )
    text = explain(folder, vote)
    assert re.search(r"^credit +-1 at \d+ h: refuted", text, re.M)
    assert re.search(rf"^response +{found['action']} .* until {found['until']} h", text, re.M)


def test_the_beginning_of_an_id_is_enough_if_no_other_has_it(folder: RunFolder) -> None:
    vote = ruled(folder, "taught")
    assert (
        explain(folder, vote[:10]) == explain(folder, f"0x{vote.upper()}") == explain(folder, vote)
    )


def told(folder: RunFolder, wanted: str, why: str) -> dict[str, str]:
    """The ids that a refusal names, each with what it says of it."""
    with pytest.raises(FolderError, match=why) as caught:
        explain(folder, wanted)
    return dict(re.findall(r"(\w{16}) \(([^)]+)\)", str(caught.value)))


def test_a_beginning_that_many_votes_have_names_one_of_each_kind(folder: RunFolder) -> None:
    votes = {line["vote"]: line for line in folder.events() if line["type"] == "vote"}
    common, _ = Counter(vote[0] for vote in votes).most_common(1)[0]
    named = told(folder, common, r"\d+ votes begin so; name one of them: \w{16}")
    assert 2 <= len(named) <= 5
    assert len(set(named.values())) >= 3, "of several kinds"
    for vote, kind in named.items():
        assert vote.startswith(common)
        assert kind.startswith("a bot's" if votes[vote]["bot"] else "a person's")
        last = re.findall(r"^(?:ruling|then) +(\w+) ", explain(folder, vote), re.M)[-1]
        assert kind.endswith(f" vote, {last}")


@pytest.mark.parametrize("unknown", ["", "zz", "0" * 16, "[red]"])
def test_an_unknown_vote_names_some_that_there_are(unknown: str, folder: RunFolder) -> None:
    named = told(folder, unknown, "there is none in this run; there are, for example: ")
    assert next(iter(named.values())) == "a person's vote, taught"
    assert {kind.rpartition(" ")[2] for kind in named.values()} >= {"taught", "rejected"}
    for vote in named:
        explain(folder, vote)


def test_a_run_in_which_nobody_voted_says_so(tmp_path: Path) -> None:
    folder = RunFolder.create(small(), tmp_path / "run")
    with pytest.raises(FolderError, match="nobody has voted yet"):
        explain(folder, "00")


def test_the_events_have_only_known_rulings(folder: RunFolder) -> None:
    found = {event["ruling"] for event in folder.events() if event["type"] == "ruling"}
    assert found <= set(RULINGS)
