"""How a run is carried, as a broker that is a list and a Redis that is fakeredis tell it."""

from collections.abc import Sequence
from threading import Event
from types import SimpleNamespace
from typing import Any

import fakeredis
import pytest
import redis
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from filter.chain import CHAIN
from filter.courier import topic_name
from filter.position import Position
from filter.redis_server import LedgerRefused
from filter.wire import Header, producer, topics, written
from simulator.console import carriers as module
from simulator.console.carried import Carried, Stand
from simulator.console.carriers import Carriers
from simulator.console.on_kafka import TELLS, WORLD
from simulator.servers import PASSWORD, KafkaSettings, RedisSettings
from tests.simulator.console.watched import Clock

RUN, PARTS = "r", 2


class Log:
    """A broker, and the one consumer that reads it: headers of messages, by place.

    The consumer has what the viewer may use, and nothing else: it cannot write, nor join a group.
    """

    def __init__(self) -> None:
        self.of: dict[TopicPartition, list[Any]] = {}
        self.away: Exception | None = None
        self.hidden = ""
        self._at: dict[TopicPartition, int] = {}

    def make(self) -> None:
        for topic in topics():
            for part in range(topic.parts(PARTS)):
                self.of[TopicPartition(topic_name(RUN, topic.name), part)] = []

    def say(self, name: str, tick: int, part: int = 0, *, piece: int = 0, of: int = 1) -> None:
        headers = written(RUN, Header(tick, part, piece, of))
        self.of[TopicPartition(topic_name(RUN, name), part)].append(headers)

    def connect(self, address: str) -> "Log":
        assert address == KafkaSettings.broker
        if self.away:
            raise self.away
        return self

    def topics(self) -> set[str]:
        return {place.topic for place in self.of}

    def partitions_for_topic(self, name: str) -> set[int]:
        return {place.partition for place in self.of if place.topic == name != self.hidden}

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self._at = dict.fromkeys(places, 0)

    def pause(self, *places: TopicPartition) -> None:
        for place in places:
            del self._at[place]

    def end_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if self.away:
            raise self.away
        return {place: len(self.of[place]) for place in places}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._at[place] = offset

    def poll(self, _timeout: int) -> dict[TopicPartition, list[Any]]:
        found = {place: self.of[place][at:] for place, at in self._at.items()}
        self._at = {place: len(self.of[place]) for place in self._at}
        return {p: [SimpleNamespace(headers=one) for one in of] for p, of in found.items() if of}

    def close(self, timeout_ms: int) -> None:
        """Nothing is held."""


class Viewer:
    """A viewer with all it looks at."""

    def __init__(self) -> None:
        self.log, self.clock = Log(), Clock()
        self.redis = fakeredis.FakeRedis(server=fakeredis.FakeServer())
        self.asked: list[tuple[str, str | None]] = []
        self.carriers = Carriers(
            KafkaSettings(), RedisSettings(), RUN, self.log.connect, self._client, self.clock
        )

    def _client(self, url: str, password: str | None) -> "redis.Redis":
        self.asked.append((url, password))
        return self.redis

    def look(self) -> Carried:
        """Look as its thread does, and tell what is shown."""
        self.carriers._thread = SimpleNamespace(ident=1)  # type: ignore[assignment]  # runs "already"
        self.carriers.look()
        return self.carriers.now()

    def stand(self, stage: str, part: int = 0) -> Stand:
        return next(one for one in self.look().stands if (one.stage, one.part) == (stage, part))


@pytest.fixture
def viewer() -> Viewer:
    made = Viewer()
    made.log.make()
    return made


def test_each_stage_alone_gives_the_topic_that_tells_of_it_a_partition_to_each_of_its_own() -> None:
    of = {topic.name: topic for topic in topics()}
    assert [*TELLS] == [WORLD, *(link.stage for link in CHAIN)]
    assert producer(TELLS[WORLD]) is None
    for link in CHAIN:
        topic = of[TELLS[link.stage]]
        assert producer(topic.stream) == link
        assert topic.split == bool(link.key)
        assert not (topic.split and topic.stages), "its partitions would be its readers'"


def test_a_stage_stands_at_the_last_tick_that_it_published_whole(viewer: Viewer) -> None:
    viewer.log.say("judgements", 9)
    viewer.log.say("verdicts", 7)
    viewer.log.say("verdicts", 8, 1, piece=0, of=2)
    now = viewer.look()
    assert now.world == 9
    assert [one.tick for one in now.stands if one.stage == "scoring"] == [7, 7]
    assert viewer.stand("learner").tick is None
    viewer.log.say("verdicts", 8, 1, piece=1, of=2)
    assert viewer.stand("scoring", 1).tick == 8


def test_what_cannot_be_read_changes_nothing(viewer: Viewer) -> None:
    viewer.log.say("rulings", 5)
    viewer.look()
    place = TopicPartition(topic_name(RUN, "rulings"), 0)
    for headers in ((), [("run", b"other"), ("tick", b"9")], [("run", b"r"), ("tick", b"\xff")]):
        viewer.log.of[place].append(headers)
        assert viewer.stand("crowd_guard").tick == 5


def test_a_stage_that_makes_no_step_is_seen_to_stand_still(viewer: Viewer) -> None:
    viewer.log.say("rulings", 5)
    viewer.look()
    viewer.clock.now += 7
    assert viewer.stand("crowd_guard").still == 7
    viewer.log.say("rulings", 6)
    assert viewer.stand("crowd_guard").still == 0


