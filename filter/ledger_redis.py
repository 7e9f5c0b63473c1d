"""The ledger in Redis: what an account guard remembers, and how far its partition has come.

The keys of a partition begin with ``hamstrung:{RUN:STAGE:PART}`` and lie in one slot of a cluster:

* ``:position``, a hash: ``owner``, who may write, and ``tick``, the last one that is saved whole;
* ``:accounts``, a set: the accounts of which something is remembered, in 16 hexadecimal digits;
* ``:account:<16 digits>`` and ``:quarantined``, records: hashes ``now``, ``tick``, ``before``.

A tick is saved in slices and moves the position with the last one. A record keeps what it was
before the tick that changed it last, so that a tick of which some slices are missing is not seen.
The position counts the slices, as Redis may be restored from an old file between two of them.

A record's value is JSON by the names of the checks; the empty value is that of an account of which
nothing is remembered. Its key goes when it is forgotten once more, which the next tick does.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from itertools import islice
from math import isfinite
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from filter.checks import AccountCheck, remembered
from filter.codec import CodecError
from filter.ledger import AFRESH, Everything, Pasts
from filter.plugins import SettingsError

OLDEST: Final = (6, 2)
"""The first version of Redis that will do."""

SECONDS: Final = 2.0
"""How long Redis may take to answer."""

SLICE: Final = 500
"""Records in one Lua call, at most."""

STAND: Final = """
-- KEYS[1]: the position. ARGV[1]: who calls. ARGV[2]: the tick.
local stand = redis.call('HMGET', KEYS[1], 'owner', 'tick', 'slice')
local owner, at, slice = stand[1], tonumber(stand[2] or ''), stand[3]
local tick = tonumber(ARGV[2])
if not tick then return redis.error_reply('ERR the tick is no number') end
if owner and owner ~= ARGV[1] then return {'fenced', owner} end
local lost = {'lost', 'its position is ' .. (stand[2] or 'missing')}
-- A record as a table, nil where there is none, false where it is not one.
local function record(key)
  local found = redis.call('HMGET', key, 'now', 'tick', 'before')
  if not found[1] and not found[2] and not found[3] then return nil end
  local changed = tonumber(found[2] or '')
  if not found[1] or not found[3] or not changed or changed > tick then return false end
  return {now = found[1], tick = changed, before = found[3]}
end
"""
"""The beginning of every script but the claim."""

CLAIM: Final = """
if redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
local tick = redis.call('HGET', KEYS[1], 'tick')
return {'ok', tick and string.find(tick, '^-?%d+$') and tick or false}
"""

MOVE: Final = f"""{STAND}
local how = ARGV[3]
if how == 'interrupt' then
  redis.call('HDEL', KEYS[1], 'tick')
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
elseif how == 'begin' then
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'tick', ARGV[2])
elseif not owner or (at ~= tick - 1 and at ~= tick) then
  return lost
else
  redis.call('HSET', KEYS[1], 'tick', ARGV[2])
end
return {{'ok'}}
"""

READ: Final = f"""{STAND}
-- The accounts in the set KEYS[2] if ARGV[3] is 'accounts', or the values of the records KEYS[3..].
if not owner or at ~= tick - 1 then return lost end
if ARGV[3] == 'accounts' then return {{'ok', redis.call('SMEMBERS', KEYS[2])}} end
local values = {{}}
for i = 3, #KEYS do
  local found = record(KEYS[i])
  if found == false then return {{'lost', KEYS[i] .. ' is no record'}} end
  values[i - 2] = found and (found.tick < tick and found.now or found.before) or false
end
return {{'ok', values}}
"""

WRITE: Final = f"""{STAND}
-- Slice ARGV[4] (the first is 0) of a tick if ARGV[3] is 'commit', of everything if 'replace';
-- ARGV[5] is 'last' in the last one. KEYS[2]: the set of accounts. For each record of KEYS[3..]
-- two of ARGV: the account's digits, empty for another record, and the value, empty to forget it.
local replaces, nth = ARGV[3] == 'replace', tonumber(ARGV[4])
if #ARGV ~= 2 * #KEYS + 1 or not nth then return redis.error_reply('ERR keys without values') end
if owner and at == tick and not replaces then return {{'ok'}} end
if not owner or at ~= (not replaces and tick - 1 or nil) then return lost end
if nth > 0 and slice ~= ARGV[2] .. ':' .. ARGV[4] then
  return {{'lost', 'the slice before was not saved'}}
end
redis.call('SCARD', KEYS[2])
local records = {{}}
for i = 3, #KEYS do
  local found = record(KEYS[i])
  if found == false then return {{'lost', KEYS[i] .. ' is no record'}} end
  records[i] = found
