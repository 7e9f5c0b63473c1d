"""What Prometheus scrapes of a run, beside the run's own frames and events."""

import json
import math
import platform
import re
import socket
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from filter.events import PROMOTE, Response, Ruling
from filter.plugins import SettingsError
from filter.stage import Flow
from simulator.exporter import exported
from simulator.figures import Figures
from simulator.folder import RunFolder
from simulator.frame import Frame
from simulator.loop import prepare
from simulator.running import Progress
from simulator.scenario import Scenario
from simulator.scripting import Silent
from simulator.session import simulate
from tests.conftest import ROOT
from tests.simulator.small_run import DURATION, small
from tests.simulator.test_cli import QUICK, Ended, _elsewhere

__all__ = ["_elsewhere"]
"""Used by pytest: each test has a folder of its own."""

COUNTERS = ("mails", "rulings", "check_trips", "responses")
ALWAYS = {
    *(f"hamstrung_{name}_total" for name in COUNTERS),
    *(f"hamstrung_{name}_ratio" for name in ("attack_success", "ham_misclassified")),
    "hamstrung_spam_misclassified_ratio",
    *("hamstrung_votes_held", "hamstrung_sources", "hamstrung_build_info"),
    *(f"hamstrung_tick_seconds_{end}" for end in ("bucket", "count", "sum")),
}
ON_KAFKA = {"hamstrung_consumer_lag_messages", "hamstrung_dead_letters_total"}

Samples = dict[str, dict[str, float]]
"""Values by metric and label; the label of what has none is empty."""


@pytest.fixture
def port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def scraped(port: int) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return parsed(answer.read().decode())


