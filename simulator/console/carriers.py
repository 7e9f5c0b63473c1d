"""How a run on Kafka is carried, asked once a second beside the run and beside the screen.

A shell with a thread of its own: however long a server takes to answer, nobody waits for it. All
that is done there is reading.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, NamedTuple

import redis

from filter.redis_server import Lost, Unreachable, connect
from filter.tolerant import tolerate
from filter.wire import Topic, producer, topics
from simulator.console.carried import Answer, Carried, Stand, Stream, lag
from simulator.console.on_kafka import WORLD, OnKafka, connected
from simulator.console.on_redis import OnRedis, Owned
from simulator.safe import safe
from simulator.servers import KafkaSettings, RedisSettings

EVERY: Final = 1.0
"""Seconds from one look to the next."""
LEAVES: Final = 1.0
"""Seconds to disconnect in."""
LONG: Final = 200
"""Characters of a reason that are kept."""


class _Heard(NamedTuple):
    """When a server answered last, after how many seconds, and what has been wrong since."""

    when: float = 0.0
    took: float | None = None
    wrong: str = ""


class Carriers:
    """Looks once a second, from the first time that somebody wants to know.

    Args:
        kafka: where the broker is.
        ledger: where Redis is.
        run: the run's id.
        consumer: makes a consumer of kafka-python's for an address.
        client: makes a connection to Redis, of its URL and password.
        clock: seconds.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        ledger: RedisSettings,
        run: str,
        consumer: Callable[[str], Any] = connected,
        client: Callable[[str, str | None], "redis.Redis"] = connect,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Ask nobody yet."""
        self._clock = clock
        self._kafka = OnKafka(kafka.broker, run, consumer, clock)
        self._redis = OnRedis(ledger.url, run, client, clock)
        self._heard = {"Kafka": _Heard(), "Redis": _Heard()}
        self._last = self._drawn()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="carriers", daemon=True)

    def now(self) -> Carried:
        """What was heard last, and how long ago; asks for more."""
        if self._thread.ident is None:
            self._thread.start()
        answers = self._answer("Kafka"), self._answer("Redis")
        return self._last._replace(kafka=answers[0], redis=answers[1])

    def close(self) -> None:
        """Ask no more; a server that does not answer is not waited for."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(LEAVES)

    def _follow(self) -> None:
        tolerate()
        while not self._over.is_set():
            self.look()
            self._over.wait(EVERY)
        self._kafka.close()
        self._redis.close()

    def look(self) -> None:
        """Ask both once; who does not answer takes some seconds."""
        self._ask("Kafka", self._kafka.look)
        self._ask("Redis", lambda: self._redis.look(self._places()))

    def _ask(self, name: str, look: Callable[[], float]) -> None:
        try:
            took = look()
        except (Unreachable, Lost, redis.RedisError, OSError, ValueError) as error:
            self._heard[name] = self._heard[name]._replace(wrong=safe(str(error), LONG))
        else:
            self._heard[name] = _Heard(self._clock(), took)
        self._last = self._drawn()

    def _answer(self, name: str) -> Answer:
        when, took, wrong = self._heard[name]
        return Answer(name, took, 0 if took is None else int(self._clock() - when), wrong)

    def _places(self) -> list[tuple[str, int]]:
        return [place for place, _ in self._kafka.places() if place[0] != WORLD]

    def _drawn(self) -> Carried:
        stands = tuple(self._stand(*place) for place in self._places())
        world = self._kafka.ticks.get((WORLD, 0))
        streams = tuple(self._stream(topic, stands, world) for topic in topics() if stands)
        return Carried(world, stands, streams, self._answer("Kafka"), self._answer("Redis"))

    def _stand(self, stage: str, part: int) -> Stand:
        place, heard = (stage, part), self._heard["Kafka"].when
        still = max(0, int(heard - self._kafka.changed.get(place, heard)))
        owned = self._redis.owned.get(place, Owned())
        return Stand(stage, part, self._kafka.ticks.get(place), still, *owned)

    def _stream(self, topic: Topic, stands: tuple[Stand, ...], world: int | None) -> Stream:
        maker, rate = producer(topic.stream), self._kafka.rates.get(topic.name)
        made = [one.tick for one in stands if maker and one.stage == maker.stage]
        readers = [(one.stage, one.tick) for one in stands if one.stage in topic.stages]
        behind, reader = lag(made if maker else [world], readers) if readers else (None, "driver")
        return Stream(topic.name, rate, behind, reader)
