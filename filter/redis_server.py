"""The Redis that holds the ledger: connected, or refused if it may lose or show what it gets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from filter.plugins import SettingsError

OLDEST: Final = (6, 2)
"""The first version of Redis that will do."""

SECONDS: Final = 2.0
"""How long Redis may take to answer."""

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


class Unreachable(Exception):  # noqa: N818 - it passes
    """Redis does not answer, or cannot write for now: the same call may be tried again later."""


class Lost(Exception):  # noqa: N818 - it is rebuilt
    """Redis was emptied, restored from an old file or written into: what it holds is rebuilt."""


class LedgerRefused(SettingsError):  # noqa: N818 - the server is refused
    """This Redis could lose what it is given, or show it to others."""


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