end
for i = 3, #KEYS do
  local found, digits, value = records[i], ARGV[2 * i], ARGV[2 * i + 1]
  if value == '' and (not found or (found.now == '' and found.tick < tick)) then
    redis.call('DEL', KEYS[i])
    redis.call('SREM', KEYS[2], digits)
  else
    local before = found and (found.tick < tick and found.now or found.before) or ''
    redis.call('HSET', KEYS[i], 'now', value, 'tick', ARGV[2], 'before', before)
    if digits ~= '' then redis.call('SADD', KEYS[2], digits) end
  end
end
redis.call('HSET', KEYS[1], 'slice', ARGV[2] .. ':' .. string.format('%d', nth + 1))
if ARGV[5] == 'last' then redis.call('HSET', KEYS[1], 'tick', ARGV[2]) end
return {{'ok'}}
"""

CLEAR: Final = f"""{STAND}
if not owner or at then return lost end
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
return {{'ok'}}
"""

AWAY: Final = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.OutOfMemoryError,
    redis.ReadOnlyError,
    redis.exceptions.TryAgainError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.MasterDownError,
)
LATER: Final = ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "BUSY")
"""Errors inside a script that pass: full, cannot write its file, a replica, busy."""

T = TypeVar("T")


class Unreachable(Exception):  # noqa: N818 - it passes
    """Redis does not answer, or cannot write for now: the same call may be tried again later."""


class Fenced(Exception):  # noqa: N818 - somebody else goes on
    """The position belongs to another owner: nothing was saved, and nothing may be."""


class Lost(Exception):  # noqa: N818 - it is rebuilt
    """Redis was emptied, restored from an old file or written into: what it holds is rebuilt."""


class LedgerRefused(SettingsError):  # noqa: N818 - the server is refused
    """This Redis could lose what it is given, or show it to others."""


class Position:
    """How far a partition of a stage has come, and who may move it.

    Args:
        client: a connection, as `connect` makes it.
        run: the run's marker; like ``stage``, of letters, digits, ``.``, ``_`` and ``-``.
        stage: the stage's name.
        part: the number of the partition.
        owner: a name that no other process has.
    """

    def __init__(self, client: redis.Redis, run: str, stage: str, part: int, owner: str) -> None:
        """Ask nothing yet."""
        self.client = client
        self.prefix = f"hamstrung:{{{_word(run)}:{_word(stage)}:{part}}}"
        self._owner = owner
        scripts = (CLAIM, MOVE, READ, WRITE, CLEAR)
        self._scripts = {script: client.register_script(script) for script in scripts}

    def claim(self) -> int | None:
        """Become the owner, whoever was; the last tick that is saved whole, or None."""
        (tick,) = self.call(CLAIM)
        return None if tick is None else int(tick)

    def begin(self, tick: int) -> None:
        """As owner, or where there is none, set the position to ``tick``, whatever it was."""
        self.call(MOVE, tick, "begin")

    def interrupt(self) -> None:
        """As owner, or where there is none, take the position away."""
        self.call(MOVE, 0, "interrupt")

    def advance(self, tick: int) -> None:
        """As owner, move from ``tick - 1`` to ``tick``; if it is there, nothing happens.

        Raises:
            Lost: The position is another one, or missing.
        """
        self.call(MOVE, tick, "advance")

    def call(self, script: str, *arguments: str | bytes | int, keys: Iterable[str] = ()) -> Any:
        """Run a script, as the owner, on the position and ``keys``.

        Raises:
            Unreachable: Redis does not answer.
            Fenced: The position belongs to another owner.
            Lost: The position, or a record, is not what it has to be.
        """
        given = [f"{self.prefix}:position", *keys], [self._owner, *arguments]
        with answering(self.client):
            said, *more = self._scripts[script](*given)
        if said == b"fenced":
            raise Fenced(f"{self.prefix} belongs to {more[0].decode(errors='replace')}")
        if said == b"lost":
            raise Lost(f"{self.prefix}: {more[0].decode(errors='replace')}")
        return more


class RedisLedger:
    """A ledger in Redis: a tick's changes wait in this process until they are committed.

    Every call raises `Unreachable`, `Fenced` or `Lost`, and has then changed nothing that is seen.

    Args:
        position: the partition's, claimed.
        checks: the guard's account checks by name, in order.
    """

    def __init__(self, position: Position, checks: Sequence[tuple[str, AccountCheck[Any]]]) -> None:
        """Read nothing yet."""
        self.position = position
        self._kinds = {name: msgspec.json.Decoder(remembered(check)) for name, check in checks}
        self._waiting: tuple[int, dict[int, bytes], bytes | None] | None = None
        self._buried: set[int] = set()

    def load(self, tick: int, accounts: Collection[int]) -> dict[int, Pasts]:
        """These accounts as they were after ``tick - 1``, as saved by whomever."""
        keys = {account: self._key(account) for account in accounts}
        values = dict(zip(keys, self._read(tick, keys.values()), strict=True))
        self._buried |= {account for account, value in values.items() if value == b""}
        return {account: self._pasts(account, value) for account, value in values.items() if value}

    def quarantined(self, tick: int) -> dict[int, int]:
        """Who was in quarantine after ``tick - 1``."""
        (value,) = self._read(tick, [self._held()])
        with _readable(self._held()):
            return msgspec.json.decode(value or b"{}", type=dict[int, int])

    def put(
        self, tick: int, changed: Mapping[int, Pasts | None], quarantined: dict[int, int] | None
    ) -> None:
        """Have it wait for `commit`; what waited before is dropped.

        Raises:
            CodecError: JSON cannot hold what a check remembers.
        """
        values = {account: self._value(pasts) for account, pasts in changed.items()}
        self._waiting = (
            tick,
            values,
            None if quarantined is None else _json("the guard", quarantined),
        )

    def commit(self, tick: int) -> None:
        """Save what was put, and move the position to ``tick``; repeated, it changes nothing.

        Raises:
            ValueError: What was put is of another tick.
        """
        waiting = self._waiting or (tick, {}, None)
        if waiting[0] != tick:
            raise ValueError(f"tick {waiting[0]} was put, not {tick}")
        _, values, quarantined = waiting
        self._write("commit", tick, dict.fromkeys(self._buried, b"") | values, quarantined)
        self._waiting = None
        self._buried = {account for account, value in values.items() if not value}

    def everything(self, tick: int) -> Everything:
        """All that is remembered after ``tick``, which is committed."""
        (members,) = self.position.call(READ, tick + 1, "accounts", keys=[self._set()])
        if not all(re.fullmatch(rb"[0-9a-f]{16}", member) for member in members):
            raise Lost(f"{self._set()} holds something else")
        accounts = self.load(tick + 1, sorted(int(member, 16) for member in members))
        return Everything(accounts, self.quarantined(tick + 1))

    def replace(self, tick: int, everything: Everything) -> None:
        """Write all anew; until that is done there is no position, so that nobody believes it."""
        self._waiting, self._buried = None, set()
        self.position.interrupt()
        with answering(self.position.client):
            old = self.position.client.scan_iter(f"{self.position.prefix}:account*", count=1000)
            for keys in _slices([self._held(), *old]):
                self.position.call(CLEAR, tick, keys=keys)
        values = {account: self._value(pasts) for account, pasts in everything.accounts.items()}
        self._write("replace", tick, values, _json("the guard", everything.quarantined))

    def _read(self, tick: int, keys: Iterable[str]) -> list[bytes | None]:
        found = []
        for some in _slices(keys) or [[]]:
            found += self.position.call(READ, tick, "records", keys=[self._set(), *some])[0]
        return found

    def _write(
        self, how: str, tick: int, values: Mapping[int, bytes], quarantined: bytes | None
    ) -> None:
        records = [(self._key(account), _digits(account), v) for account, v in values.items()]
        if quarantined is not None:
            records.append((self._held(), "", quarantined))
        slices = _slices(records) or [[]]
        for nth, some in enumerate(slices):
            last = "last" if nth == len(slices) - 1 else "more"
            pairs = (part for _, digits, value in some for part in (digits, value))
            keys = [self._set(), *(key for key, _, _ in some)]
            self.position.call(WRITE, tick, how, nth, last, *pairs, keys=keys)

    def _set(self) -> str:
        return f"{self.position.prefix}:accounts"

    def _held(self) -> str:
        return f"{self.position.prefix}:quarantined"

    def _key(self, account: int) -> str:
        return f"{self.position.prefix}:account:{_digits(account)}"

    def _value(self, pasts: Pasts | None) -> bytes:
        if pasts is None:
            return b""
        known = zip(self._kinds, pasts, strict=True)
        raw = {name: msgspec.Raw(_json(name, past)) for name, past in known if past is not AFRESH}
        return msgspec.json.encode(raw)

    def _pasts(self, account: int, value: bytes) -> Pasts:
        with _readable(self._key(account)):
            raw = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
            return [
                kind.decode(raw[name]) if name in raw else AFRESH
                for name, kind in self._kinds.items()
            ]


def connect(url: str, password: str | None) -> redis.Redis:
    """A connection to a Redis that keeps what it is given, and from others.

    Args:
        url: such as ``redis://127.0.0.1:6379/0``, ``rediss://...`` or ``unix:///run/redis.sock``.
        password: what it asks for; it may be left out where nobody else can connect.

    Raises:
        LedgerRefused: It could lose what it is given, or show it to others.
        Unreachable: It does not answer.
    """
    client = redis.Redis.from_url(
        _sound(url, password),
        password=password or None,
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    try:
        with answering(client):
            _must_keep(client)
    except Unreachable as problem:
        if not isinstance(problem.__cause__, redis.AuthenticationError):
            raise
        raise LedgerRefused(f"{problem}: give its password, or set one there") from None
    except redis.ResponseError as problem:
        raise LedgerRefused(f"Redis at {_address(client)} may not be asked: {problem}") from None
    return client


def expire(client: redis.Redis, run: str, seconds: int) -> None:
    """Have Redis forget a run after some time.

    Raises:
        Unreachable: it does not answer.
    """
    with answering(client):
        for keys in _slices(client.scan_iter(f"hamstrung:{{{_word(run)}:*", count=1000)):
            pipe = client.pipeline(transaction=False)
            for key in keys:
                pipe.expire(key, seconds)
            pipe.execute()


@contextmanager
def answering(client: redis.Redis) -> Iterator[None]:
    """Tell the errors of Redis that pass, and those of keys that are not ours."""
    try:
        yield
    except AWAY as problem:
        raise Unreachable(f"Redis at {_address(client)}: {problem}") from problem
    except redis.ResponseError as problem:
        if any(word in str(problem) for word in LATER):
            raise Unreachable(f"Redis at {_address(client)}: {problem}") from problem
        if "WRONGTYPE" in str(problem):
            raise Lost(f"Redis at {_address(client)}: a key is of another type") from problem
        raise


def _sound(url: str, password: str | None) -> str:
    """The URL, if what it says can be accepted before anybody is asked."""
    try:
        said = parse_url(url)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    except ValueError:
        raise LedgerRefused(
            "the address of Redis: expected redis://HOST:PORT/NUMBER, rediss:// or unix://PATH"
        ) from None
    known = {"host", "port", "db", "path", "username", "password", "connection_class"}
    if others := [key for key in said if key not in known and not key.startswith("ssl_")]:
        raise LedgerRefused(f"the address of Redis sets {', '.join(sorted(others))}: leave it out")
    host = str(said.get("host", "localhost"))
    if not (password or said.get("password") or "path" in said or _is_loopback(host)):
        raise LedgerRefused(
            f"Redis at {host} can be reached by others and no password is given: set one there"
            " (requirepass, or an ACL user) and here, or use 127.0.0.1"
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _must_keep(client: redis.Redis) -> None:
    """Ask the server what it is."""
    version = str(client.info("server")["redis_version"])
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        raise LedgerRefused(
            f"Redis at {_address(client)} is {version}: 6.2 or a later one is needed"
        )
    policy = client.info("memory")["maxmemory_policy"]
    if policy != "noeviction":
        raise LedgerRefused(
            f"Redis at {_address(client)} may drop keys (maxmemory-policy is {policy}):"
            " run `redis-cli config set maxmemory-policy noeviction`"
        )


def _address(client: redis.Redis) -> str:
    said = client.connection_pool.connection_kwargs
    return str(said.get("path") or f"{said.get('host', 'localhost')}:{said.get('port', 6379)}")


def _word(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name):
        raise ValueError(f"a key of Redis: expected letters, digits, '.', '_', '-', got {name!r}")
    return name


def _digits(account: int) -> str:
    return f"{account:016x}"


def _slices(items: Iterable[T]) -> list[list[T]]:
    """At most `SLICE` at a time."""
    left = iter(items)
    return list(iter(lambda: list(islice(left, SLICE)), []))


@contextmanager
def _readable(key: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, RecursionError) as problem:
        raise Lost(f"{key} cannot be read: {problem}") from problem


def _json(name: str, past: object) -> bytes:
    """JSON that reads back as the same numbers: msgspec writes those it cannot as null."""
    try:
        written = msgspec.json.encode(past, enc_hook=_plain)
        if past is not None and b"null" in written:
            _must_be_finite(msgspec.to_builtins(past, enc_hook=_plain))
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise CodecError(f"what {name} remembers does not go into Redis: {problem}") from problem
    return written


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} is not kept in JSON")


def _must_be_finite(value: object) -> None:
    match value:
        case float() if not isfinite(value):
            raise ValueError(f"{value} is no finite number")
        case dict():
            _must_be_finite([*value, *value.values()])
        case list() | tuple() | set() | frozenset():
            for one in value:
                _must_be_finite(one)
