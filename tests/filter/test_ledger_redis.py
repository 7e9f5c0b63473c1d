"""The ledger in Redis: half-saved ticks, other owners, emptied servers, and bytes of others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fakeredis
import numpy as np
import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filter.checks import History
from filter.codec import CodecError
from filter.ledger import AFRESH, Everything, Pasts
from filter.ledger_redis import SLICE, RedisLedger, expire
from filter.position import CLEAR, MOVE, READ, WRITE, Fenced, Position
from filter.redis_server import LedgerRefused, Lost, Unreachable, _must_keep, connect
from filter.reputation import Standing
from tests.filter.test_ledger import CHECKS, pasts

PREFIX = "hamstrung:{run-1:account_guard:0}"


@pytest.fixture
def client() -> redis.Redis:
    return fakeredis.FakeRedis(server=fakeredis.FakeServer())


def place(client: redis.Redis, owner: str = "me", part: int = 0) -> Position:
    return Position(client, "run-1", "account_guard", part, owner)


def begun(client: redis.Redis, tick: int = -1, owner: str = "me") -> RedisLedger:
    position = place(client, owner)
    position.claim()
    position.begin(tick)
    return RedisLedger(position, CHECKS)


def save(ledger: RedisLedger, tick: int, changed: Any, held: dict[int, int] | None = None) -> None:
    ledger.put(tick, changed, held)
    ledger.commit(tick)


def key(account: int) -> str:
    return f"{PREFIX}:account:{account:016x}"


def many(count: int, number: float = 0.5) -> dict[int, Pasts]:
    return {account: pasts(number) for account in range(1, count + 1)}


def dump(client: redis.Redis) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for one in client.keys("*"):
        kind = client.type(one)
        found[one] = client.hgetall(one) if kind == b"hash" else client.smembers(one)
    return found


class Cut(Exception):  # noqa: N818 - the process ends here
    """Where a process was killed."""


def cut(ledger: RedisLedger, after: int, before_it: bool = True, script: str = WRITE) -> None:
    """The process dies at the call of this number, before it or when it is done."""
    call, made = ledger.position.call, [0]

    def counted(what: str, *arguments: Any, keys: Any = ()) -> Any:
        made[0] += what == script
        if what == script and made[0] > after and before_it:
            raise Cut
        said = call(what, *arguments, keys=keys)
        if what == script and made[0] > after:
            raise Cut
        return said

    interpose(ledger, counted)


# Positions


def test_a_position_is_claimed_begun_and_moved(client: redis.Redis) -> None:
    position = place(client)
    assert position.claim() is None
    position.begin(-1)
    for tick in range(12):
        position.advance(tick)
    assert place(client, "other").claim() == 11
    assert client.hgetall(f"{PREFIX}:position")[b"owner"] == b"other"
    place(client, "other").begin(3)
    assert position.claim() == 3


def test_a_move_whose_answer_was_lost_can_be_made_again(client: redis.Redis) -> None:
    position = begun(client, 5).position
    position.advance(6)
    position.advance(6)
    assert position.claim() == 6


@pytest.mark.parametrize("tick", [4, 5, 8, 9])
def test_a_move_from_elsewhere_is_refused(client: redis.Redis, tick: int) -> None:
    position = begun(client, 6).position
    with pytest.raises(Lost, match="its position is 6"):
        position.advance(tick)
    assert position.claim() == 6


MOVES: dict[str, Callable[[Position], None]] = {
    "begin": lambda position: position.begin(6),
    "advance": lambda position: position.advance(6),
    "interrupt": lambda position: position.interrupt(),
}


@pytest.mark.parametrize("tick", ["", "soon", "1.5", "1e3", "nan"])
def test_a_position_that_is_no_number_is_none(client: redis.Redis, tick: str) -> None:
    position = begun(client, 5).position
    client.hset(f"{PREFIX}:position", "tick", tick)
    assert position.claim() is None


def test_a_position_without_an_owner_is_lost_until_it_is_begun(client: redis.Redis) -> None:
    position = begun(client, 5).position
    client.hdel(f"{PREFIX}:position", "owner")
    with pytest.raises(Lost):
        position.advance(6)
    position.begin(6)
    position.advance(7)


@pytest.mark.parametrize("what", MOVES)
def test_who_is_not_the_owner_moves_nothing(client: redis.Redis, what: str) -> None:
    old = begun(client, 5).position
    place(client, "new").claim()
    with pytest.raises(Fenced, match="belongs to new"):
        MOVES[what](old)
    assert place(client, "new").claim() == 5


def test_positions_of_other_partitions_are_their_own(client: redis.Redis) -> None:
    begun(client, 5)
    assert place(client, part=1).claim() is None
    assert Position(client, "run-2", "account_guard", 0, "me").claim() is None
    assert Position(client, "run-1", "scoring", 0, "me").claim() is None


@pytest.mark.parametrize("name", ["", "a:b", "a}b", "{a", "a*", "a\n", "é", "a" * 201])
def test_a_name_that_could_be_taken_for_another_key_is_refused(
    client: redis.Redis, name: str
) -> None:
    with pytest.raises(ValueError, match="expected letters"):
        Position(client, name, "account_guard", 0, "me")
    with pytest.raises(ValueError, match="expected letters"):
        Position(client, "run", name, 0, "me")
    with pytest.raises(ValueError, match="expected letters"):
        expire(client, name, 9)


# What people see


def test_people_can_read_what_is_kept(client: redis.Redis) -> None:
    ledger = begun(client)
    save(ledger, 0, {255: [None, {12: 3}, 0.1, (Standing(1.0, 0.0, 3), -9)]}, {255: 40})
    assert dump(client) == {
        f"{PREFIX}:position".encode(): {b"owner": b"me", b"tick": b"0", b"slice": b"0:1"},
        f"{PREFIX}:accounts".encode(): {b"00000000000000ff"},
        f"{PREFIX}:account:00000000000000ff".encode(): {
            b"now": b'{"data_quality":null,"duplicates":{"12":3},"rate_limit":0.1,'
            b'"reputation":[[1.0,0.0,3],-9]}',
            b"tick": b"0",
            b"before": b"",
        },
        f"{PREFIX}:quarantined".encode(): {b"now": b'{"255":40}', b"tick": b"0", b"before": b""},
    }


# Fenced and lost

CALLS: dict[str, Callable[[RedisLedger], Any]] = {
    "load": lambda ledger: ledger.load(6, [1]),
    "load nobody": lambda ledger: ledger.load(6, []),
    "quarantined": lambda ledger: ledger.quarantined(6),
    "commit": lambda ledger: save(ledger, 6, {1: pasts(0.1)}, {}),
    "commit nothing": lambda ledger: ledger.commit(6),
    "everything": lambda ledger: ledger.everything(5),
}
REPLACE: dict[str, Callable[[RedisLedger], Any]] = {
    "replace": lambda ledger: ledger.replace(5, Everything({}, {})),
}
every = pytest.mark.parametrize("what", CALLS)


@pytest.mark.parametrize("what", [*CALLS, *REPLACE])
def test_who_is_not_the_owner_reads_and_saves_nothing(client: redis.Redis, what: str) -> None:
    old = begun(client, 4)
    save(old, 5, {1: pasts()}, {5: 9})
    place(client, "new").claim()
    before = dump(client)
    with pytest.raises(Fenced, match="belongs to new"):
        (CALLS | REPLACE)[what](old)
    assert dump(client) == before


@every
@pytest.mark.parametrize("tick", [3, 4, 7])
def test_a_position_that_is_not_the_tick_before_is_lost(
    client: redis.Redis, what: str, tick: int
) -> None:
    ledger = begun(client, 4)
    save(ledger, 5, {1: pasts()}, {5: 9})
    ledger.position.begin(tick)
    before = dump(client)
    with pytest.raises(Lost, match=f"its position is {tick}"):
        CALLS[what](ledger)
    assert dump(client) == before


@every
@pytest.mark.parametrize("how", ["flushed", "interrupted", "unowned", "garbled"])
def test_a_redis_that_was_emptied_is_lost(client: redis.Redis, what: str, how: str) -> None:
    ledger = begun(client, 4)
    save(ledger, 5, {1: pasts()}, {5: 9})
    match how:
        case "flushed":
            client.flushall()
        case "interrupted":
            ledger.position.interrupt()
        case "unowned":
            client.hdel(f"{PREFIX}:position", "owner")
        case _:
            client.hset(f"{PREFIX}:position", "tick", "soon")
    before = dump(client)
    with pytest.raises(Lost):
        CALLS[what](ledger)
    assert dump(client) == before


@every
@pytest.mark.parametrize(
    "where", ["position", "accounts", "account:" + "0" * 15 + "1", "quarantined"]
)
def test_a_key_of_another_type_is_lost_and_nothing_is_written(
    client: redis.Redis, what: str, where: str
) -> None:
    ledger = begun(client, 4)
    save(ledger, 5, {1: pasts()}, {5: 9})
    client.set(f"{PREFIX}:{where}", "mine")
    before = packed(client)
    reads = {
        "position": set(CALLS),
        "accounts": {"everything", "commit", "commit nothing"},
        "quarantined": {"quarantined", "commit", "everything"},
    }
    if what in reads.get(where, {"load", "commit", "everything"}):
        with pytest.raises(Lost, match="of another type"):
            CALLS[what](ledger)
        assert packed(client) == before
    ledger.position.claim()
    ledger.replace(5, Everything({2: pasts()}, {}))
    assert ledger.everything(5) == Everything({2: pasts()}, {})


def packed(client: Any) -> dict[Any, Any]:
    """Every key, of whatever type."""
    return {one: client.dump(one) for one in client.keys("*")}


def interpose(ledger: Any, call: Callable[..., Any]) -> None:
    """Every script of a ledger is called through this one."""
    ledger.position.call = call


def test_after_a_loss_all_is_written_anew(client: redis.Redis) -> None:
    ledger = begun(client)
    save(ledger, 0, {1: pasts()})
    client.flushall()
    ledger.put(1, {1: pasts(0.1)}, None)
    with pytest.raises(Lost):
        ledger.commit(1)
    ledger.replace(1, Everything({1: pasts(0.1), 2: pasts()}, {5: 9}))
    ledger.commit(2)
    save(ledger, 3, {2: None})
    assert ledger.everything(3) == Everything({1: pasts(0.1)}, {5: 9})


# Half-saved ticks


@pytest.mark.parametrize("before_it", [True, False])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_half_saved_tick_is_not_seen_and_can_be_saved_again(
    client: redis.Redis, after: int, before_it: bool
) -> None:
    ledger = begun(client)
    first = many(1200)
    save(ledger, 0, first, {5: 9})
    changed: dict[int, Any] = (
        many(1100, 0.1) | {3: None, 700: None} | {5000: pasts(), 5001: pasts()}
    )
    killed = begun_again(client)
    killed.put(1, changed, {6: 8})
    cut(killed, after, before_it)
    with pytest.raises(Cut):
        killed.commit(1)
    other = begun_again(client, "other")
    seen = place(client, "other").claim()
    if (after, before_it) == (2, False):
        assert seen == 1
    else:
        assert seen == 0
        assert other.load(1, [*first, 5000, 5001]) == first
        assert other.quarantined(1) == {5: 9}
        assert other.everything(0) == Everything(first, {5: 9})
    other.put(1, changed, {6: 8})
    other.commit(1)
    after_it = {a: p for a, p in (first | changed).items() if p is not None}
    assert other.everything(1) == Everything(after_it, {6: 8})
    save(other, 2, {1: pasts(0.7)})
    assert other.everything(2) == Everything(after_it | {1: pasts(0.7)}, {6: 8})
    assert client.exists(key(3), key(700)) == 0
    assert client.scard(f"{PREFIX}:accounts") == len(after_it)


def begun_again(client: redis.Redis, owner: str = "me") -> RedisLedger:
    position = place(client, owner)
    position.claim()
    return RedisLedger(position, CHECKS)


def test_a_slice_that_is_repeated_keeps_what_was_before(client: redis.Redis) -> None:
    save(begun(client), 0, many(600))
    for number in (0.1, 0.1, 0.2):
        killed = begun_again(client)
        cut(killed, 1)
        killed.put(1, many(600, number) | {2: None}, None)
        with pytest.raises(Cut):
            killed.commit(1)
        assert begun_again(client).load(1, [1, 2, 600]) == {1: pasts(), 2: pasts(), 600: pasts()}


def test_a_commit_whose_answer_was_lost_can_be_made_again(client: redis.Redis) -> None:
    ledger = begun(client)
    save(ledger, 0, many(3), {5: 9})
    cut(ledger, 0, before_it=False)
    ledger.put(1, {1: pasts(0.1), 2: None}, {})
    before = None
    for _ in range(3):
        with pytest.raises(Cut):
            ledger.commit(1)
        assert before in (None, dump(client))
        before = dump(client)
    again = begun_again(client)
    assert again.everything(1) == Everything({1: pasts(0.1), 3: pasts()}, {})
    ledger = begun_again(client)
    ledger.put(1, {1: pasts(0.9), 3: None}, {8: 8})
    ledger.commit(1)
    ledger.commit(1)
    assert dump(client) == before


def test_a_commit_of_another_tick_than_was_put_is_refused(client: redis.Redis) -> None:
    ledger = begun(client)
    ledger.put(0, {1: pasts()}, None)
    with pytest.raises(ValueError, match="tick 0 was put, not 1"):
        ledger.commit(1)


def test_what_was_put_twice_is_what_was_put_last(client: redis.Redis) -> None:
    ledger = begun(client)
    ledger.put(0, {1: pasts(), 2: pasts()}, {5: 9})
    assert ledger.load(0, [1, 2]) == {}
    save(ledger, 0, {1: pasts(0.1)})
    assert ledger.everything(0) == Everything({1: pasts(0.1)}, {})


def restored(ledger: RedisLedger, script: str, after_it: bool) -> None:
    """Redis starts again from a file of now, before or after each call of a script."""
    client, call = ledger.position.client, ledger.position.call
    old = packed(client)

    def around(what: str, *arguments: Any, keys: Any = ()) -> Any:
        said = call(what, *arguments, keys=keys) if after_it or what != script else None
        if what == script:
            client.flushall()
            for one, value in old.items():
                client.restore(one, 0, value)
        return said or call(what, *arguments, keys=keys)

    interpose(ledger, around)


@pytest.mark.parametrize("script", [CLEAR, WRITE])
def test_a_restart_from_an_old_file_during_a_replacement_is_noticed(
    client: redis.Redis, script: str
) -> None:
    ledger = begun(client)
    save(ledger, 0, many(600))
    restored(ledger, script, after_it=False)
    with pytest.raises(Lost, match="its position is 0"):
        ledger.replace(9, Everything(many(10, 0.1), {}))
    assert begun_again(client).everything(0).accounts == many(600)


def test_a_restart_from_an_old_file_between_two_slices_is_noticed(client: redis.Redis) -> None:
    """The file is of the same position, so that only the count of slices tells."""
    ledger = begun(client)
    save(ledger, 0, many(600))
    restored(ledger, WRITE, after_it=True)
    ledger.put(1, many(600, 0.1), None)
    with pytest.raises(Lost, match="the slice before was not saved"):
        ledger.commit(1)
    assert begun_again(client).everything(0).accounts == many(600)


def test_a_slice_holds_no_more_records_than_it_may(client: redis.Redis) -> None:
    ledger = begun(client)
    sizes: list[int] = []
    call = ledger.position.call

    def counted(what: str, *arguments: Any, keys: Any = ()) -> Any:
        sizes.append(len(list(keys)))
        return call(what, *arguments, keys=keys)

    interpose(ledger, counted)
    save(ledger, 0, many(2 * SLICE), {5: 9})
    assert sizes == [SLICE + 1, SLICE + 1, 2]
    ledger.replace(0, ledger.everything(0))
    assert max(sizes) == SLICE + 1


# Forgotten accounts


def test_the_key_of_a_forgotten_account_goes_with_the_next_tick(client: redis.Redis) -> None:
    ledger = begun(client)
    save(ledger, 0, {1: pasts(), 2: pasts()})
    save(ledger, 1, {1: None, 7: None})
    assert client.hgetall(key(1))[b"before"] != b""
    assert client.exists(key(7)) == 0
    save(ledger, 2, {})
    assert client.exists(key(1)) == 0
    assert client.smembers(f"{PREFIX}:accounts") == {b"0000000000000002"}


def test_a_forgotten_account_that_a_killed_worker_left_goes_when_all_are_read(
    client: redis.Redis,
) -> None:
    save_by = begun(client)
    save(save_by, 0, {1: pasts(), 2: pasts()})
    save(save_by, 1, {1: None})
    other = begun_again(client, "other")
    save(other, 2, {})
    assert client.exists(key(1)) == 1
    assert sorted(other.everything(2).accounts) == [2]
    save(other, 3, {})
    assert client.exists(key(1)) == 0
    assert client.scard(f"{PREFIX}:accounts") == 1


# Replacing


@pytest.mark.parametrize(("script", "after"), [(CLEAR, 0), (CLEAR, 1), (WRITE, 0), (WRITE, 1)])
def test_a_replacement_that_was_cut_off_is_not_believed(
    client: redis.Redis, script: str, after: int
) -> None:
    ledger = begun(client)
    save(ledger, 0, many(700))
    cut(ledger, after, before_it=False, script=script)
    if (script, after) == (WRITE, 1):
        cut(ledger, 1, before_it=True)
    with pytest.raises(Cut):
        ledger.replace(9, Everything(many(600, 0.1), {}))
    again = begun_again(client, "other")
    assert again.position.claim() is None
    for tick in (0, 1, 9, 10):
        with pytest.raises(Lost):
            again.load(tick, [1])
    again.replace(9, Everything(many(600, 0.1), {5: 9}))
    assert again.everything(9) == Everything(many(600, 0.1), {5: 9})
    assert client.scard(f"{PREFIX}:accounts") == 600
    assert len(client.keys("*")) == 603


@pytest.mark.parametrize("after", [0, 1])
def test_a_redis_emptied_during_a_replacement_is_not_believed(
    client: redis.Redis, after: int
) -> None:
    ledger = begun(client)
    call, made = ledger.position.call, [0]

    def emptied(what: str, *arguments: Any, keys: Any = ()) -> Any:
        if what == WRITE and made[0] == after:
            client.flushall()
        made[0] += what == WRITE
        return call(what, *arguments, keys=keys)

    interpose(ledger, emptied)
    with pytest.raises(Lost):
        ledger.replace(9, Everything(many(600), {}))
    assert place(client).claim() is None


def test_a_replacement_takes_away_records_that_no_set_names(client: redis.Redis) -> None:
    ledger = begun(client)
    client.hset(key(77), mapping={"now": "{}", "tick": 99, "before": ""})
    client.hset(f"{PREFIX}:quarantined", mapping={"now": "{}", "tick": 99, "before": ""})
    ledger.replace(0, Everything({77: pasts()}, {5: 9}))
    assert ledger.everything(0) == Everything({77: pasts()}, {5: 9})


def test_a_replacement_leaves_other_partitions_alone(client: redis.Redis) -> None:
    other = Position(client, "run-1", "account_guard", 10, "me")
    other.begin(0)
    theirs = RedisLedger(other, CHECKS)
    theirs.replace(0, Everything({1: pasts()}, {}))
    begun(client).replace(0, Everything({}, {}))
    assert theirs.everything(0) == Everything({1: pasts()}, {})


# Bytes of others


@pytest.mark.parametrize(
    "value",
    [
        b"[]",
        b"\xff",
        b"{",
        b'{"duplicates":[]}',
        b'{"duplicates":{"a":1}}',
        b'{"duplicates":{"1":1.5}}',
        b'{"rate_limit":"1.0"}',
        b'{"rate_limit":null}',
        b'{"rate_limit":NaN}',
        b'{"rate_limit":1e999}',
        b'{"reputation":[[1.0,0.0],3]}',
        b'{"data_quality":0}',
        b'{"duplicates":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_bytes_that_are_no_record_are_lost(client: redis.Redis, value: bytes) -> None:
    ledger = begun(client)
    save(ledger, 0, {1: pasts(), 2: pasts()})
    client.hset(key(1), "now", value)
    for read in (lambda: ledger.load(1, [2, 1]), lambda: ledger.everything(0)):
        with pytest.raises(Lost, match="cannot be read"):
            read()
    assert ledger.load(1, [2]) == {2: pasts()}


@given(st.binary(max_size=30))
@example(b"{}")
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_record_or_lost(value: bytes) -> None:
    ledger = begun(fakeredis.FakeRedis(server=fakeredis.FakeServer()))
    save(ledger, 0, {1: pasts()})
    ledger.position.client.hset(key(1), "now", value)
    try:
        found = ledger.load(1, [1])
    except Lost:
        return
    assert found == {} if value == b"" else len(found[1]) == len(CHECKS)


@pytest.mark.parametrize("value", [b"[]", b'{"a":1}', b'{"1":null}', b"\xff", b'{"1":2'])
def test_a_quarantine_that_cannot_be_read_is_lost(client: redis.Redis, value: bytes) -> None:
    ledger = begun(client)
    save(ledger, 0, {}, {5: 9})
    client.hset(f"{PREFIX}:quarantined", "now", value)
    with pytest.raises(Lost, match="cannot be read"):
        ledger.quarantined(1)


@pytest.mark.parametrize("member", ["1", "000000000000000G", "0x00000000000001", "0" * 15 + "1\n"])
def test_a_set_that_holds_something_else_is_lost(client: redis.Redis, member: str) -> None:
    ledger = begun(client, 0)
    client.sadd(f"{PREFIX}:accounts", member)
    with pytest.raises(Lost, match="holds something else"):
        ledger.everything(0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("now", None), ("tick", None), ("before", None), ("tick", "x"), ("tick", "9")],
)
def test_a_hash_that_is_no_record_is_lost_and_not_written(
    client: redis.Redis, field: str, value: str | None
) -> None:
    ledger = begun(client)
    save(ledger, 0, {1: pasts(), 2: pasts()})
    if value is None:
        client.hdel(key(2), field)
    else:
        client.hset(key(2), field, value)
    before = dump(client)
    for call in (lambda: ledger.load(1, [2]), lambda: save(ledger, 1, many(2, 0.1), {5: 9})):
        with pytest.raises(Lost, match="is no record"):
            call()
    assert dump(client) == before


def test_a_check_that_is_new_starts_afresh_and_one_that_is_gone_is_passed_over(
    client: redis.Redis,
) -> None:
    ledger = begun(client)
    save(ledger, 0, {1: pasts()})
    fewer = RedisLedger(ledger.position, [CHECKS[2], ("another", CHECKS[1][1])])
    assert fewer.load(1, [1]) == {1: [0.5, AFRESH]}


# Numbers


@dataclass(frozen=True)
class Anything:
    """Remembers whatever it is told."""

    def fresh(self, history: History) -> Any:
        """Nothing."""


def anything(client: redis.Redis) -> RedisLedger:
    check: Any = Anything()
    return RedisLedger(begun(client).position, [("anything", check)])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), np.float64("nan")])
@pytest.mark.parametrize(
    "wrap",
    [lambda x: x, lambda x: [None, x], lambda x: {"a": (x,)}, lambda x: Standing(0.0, x, 1)],
)
def test_a_number_that_json_has_not_is_refused(
    client: redis.Redis, value: float, wrap: Callable[[float], Any]
) -> None:
    ledger = anything(client)
    with pytest.raises(CodecError, match=r"what anything remembers .* no finite number"):
        ledger.put(0, {1: [wrap(value)]}, None)
    ledger.put(0, {1: [wrap(1.5)]}, None)


@pytest.mark.parametrize("value", [object(), {(1, 2): 3}, np.arange(2), "\ud800"])
def test_what_json_cannot_hold_is_refused(client: redis.Redis, value: object) -> None:
    with pytest.raises(CodecError, match="what anything remembers does not go into Redis"):
        anything(client).put(0, {1: [value]}, None)


def test_none_and_numpy_s_numbers_travel(client: redis.Redis) -> None:
    ledger = anything(client)
    save(ledger, 0, {1: [[None, np.uint64(2**64 - 1), np.float64(0.1), "null", 5e-324]]})
    assert ledger.load(1, [1]) == {1: [[None, 2**64 - 1, 0.1, "null", 5e-324]]}


# Arguments of the scripts


@pytest.mark.parametrize(
    ("script", "arguments", "keys"),
    [
        (MOVE, ("soon", "begin"), []),
        (READ, ("", "accounts"), ["a"]),
        (WRITE, ("x", "commit", 0, "last"), ["a"]),
        (WRITE, (6, "commit", 0, "last", "digits"), ["a", "b"]),
        (WRITE, (6, "commit", 0, "last", "digits", "value"), ["a"]),
        (WRITE, (6, "commit", "x", "last"), ["a"]),
        (CLEAR, ("x",), ["a"]),
    ],
)
def test_arguments_that_do_not_fit_write_nothing(
    client: redis.Redis, script: str, arguments: Any, keys: list[str]
) -> None:
    position = begun(client, 5).position
    before = dump(client)
    with pytest.raises(redis.ResponseError, match=r"no number|keys without values"):
        position.call(script, *arguments, keys=keys)
    assert dump(client) == before


# A server that does not answer, or will not do


class Server:
    """Says what it is told to."""

    def __init__(self, version: str = "7.0.15", policy: str = "noeviction") -> None:
        self.says = {
            "server": {"redis_version": version},
            "memory": {"maxmemory_policy": policy},
        }
        self.connection_pool = redis.ConnectionPool(host="127.0.0.1", port=7)

    def info(self, section: str) -> dict[str, str]:
        return self.says[section]


@pytest.mark.parametrize("version", ["6.2.0", "6.2.14", "7.0.15", "7.2.4-rc1", "10.0.0"])
def test_a_server_that_is_new_enough_and_drops_nothing_will_do(version: str) -> None:
    server: Any = Server(version)
    _must_keep(server)


@pytest.mark.parametrize("version", ["6.0.16", "5.0.0", "2.8.19", "6.1.240"])
def test_a_server_that_is_too_old_is_refused(version: str) -> None:
    server: Any = Server(version)
    with pytest.raises(LedgerRefused, match=f"127.0.0.1:7 is {version}: 6.2 or a later one"):
        _must_keep(server)


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
def test_a_server_that_may_drop_keys_is_refused_with_the_command_that_helps(policy: str) -> None:
    server: Any = Server(policy=policy)
    with pytest.raises(LedgerRefused, match=f"{policy}.*config set maxmemory-policy noeviction"):
        _must_keep(server)


@pytest.mark.parametrize(
    "url",
    [
        "redis://10.0.0.1:6379",
        "redis://redis.example/0",
        "rediss://192.0.2.1",
        "redis://127.0.0.1.example",
        "redis://[2001:db8::1]:6379",
        "redis://:@10.0.0.1",
        "redis:///0?host=10.0.0.1",
    ],
)
@pytest.mark.parametrize("password", [None, ""])
def test_a_server_that_others_reach_is_refused_without_a_password(
    url: str, password: str | None
) -> None:
    with pytest.raises(LedgerRefused, match="can be reached by others and no password is given"):
        connect(url, password)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1", "expected redis://"),
        ("127.0.0.1:6379", "expected redis://"),
        ("redis://127.0.0.1:port", "expected redis://"),
        ("redis://127.0.0.1?socket_timeout=99", "sets socket_timeout: leave it out"),
        ("redis://127.0.0.1?retry_on_timeout=1&decode_responses=1", "sets"),
    ],
)
def test_an_address_that_will_not_do_is_refused(url: str, said: str) -> None:
    with pytest.raises(LedgerRefused, match=said):
        connect(url, None)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("redis://127.0.0.1:1/0", "127.0.0.1:1"),
        ("redis://127.8.8.8:1/0", "127.8.8.8:1"),
        ("redis://localhost:1/0", "localhost:1"),
        ("redis://user:letmein@localhost:1/0", "localhost:1"),
        ("redis://[::1]:1/0", "::1:1"),
        ("unix:///nowhere/redis.sock", "/nowhere/redis.sock"),
    ],
)
def test_a_server_that_does_not_answer_is_named_without_its_password(url: str, named: str) -> None:
    with pytest.raises(Unreachable) as found:
        connect(url, "letmein")
    assert f"Redis at {named}: " in str(found.value)
    assert "letmein" not in str(found.value)


ANSWERS: list[tuple[Exception, type[Exception]]] = [
    (redis.ConnectionError("Connection refused"), Unreachable),
    (redis.TimeoutError("Timeout reading from socket"), Unreachable),
    (redis.BusyLoadingError("Redis is loading the dataset in memory"), Unreachable),
    (redis.OutOfMemoryError("command not allowed"), Unreachable),
    (redis.ReadOnlyError("You can't write against a read only replica."), Unreachable),
    (redis.ResponseError("MISCONF Redis is configured to save RDB snapshots"), Unreachable),
    (redis.ResponseError("BUSY Redis is busy running a script"), Unreachable),
    (redis.ResponseError("Error running script: -OOM command not allowed"), Unreachable),
    (redis.ResponseError("WRONGTYPE Operation against a key"), Lost),
    (redis.ResponseError("NOPERM this user has no permissions"), redis.ResponseError),
]


@pytest.mark.parametrize(("problem", "told"), ANSWERS)
def test_an_error_of_redis_says_whether_to_wait_or_to_rebuild(
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
    told: type[Exception],
) -> None:
    ledger = begun(client)
    ledger.put(0, {1: pasts()}, None)

    def failing(*_: Any, **__: Any) -> Any:
        raise problem

    monkeypatch.setattr(client, "evalsha", failing)
    monkeypatch.setattr(client, "scan_iter", failing)
    for call in (
        lambda: ledger.load(0, [1]),
        lambda: ledger.commit(0),
        lambda: expire(client, "a", 9),
    ):
        with pytest.raises(told):
            call()
    monkeypatch.undo()
    ledger.commit(0)
    assert ledger.load(1, [1]) == {1: pasts()}


# A run that is over


def test_a_run_that_is_over_goes_after_a_time_and_no_other(client: redis.Redis) -> None:
    for run in ("a", "ab", "a.b", "b"):
        for part in (0, 1):
            position = Position(client, run, "account_guard", part, "me")
            RedisLedger(position, CHECKS).replace(0, Everything(many(3), {}))
    client.sadd("other", "kept")
    expire(client, "a", 500)
    ends = {key: client.ttl(key) for key in dump(client)}
    going = {key for key, seconds in ends.items() if seconds > 0}
    assert going == {key for key in ends if key.startswith(b"hamstrung:{a:")}
    assert len(going) == 2 * 6
    assert all(0 < ends[key] <= 500 for key in going)
    expire(client, "never-was", 500)
