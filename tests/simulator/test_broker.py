import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    PolicyViolationError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
)

from filter.wire import topics
from simulator import broker
from simulator.broker import Broker, runs_on
from simulator.servers import HOW, Misplaced, Unreached
from simulator.stack import free_port
from tests.filter.test_charter import made as charter

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""kafka-python leaves its sockets open where nobody answers."""

SOON = 10.0
"""Seconds within which it is said that nobody answers."""


def http() -> ThreadingHTTPServer:
    return ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)


def nothing(_open: ExitStack) -> int:
    return free_port()


def silence(open_: ExitStack) -> int:
    """Somebody who takes every connection and says nothing."""
    listening = open_.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=64)))
    return int(listening.getsockname()[1])


def web_pages(open_: ExitStack) -> int:
    server = open_.enter_context(http())
    open_.callback(server.shutdown)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """The sockets are found in the test that has left them."""
    yield
    gc.collect()


@pytest.fixture(params=[nothing, silence, web_pages])
def no_broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """An address at which there is no broker."""
    with ExitStack() as open_:
        yield f"127.0.0.1:{request.param(open_)}"


@pytest.mark.parametrize("ask", [lambda address: Broker(address, "r", 2), runs_on])
def test_where_no_broker_answers_it_is_said_soon(
    no_broker: str, ask: Callable[[str], object]
) -> None:
    began = time.monotonic()
    with pytest.raises(Unreached) as told:
        ask(no_broker)
    assert time.monotonic() - began < SOON
    assert no_broker in str(told.value)
    assert HOW in str(told.value)


class Old:
    """A broker's administration, as kafka-python gives it, of a broker of another time."""

    version: tuple[int, ...] = (2, 3)
    closed = 0

    def __init__(self, **_settings: Any) -> None:
        """Connect nothing."""

    def describe_cluster(self) -> Any:
        return {"brokers": [{"broker_id": 1}]}

    def get_broker_version_data(self, _node: int) -> Any:
        return type("Data", (), {"broker_version": self.version})

    def close(self) -> None:
        Old.closed += 1


def test_a_broker_of_another_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "KafkaAdminClient", Old)
    with pytest.raises(Misplaced, match=r"Kafka at here:1 is of version 2\.3, expected 2\.4"):
        Broker("here:1", "r", 2)


def test_the_first_version_that_will_do_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "KafkaAdminClient", Old)
    monkeypatch.setattr(Old, "version", broker.OLDEST)
    Broker("here:1", "r", 2).close()


def test_a_broker_that_goes_while_it_is_asked_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(_self: Old) -> Any:
        raise KafkaError

    monkeypatch.setattr(broker, "KafkaAdminClient", Old)
    monkeypatch.setattr(Old, "describe_cluster", gone)
    with pytest.raises(Unreached, match="here:1"):
        Broker("here:1", "r", 2)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (TopicAuthorizationFailedError(), Misplaced, "here:1 refuses: .*not authorized"),
        (PolicyViolationError("too many"), Misplaced, "here:1 refuses: "),
        (RequestTimedOutError(), Unreached, "does not answer at here:1"),
        (KafkaTimeoutError(), Unreached, "does not answer at here:1"),
        (Misplaced("another's"), Misplaced, "another's"),
    ],
)
def test_what_a_broker_refuses_is_not_told_as_silence(
    error: Exception, kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: Broker, _pieces: Any) -> None:
        raise error

    monkeypatch.setattr(broker, "KafkaAdminClient", Old)
    monkeypatch.setattr(Old, "version", (4, 1))
    monkeypatch.setattr(Broker, "_open", fails)
    with pytest.raises(kind, match=said):
        Broker("here:1", "r", 2).open(charter())


def test_a_run_has_its_topics_in_the_shape_of_their_readers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broker, "KafkaAdminClient", Old)
    monkeypatch.setattr(Old, "version", (4, 1))
    wanted = Broker("here:1", "r", 5).wanted()
    assert {f"hamstrung.r.{topic.name}" for topic in topics()} < wanted.keys()
    assert wanted["hamstrung.r.votes"] == 5
    assert wanted["hamstrung.r.snapshots.scoring"] == 5
    assert wanted["hamstrung.r.snapshots.learner"] == 1
    assert wanted["hamstrung.r.control"] == wanted["hamstrung.r.dead-letters"] == 1
