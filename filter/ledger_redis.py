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
from itertools import islice
from math import isfinite
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
import redis

from filter.checks import AccountCheck, remembered
from filter.codec import CodecError
from filter.ledger import AFRESH, Everything, Pasts
from filter.position import CLEAR, READ, WRITE, Position, word
from filter.redis_server import Lost, answering

SLICE: Final = 500
"""Records in one Lua call, at most."""

T = TypeVar("T")


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


def expire(client: redis.Redis, run: str, seconds: int) -> None:
    """Have Redis forget a run after some time.

    Raises:
        Unreachable: it does not answer.
    """
    with answering(client):
        for keys in _slices(client.scan_iter(f"hamstrung:{{{word(run)}:*", count=1000)):
            pipe = client.pipeline(transaction=False)
            for key in keys:
                pipe.expire(key, seconds)
            pipe.execute()


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
