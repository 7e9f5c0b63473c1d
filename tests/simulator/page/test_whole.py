"""The page of real runs, and of runs whose files say what nobody would."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from simulator.durable import FolderError
from simulator.folder import EVENTS, SUMMARY, RunFolder
from simulator.page.whole import page
from simulator.pooled import pooled, row
from simulator.scenario import Scenario
from simulator.scripting import Silent
from simulator.session import simulate
from simulator.summary import Planned, Rule
from simulator.thresholds import parse
from tests.simulator.small_run import small

LARGEST = 1 << 20
RULES = [parse("attack_success.mean < 0.9", "x"), parse("spam_misclassified.mean < 0", "y")]
ATTACK: Any = {"name": "not-spam-campaign", "start": 8, "duration": 40}
ARMS = ["attacked", "twin", "unguarded", "reference"]
EVIL = (
    "$\\q$'\"><script>alert(1)</script></svg></title><img src=https://evil.example onerror=f()>"
    "{{ 7 * 7 }} \x1b]52;c;ZXZpbA==\x07\u202e" + "A" * 10_000
)


class Page(HTMLParser):
    """Reads a page strictly: every element closed, every id once, everything that it refers to."""

    EMPTY: ClassVar[frozenset[str]] = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.charts: list[dict[str, str]] = []
        self.words: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._read(tag, attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._read(tag, attrs)

    def _read(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes += found.items()
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "svg":
            self.charts.append(found)
        self.refers += [found["href"].removeprefix("#")] if "href" in found else []
        self.refers += re.findall(r"url\(#([^)]+)\)", " ".join(found.values()))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self.open:
            self.words.setdefault(tag, []).append(data)

    def said(self, tag: str) -> str:
        return " ".join(" ".join(self.words.get(tag, [])).split()).replace("\u00a0", " ")


def stands_alone(text: str) -> Page:
    """Read a page, and see that it is whole, that nothing acts in it and nothing is fetched."""
    assert len(text.encode()) < LARGEST
    found = Page(text)
    assert not found.open
    assert not set(found.tags) & {"script", "link", "img", "iframe", "object", "form", "a", "base"}
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not [name for name, value in found.attributes if "//" in value and name != "aria-label"]
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert len(found.ids) == len(set(found.ids))
    assert set(found.refers) <= set(found.ids)
    for chart in found.charts:
        assert chart["role"] == "img"
        assert re.search(r"\d", chart["aria-label"])
    return found


def made(path: Path, chosen: Scenario) -> RunFolder:
    folder = RunFolder.create(chosen, path, command="hamstrung run small")
    simulate(chosen, folder, Silent(), RULES)
    return RunFolder.open(path)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    chosen = small(duration=60, attack=ATTACK, arms=ARMS)
    return made(tmp_path_factory.mktemp("page") / "run", chosen)


@pytest.fixture
def copied(attacked: RunFolder, tmp_path: Path) -> RunFolder:
    """The same run, to be changed."""
    for file in attacked.path.glob("*.json*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return RunFolder.open(tmp_path)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    chosen = small(duration=40, attack=ATTACK, arms=ARMS)
    path = tmp_path_factory.mktemp("page") / "runs"
    folder = RunFolder.create(chosen, path, command="hamstrung run small", replicates=2)
    own = [made(path / f"seed-{seed}", replace(chosen, seed=seed)) for seed in (1, 2)]
    summaries = [one.summary() for one in own]
    rows = [
        row(one.manifest.seed, str(one.path), "", summary)
        for one, summary in zip(own, summaries, strict=True)
    ]
    folder.save_summary(pooled(chosen, rows, summaries, RULES))
    return folder


def test_an_attacked_run_has_its_verdict_thresholds_charts_and_tables(attacked: RunFolder) -> None:
    found, summary = stands_alone(page(attacked)), attacked.summary()
    assert summary.verdict.startswith(found.said("h1"))
    assert summary.verdict in found.said("body")
    text = found.said("body")
    assert "✓ held attack_success.mean < 0.9" in text
    assert "✗ broken spam_misclassified.mean < 0" in text
    assert len(found.charts) == 5
    for title in ("What the checks stopped", "The attacker", "The defender", "Arms"):
        assert title in text
    assert "hamstrung run small" in found.said("pre")
    for arm in summary.arms.values():
        assert arm.hash in text


def test_the_figures_are_those_of_the_run(attacked: RunFolder) -> None:
    text = Page(page(attacked)).said("body")
    events = list(attacked.events())
    votes = [event for event in events if event["type"] == "vote"]
    people = sum(not vote["bot"] for vote in votes)
    assert f"People cast {people:,} votes:" in text
    assert f"Bots cast {len(votes) - people:,} votes:" in text
    shown = attacked.summary().phases
    bare = next(one for one in shown if (one.arm, one.phase) == ("unguarded", "under"))
    assert bare.campaign_in_inbox
    assert f"{100 * bare.campaign_in_inbox:.1f} % (unguarded)" in text
    frames = [frame for arm, frame in attacked.frames() if arm == "attacked"]
    assert f"by the answer key {sum(frame.alarms_true for frame in frames):,} times" in text
    addresses = {vote["address"] for vote in votes if vote["bot"]}
    assert f"addresses that they voted from {len(addresses):,} " in text


def test_bots_that_joined_are_marked_and_told(copied: RunFolder) -> None:
    found = json.loads((copied.path / "manifest.json").read_text())
    found["scenario"]["attack"]["more"] = [[20, 10], *([tick, 1] for tick in range(21, 32))]
    (copied.path / "manifest.json").write_text(json.dumps(found))
    text = stands_alone(page(RunFolder.open(copied.path))).said("body")
    assert "as triangles: 10 at 20 h, 1 at 21 h," in text
    assert "1 at 27 h, and 4 times more." in text


def test_peace_has_no_word_of_bots_and_no_campaign(tmp_path: Path) -> None:
    chosen = small(attack={"name": ""}, arms=["default", "reference", "reject_all"])
    found = stands_alone(page(made(tmp_path / "run", chosen)))
    text = found.said("main")
    assert len(found.charts) == 3
    assert "What became of the votes" in text
    for none in ("Bots", "bots'", "attacker", "The campaign", "precision", "recall", "shaded"):
        assert none not in text


def test_a_run_of_several_seeds_names_the_worst_and_shows_it(several: RunFolder) -> None:
    found, summary = stands_alone(page(several)), several.summary()
    success = {
        one.seed: one.values["attacked"]["attack_success"] or 0 for one in summary.replicates
    }
    worst = max(success, key=lambda seed: success[seed])
    assert f"The worst is seed {worst}: attack success {100 * success[worst]:.2f} %." in found.said(
        "body"
    )
    assert f"What follows is of the worst seed, {worst}" in found.said("h2")
    dots = next(
        one["aria-label"] for one in found.charts if "A ring for each seed" in one["aria-label"]
    )
    assert "unguarded: mean" in dots
    assert len(found.charts) == 6


def test_without_the_folder_of_the_worst_seed_its_part_is_left_out(
    several: RunFolder, tmp_path: Path
) -> None:
    for name in ("manifest.json", "summary.json"):
        (tmp_path / name).write_bytes((several.path / name).read_bytes())
    found = stands_alone(page(RunFolder.open(tmp_path)))
    assert "What follows" not in found.said("h2")
    assert len(found.charts) == 1


def test_no_section_and_no_table_is_empty(attacked: RunFolder, several: RunFolder) -> None:
    for folder in (attacked, several):
        text = page(folder)
        assert not re.search(r"</h2>\s*</section>", text)
        assert not re.search(r"<tbody>\s*</tbody>", text)


def test_a_run_that_ended_before_its_attack_has_a_page(tmp_path: Path) -> None:
    early = made(tmp_path / "run", small(duration=30, attack=ATTACK | {"start": 29}))
    summary = msgspec.structs.replace(early.summary(), status="interrupted", ticks=20)
    early.save_summary(summary)
    found = stands_alone(page(early))
    assert "status: interrupted" in found.said("header")
    assert "The campaign in the inbox" not in found.said("h3")


def test_a_run_of_seeds_none_of_which_came_to_its_end_has_a_page(several: RunFolder) -> None:
    before = several.summary()
    nothing: dict[str, Any] = {"hashes": {}, "values": {}, "status": "failed", "why": "killed"}
    rows = [msgspec.structs.replace(one, **nothing) for one in before.replicates]
    several.save_summary(pooled(several.scenario(), rows, [], RULES))
    try:
        found = stands_alone(page(several))
    finally:
        several.save_summary(before)
    assert "failed: killed" in found.said("main")


def test_a_run_that_has_not_ended_has_none(tmp_path: Path) -> None:
    folder = RunFolder.create(small(), tmp_path / "run")
    with pytest.raises(FolderError, match="has not ended"):
        page(folder)


def test_equal_runs_give_equal_pages(attacked: RunFolder, tmp_path: Path) -> None:
    again = made(tmp_path / "run", attacked.scenario())
    assert page(again).replace(str(again.path), "") == page(attacked).replace(
        str(attacked.path), ""
    )


def evil_summary(folder: RunFolder) -> None:
    before = folder.summary()
    arms = {
        name: msgspec.structs.replace(
            arm,
            hash=EVIL,
            genres=[msgspec.structs.replace(one, genre=EVIL, lost_votes=1.0) for one in arm.genres],
        )
        for name, arm in before.arms.items()
    }
    attack = Planned(EVIL, 8, 48, "ran", EVIL, 1, 1, 1, 1)
    folder.save_summary(
        msgspec.structs.replace(
            before,
            scenario=EVIL,
            about=EVIL,
            verdict=EVIL,
            status=EVIL,
            arms=arms | {EVIL: arms["twin"]},
            thresholds=[Rule(EVIL, 1.0, True), Rule(EVIL, None, False)],
            attacks=[attack, msgspec.structs.replace(attack, status=EVIL)],
        )
    )


def evil_events(folder: RunFolder) -> None:
    evil = dict.fromkeys(("check", "account", "action", "reason", "label"), EVIL)
    lines = [
        json.dumps(event | {name: text for name, text in evil.items() if name in event})
        for event in folder.events()
    ]
    more: dict[str, Any] = {"arm": "attacked", "tick": 59, "type": "ruling", "check": EVIL}
    votes = [event["vote"] for event in folder.events() if event["type"] == "vote"]
    lines += [json.dumps(more | {"vote": vote, "ruling": EVIL}) for vote in votes]
    (folder.path / EVENTS).write_text("\n".join(lines) + "\n")


def evil_manifest(folder: RunFolder) -> None:
    folder.save(
        msgspec.structs.replace(
            folder.manifest, command=EVIL, versions={EVIL: EVIL}, source=EVIL, corpus=EVIL
        )
    )


def evil_seeds(folder: RunFolder) -> None:
    arms = folder.summary().arms
    values = {name: {m: of.mean for m, of in arm.metrics.items()} for name, arm in arms.items()}
    evil_summary(folder)
    text = json.loads((folder.path / SUMMARY).read_text())
    text["arms"] = {EVIL: text["arms"]["attacked"]} | text["arms"]
    one = {"seed": 1, "status": EVIL, "why": EVIL, "folder": EVIL, "hashes": {EVIL: EVIL}}
    one |= {"values": values | {EVIL: values["attacked"]}}
    text["replicates"] = [one] * 3
    (folder.path / SUMMARY).write_text(json.dumps(text))


@pytest.mark.parametrize("evil", [evil_summary, evil_events, evil_manifest, evil_seeds])
def test_no_text_of_a_run_acts_in_its_page(
    copied: RunFolder, evil: Callable[[RunFolder], None]
) -> None:
    evil(copied)
    text = page(RunFolder.open(copied.path))
    found = stands_alone(text)
    assert not set(text) & set("\x1b\x07\u202e")
    assert "alert(1)" in found.said("body")
    assert "A" * 5000 not in text
