"""The same scenario gives the same answer, whatever process, processor and Python it runs on."""

import os
import shutil
import subprocess
import sys
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from filter import codec
from filter.events import Vote
from filter.stage import Flow
from simulator import loop
from tests.contracts.small import NO_ATTACK, Table, finish, flows, hashes, run, small

ROOT = Path(__file__).parents[2]
PROGRAM = "from tests.contracts.small import say_hashes; say_hashes()"
SUPPORTED = ("3.11", "3.12", "3.13")
HERE = ".".join(map(str, sys.version_info[:2]))
WITHOUT_WIDE_REGISTERS = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR AVX2 FMA3 AVX512F AVX512_SKX"
"""Names of old and new numpy; it warns of those it does not know, and heeds the others."""


def said_by(python: str, changed: dict[str, str]) -> str:
    child = subprocess.run(
        [python, "-W", "ignore", "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **changed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


@cache
def said_here() -> str:
    return said_by(sys.executable, {"PYTHONHASHSEED": "0"})


def test_the_hashes_said_are_those_of_six_arms() -> None:
    assert said_here().count("attacked") == said_here().count("twin") == 2
    assert len(set(said_here().split("'"))) > 6


@pytest.mark.parametrize("seed", ["1", "2", "random"])
def test_no_hash_seed_of_python_changes_the_answer(seed: str) -> None:
    assert said_by(sys.executable, {"PYTHONHASHSEED": seed}) == said_here()


def test_an_older_processor_gives_the_same_answer() -> None:
    changed = {"NPY_DISABLE_CPU_FEATURES": WITHOUT_WIDE_REGISTERS}
    assert said_by(sys.executable, changed) == said_here()


@pytest.mark.parametrize("version", [version for version in SUPPORTED if version != HERE])
def test_other_pythons_give_the_same_answer(version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} with numpy and msgspec: set HAMSTRUNG_PYTHONS")
    assert said_by(python, {}) == said_here()


def interpreter(version: str) -> str | None:
    """One of HAMSTRUNG_PYTHONS (separated by colons), or of .venv-3.12 and the like."""
    named = os.environ.get("HAMSTRUNG_PYTHONS", "").split(os.pathsep)
    beside = ROOT / f".venv-{version}" / "bin" / "python"
    for python in [*filter(None, named), str(beside)]:
        program = "import sys, numpy, msgspec; print('%d.%d' % sys.version_info[:2])"
        if shutil.which(python):
            asked = subprocess.run(
                [python, "-c", program], capture_output=True, text=True, check=False
            )
            if asked.stdout.strip() == version:
                return python
    return None


def test_a_run_in_this_process_repeats_itself() -> None:
    assert hashes(run(small())) == hashes(run(small()))


def test_another_seed_is_another_run() -> None:
    first, second = (hashes(run(small({"seed": seed}))) for seed in (1, 3))
    assert not set(first.values()) & set(second.values())


def test_an_arm_is_the_same_whatever_arms_stand_beside_it() -> None:
    alone = hashes(run(small({"arms": ["twin"]})))
    beside = hashes(run(small({"arms": ["attacked", "unguarded", "twin", "reject_all"]})))
    assert alone["twin"] == beside["twin"]


BOTS = 20


def bots(count: int) -> Table:
    settings = {"accounts": count, "mails_per_hour": 10, "votes_per_hour": 8}
    return {"attack": {"settings": settings}}


def test_a_bot_more_changes_neither_people_nor_their_mail_nor_the_other_bots() -> None:
    few, more = (loop.prepare(small(bots(count))).world for count in (BOTS, BOTS + 1))
    for one, other in zip(few.people, more.people, strict=True):
        assert one.tolist() == other.tolist()
    for one, other in zip(few.bots, more.bots, strict=True):
        assert one.tolist() == other[:BOTS].tolist()
    for tick in (0, 7, 20):
        assert codec.pack(few.ordinary(tick)) == codec.pack(more.ordinary(tick))


def test_a_bot_more_changes_nothing_where_no_bot_acts() -> None:
    few, more = (run(small(bots(count))) for count in (BOTS, BOTS + 1))
    assert few.arms["twin"].hash == more.arms["twin"].hash
    assert few.arms["attacked"].hash != more.arms["attacked"].hash


def people_s_votes(flow: Flow, bots: frozenset[int]) -> list[Vote]:
    return [vote for vote in flow.votes or () if vote.account not in bots]


def test_people_vote_alike_in_every_arm_until_poison_can_have_been_served() -> None:
    """Copies go out at 8 h, are voted on at 9 h, and the release of 9 h serves from 10 h on."""
    start = 8
    prepared = loop.prepare(small({"arms": ["unguarded", "reference"]}))
    attacker = frozenset(prepared.world.bots.id.tolist())
    cast: dict[str, list[list[Vote]]] = {"unguarded": [], "reference": []}
    for name, ticks in cast.items():
        for flow in flows(small({"arms": [name]}), name):
            ticks.append(people_s_votes(flow, attacker))
    early = slice(0, start + 3)
    assert sum(map(len, cast["reference"][early])) >= 10
    assert cast["unguarded"][early] == cast["reference"][early]
    mails = [{vote.mail for vote in of} for of in map(chain.from_iterable, cast.values())]
    assert mails[0] != mails[1]


def test_people_vote_on_ordinary_mail_before_the_attack_as_if_there_were_none() -> None:
    with_one, without = (
        [flow.votes for flow in flows(small({"arms": ["attacked"]}, change), "attacked")][:8]
        for change in ({}, NO_ATTACK)
    )
    assert sum(len(votes or ()) for votes in without) > 5
    assert with_one == without


def test_who_is_left_out_of_a_run_is_not_drawn_for_elsewhere() -> None:
    """The poison of an arm leaves the campaign's own mail where it was: ids and words."""
    prepared = loop.prepare(small())
    ids: dict[str, list[set[int]]] = {}
    for tick in loop.ticks(prepared):
        for name, arm in prepared.arms.items():
            if arm.last is not None and arm.last.mails is not None:
                ids.setdefault(name, []).append(set(arm.last.mails.mail.tolist()))
        assert tick >= 0
    for attacked, twin in zip(ids["attacked"][-20:], ids["twin"][-20:], strict=True):
        assert twin <= attacked


def test_finishing_a_run_twice_changes_nothing() -> None:
    done = run(small())
    before = hashes(done)
    finish(done, 31)
    assert hashes(done) == before
