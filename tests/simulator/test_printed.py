from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.damage import Phase
from simulator.metrics import Metric
from simulator.paint import ansi
from simulator.printed import report
from simulator.summary import ArmSummary, Planned, Rule, Summary

HERE = Path("runs/20260101-quickstart-1")
TIMES = ("ticks_to_compromise", "ticks_to_detect", "ticks_to_recover")


def metrics(**values: float | None) -> dict[str, Metric]:
    return {name: Metric(value) for name, value in values.items()}


ATTACKED = metrics(
    ticks_to_compromise=None, ticks_to_detect=2, ticks_to_recover=0, honest_votes_lost=None
)
UNGUARDED = metrics(
    ticks_to_compromise=5,
    ticks_to_detect=None,
    ticks_to_recover=None,
    honest_votes_lost=0.004,
    honest_votes_lost_spam=0.004,
    poison_share=0.44,
)
PHASES = [
    Phase(arm, phase, 0, 9, 0.012, 0.034, campaign)
    for arm in ("attacked", "twin", "unguarded", "reference", "reject_all")
    for phase, campaign in (("before", None), ("under", 0.605), ("after", 1.0))
]
SUMMARY = Summary(
    schema_version=1,
    scenario="quickstart",
    about="",
    seed=1,
    status="done",
    verdict="The guard 'default' held: 0.3 % of the campaign reached the inbox, 100.0 % without.",
    hash="ab" * 32,
    metrics=ATTACKED,
    arms={
        name: ArmSummary("ab" * 32, UNGUARDED if name == "unguarded" else ATTACKED)
        for name in ("attacked", "twin", "unguarded", "reference", "reject_all")
    },
    thresholds=[
        Rule("attack_success.mean < 0.05", 0.003, True),
        Rule("honest_votes_lost.mean < 0.01", None, False),
        Rule("ticks_to_recover.mean < 9", None, False),
    ],
    phases=PHASES,
    attacks=[Planned("not-spam-campaign", 48, 144, "ran", "", 3000, 1920, 1900, 200)],
    ticks=168,
    mails=543_840,
)


def printed(command: str = "hamstrung run quickstart", **changes: Any) -> str:
    return report(msgspec.structs.replace(SUMMARY, **changes), HERE, command)


def row(text: str, section: str, arm: str) -> list[str]:
    part = text.split(section)[1].split("\n\n")[0]
    return next(line for line in part.splitlines() if line.startswith(f"  {arm} ")).split()


def test_the_parts_stand_in_their_order() -> None:
    text = printed()
    places = [
        text.index(part)
        for part in (
            "The guard 'default' held",
            "THRESHOLDS",
            "DAMAGE",
            "COURSE",
            "ATTACKS",
            "saved in",
            "  again  ",
        )
    ]
    assert places == sorted(places)


def test_everything_but_commands_fits_eighty_columns() -> None:
    assert max(map(len, printed().splitlines())) <= 80


def test_a_threshold_has_a_word_beside_its_symbol_and_its_actual_value() -> None:
    text = printed()
    assert "✓ ok      attack_success.mean < 0.05     is 0.003" in text
    assert "✗ BROKEN  honest_votes_lost.mean < 0.01  has no data" in text
    assert "✗ BROKEN  ticks_to_recover.mean < 9      is never reached" in text


def test_damage_stands_before_under_and_after_the_attack_for_every_arm() -> None:
    for arm in SUMMARY.arms:
        assert row(printed(), "DAMAGE", arm)[1:] == ["1.2"] * 3 + ["3.4"] * 3 + ["60.5", "100.0"]


def test_the_course_tells_never_from_not_yet_and_from_not_asked() -> None:
    text = printed()
    lost = ["few", "few"]
    assert row(text, "COURSE", "attacked")[1:] == ["never", "2", "h", "-", *lost, "-"]
    assert row(text, "COURSE", "twin")[1:] == ["-", "-", "-", *lost, "-"]
    assert row(text, "COURSE", "unguarded")[1:] == [
        *["5", "h", "never", "not", "yet"],
        *["0.4", "%", "few", "44.0", "%"],
    ]
    assert row(text, "COURSE", "reject_all")[1:4] == ["-", "2", "h"]


def test_an_attack_has_a_row_with_its_cost_and_why_it_did_not_run() -> None:
    text = printed()
    assert "not-spam-campaign  ran, 48 h to 144 h" in text
    assert "200 accounts, 3,000 campaign mails, 1,920 copies to bots, 1,900 votes" in text
    failed = Planned("mine", 1, 2, "error", "TypeError: \x1b[2J", 0, 0, 0, 9)
    text = printed(attacks=[failed])
    assert "mine  error, 1 h to 2 h" in text
    assert "why: TypeError: ␛[2J" in text
    assert row(text, "COURSE", "attacked")[1:4] == ["-", "-", "-"]


def test_nothing_of_a_run_acts_on_the_terminal() -> None:
    evil = "\x1b]0;x\x07\u202e"
    text = report(
        msgspec.structs.replace(
            SUMMARY, verdict=evil, scenario=evil, thresholds=[Rule(evil, 1.0, True)]
        ),
        Path(evil),
        evil,
    )
    assert not set(text) & set("\x1b\x07\u202e")


def test_the_report_and_the_command_stand_where_the_run_is() -> None:
    text = printed()
    assert "  report     hamstrung report runs/20260101-quickstart-1\n" in text
    assert text.index("  report  ") < text.index("  again  ")


def test_an_interrupted_run_says_how_to_go_on() -> None:
    text = printed(status="interrupted")
    assert "go on      hamstrung run --resume runs/20260101-quickstart-1" in text


def test_a_command_stays_on_one_line() -> None:
    command = f"hamstrung run quickstart {'--set world.people=300 ' * 9}".strip()
    assert f"again      {command}\n" in printed(command) + "\n"


def test_peace_has_one_column_and_the_worth_of_votes() -> None:
    phases = [Phase(arm, "all", 0, 9, 0.031, 0.166, None) for arm in SUMMARY.arms]
    text = printed(phases=phases, attacks=[], metrics=metrics(vote_value=0.115))
    assert row(text, "DAMAGE", "twin")[1:] == ["3.1", "16.6"]
    assert "votes are worth 11.5 points" in text
    assert "COURSE" not in text


def test_colour_changes_no_word() -> None:
    coloured = report(SUMMARY, HERE, "x", ansi)
    plain = report(SUMMARY, HERE, "x")
    assert "\x1b[34m✓ ok    \x1b[0m" in coloured
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[34m", "\x1b[1;33m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


@pytest.mark.parametrize("arms", [{}, {"attacked": ArmSummary("", {})}])
def test_a_run_without_data_can_be_printed(arms: dict[str, ArmSummary]) -> None:
    text = printed(arms=arms, phases=[], metrics={}, thresholds=[], ticks=0)
    assert "none were set" in text
