"""Bare aiokafka: what the driver, the workers and their protocol are compared with.

As many loops as there are stages, chained as they are; each consumes the topics that its stage
takes, decodes every message, makes of it what a stage that passes on would, encodes and produces
that. No ticks, no marks, nothing saved, nothing acknowledged. All loops are in one process
(``python -m benchmarks.bare PREFIX BROKER``), who gives and who gathers in another, as with us.
"""

import argparse
import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.passing import MADE, passing
from filter import chain
from filter.chain import CHAIN, Beginning, Link
from filter.columns import Mails
from filter.release import changes
from filter.settings import FilterSettings
from filter.stage import Flow
from filter.unit import no_scorer
from filter.wire import LARGEST, Letters, decoded, seen_by_driver, slices
from simulator.engine import Embedded
from simulator.loop import prepare, ticks
from simulator.mail import Source, Text
from simulator.scenario import Scenario

PER_MESSAGE: Final = 500
READY: Final = b"ready\n"
GATHERED: Final = tuple(topic.stream for topic in seen_by_driver())
"""What the driver gathers, and who gathers here."""


def passed_on(link: Link, stream: str, raw: bytes) -> list[tuple[str, bytes]]:
    """What a loop makes of a message: streams and their messages."""
    value = decoded(stream, raw, PER_MESSAGE)
    found = []
    for name in link.gives._fields:
        source, make = MADE[name]
        if source == stream:
            made = make(value)
            if name == "releases":
                made, _ = changes(made, no_scorer())
            found += [(name, cut) for cut in slices(name, made, PER_MESSAGE)]
    return found


def foreseen(given: Mapping[str, Sequence[bytes]]) -> tuple[Counter[str], int]:
    """How many messages of each stream there will be, and how many events the loops will take."""
    messages = {stream: list(raw) for stream, raw in given.items()}
    events = 0
    for link in CHAIN:
        for stream in link.takes._fields:
            if stream not in link.back:
                for raw in messages[stream]:
                    for name, made in passed_on(link, stream, raw):
                        messages.setdefault(name, []).append(made)
    for link in CHAIN:
        for stream in link.takes._fields:
            events += sum(_count(decoded(stream, raw, PER_MESSAGE)) for raw in messages[stream])
    return Counter({name: len(raw) for name, raw in messages.items()}), events


def _count(value: Any) -> int:
    """The events in a message."""
    if hasattr(value, "release"):
        return 1
    return len(value[0]) if hasattr(value, "_fields") else len(value)


class Start(NamedTuple):
    """What an engine is made of, and what it was given."""

    own: FilterSettings
    beginning: Beginning
    source: Source
    flows: list[Flow]


class _Noted(Embedded):
    """The embedded engine, which also notes what it is given."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.noted: list[Flow] = []

    def submit(self, tick: int, given: Flow) -> None:
        self.noted.append(msgspec.structs.replace(given))
        super().submit(tick, given)


def beginning(scenario: Scenario, play: bool = False) -> Start:
    """What an engine is made of; and what it is given in the run, if that is to be played."""
    made: list[tuple[FilterSettings, Beginning, Source, _Noted]] = []

    def engine(own: FilterSettings, beginning: Beginning, source: Source, _last: int) -> _Noted:
        stages = chain.stages(own, beginning)
        made.append((own, beginning, source, _Noted(stages, scenario.feedback_delay)))
        return made[-1][3]

    prepared = prepare(replace(scenario, engine="embedded"), engine)
    if play:
        for _ in ticks(prepared):
            pass
    own, beginning, source, noted = made[0]
    return Start(own, beginning, source, noted.noted)


class Course:
    """What flows through stages that pass on: the mail and feedback of a run, noted beforehand.

    Args:
        scenario: the run.
        spoken: whether mail has its text, whose hashing is most of the work then, or none.
    """

    def __init__(self, scenario: Scenario, spoken: bool) -> None:
        """Play it."""
        self.scenario, self._spoken = scenario, spoken
        self.beginning = beginning(scenario, play=True)
        self.flows = self.beginning.flows
        self._texts = [self._read(tick, flow) for tick, flow in enumerate(self.flows)]
        self.given = [self._given(tick, flow) for tick, flow in enumerate(self.flows)]
        messages: dict[str, list[bytes]] = {}
        for tick in self.given:
            for stream, value in tick:
                messages.setdefault(stream, []).extend(slices(stream, value, PER_MESSAGE))
        self.expected, self.bare_events = foreseen(messages)
        self.events = self._events()

    def _read(self, tick: int, flow: Flow) -> list[Text]:
        assert flow.mails is not None
        if self._spoken:
            return self.beginning.source.texts(tick, flow.mails)
        return [Text("", "")] * len(flow.mails.mail)

    def texts(self, tick: int, _mails: Mails) -> list[Text]:
        """What a tick's mails say."""
        return self._texts[tick]

    def _given(self, tick: int, flow: Flow) -> list[tuple[str, Any]]:
        assert flow.mails is not None
        said = self._texts[tick]
        letters = Letters(
            *flow.mails[:4], [one.subject for one in said], [one.text for one in said]
        )
        rest = ((name, getattr(flow, name)) for name in ("votes", "kept", "judgements"))
        return [("mails", letters), *rest]

    def _events(self) -> int:
        """How many events our stages take, those that flow back among them."""
        engine, found = Embedded(passing(1), 1), 0
        for tick, flow in enumerate(self.flows):
            engine.submit(tick, msgspec.structs.replace(flow))
            gone = engine.collect(tick)
            for link in CHAIN:
                for stream in link.takes._fields:
                    value = getattr(gone, stream)
                    found += len(value[0]) if hasattr(value, "_fields") else len(value)
        return found