def parsed(text: str) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            label = ",".join(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[label] = sample.value
    return found


def closed(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


class Scraping(Silent):
    """Scrapes after some ticks, and at the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.found: list[Samples] = []

    def tick(self, progress: Progress) -> None:
        if progress.tick in (1, 5):
            self.found.append(scraped(self._port))

    def end(self, *_: Any) -> None:
        self.found.append(scraped(self._port))


Frames = list[tuple[str, Frame]]


def watched(scenario: Scenario, path: Path, port: int) -> tuple[list[Samples], list[Frame]]:
    """What was scraped of a run, and the frames of its first arm."""
    frames: Frames = []
    display = Scraping(port)
    folder = RunFolder.create(scenario, path)
    with exported(str(port), "1.2.3") as figures:
        simulate(
            scenario,
            folder,
            display,
            [],
            lambda arm, frame: frames.append((arm, frame)),
            watcher=figures,
        )
    return display.found, [frame for arm, frame in frames if arm == scenario.arms[0]]


def ruled(frames: list[Frame]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for frame in frames:
        sums.update(frame.rulings_people)
        sums.update(frame.rulings_bots)
    return sums


def test_the_totals_are_those_of_the_run(tmp_path: Path, port: int) -> None:
    found, frames = watched(small(filter={"guard": "rate_limit,responder"}), tmp_path / "r", port)
    last = found[-1]
    assert last.keys() == ALWAYS
    mails = last["hamstrung_mails_total"]
    assert sum(mails.values()) == sum(f.ham + f.spam + f.campaign for f in frames)
    assert mails["unsure"] == sum(f.ham_unsure + f.spam_unsure + f.campaign_unsure for f in frames)
    rulings = {name: count for name, count in last["hamstrung_rulings_total"].items() if count}
    assert rulings == ruled(frames)
    assert last["hamstrung_votes_held"][""] == frames[-1].held
    assert last["hamstrung_tick_seconds_count"][""] == DURATION + 1
    assert last["hamstrung_tick_seconds_bucket"]["+Inf"] == DURATION + 1
    assert last["hamstrung_build_info"] == {f"{platform.python_version()},1.2.3": 1}


def test_the_trips_and_responses_are_those_of_the_journal(tmp_path: Path, port: int) -> None:
    scenario = small(filter={"guard": "default", "responder": {"refuted": 1, "shadow_after": 0}})
    found, _ = watched(scenario, tmp_path / "r", port)
    events = [one for one in RunFolder.open(tmp_path / "r").events() if one["arm"] == "attacked"]
    trips = Counter(
        one["check"] for one in events if one["type"] == "ruling" and one["ruling"] != "taught"
    )
    responses = Counter(one["action"] for one in events if one["type"] == "response")
    last = found[-1]
    assert trips
    assert {k: v for k, v in last["hamstrung_check_trips_total"].items() if v} == trips
    assert {k: v for k, v in last["hamstrung_responses_total"].items() if v} == responses
    names = set(last["hamstrung_check_trips_total"])
    assert {"rate_limit", "near_duplicates", "responder"} <= names


def test_a_ratio_without_data_is_not_a_number_and_no_zero(tmp_path: Path, port: int) -> None:
    found, _ = watched(small(), tmp_path / "r", port)
    first, before, last = found
    assert first.keys() == {"hamstrung_build_info"}
    assert math.isnan(before["hamstrung_attack_success_ratio"][""])
    assert 0 <= before["hamstrung_ham_misclassified_ratio"][""] <= 1
    assert 0 <= before["hamstrung_spam_misclassified_ratio"][""] <= 1
    assert not math.isnan(last["hamstrung_attack_success_ratio"][""])


def test_looking_at_a_run_changes_no_bit_of_it(tmp_path: Path, port: int) -> None:
    watched(small(), tmp_path / "watched", port)
    simulate(small(), RunFolder.create(small(), tmp_path / "alone"), Silent(), [])
    hashes = [RunFolder.open(tmp_path / name).summary().hash for name in ("watched", "alone")]
    assert hashes[0] == hashes[1]


class Flowing:
    """Figures of an arm to which anything can be made to happen."""

    def __init__(self) -> None:
        prepared = prepare(small())
        self.arm = next(iter(prepared.arms.values()))
        self.figures = Figures("1")
        self.figures.begin(prepared)

    def happens(self, tick: int, flow: Flow) -> Samples:
        counts: dict[str, Any] = dict.fromkeys(Frame.__struct_fields__, 0)
        counts |= {"tick": tick, "release": PROMOTE, "rulings_people": {}, "rulings_bots": {}}
        self.arm.frames.append(Frame(**counts))
        self.arm.last = flow
        self.figures.tick(Progress(tick + 1, 30, 0, float(tick), None, None, "before"))
        found: Samples = {}
        for family in self.figures.collect():
            for sample in family.samples:
                label = ",".join(value for _, value in sorted(sample.labels.items()))
                found.setdefault(sample.name, {})[label] = sample.value
        return found


def test_names_that_no_guard_has_share_one_label() -> None:
    arm = Flowing()
    stopped = tuple(
        Ruling(vote, 1, 1, 0, "rejected", check, "")
        for vote, check in enumerate(["rate_limit", *(f"made up {n}" for n in range(50))])
    )
    trips = arm.happens(0, Flow(stopped=stopped))["hamstrung_check_trips_total"]
    assert {name: count for name, count in trips.items() if count} == {"rate_limit": 1, "other": 50}


def test_a_source_is_counted_until_its_measure_ends() -> None:
    arm = Flowing()
    measures = (
        Response(7, "quarantine", 5, ""),
        Response(7, "quarantine", 9, "", "subnet"),
        Response(8, "decoy", 5, ""),
        Response(8, "unlearn", 5, ""),
    )
    now = arm.happens(0, Flow(responses=measures))
    assert now["hamstrung_sources"] == {"quarantine": 2, "shadow": 0, "decoy": 1}
    assert now["hamstrung_responses_total"]["unlearn"] == 1
    assert arm.happens(5, Flow())["hamstrung_sources"] == {"quarantine": 1, "shadow": 0, "decoy": 0}


def test_only_kafka_has_dead_letters_and_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    arm = Flowing()
    assert not arm.happens(0, Flow()).keys() & ON_KAFKA

    engine = SimpleNamespace(reasons=Counter({"size": 2, "made up": 3}), lag=lambda: {"rulings": 4})
    monkeypatch.setattr(arm.arm, "engine", engine)
    now = arm.happens(1, Flow())
    assert now["hamstrung_consumer_lag_messages"] == {"rulings": 4}
    dead = now["hamstrung_dead_letters_total"]
    assert {name: count for name, count in dead.items() if count} == {"size": 2, "other": 3}


def test_the_port_is_open_while_it_runs_and_closed_afterwards(
    port: int, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Samples] = []
    monkeypatch.setattr("simulator.display.Nothing.end", lambda *_: seen.append(scraped(port)))
    before = {family.name for family in REGISTRY.collect()}
    ended = Ended(capfd, *QUICK, "--display", "none", "--prometheus-port", str(port))
    assert (ended.code, ended.err) == (0, "")
    assert seen[0].keys() == ALWAYS
    assert closed(port)
    assert {family.name for family in REGISTRY.collect()} == before
    assert not [thread for thread in threading.enumerate() if "serve_forever" in thread.name]


def test_nobody_else_s_machine_can_scrape(port: int) -> None:
    with exported(str(port), "1"):
        assert scraped(port)
        with socket.socket() as one:
            assert one.connect_ex(("127.0.0.2", port)) != 0


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield int(one.getsockname()[1])


def test_a_port_in_use_is_refused_before_anything_is_run(
    taken: int, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAMSTRUNG_PROMETHEUS_PORT", str(taken))
    ended = Ended(capfd, *QUICK, "-o", "mine", "--junit", "out.xml")
    said = f"hamstrung: --prometheus-port: 127.0.0.1:{taken} cannot be had: address already in use"
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith(said)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["0", "65536", "-1", "many", "8.0"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with (
        pytest.raises(SettingsError, match=r"--prometheus-port: expected a"),
        exported(text, "1"),
    ):
        pass


def test_several_seeds_are_refused(capfd: pytest.CaptureFixture[str], port: int) -> None:
    ended = Ended(capfd, *QUICK, "--replicates", "2", "--prometheus-port", str(port))
    assert ended.code == 2
    assert ended.err.splitlines()[-1].endswith("it serves one run, and --replicates makes several")


GRAFANA = json.loads((ROOT / "docs" / "grafana.json").read_text())


def queries(panel: Any) -> Iterator[str]:
    """Every query in a dashboard, wherever it is."""
    if isinstance(panel, dict):
        yield from (
            str(of) for name, of in panel.items() if name in ("expr", "query", "definition")
        )
        panel = list(panel.values())
    for inside in panel if isinstance(panel, list) else ():
        yield from queries(inside)


def test_the_dashboard_asks_for_nothing_that_is_not_served() -> None:
    asked = {name for text in queries(GRAFANA) for name in re.findall(r"hamstrung_\w+", text)}
    assert asked <= ALWAYS | ON_KAFKA
    served = {re.sub("_(bucket|count|sum)$", "", name) for name in ALWAYS | ON_KAFKA}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} == served


def test_the_dashboard_has_no_panel_on_top_of_another() -> None:
    places = [panel["gridPos"] for panel in GRAFANA["panels"]]
    cells = Counter(
        (x, y)
        for one in places
        for x in range(one["x"], one["x"] + one["w"])
        for y in range(one["y"], one["y"] + one["h"])
    )
    assert set(cells.values()) == {1}
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in GRAFANA["panels"]}) == len(GRAFANA["panels"])
