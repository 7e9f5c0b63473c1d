"""Partitions, arrival, and how far stages run ahead of one another change nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from filter.chain import CHAIN, Link
from filter.columns import joined, partition
from filter.events import Vote
from filter.ragged import Ragged
from filter.sharing import merged, shares
from filter.stage import Flow
from simulator import arms, engine, loop
from simulator.engine import Embedded
from simulator.scenario import Scenario
from tests.contracts.small import finish, hashes, run, small, stubborn, with_engines

KEYED = tuple(link.stage for link in CHAIN if link.key)
ONE = {"arms": ["attacked"]}


class Baseline(NamedTuple):
    """Bots that vote thrice, in one arm, undivided and in order."""

    scenario: Scenario
    hashes: dict[str, str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    given = small(ONE, stubborn(tmp_path_factory.mktemp("attack")))
    return Baseline(given, hashes(run(given)))


def everywhere(parts: int) -> dict[str, int]:
    return dict.fromkeys(KEYED, parts)


def test_scoring_and_the_account_guard_are_the_stages_that_are_split() -> None:
    assert KEYED == ("scoring", "account_guard")


@pytest.mark.parametrize(
    "parts",
    [
        {"scoring": 2, "account_guard": 1},
        {"scoring": 1, "account_guard": 2},
        {"scoring": 7, "account_guard": 2},
        {"scoring": 2, "account_guard": 7},
        {"scoring": 7, "account_guard": 7},
    ],
    ids=str,
)
def test_any_number_of_partitions_gives_one_hash(parts: dict[str, int], whole: Baseline) -> None:
    split = with_engines(loop.prepare(whole.scenario), parts)
    finish(split)
    assert hashes(split) == whole.hashes


class Shuffled:
    """Hands on what it is given in another order each time."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.moved = 0

    def parts(self, parts: Sequence[Any]) -> list[Any]:
        """The parts' answers in another order, and the records in each of them."""
        order = self._rng.permutation(len(parts)).tolist()
        self.moved += order != sorted(order)
        return [self.records(parts[place]) for place in order]

    def records(self, stream: Any) -> Any:
        if isinstance(stream, tuple) and not hasattr(stream, "_fields") and len(stream) > 1:
            order = self._rng.permutation(len(stream)).tolist()
            self.moved += order != sorted(order)
            return tuple(stream[place] for place in order)
        return stream


