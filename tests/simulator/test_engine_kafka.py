"""What the driver's side of the Kafka engine does without a broker; the rest is live."""

from types import SimpleNamespace

import pytest
from kafka.errors import KafkaTimeoutError

from filter.courier import DeadLetter
from simulator import engine_kafka
from simulator.engine_kafka import KafkaEngine
from simulator.servers import EngineError


@pytest.fixture
def engine() -> KafkaEngine:
    """An engine that is connected to nothing."""
    made = object.__new__(KafkaEngine)
    made._unsent = None
    made._producer = SimpleNamespace(flush=lambda: None)
    made.dead = set()
    return made


def test_what_the_broker_did_not_take_ends_the_run(engine: KafkaEngine) -> None:
    engine._must_be_sent()
    engine._not_sent(KafkaTimeoutError("too long"))
    for go_on in (engine.freeze, lambda: engine.collect(0)):
        with pytest.raises(EngineError, match=r"did not take a message: .*too long"):
            go_on()


def test_of_very_many_dead_letters_the_first_are_told_apart(
    engine: KafkaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_kafka, "MANY_DEAD", 3)
    monkeypatch.setattr(
        engine_kafka,
        "_letter",
        lambda _run, _headers, offset: DeadLetter("size", "", "votes", 0, offset, 0, ""),
    )
    monkeypatch.setattr(engine, "_broker", SimpleNamespace(run="r"), raising=False)
    for offset in (1, 1, 2, 3, 4, 5):
        engine._count(SimpleNamespace(headers=(), value=offset))
    assert engine.dead == {("votes", 0, 1), ("votes", 0, 2), ("votes", 0, 3)}
