"""What the console says of a run is what the run's own figures say."""

from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from filter.events import HOLD, QUARANTINE, STOPS, UNLEARN
from simulator.console.chart import legend, title
from simulator.console.figures import curve, scale, sparkline, success, thresholds
from simulator.console.panels import Look, flow, guards, log, tiles
from simulator.console.plan import Plan, plan
from simulator.console.recording import Recording
from simulator.console.seen import MOST, Seen
from simulator.folder import RunFolder
from simulator.frame import Frame
from simulator.metrics import RATES
from simulator.page.count import counted, total
from tests.simulator.console.watched import ran
from tests.simulator.small_run import DURATION

PLAN = Plan("n", "", 1, "embedded", 48, ("attacked", "twin"), "a", 8, 20, (), "default")
ALL = 10**9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return ran(tmp_path_factory.mktemp("runs") / "small")


@pytest.fixture
def recording(folder: RunFolder) -> Recording:
    found = Recording(folder)
    found.read()
    return found


def test_all_of_a_run_is_seen_and_attack_success_is_that_of_its_summary(
    recording: Recording, folder: RunFolder
) -> None:
    recording.go(ALL)
    seen = recording.seen
    assert seen.tick == recording.last == DURATION - 1
    assert seen.plan.arms == ("attacked", "twin")
    frames = {arm: [f for name, f in folder.frames() if name == arm] for arm in seen.plan.arms}
    assert seen.frames == frames
    under = Recording(folder)
    under.read()
    under.go(seen.plan.end - 1)
    ticks = seen.plan.end - seen.plan.start
    said = folder.summary().metrics["attack_success"].mean
    assert success(under.seen, "attacked", "twin", ticks) == pytest.approx(said)


def test_console_and_report_count_what_checks_stopped_alike(
    recording: Recording, folder: RunFolder
) -> None:
    recording.go(ALL)
    found = counted(folder.events(), "attacked")
    checks = {check for check, ruling in found.ruled if ruling in STOPS}
    assert checks
    for name in checks:
        mine = {kind: of for kind, of in found.ruled.items() if kind[0] == name}
        of, check = total(mine, STOPS), recording.seen.checks[name]
        assert (check.bots, check.people, check.mistaken) == of
    said = guards(recording.seen, Look(120, 30)).plain.splitlines()
    bare = guards(recording.seen, Look(120, 30, truth=False)).plain.splitlines()
    for name in checks:
        check = recording.seen.checks[name]
        (line,) = [one.split() for one in said if one.startswith(name)]
        stopped = check.bots + check.people
        assert line[1:3] == [str(check.bots), str(check.people)]
        assert line[3] == f"{100 * (check.bots + check.mistaken) / stopped:.1f}%"
        assert line[4] == f"{100 * check.bots / stopped:.1f}%"
        (line,) = [one.split() for one in bare if one.startswith(name)]
        assert line[1] == str(check.bots + check.people)
        assert check.reason in "\n".join(said)
    emptied = recording.seen.checks.keys() - checks
    assert not any(recording.seen.checks[n].bots + recording.seen.checks[n].people for n in emptied)
    assert recording.seen.bot_votes == found.bots > 0


def test_going_back_and_forth_comes_to_the_same(folder: RunFolder) -> None:
    def shown(*stops: int) -> tuple[str, str, str]:
        found = Recording(folder)
        found.read()
        for tick in stops:
            found.go(tick)
        look = Look(100, 30)
        return (
            str(guards(found.seen, look)),
            str(flow(found.seen, look)),
            str(log(found.seen, look)),
        )

    assert shown(25) == shown(3, 29, 10, 25) == shown(*range(26))
    assert shown(25) != shown(10)


def test_a_response_lasts_until_its_end_and_those_of_a_tick_are_told_in_one_line() -> None:
    seen = Seen(PLAN)
    for number in range(3):
        seen.event(response(f"{number:016x}", QUARANTINE, 30))
        seen.event(response(f"{number:016x}", UNLEARN, 30))
    assert [event.many for event in seen.log] == [3, 3]
    assert "quarantine of 3 accounts" in seen.log[0].text
    assert {one.action for one in seen.active()} == {QUARANTINE}
    assert seen.done == {QUARANTINE: 3, UNLEARN: 3}
    seen.tick = 30
    assert seen.active() == []


def response(account: str, action: str, until: int) -> dict[str, object]:
    return {
        "type": "response",
        "arm": "attacked",
        "tick": 5,
        "account": account,
        "action": action,
        "until": until,
        "reason": "2 claims refuted",
    }


def test_events_of_other_arms_and_of_unknown_types_say_nothing() -> None:
    seen = Seen(PLAN)
    seen.event(response("0" * 16, QUARANTINE, 30) | {"arm": "unguarded"})
    seen.event({"type": "_forget", "arm": "attacked", "tick": 3})
    assert not seen.done
    assert not seen.log


def test_a_ruling_on_a_vote_that_nobody_saw_is_passed_over() -> None:
    seen = Seen(PLAN)
    for kind in ("claim", "ruling"):
        seen.event({"type": kind, "arm": "attacked", "tick": 3, "vote": "0" * 16})
    assert not seen.checks


