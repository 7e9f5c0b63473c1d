"""What the driver's side of the Kafka engine does without a broker; the rest is live."""

from collections import Counter
from types import SimpleNamespace

import pytest
from kafka.errors import KafkaTimeoutError

from filter.courier import DeadLetter
from simulator import engine_kafka
from simulator.engine_kafka import KafkaEngine
from simulator.servers import EngineError


class Late:
    """A producer whose broker takes nothing until it was asked some times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def flush(self, timeout: float) -> None:
        self.left -= 1
        if self.left >= 0:
            raise KafkaTimeoutError("not yet")


@pytest.fixture
def engine() -> KafkaEngine:
    """An engine that is connected to nothing."""
    made = object.__new__(KafkaEngine)
    made._unsent = None
    made._producer, made._patience = Late(0), 60.0
    made.dead, made.reasons = set(), Counter()
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
    assert engine.reasons == {"size": 3}


@pytest.mark.parametrize(("patience", "ends"), [(60.0, False), (0.0, True)])
def test_it_says_that_it_waits_for_the_broker_and_gives_up_after_some_time(
    engine: KafkaEngine, monkeypatch: pytest.MonkeyPatch, patience: float, ends: bool
) -> None:
    said: list[str] = []
    monkeypatch.setattr(engine, "_producer", Late(3))
    monkeypatch.setattr(engine, "_say", said.append, raising=False)
    monkeypatch.setattr(engine, "_patience", patience)
    if ends:
        with pytest.raises(EngineError, match=r"did not take a message: .*not yet"):
            engine._flush()
    else:
        engine._flush()
        assert len(said) == 3
        assert "second Ctrl-C" in said[0]