@pytest.mark.parametrize("parts", [2, 7])
def test_what_the_parts_give_may_arrive_in_any_order(
    parts: int, whole: Baseline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shuffled = Shuffled(parts)

    def arriving(gives: list[Any]) -> Any:
        return merged(shuffled.parts(gives) if len(gives) > 1 else gives)

    monkeypatch.setattr(engine, "merged", arriving)
    split = with_engines(loop.prepare(whole.scenario), everywhere(parts))
    finish(split)
    assert shuffled.moved > 100
    assert hashes(split) == whole.hashes


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_votes_looks_and_mail_may_arrive_in_any_order(
    parts: int, whole: Baseline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shuffled = Shuffled(parts)
    split = with_engines(loop.prepare(whole.scenario), everywhere(parts))
    mailboxes = split.arms["attacked"]._mailboxes
    cast, kept = mailboxes.votes, mailboxes._kept

    def votes(tick: int) -> list[Vote]:
        kept[tick] = shuffled.parts(kept.get(tick, []))
        return list(shuffled.records(tuple(cast(tick))))

    monkeypatch.setattr(mailboxes, "votes", votes)
    monkeypatch.setattr(arms, "joined", lambda posts: joined(shuffled.parts(posts)))
    finish(split)
    assert shuffled.moved > 10
    assert hashes(split) == whole.hashes


class Watched(Embedded):
    """Notes how far its stages were apart."""

    apart = 0

    def _take(self, link: Link) -> None:
        super()._take(link)
        self.apart = max(self.apart, max(self._next.values()) - min(self._next.values()))


class Lockstep(Watched):
    """No stage takes a tick before all have taken the one before."""

    def _ready(self, link: Link) -> bool:
        return self._next[link.stage] == min(self._next.values()) and super()._ready(link)


@pytest.mark.parametrize("delay", [1, 5])
def test_stages_in_lockstep_and_running_ahead_give_one_hash(delay: int, tmp_path: Path) -> None:
    given = small(ONE, stubborn(tmp_path), {"feedback_delay": delay})
    found, apart = set(), []
    for order, kind in ((CHAIN, Lockstep), (CHAIN[::-1], Watched), (CHAIN, Watched)):
        done = with_engines(loop.prepare(given), {}, order, kind)
        finish(done)
        watched = done.arms["attacked"].engine
        assert isinstance(watched, Watched)
        apart.append(watched.apart)
        found.add(done.arms["attacked"].hash)
    assert apart == [1, delay, delay]
    assert len(found) == 1


def test_another_feedback_delay_gives_another_answer() -> None:
    assert (
        len(
            {
                run(small(ONE, {"feedback_delay": delay})).arms["attacked"].hash
                for delay in (1, 2, 5)
            }
        )
        == 3
    )


@pytest.mark.parametrize(("parts", "delay"), [(1, 1), (1, 5), (7, 5)])
def test_a_thawed_run_ends_with_the_hash_of_the_uninterrupted_one(
    parts: int, delay: int, tmp_path: Path
) -> None:
    given = small(stubborn(tmp_path), {"feedback_delay": delay, "duration": 22})
    whole = with_engines(loop.prepare(given), everywhere(parts))
    frozen = {}
    for tick in loop.ticks(whole):
        if tick in (6, 7, 14):
            frozen[tick] = loop.freeze(whole)
    for tick, state in frozen.items():
        fresh = with_engines(loop.prepare(given), everywhere(parts))
        loop.thaw(fresh, state)
        finish(fresh, tick + 1)
        assert hashes(fresh) == hashes(whole), tick
        assert fresh.arms["twin"].frames == whole.arms["twin"].frames


def test_a_run_is_frozen_without_being_changed(whole: Baseline) -> None:
    frozen = loop.prepare(whole.scenario)
    for _ in loop.ticks(frozen):
        loop.freeze(frozen)
    assert hashes(frozen) == whole.hashes


def test_an_arm_that_forks_has_the_peace_of_the_first_one() -> None:
    done = run(small({"arms": ["attacked", "twin", "unguarded"]}))
    first, *others = (arm.frames for arm in done.arms.values())
    for frames in others:
        assert frames[: done.fork - 1] == first[: done.fork - 1]
        assert [frame.tick for frame in frames] == list(range(30))


def test_a_key_s_partition_is_a_matter_of_the_key_alone() -> None:
    keys = np.arange(200, dtype=np.uint64) * np.uint64(2**40)
    whole = partition(keys, 7)
    assert set(whole.tolist()) == set(range(7))
    assert whole[::-1].tolist() == partition(keys[::-1], 7).tolist()


def test_what_flows_back_acts_exactly_the_delay_later() -> None:
    seen: list[tuple[int, Any]] = []

    class Recorder:
        def __init__(self, gives: Any) -> None:
            self._gives = gives

        def step(self, tick: int, given: Any) -> Any:
            if hasattr(given, "releases"):
                seen.append((tick, given.releases))
            return self._gives(**dict.fromkeys(self._gives._fields, (tick,)))

        def freeze(self) -> bytes:
            return b""

        def thaw(self, frozen: bytes) -> None:
            assert not frozen

    stages: dict[str, list[Any]] = {link.stage: [Recorder(link.gives)] for link in CHAIN}
    waiting = Embedded(stages, 3)
    for tick in range(10):
        waiting.submit(tick, Flow(mails=(), votes=(), kept=(), judgements=()))  # type: ignore[arg-type]  # any value flows
        waiting.collect(tick)
    assert seen == [(tick, (tick - 3,) if tick >= 3 else ()) for tick in range(10)]


def test_flows_that_nobody_reads_again_are_let_go() -> None:
    done = run(small({"duration": 40}))
    for arm in done.arms.values():
        assert isinstance(arm.engine, Embedded)
        assert len(arm.engine._flows) <= 2


def test_tokens_of_shares_stay_with_their_mail() -> None:
    mails = small_mails()
    both = merged(shares(mails, "recipient", 2)[::-1])
    for number in range(mails.tokens.rows):
        assert both.tokens.row(number).tolist() == mails.tokens.row(number).tolist()


def small_mails() -> Any:
    prepared = loop.prepare(small())
    mails = prepared.world.ordinary(3).mails
    assert isinstance(mails.tokens, Ragged)
    return mails
