"""What each check costs: microseconds a vote and a mail, on one core.

python -m benchmarks.costs [--seed 21]

One run of `sybil-farm` in one arm, in this process, with a guard of all checks; each of a check's
methods is timed where the stage calls it. Beside it the whole loop without a guard and with the
default one, mail by mail.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from filter.settings import ALWAYS, check_plugin, guard
from simulator import loop
from simulator.engine import Embedded
from simulator.scenario import Scenario, read, scenario
from simulator.scripting import changed

EXTRA: Final = (
    "source_limits",
    "share_cap",
    "lockstep",
    "outlying_sources",
    "report_budget",
    "corroboration",
)
METHODS: Final = ("examine", "doubted", "learn", "credited", "stale")


class Timed:
    """A check whose methods are timed."""

    def __init__(self, check: Any, spent: dict[str, float], name: str) -> None:
        self._check = check
        self._spent = spent
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._check, name)
        if name not in METHODS:
            return found

        def timed(*given: Any) -> Any:
            began = time.perf_counter()
            done = found(*given)
            self._spent[self._name] += time.perf_counter() - began
            return done

        return timed


def made(seed: int, checks: str) -> Scenario:
    """The run that is timed."""
    change = {"seed": seed, "arms": ["attacked"], "duration": 168, "filter": {"guard": checks}}
    return scenario(changed(read("sybil-farm"), change | {"thresholds": []}))


def of_checks(seed: int) -> Iterator[str]:
    """A row a check."""
    names = [*(one for one in guard("default").checks if one not in ALWAYS), *EXTRA]
    prepared = loop.prepare(made(seed, ",".join([*names, "gate", "responder"])))
    (arm,) = prepared.arms.values()
    spent: dict[str, float] = defaultdict(float)
    assert isinstance(arm.engine, Embedded)
    for stage in ("account_guard", "crowd_guard"):
        for part in arm.engine._stages[stage]:
            timed: Any = part
            timed._checks = [(name, Timed(one, spent, name)) for name, one in timed._checks]
    for _ in loop.ticks(prepared):
        pass
    votes = sum(frame.votes_people + frame.votes_bots for frame in arm.frames)
    mails = sum(frame.mails for frame in arm.frames)
    yield "| check | of | µs a vote | µs a mail |"
    yield "|---|---|---|---|"
    for name in (*ALWAYS, *names):
        of = "an account" if hasattr(check_plugin(name).settings(), "credited") else "the crowd"
        per_vote, per_mail = (1e6 * spent[name] / many for many in (votes, mails))
        yield f"| `{name}` | {of} | {per_vote:.0f} | {per_mail:.2f} |"


def of_loop(seed: int) -> Iterator[str]:
    """How long the whole loop takes for a mail, by guard, the guards in turn."""
    best: dict[str, float] = {}
    for name in ("none", "default") * 3:
        prepared = loop.prepare(made(seed, name))
        (arm,) = prepared.arms.values()
        began = time.perf_counter()
        for _ in loop.ticks(prepared):
            pass
        seconds = time.perf_counter() - began
        best[name] = min(best.get(name, seconds), 1e6 * seconds / sum(f.mails for f in arm.frames))
    yield "| guard | µs a mail, world and people included |"
    yield "|---|---|"
    yield from (f"| `{name}` | {micros:.1f} |" for name, micros in best.items())


def main() -> None:
    """Print both tables."""
    options = argparse.ArgumentParser("python -m benchmarks.costs", description=__doc__)
    options.add_argument("--seed", type=int, default=21)
    seed = options.parse_args().seed
    print("\n".join(of_checks(seed)), "\n")
    print("\n".join(of_loop(seed)))


if __name__ == "__main__":
    main()
