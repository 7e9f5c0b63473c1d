"""The topics of runs that are over: deleted when a new run begins, and nobody else's."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import msgspec
import pytest
from kafka import KafkaAdminClient, KafkaProducer

from filter.courier import BEGUN, CONTROL, topic_name
from simulator import broker
from simulator.broker import Broker, _forgotten
from simulator.stack import Stack
from tests.filter.test_charter import made as charter

PARTS = 2


@contextmanager
def opened(stack: Stack, run: str) -> Iterator[Broker]:
    """A run's topics, without a run."""
    made = Broker(stack.broker, run, PARTS)
    try:
        made.open(msgspec.structs.replace(charter(), run=run, parts=PARTS))
        yield made
    finally:
        made.close()


def topics_of(stack: Stack, run: str) -> list[str]:
    with closing(KafkaAdminClient(bootstrap_servers=stack.broker)) as admin:
        return [name for name in admin.list_topics() if name.startswith(topic_name(run, ""))]


def test_a_new_run_deletes_the_topics_of_those_that_are_over_but_the_last(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in ("topics-1", "topics-2"):
        with opened(stack, run) as made:
            made.end()
    with opened(stack, "topics-open"):
        pass
    with opened(stack, "topics-3") as made:
        made.end()
    with closing(KafkaAdminClient(bootstrap_servers=stack.broker)) as admin:
        admin.create_topics({topic_name("topics-foreign", CONTROL): {"num_partitions": 1}})
    monkeypatch.setattr(broker, "REMEMBERED", 1)
    ours = [run for run in _forgotten(stack.broker) if run.startswith("topics-")]
    assert ours == ["topics-1", "topics-2"]
    with opened(stack, "topics-new"):
        until = time.monotonic() + 30
        while any(topics_of(stack, run) for run in ours) and time.monotonic() < until:
            time.sleep(0.1)
        assert not any(topics_of(stack, run) for run in ours)
        for run in ("topics-open", "topics-3", "topics-new"):
            assert len(topics_of(stack, run)) == len(made.wanted()), run
        assert topics_of(stack, "topics-foreign")


def test_a_run_that_was_begun_long_ago_and_has_no_mail_left_is_not_gone_on_with(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in ("topics-empty", "topics-mail", "topics-late"):
        with opened(stack, run):
            pass
    with closing(KafkaProducer(bootstrap_servers=stack.broker)) as producer:
        producer.send(topic_name("topics-mail", "mails"), b"mail", partition=0).get(30)
        headers = [("run", b"topics-late"), (BEGUN, b"topics-late")]
        later = int(1000 * (time.time() + 3600))
        producer.send(
            topic_name("topics-late", CONTROL),
            b"",
            partition=0,
            headers=headers,
            timestamp_ms=later,
        ).get(30)
    monkeypatch.setattr(broker, "LONG_AGO", -600)
    given_up = _forgotten(stack.broker)
    assert "topics-empty" in given_up
    assert "topics-mail" not in given_up
    assert "topics-late" not in given_up