def test_positions_tell_owners_what_they_saved_and_who_took_over(viewer: Viewer) -> None:
    def own(owner: str, tick: int) -> None:
        position = Position(viewer.redis, RUN, "learner", 0, owner)
        position.claim()
        position.begin(tick)

    assert viewer.stand("learner")[4:] == ("", None, 0)
    own("aaaaaaaaaa", 240)
    assert viewer.stand("learner")[4:] == ("aaaaaa", 240, 0)
    own("bbbbbbbbbb", 240)
    assert viewer.stand("learner")[4:] == ("bbbbbb", 240, 1)
    viewer.redis.flushall()
    assert viewer.stand("learner")[4:] == ("bbbbbb", None, 1)


def test_texts_from_redis_are_made_safe_and_numbers_must_be_some(viewer: Viewer) -> None:
    key = f"{Position(viewer.redis, RUN, 'learner', 0, 'x').prefix}:position"
    viewer.redis.hset(key, mapping={"owner": b"\x1b[2J\xff\xff\xff", "tick": "9" * 40})
    assert viewer.stand("learner")[4:6] == ("␛[2J\ufffd\ufffd", None)


def test_the_viewer_changes_nothing_in_redis(viewer: Viewer) -> None:
    Position(viewer.redis, RUN, "learner", 0, "a").claim()
    keys = viewer.redis.keys()
    before = [viewer.redis.hgetall(key) for key in keys]
    viewer.look()
    assert viewer.redis.keys() == keys
    assert [viewer.redis.hgetall(key) for key in keys] == before


def test_rates_are_of_the_time_between_two_looks(viewer: Viewer) -> None:
    viewer.log.say("votes", 0)
    assert {one.rate for one in viewer.look().streams} == {None}
    viewer.clock.now += 2
    for part in (0, 1, 1):
        viewer.log.say("votes", 1, part)
    rates = {one.name: one.rate for one in viewer.look().streams}
    assert rates["votes"] == 1.5
    assert rates["mails"] == 0


def test_a_topic_is_as_far_behind_as_its_slowest_reader(viewer: Viewer) -> None:
    viewer.log.say("judgements", 9)
    viewer.log.say("verdicts", 9)
    viewer.log.say("rulings", 6)
    viewer.log.say("requests", 8)
    behind = {one.name: (one.behind, one.reader) for one in viewer.look().streams}
    assert behind["mails"] == (10, "scoring"), "one of its partitions has published nothing"
    assert behind["judgements"] == (3, "crowd_guard")
    assert behind["lessons"] == (0, "learner")
    assert behind["verdicts"] == (None, "driver")


def test_topics_that_are_not_there_yet_are_waited_for() -> None:
    viewer = Viewer()
    now = viewer.look()
    assert now.stands == ()
    assert "no run r there, or not yet" in now.kafka.wrong
    viewer.log.make()
    assert len(viewer.look().stands) == 7


def test_a_topic_without_partitions_is_waited_for_and_not_passed_over() -> None:
    viewer = Viewer()
    viewer.log.make()
    viewer.log.hidden = topic_name(RUN, "rulings")
    assert "topics without partitions yet" in viewer.look().kafka.wrong
    viewer.log.hidden = ""
    assert len(viewer.look().stands) == 7


def test_a_server_that_does_not_answer_is_named_and_the_age_of_what_it_said_grows(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.log.say("judgements", 9)
    assert (viewer.look().kafka.wrong, viewer.look().redis.wrong) == ("", "")
    viewer.log.away = KafkaTimeoutError("\x1b]0;no")

    def hang() -> None:
        raise redis.TimeoutError("Timeout")

    monkeypatch.setattr(viewer.redis, "ping", hang)
    viewer.clock.now += 12
    now = viewer.look()
    assert now.world == 9
    assert (now.kafka.age, now.redis.age) == (12, 12)
    assert "Kafka at 127.0.0.1:9092: " in now.kafka.wrong
    assert "␛]0;no" in now.kafka.wrong
    assert now.redis.wrong.startswith("Redis at ")
    assert now.redis.wrong.endswith(":6379: Timeout")
    viewer.log.away = None
    monkeypatch.undo()
    now = viewer.look()
    assert [(one.age, one.wrong) for one in (now.kafka, now.redis)] == [(0, ""), (0, "")]


def test_a_redis_that_a_run_would_refuse_is_not_asked_and_its_password_is_the_engine_s(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, "secret")
    assert viewer.look().redis.wrong == ""
    assert viewer.asked == [(RedisSettings.url, "secret")]

    def refuse(*_: object) -> "redis.Redis":
        raise LedgerRefused("Redis at 192.0.2.1 can be reached by others")

    other = Carriers(KafkaSettings(), RedisSettings(), RUN, viewer.log.connect, refuse)
    other.look()
    assert other._last.redis.wrong == "Redis at 192.0.2.1 can be reached by others"


def test_whoever_wants_to_know_never_waits_for_a_server(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = Event(), Event()

    def hang(_address: str) -> Any:
        asked.set()
        answers.wait()
        raise KafkaTimeoutError

    monkeypatch.setattr(module, "LEAVES", 0.0)
    carriers = Carriers(KafkaSettings(), RedisSettings(), RUN, hang, viewer._client)
    assert carriers.now().kafka.took is None
    assert asked.wait(60)
    assert carriers.now().kafka.took is None
    carriers.close()
    answers.set()
    carriers._thread.join()
    carriers.close()
