"""Every ledger: what is put is remembered, tick by tick, wherever it is kept."""

from collections.abc import Callable
from typing import Any, NamedTuple

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filter.account_guard import AccountGuard
from filter.checks.data_quality import DataQuality
from filter.checks.duplicates import Duplicates
from filter.checks.rate_limit import RateLimit
from filter.checks.reputation import Reputation
from filter.events import QUARANTINE, Credit, Response
from filter.ledger import AFRESH, Everything, Ledger, Memory, Pasts
from filter.ledger_redis import RedisLedger
from filter.position import Position
from filter.reputation import Standing
from tests.filter.test_account_guard import PROVIDER, histories, step, vote

CHECKS: list[tuple[str, Any]] = [
    ("data_quality", DataQuality()),
    ("duplicates", Duplicates()),
    ("rate_limit", RateLimit(votes_per_day=24.0, burst=3.0)),
    ("reputation", Reputation()),
]


class Kept(NamedTuple):
    """A ledger, and how a tick that was put becomes the one before the next."""

    ledger: Ledger
    commit: Callable[[int], None]


def in_memory() -> Kept:
    return Kept(Memory(), lambda _: None)


def in_redis() -> Kept:
    position = Position(
        fakeredis.FakeRedis(server=fakeredis.FakeServer()), "run-1", "account_guard", 0, "me"
    )
    position.claim()
    position.begin(-1)
    ledger = RedisLedger(position, CHECKS)
    return Kept(ledger, ledger.commit)


MAKERS = [in_memory, in_redis]
each = pytest.mark.parametrize("make", MAKERS)


def pasts(number: float = 0.5) -> Pasts:
    return [None, {2**64 - 1: 3, 7: -2}, number, (Standing(number, 1e-300, 9), -5000)]


def put(kept: Kept, tick: int, changed: dict[int, Pasts | None], held: Any = None) -> None:
    kept.ledger.put(tick, changed, held)
    kept.commit(tick)


@each
def test_nothing_is_remembered_at_first(make: Callable[[], Kept]) -> None:
    ledger = make().ledger
    assert ledger.load(0, [1, 2]) == {}
    assert ledger.load(0, []) == {}
    assert ledger.quarantined(0) == {}
    assert ledger.everything(-1) == Everything({}, {})


@each
def test_what_was_put_is_loaded_and_nobody_else(make: Callable[[], Kept]) -> None:
    kept = make()
    put(kept, 0, {1: pasts(), 2**64 - 1: pasts(0.1)}, {5: 9})
    assert kept.ledger.load(1, [1, 2**64 - 1, 3]) == {1: pasts(), 2**64 - 1: pasts(0.1)}
    assert kept.ledger.load(1, {1}) == {1: pasts()}
    assert kept.ledger.load(1, ()) == {}
    assert kept.ledger.quarantined(1) == {5: 9}


@each
def test_what_is_not_put_stays_as_it_was(make: Callable[[], Kept]) -> None:
    kept = make()
    put(kept, 0, {1: pasts(), 2: pasts()}, {5: 9})
    put(kept, 1, {2: pasts(0.1)})
    put(kept, 2, {})
    assert kept.ledger.everything(2) == Everything({1: pasts(), 2: pasts(0.1)}, {5: 9})
    put(kept, 3, {}, {})
    assert kept.ledger.quarantined(4) == {}


@each
def test_a_forgotten_account_is_gone_and_may_come_back(make: Callable[[], Kept]) -> None:
    kept = make()
    put(kept, 0, {1: pasts(), 2: pasts()})
    put(kept, 1, {1: None, 3: None})
    assert kept.ledger.load(2, [1, 2, 3]) == {2: pasts()}
    put(kept, 2, {1: pasts(0.1)})
    assert kept.ledger.load(3, [1]) == {1: pasts(0.1)}
    put(kept, 3, {1: None})
    put(kept, 4, {})
    put(kept, 5, {})
    assert kept.ledger.everything(5).accounts == {2: pasts()}