def topic(prefix: str, stream: str) -> str:
    """A stream's topic."""
    return f"{prefix}.{stream}"


@asynccontextmanager
async def consuming(
    prefix: str, broker: str, streams: Sequence[str]
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of all of some streams, from their beginning."""
    places = [TopicPartition(topic(prefix, stream), 0) for stream in streams]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * LARGEST,
    )
    await consumer.start()
    try:
        consumer.assign(places)
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def producing(broker: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer with our guarantee, and our way of letting messages wait for others."""
    producer = AIOKafkaProducer(
        bootstrap_servers=broker, acks="all", linger_ms=4, max_request_size=2 * LARGEST
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _loop(
    prefix: str, link: Link, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer
) -> None:
    while True:
        for place, messages in (await consumer.getmany(timeout_ms=1000)).items():
            stream = place.topic.rpartition(".")[2]
            for message in messages:
                for name, raw in passed_on(link, stream, message.value):
                    await producer.send(topic(prefix, name), raw, partition=0)


async def _loops(prefix: str, broker: str) -> None:
    async with AsyncExitStack() as held:
        loops = []
        for link in CHAIN:
            consumer = await held.enter_async_context(consuming(prefix, broker, link.takes._fields))
            producer = await held.enter_async_context(producing(broker))
            loops.append(_loop(prefix, link, consumer, producer))
        working = [asyncio.create_task(one) for one in loops]
        over = asyncio.Event()
        threading.Thread(
            target=_watch, args=(asyncio.get_running_loop(), over), daemon=True
        ).start()
        sys.stdout.buffer.write(READY)
        sys.stdout.flush()
        ending = asyncio.create_task(over.wait())
        done, rest = await asyncio.wait([*working, ending], return_when=asyncio.FIRST_COMPLETED)
        for one in rest:
            one.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for one in done:
            one.result()


def _watch(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(over.set)


async def flow(
    prefix: str, broker: str, given: Sequence[Sequence[tuple[str, Any]]], expected: Counter[str]
) -> float:
    """Give ticks of streams, gather what the loops make of them: the seconds it took.

    Args:
        prefix: of the topics, which are there and read by the loops.
        broker: address.
        given: for each tick its streams and what flows in them.
        expected: how many messages of each stream there will be.
    """
    async with consuming(prefix, broker, GATHERED) as consumer, producing(broker) as producer:
        wanted = sum(expected[stream] for stream in GATHERED)
        begun = time.perf_counter()
        giving = asyncio.create_task(_give(prefix, producer, given))
        got = 0
        while got < wanted:
            for place, messages in (await consumer.getmany(timeout_ms=1000)).items():
                stream = place.topic.rpartition(".")[2]
                for message in messages:
                    decoded(stream, message.value, PER_MESSAGE)
                got += len(messages)
        await giving
        return time.perf_counter() - begun


async def _give(
    prefix: str, producer: AIOKafkaProducer, given: Sequence[Sequence[tuple[str, Any]]]
) -> None:
    for tick in given:
        for stream, value in tick:
            for raw in slices(stream, value, PER_MESSAGE):
                await producer.send(topic(prefix, stream), raw, partition=0)
        await asyncio.sleep(0)


def main() -> None:
    """Run the loops until standard input ends."""
    parser = argparse.ArgumentParser("python -m benchmarks.bare", description=main.__doc__)
    parser.add_argument("prefix")
    parser.add_argument("broker")
    given = parser.parse_args()
    asyncio.run(_loops(given.prefix, given.broker))


if __name__ == "__main__":
    main()
