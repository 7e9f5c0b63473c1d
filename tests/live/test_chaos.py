"""Everything that a run stands on is killed, and the run is the same; and what measures that."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.chaos import FAULTS, SMALL, Count, counted, dealt, killed
from benchmarks.proxy import Proxy
from simulator.stack import free_port

KINDS = (
    *("worker-killed", "worker-frozen", "driver-killed", "driver-interrupted", "broker-killed"),
    *("broker-stopped", "kafka-cut", "redis-killed", "redis-emptied", "redis-restored"),
    "redis-unanswered",
)


@pytest.mark.usefixtures("new_stack")
def test_whatever_is_killed_nothing_is_lost_nothing_counts_twice_and_the_hash_is_equal(
    tmp_path: Path,
) -> None:
    found = killed(tmp_path, SMALL, len(KINDS), 1, KINDS)
    assert found["failed"] == []
    assert (found["kills"], found["lost"], found["twice"]) == (len(KINDS), 0, 0)
    assert found["equal_hash"]
    assert found["votes"] > 1000
    assert json.loads(json.dumps(found)) == found


# What measures it


def event(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_, "arm": "attacked", "tick": 3} | fields


VOTES = [event("vote", vote=vote, account="7") for vote in ("a", "b", "c")]
RULINGS = [
    event("ruling", vote="a", ruling="taught"),
    event("ruling", vote="b", ruling="quarantined"),
    event("ruling", vote="b", ruling="rejected"),
    event("ruling", vote="c", ruling="quarantined"),
]
LESSON = event("lesson", mail="m", label="ham")
WHOLE = [*VOTES, *RULINGS, LESSON]


def test_a_run_in_another_order_has_lost_nothing() -> None:
    assert counted(WHOLE, [LESSON, *RULINGS, *VOTES]) == Count(0, 0)


@pytest.mark.parametrize("gone", [*VOTES[:1], *RULINGS[:1], LESSON])
def test_a_line_that_is_gone_is_lost(gone: dict[str, Any]) -> None:
    assert counted(WHOLE, [one for one in WHOLE if one != gone]) == Count(1, 0)


@pytest.mark.parametrize("again", [VOTES[0], RULINGS[0], RULINGS[2], LESSON])
def test_a_line_that_comes_again_is_there_twice(again: dict[str, Any]) -> None:
    assert counted(WHOLE, [*WHOLE, again]) == Count(0, 1)


def test_a_vote_that_is_held_may_get_a_second_ruling_and_no_third() -> None:
    third = event("ruling", vote="b", ruling="taught")
    assert counted([*WHOLE, third], [*WHOLE, third]) == Count(0, 1)


def test_a_vote_that_nobody_ruled_on_is_lost_even_if_it_was_before() -> None:
    some = [*VOTES, *RULINGS[1:], LESSON]
    assert counted(some, some) == Count(1, 0)


def test_every_kind_of_fault_comes_up_in_turn() -> None:
    runs = list(dealt(Random(5), 2 * len(FAULTS), list(FAULTS)))
    names = [name for run in runs for together in run for name in together]
    assert sorted(names) == sorted([*FAULTS, *FAULTS])
    assert any(len(together) == 2 for run in runs for together in run)


# The proxy


@pytest.fixture
def echo() -> Iterator[tuple[Proxy, list[bytes]]]:
    """A proxy in front of a server that says what it hears, and what that has heard."""
    heard: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while said := connection.recv(100):
                heard.append(said)
                connection.sendall(said)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=listener.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        with Proxy(free_port(), listener.getsockname()[1]) as proxy:
            yield proxy, heard
        listener.shutdown(socket.SHUT_RDWR)


def connected(proxy: Proxy, seconds: float = 5) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=seconds)


def test_a_good_proxy_passes_on(echo: tuple[Proxy, list[bytes]]) -> None:
    proxy, _ = echo
    with connected(proxy) as one, connected(proxy) as two:
        for end, word in ((one, b"one"), (two, b"two"), (one, b"three")):
            end.sendall(word)
            assert end.recv(10) == word


def test_a_cut_breaks_connections_and_refuses_new_ones(echo: tuple[Proxy, list[bytes]]) -> None:
    proxy, _ = echo
    with connected(proxy) as one:
        one.sendall(b"one")
        assert one.recv(10) == b"one"
        proxy.cut()
        with suppress(ConnectionResetError):
            assert one.recv(10) == b""
    with pytest.raises(ConnectionRefusedError):
        connected(proxy)
    proxy.restore()
    with connected(proxy) as two:
        two.sendall(b"two")
        assert two.recv(10) == b"two"


def test_what_is_stalled_arrives_later(echo: tuple[Proxy, list[bytes]]) -> None:
    proxy, heard = echo
    with connected(proxy, seconds=0.2) as one:
        proxy.stall()
        one.sendall(b"one")
        with pytest.raises(TimeoutError):
            one.recv(10)
        assert heard == []
        proxy.restore()
        one.settimeout(5)
        assert one.recv(10) == b"one"


def test_a_dropped_answer_was_asked_for_all_the_same(echo: tuple[Proxy, list[bytes]]) -> None:
    proxy, heard = echo
    with connected(proxy) as one:
        proxy.drop_answers()
        one.sendall(b"one")
        with suppress(ConnectionResetError):
            assert one.recv(10) == b""
    assert heard == [b"one"]