@each
def test_replacing_leaves_nothing_of_what_was_there(make: Callable[[], Kept]) -> None:
    kept = make()
    put(kept, 0, {1: pasts(), 2: pasts()}, {5: 9})
    for tick, known in (
        (40, Everything({2: pasts(0.1), 3: pasts()}, {6: 8})),
        (7, Everything({}, {})),
    ):
        kept.ledger.replace(tick, known)
        assert kept.ledger.everything(tick) == known
    put(kept, 8, {9: pasts()})
    assert kept.ledger.load(9, [1, 2, 9]) == {9: pasts()}


@each
def test_a_check_that_a_record_is_older_than_has_its_place_marked(make: Callable[[], Kept]) -> None:
    kept = make()
    put(kept, 0, {1: [None, {}, AFRESH, AFRESH]})
    assert kept.ledger.load(1, [1]) == {1: [None, {}, AFRESH, AFRESH]}


@each
def test_a_list_that_was_got_or_given_can_be_changed(make: Callable[[], Kept]) -> None:
    """So that a step that is called again reads what it read before."""
    kept = make()
    given: dict[int, Pasts | None] = {1: pasts()}
    held = {5: 9}
    put(kept, 0, given, held)
    first = given[1]
    assert first is not None
    first[2] = held[5] = 77
    for got in (kept.ledger.load(1, [1]), kept.ledger.everything(0).accounts):
        got[1][2] = 77
    kept.ledger.quarantined(1)[5] = 77
    assert kept.ledger.everything(0) == Everything({1: pasts()}, {5: 9})


numbers = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**63), 2**64 - 1)
mails = st.integers(0, 2**64 - 1)
some_pasts = st.tuples(
    st.none(),
    st.dictionaries(mails, whole, max_size=4),
    numbers,
    st.tuples(st.builds(Standing, numbers, numbers, whole), whole),
).map(list)
ticks = st.lists(
    st.tuples(
        st.dictionaries(st.integers(0, 5), st.none() | some_pasts, max_size=4),
        st.none() | st.dictionaries(mails, whole, max_size=3),
    ),
    max_size=8,
)


@each
@given(ticks)
@settings(max_examples=40, deadline=None)
def test_it_is_a_dictionary_that_changes_by_ticks(make: Callable[[], Kept], told: Any) -> None:
    kept = make()
    known: dict[int, Pasts] = {}
    held: dict[int, int] = {}
    for tick, (changed, now) in enumerate(told):
        assert repr(kept.ledger.load(tick, range(6))) == repr(dict(sorted(known.items())))
        assert kept.ledger.quarantined(tick) == held
        put(kept, tick, changed, now)
        known = {a: p for a, p in (known | changed).items() if p is not None}
        held = held if now is None else now
        found = kept.ledger.everything(tick)
        assert repr(sorted(found.accounts.items())) == repr(sorted(known.items()))
        assert found.quarantined == held


def guard(ledger: Ledger) -> AccountGuard:
    return AccountGuard(PROVIDER, CHECKS, histories(), 168, ledger=ledger)


@given(st.lists(st.lists(st.tuples(st.integers(98, 101), st.integers(0, 9), st.integers(0, 5)))))
@settings(max_examples=25, deadline=None)
def test_a_guard_says_the_same_whatever_its_ledger(told: list[list[tuple[int, int, int]]]) -> None:
    kept = [make() for make in MAKERS]
    guards = [guard(one.ledger) for one in kept]
    for tick, drawn in enumerate(told, start=20):
        if tick == 20:
            for one in kept:
                one.ledger.replace(19, Everything({}, {}))
        votes = [vote(account, mail, tick, sent=18) for account, mail, what in drawn if what < 3]
        judged = tuple(Credit(a, mail, mail, -1, 0) for a, mail, what in drawn if what in (3, 4))
        held = tuple(Response(a, QUARANTINE, 20 + m, "") for a, m, what in drawn if what == 5)
        outs = [step(one, tick, *votes, judged=judged, responses=held)[0::2] for one in guards]
        assert outs[0] == outs[1]
        for one in kept:
            one.commit(tick)
        frozen = [one.freeze() for one in guards]
        assert frozen[0] == frozen[1]