def test_what_is_remembered_of_a_long_run_is_bounded() -> None:
    seen = Seen(PLAN._replace(duration=10**6))
    for number in range(MOST + 5000):
        seen.event(vote(number, number // 100))
    seen.frame("attacked", empty(24 * 40))
    assert len(seen.sources) == MOST
    assert len(seen._cast) <= 24 * 10 * 100 + 5000


def vote(number: int, tick: int) -> dict[str, object]:
    head = {"type": "vote", "arm": "attacked", "tick": tick, "bot": False, "right": True}
    head["label"] = "ham"
    return head | dict.fromkeys(("vote", "account", "mail", "address", "subnet"), f"{number:016x}")


def empty(tick: int) -> Frame:
    fields = dict.fromkeys(Frame.__struct_fields__, 0)
    return Frame(**fields | {"tick": tick, "rulings_people": {}, "rulings_bots": {}, "release": ""})  # type: ignore[arg-type]  # zeros


def test_with_nothing_seen_there_is_no_data_and_no_crash() -> None:
    seen = Seen(PLAN._replace(rules=("attack_success.mean < 0.05",)))
    assert "no data" in str(tiles(seen, Look(100, 4)))
    (held,) = thresholds(seen)
    assert held.actual is None


def test_curves_are_ratios_of_sums_over_the_last_hours() -> None:
    frames = [empty(0)] * 2
    assert curve(frames, *RATES["ham_misclassified"], hours=6) == [None, None]
    counts = iter((1.0, 0.0, 3.0))
    found = curve([empty(n) for n in range(3)], lambda _: next(counts), lambda _: 4.0, 100)
    assert found == [1 / 4, 1 / 8, 4 / 12]


def test_a_sparkline_has_the_last_values_and_a_gap_where_there_is_no_data() -> None:
    assert sparkline([9.0, 0.0, None, 1.0], 3, 1.0) == "▁ █"
    assert sparkline([], 5, 0.1) == ""
    assert sparkline([0.0, 0.0], 5, 0.1) == "▁▁"
    assert sparkline([2.0], 5, 1.0) == "█"


def test_noise_is_no_mountain_and_the_height_is_told_beside_the_figure() -> None:
    assert [scale(one, 9) for one in ([0.001], [], [None], [0.11], [0.4, 0.6])] == [
        *(0.1, 0.1, 0.1, 0.2),
        1.0,
    ]
    assert sparkline([0.0, 0.001, 0.002], 3, scale([0.002], 3)) == "▁▁▁"
    seen = Seen(PLAN)
    seen.frame("attacked", structs.replace(empty(0), ham=10, ham_in_spam=1, spam=10))
    for width in (120, 75, 60):
        lines = str(tiles(seen, Look(width, 4))).splitlines()
        assert "10.0 %" in lines[1]
        assert "█=10%" in lines[1]
        assert {len(line) for line in lines} == {width // 5 * 5}


def test_a_plan_of_peace_has_no_attack() -> None:
    found = plan({"name": "peace", "arms": ["default"], "attack": {"name": ""}}, 100)
    assert (found.attack, found.start, found.end) == ("", 100, 100)
    assert found.phase(50) == "peace"


def test_bots_that_join_are_told_at_their_tick_and_those_of_one_tick_together() -> None:
    attack = {"name": "a", "start": 8, "duration": 12, "more": [[9, 10], [11, 1], [9, 2]]}
    seen = Seen(plan({"arms": ["attacked"], "attack": attack}, 48))
    for tick in range(13):
        seen.frame("attacked", empty(tick))
    said = [(one.tick, one.text) for one in seen.log if "join" in one.text]
    assert said == [(9, "12 bots join the attack"), (11, "a bot joins the attack")]


def test_bots_that_join_a_run_that_goes_on_are_learned_from_its_manifest(tmp_path: Path) -> None:
    path = tmp_path / "live"
    path.mkdir()
    whole = ran(tmp_path / "whole", duration=14)
    found = msgspec.json.decode((whole.path / "manifest.json").read_bytes())
    frames = (whole.path / "frames.jsonl").read_bytes().splitlines(keepends=True)
    (path / "manifest.json").write_bytes(msgspec.json.encode(found))
    (path / "frames.jsonl").write_bytes(b"".join(frames[: 2 * 9]))
    live = Recording(RunFolder.open(path))
    live.read()
    live.go(ALL)
    found["scenario"]["attack"]["more"] = [[11, 10]]
    (path / "manifest.json").write_bytes(msgspec.json.encode(found))
    (path / "frames.jsonl").write_bytes(b"".join(frames))
    live.read()
    live.go(ALL)
    assert live.seen.plan.joins == ((11, 10),)
    assert (11, "10 bots join the attack") in [(one.tick, one.text) for one in live.seen.log]
    live.go(3)
    assert not [one for one in live.seen.log if "join" in one.text]


def test_the_chart_s_legend_names_the_arms_and_its_title_the_marks_there_are() -> None:
    seen = Seen(PLAN)
    assert str(legend(seen)) == "⠒ attacked  ⠂ twin"
    assert str(title(seen, 38)) == "2 damage: % of campaign in inbox"
    seen.marks.append((9, HOLD))
    assert str(title(seen, 58)) == "2 damage: % of campaign in inbox  ‖ held"
    assert str(title(seen, 38)) == "2 damage: % in inbox  ‖ held"
    peace = Seen(plan({"arms": ["default"]}, 48))
    assert str(legend(peace)) == "⠒ ham  • spam"
