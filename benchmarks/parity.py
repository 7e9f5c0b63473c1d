"""One result on both engines: the judged arm's hash on Kafka against the embedded one.

    python -m benchmarks.parity [--scenario NAME ...] [--full] [--duration TICKS] [--corpus PATH]

Every scenario is run with settings of which each pair occurs at least once; with --full the
flagship is run with all of them. The broker and the Redis are the benchmark's own. A line a run
goes to stderr, the last line on stdout is JSON, and the exit code is 1 if any hash differs.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient
from redis import Redis

from simulator import run
from simulator.scenario import read, scenario_names
from simulator.stack import Stack, StackError

FLAGSHIP: Final = "not-spam-campaign"
SCENARIOS: Final = (FLAGSHIP, "quickstart", "peace")


class Setting(NamedTuple):
    """How a scenario is run on Kafka."""

    seed: int
    delay: int
    partitions: int
    workers: int
    per_message: int

    def __str__(self) -> str:
        return (
            f"seed {self.seed}, delay {self.delay}, {self.partitions} partitions,"
            f" {self.workers} workers, {self.per_message} events a message"
        )


VALUES: Final = {
    "seed": (1, 2, 3),
    "delay": (1, 8),
    "partitions": (1, 2, 5),
    "workers": (1, 2, 3),
    "per_message": (1, 37, 500),
}
"""What each setting is given."""

MAILS: Final = {1: 60, 37: 400, 500: 1200}
"""Mails an hour, by the events that a message carries: some messages a tick, but not thousands."""


class Kind(NamedTuple):
    """What is run: a scenario's name, its corpus (or none) and its ticks (None: as it says)."""

    scenario: str
    corpus: str = ""
    duration: int | None = None

    @property
    def name(self) -> str:
        """What it is called in the output."""
        return f"{self.scenario} on {Path(self.corpus).name}" if self.corpus else self.scenario

    def table(self, mails: int) -> dict[str, Any]:
        """Its settings: the first arm alone; in a shorter run the attack is shorter as well.

        Args:
            mails: an hour, of made-up mail; a corpus is dealt as the scenario says.
        """
        table = read(self.scenario)
        table |= {"arms": table["arms"][:1], "thresholds": []}
        table["synthetic"] = table.get("synthetic", {}) | {"mails_per_hour": mails}
        if self.corpus:
            table["corpus"] = {"path": self.corpus}
        if self.duration is not None:
            if attack := table.get("attack"):
                share = self.duration / table["duration"]
                times = {key: max(int(attack[key] * share), 1) for key in ("start", "duration")}
                table["attack"] = attack | times
            table["duration"] = self.duration
        return table


def grid() -> list[Setting]:
    """All settings."""
    return [Setting(*values) for values in product(*VALUES.values())]


def pairs() -> list[Setting]:
    """Few settings in which each two values of two of them stand beside one another once.

    Greedy: whichever setting has the most pairs that are still missing comes next.
    """
    every = {setting: _pairs(setting) for setting in grid()}
    missing = set().union(*every.values())
    chosen = []
    while missing:
        best = max(every, key=lambda setting: len(every[setting] & missing))
        chosen.append(best)
        missing -= every[best]
    return chosen


def _pairs(setting: Setting) -> frozenset[Any]:
    return frozenset(combinations(enumerate(setting), 2))


@contextmanager
def own_stack() -> Iterator[Stack]:
    """A broker and a Redis for as long as they are needed."""
    folder = Path(tempfile.mkdtemp(prefix="hamstrung-parity-"))
    stack = Stack(folder / "stack", say=say)
    try:
        stack.up()
        yield stack
    finally:
        stack.down(wipe=True)
        shutil.rmtree(folder, ignore_errors=True)


def judged(table: dict[str, Any], **changes: Any) -> str:
    """The hash of the only arm of a run."""
    (arm,) = run(table["name"], **(table | changes)).arms.values()
    return arm.hash


@cache
def embedded(kind: Kind, seed: int, delay: int, mails: int) -> str:
    """The hash to equal."""
    return judged(kind.table(mails), seed=seed, feedback_delay=delay)


def on_kafka(kind: Kind, setting: Setting, stack: Stack) -> str:
    """The hash on Kafka; the run's topics and keys are gone afterwards."""
    try:
        return judged(
            kind.table(MAILS[setting.per_message]),
            seed=setting.seed,
            feedback_delay=setting.delay,
            engine="kafka",
            kafka={
                "broker": stack.broker,
                "partitions": setting.partitions,
                "workers": setting.workers,
                "events_per_message": setting.per_message,
            },
            redis={"url": stack.redis_url},
        )
    finally:
        wipe(stack)


def wipe(stack: Stack) -> None:
    """Delete all runs: a thousand topics cost a broker memory and time."""
    admin = KafkaAdminClient(bootstrap_servers=stack.broker)
    try:
        if left := [name for name in admin.list_topics() if name.startswith("hamstrung.")]:
            admin.delete_topics(left)
    finally:
        admin.close()
    with Redis.from_url(stack.redis_url) as client:
        client.flushdb()


def compare(plan: Sequence[tuple[Kind, Setting]]) -> dict[str, Any]:
    """Run all of a plan; what goes wrong in a run counts as a difference, and the next begins."""
    different = []
    with own_stack() as stack:
        for number, (kind, setting) in enumerate(plan, 1):
            wanted = embedded(kind, setting.seed, setting.delay, MAILS[setting.per_message])
            began = time.monotonic()
            try:
                got = on_kafka(kind, setting, stack)
            except Exception as error:  # noqa: BLE001 - told, and counted
                got = f"{type(error).__name__}: {error}"
            took = time.monotonic() - began
            if got != wanted:
                different.append(
                    {"scenario": kind.name, **setting._asdict(), "got": got, "embedded": wanted}
                )
            said = "equal" if got == wanted else f"DIFFERENT: {got}, embedded {wanted}"
            say(f"{number}/{len(plan)} {kind.name}, {setting}: {said}, {took:.1f} s")
    return {"runs": len(plan), "equal": len(plan) - len(different), "different": different}


def planned(given: argparse.Namespace) -> list[tuple[Kind, Setting]]:
    """What is to be run, in order."""
    kinds = [Kind(name, duration=given.duration) for name in given.scenario or SCENARIOS]
    if given.corpus:
        kinds.append(Kind(FLAGSHIP, str(given.corpus), given.duration))
    few, full = pairs(), grid()
    return [
        (kind, setting)
        for kind in kinds
        for setting in (full if given.full and kind.name == FLAGSHIP else few)
    ]


def say(line: str) -> None:
    """A line on stderr."""
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.parity", description="Compare the hashes of both engines."
    )
    parser.add_argument(
        "--scenario", action="append", choices=scenario_names(), help="this one alone; repeatable"
    )
    parser.add_argument("--full", action="store_true", help=f"all settings for {FLAGSHIP}")
    parser.add_argument("--duration", type=int, help="ticks of every run; attacks shrink with it")
    parser.add_argument("--corpus", type=Path, help=f"{FLAGSHIP} on real mail as well: JSON Lines")
    return parser.parse_args()


def main() -> int:
    """Compare, and tell: 0 if all hashes are equal."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("parity: told to end"))
    try:
        found = compare(planned(_arguments()))
    except StackError as error:
        say(f"parity: {error}")
        return 3
    print(json.dumps(found))
    return 1 if found["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
