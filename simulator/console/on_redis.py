"""Who owns the partitions of a run's stages, and what is saved of them: read from Redis.

A shell. It reads positions, and nothing of what they stand for.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import redis

from filter.position import Position
from filter.redis_server import answering
from simulator.safe import safe
from simulator.servers import PASSWORD

OWNER: Final = 6
"""Characters of a worker's name that are kept."""


class Owned(NamedTuple):
    """Who has a partition: owner, last tick saved, and how often another one took it meanwhile."""

    owner: str = ""
    saved: int | None = None
    taken_over: int = 0


class OnRedis:
    """The positions of a run.

    Args:
        url: of Redis.
        run: the run's id.
        connect: makes a connection, of URL and password.
        clock: seconds.
    """

    def __init__(
        self,
        url: str,
        run: str,
        connect: Callable[[str, str | None], "redis.Redis"],
        clock: Callable[[], float],
    ) -> None:
        """Ask nothing yet."""
        self._url, self._run, self._connect, self._clock = url, run, connect, clock
        self._client: redis.Redis | None = None
        self.owned: dict[tuple[str, int], Owned] = {}

    def look(self, places: Iterable[tuple[str, int]]) -> float:
        """Look once at stages and parts; how many seconds Redis took to answer.

        Raises:
            Unreachable: it does not; with its address.
            LedgerRefused: it is none that a run would use.
            Lost: a position is something else.
            OSError: whatever else it answers; with its address.
        """
        try:
            return self._look(places)
        except redis.RedisError as error:
            raise OSError(f"Redis at {self._url}: {error}") from error

    def _look(self, places: Iterable[tuple[str, int]]) -> float:
        if self._client is None:
            self._client = self._connect(self._url, os.environ.get(PASSWORD))
        with answering(self._client):
            begun = self._clock()
            self._client.ping()
            took = self._clock() - begun
            for place in places:
                prefix = Position(self._client, self._run, *place, "nobody").prefix
                found: Any = self._client.hmget(f"{prefix}:position", "owner", "tick")
                self.owned[place] = _now(self.owned.get(place, Owned()), *found)
        return took

    def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.close()


def _now(before: Owned, owner: bytes | None, tick: bytes | None) -> Owned:
    """A position after a look at it; whoever had it, if nobody does."""
    name = safe((owner or b"")[:OWNER].decode(errors="replace"), OWNER) or before.owner
    number = tick or b""
    saved = int(number) if number.removeprefix(b"-").isdigit() and len(number) <= 10 else None
    return Owned(name, saved, before.taken_over + (before.owner not in ("", name)))
