"""The report budget: the correction budget with the labels changed over, claim for claim."""

import numpy as np
import pytest

from filter.checks import NOTHING, Case, Heard
from filter.checks.correction_budget import Budget, CorrectionBudget
from filter.checks.report_budget import ReportBudget
from filter.columns import Judgements
from filter.events import INBOX, JUNK, UNIT, Claim

REPORTS = ReportBudget(start=1.0)
RESCUES = CorrectionBudget(start=1.0)


def claims(rng: np.random.Generator, tick: int, turned: bool) -> list[Case]:
    spam = rng.random(30) < 0.6
    vetted = rng.random(30) < 0.3
    return [
        Case(
            Claim(100 * tick + n, n, n, 0, bool(s) != turned, tick, 0, 0, 0.5, bool(v), UNIT, ""),
            n,
            None,
            tick,
        )
        for n, (s, v) in enumerate(zip(spam, vetted, strict=True))
    ]


def judgements(rng: np.random.Generator, turned: bool) -> Judgements:
    count = 20
    ids = rng.integers(0, 1000, count).astype(np.uint64)
    spam, junk = rng.random(count) < 0.5, rng.random(count) < 0.5
    asked, times = rng.random(count) < 0.2, rng.choice([1, 3], count)
    folder = np.where(junk != turned, JUNK, INBOX).astype(np.int8)
    return Judgements(ids, np.zeros(count, np.int64), spam != turned, folder, ids, asked, times)


def course(check: CorrectionBudget, turned: bool) -> tuple[list[list[bool]], Budget]:
    """Which claims pass in each of a hundred hours, and what is remembered in the end."""
    rng, past, passed = np.random.default_rng(5), check.fresh(), []
    for tick in range(100):
        cases, said = claims(rng, tick, turned), judgements(rng, turned)
        found = [one == NOTHING for one in check.examine(tick, past, cases)]
        taught = [case for case, passes in zip(cases, found, strict=True) if passes]
        past = check.learn(tick, past, Heard(cases, taught, said, 1000))
        passed.append(found)
    return passed, past


def test_what_holds_for_rescues_holds_for_reports() -> None:
    rescues, reports = course(RESCUES, turned=False), course(REPORTS, turned=True)
    assert rescues == reports
    assert 0.2 < np.mean(rescues[0]) < 0.95


def test_each_lets_the_other_label_pass() -> None:
    cases = claims(np.random.default_rng(1), 1, turned=False)
    broke = Budget(1.0, 1.0, level=0.0)
    for check in (RESCUES, REPORTS):
        found = check.examine(1, broke, cases)
        assert [one == NOTHING for one in found] == [
            case.claim.spam != check.spam for case in cases
        ]


@pytest.mark.parametrize("check", [RESCUES, REPORTS])
def test_the_reason_names_the_budget(check: CorrectionBudget) -> None:
    cases = claims(np.random.default_rng(1), 1, turned=False)
    found = check.examine(1, Budget(1.0, 1.0, hourly=2.0, level=0.0), cases)
    (reason,) = {one.reason for one in found if one.reason}
    what = "report" if check.spam else "correction"
    assert reason == f"0.00 of 1 lesson left: {what} budget of 2.00 an hour"
