"""Measure everything in one run; the last line of output is JSON."""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.breakdown import breakdown
from benchmarks.growth import exponent, grown, memory_ratio
from benchmarks.loop import Loop, synthetic_scenario
from benchmarks.machine import machine, pin
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.race import (
    HASHED,
    LOOP,
    RIVER,
    TWIN,
    VOWPAL,
    VOWPAL_LINES,
    Spread,
    race,
    rate,
    ratio,
    small_tick,
)
from benchmarks.seeds import replicates_ratio
from benchmarks.strings import strings
from simulator.corpus import CorpusError

CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpora" / "enron-spam.jsonl.gz"


def main() -> None:
    """Run the benchmark."""
    given = _arguments()
    plan = _plan(given)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    core = pin()
    before = machine() | {"pinned_to_core": core}
    report.say(f"{before['processor']}, {before['cores']} cores, load {before['load']}")
    report.say("one core for everybody" if core is not None else "no pinning to a core here")
    found = _on_corpus(plan, given.corpus) if given.corpus.is_file() else _without(plan, given)
    found |= _growth(plan)
    report.say("\nseeds side by side:")
    found["replicates_ratio"] = _rounded(replicates_ratio(plan, cores), 3)
    order = ("river_ratio", "vw_ratio", "exponent", "replicates_ratio")
    after = before | {"load_at_end": machine()["load"]}
    report.last_line({name: found.pop(name) for name in order} | found | {"machine": after})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=main.__doc__)
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="JSON Lines, plain or gzip")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it still run?")
    parser.add_argument("--mails-per-tick", type=int, help="size of a tick of the compared loop")
    parser.add_argument("--rounds", type=int, help="laps of each contender")
    parser.add_argument("--start-mails", type=int, help="labelled mails the filter starts from")
    parser.add_argument("--largest", type=int, help="synthetic mails of the largest run")
    return parser.parse_args()


def _plan(given: argparse.Namespace) -> Plan:
    plan = QUICK if given.quick else FULL
    own = {name: getattr(given, name) for name in ("mails_per_tick", "rounds", "start_mails")}
    plan = replace(plan, **{name: value for name, value in own.items() if value is not None})
    if given.largest:
        few = given.largest / plan.growth[-1]
        plan = replace(
            plan,
            growth=tuple(round(mails * few) for mails in plan.growth),
            growth_mails_per_tick=max(round(plan.growth_mails_per_tick * few), 10),
        )
    return plan


def _on_corpus(plan: Plan, path: Path) -> dict[str, Any]:
    """The race on real mail, and where the time goes."""
    try:
        said = strings(path)
    except CorpusError as error:
        raise SystemExit(f"benchmarks: {error}") from None
    count = len(said.texts)
    report.say(f"{path.name}: {count:,} mails, read in {said.reading:.2f} s (nobody's charge)")
    report.say(
        f"{plan.mails_per_tick:,} mails a tick; the corpus is dealt again when it is spent\n"
    )
    laps, loop = race(plan, str(path), said)
    rates = {name: rate(laps, name) for name in laps}
    report.spreads("mails a second", rates, 0)
    compared = {
        "river_ratio": ratio(laps, LOOP, RIVER),
        "vw_ratio": ratio(laps, LOOP, VOWPAL),
        "vw_lines_ratio": ratio(laps, LOOP, VOWPAL_LINES),
        "hashed_ratio": ratio(laps, HASHED, LOOP),
        "twin_cost": ratio(laps, LOOP, TWIN),
    }
    report.spreads("times as fast, round by round", compared, 2)
    parts = breakdown(loop, plan.lap)
    report.parts(parts)
    return {
        **{name: _rounded(found.median, 3) for name, found in compared.items()},
        "ratios": {name: _named(found, 3) for name, found in compared.items()},
        "mails_per_second": {name: _named(found, 0) for name, found in rates.items()},
        "hashed_rate": _rounded(rates[HASHED].median, 0),
        "small_tick_rates": {
            str(size): _rounded(rates[small_tick(size)].median, 0) for size in plan.small_ticks
        },
        "microseconds_a_mail": {name: _rounded(each, 3) for name, each in parts.items()},
        "mails_per_tick": plan.mails_per_tick,
        "reading": {
            "corpus": path.name,
            "mails": count,
            "microseconds_a_mail": _rounded(1e6 * said.reading / count, 2),
            "microseconds_a_mail_kept": _rounded(1e6 * said.kept / count, 2),
        },
    }


def _without(plan: Plan, given: argparse.Namespace) -> dict[str, Any]:
    """What is left without real mail: the synthetic loop's own breakdown."""
    report.say(
        f"There is no corpus at {given.corpus}: no comparison with River and Vowpal Wabbit, the"
        " synthetic parts only (--corpus PATH names a JSON Lines file)."
    )
    duration = plan.warm_up + plan.lap + 1
    loop = Loop(synthetic_scenario(plan.mails_per_tick, duration))
    loop.lap(plan.warm_up)
    parts = breakdown(loop, plan.lap)
    report.parts(parts)
    return {
        "river_ratio": None,
        "vw_ratio": None,
        "microseconds_a_mail": {name: _rounded(each, 3) for name, each in parts.items()},
        "mails_per_tick": plan.mails_per_tick,
    }


def _growth(plan: Plan) -> dict[str, Any]:
    report.say(f"\nsynthetic mail, {plan.growth_mails_per_tick} a tick, a process for each size:")
    sizes = grown(plan)
    found = {"exponent": exponent(sizes), "memory_ratio": _rounded(memory_ratio(sizes), 3)}
    report.say(f"  exponent {found['exponent']}, memory {found['memory_ratio']} times the middle's")
    return {
        **found,
        "growth": sizes,
        "growth_mails_per_tick": plan.growth_mails_per_tick,
    }


def _rounded(value: float, digits: int) -> float:
    return round(value, digits) if digits else float(round(value))


def _named(found: Spread, digits: int) -> dict[str, float]:
    return {name: _rounded(value, digits) for name, value in found._asdict().items()}


if __name__ == "__main__":
    main()
