"""A run on Kafka as its topics tell it, for the console: ``hamstrung watch kafka``.

Whoever may read the topics sees what the filter's stages tell each other, and no more: neither who
is a bot nor what a mail truly is. It reads beside the run, in no group, and commits nothing.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from kafka import TopicPartition

from filter.courier import CONTROL, topic_name
from filter.events import PROMOTE, UNIT
from filter.settings import FilterSettings
from filter.wire import WireError, read
from simulator.console.carried import Carried
from simulator.console.following import Line, sound
from simulator.console.plan import Plan
from simulator.console.seen import Seen
from simulator.frame import Frame
from simulator.manifest import DONE, RUNNING
from simulator.tail import Control, Event, events

ARM: Final = "on kafka"
TOLD: Final = {
    "votes": "vote",
    "claims": "claim",
    "stopped": "ruling",
    "rulings": "ruling",
    "lessons": "lesson",
    "credits": "credit",
    "responses": "response",
    "releases": "release",
}
"""The topics that are followed, and what an event on each is called in a run's folder."""
TO_EVERYBODY: Final = ("releases",)
"""Topics whose partitions all say the same."""
FIRST_SLICE: Final = "1 of "
VERDICTS: Final = "verdicts"
IDLE: Final = 300
"""Milliseconds that a look for messages takes at most at the beginning."""
MOST: Final = 200
"""Looks at a time, so that the screen is drawn now and then."""


class Topics:
    """What the topics of a run have said so far.

    Args:
        consumer: of kafka-python, as `simulator.tail.reading` gives it.
        run: the run's id.
        carried: tells who carries it.
    """

    def __init__(
        self, consumer: Any, run: str, carried: Callable[[], Carried] | None = None
    ) -> None:
        """Begin at the beginning of all topics."""
        self.path: Path | None = None
        self._consumer, self._run, self._carried = consumer, run, carried
        self._control = Control(run)
        names = [*TOLD, VERDICTS]
        self._names = {topic_name(run, name): name for name in (*names, CONTROL)}
        self._places = [
            TopicPartition(topic, part)
            for topic in self._names
            for part in sorted(consumer.partitions_for_topic(topic) or {0})
            if part == 0 or self._names[topic] not in TO_EVERYBODY
        ]
        consumer.assign(self._places)
        consumer.seek_to_beginning(*self._places)
        self._newest = {p: -1 for p in self._places if self._names[p.topic] != CONTROL}
        self._waiting: dict[int, list[tuple[str, Event]]] = {}
        self._heard: set[tuple[Any, int, int, int]] = set()
        """What was heard of ticks that are not told yet: a run taken up again says them again."""
        self.messages = dict.fromkeys(names, 0)
        self.plan = Plan(sound(run), "", 0, "kafka", 1, (ARM,), "", 1, 1, (), "")
        self.seen = Seen(self.plan)
        self._last = -1
        self._catch_up()

    @property
    def last(self) -> int:
        """The last tick that was told whole."""
        return self._last

    def status(self) -> str:
        """Whether the run goes on."""
        return DONE if self._control.over else RUNNING

    def read(self) -> None:
        """Hear what was said since the last time."""
        for _ in range(MOST):
            found = self._consumer.poll(0)
            if not found:
                break
            for place, messages in found.items():
                for message in messages:
                    self._take(place, message)
        self._tell()
        self.seen.carried = self._carried() if self._carried else None

    def go(self, tick: int) -> None:
        """See what was heard; of topics, nothing can be seen again."""

    def _catch_up(self) -> None:
        """Hear what is there already, as far as a first look gets."""
        for _ in range(5):
            for place, messages in self._consumer.poll(IDLE).items():
                for message in messages:
                    self._take(place, message)
        self._tell()

    def _take(self, place: Any, message: Any) -> None:
        name = self._names[place.topic]
        if name == CONTROL:
            self._control.take(message)
            self._learn_plan()
            return
        self.messages[name] += 1
        try:
            header = read(self._run, message.headers)
        except WireError:
            return
        last = self._control.charter.last if self._control.charter else header.tick
        again = (place, header.tick, header.part, header.slice)
        if not self._last < header.tick <= last or again in self._heard:
            return
        self._heard.add(again)
        self._newest[place] = max(self._newest[place], header.tick)
        given = events(name, self._run, message.headers, message.value, self._control.per_message)
        self._waiting.setdefault(header.tick, []).extend((name, event) for event in given)

    def _learn_plan(self) -> None:
        charter = self._control.charter
        if charter and self.plan.duration == 1:
            settings = msgspec.json.decode(charter.settings, type=dict[str, Any])
            guard = sound(str(settings.get("guard", FilterSettings.guard)))
            last = charter.last + 1
            self.plan = self.plan._replace(duration=last, start=last, end=last, guard=guard)
            self.seen.plan = self.plan

    def _tell(self) -> None:
        """Tell the ticks of which every topic has said all: it speaks of a later one by now."""
        whole = min(self._newest.values(), default=-1) - (not self._control.over)
        for tick in sorted(tick for tick in self._waiting if 0 <= tick <= whole):
            given = self._waiting.pop(tick)
            for line in _lines(tick, given):
                self.seen.event(line)
            self.seen.frame(ARM, _frame(tick, given))
            self._last = tick
            self._heard = {one for one in self._heard if one[1] > tick}
        self.seen.topics = {name: self._of_topic(name) for name in self.messages}

    def _of_topic(self, name: str) -> tuple[int, int]:
        """Its messages, and the last tick of which all its partitions speak."""
        ticks = [n for place, n in self._newest.items() if self._names[place.topic] == name]
        return self.messages[name], min(ticks, default=-1)


def _lines(tick: int, given: list[tuple[str, Event]]) -> Iterator[Line]:
    """Events as the lines of a run's folder, in the order of `TOLD`."""
    order = list(TOLD)
    for name, event in sorted(
        (one for one in given if one[0] in TOLD), key=lambda one: order.index(one[0])
    ):
        of: Line = sound(event.fields)
        line = {"type": TOLD[name], "arm": ARM, "tick": tick} | of
        if event.kind != name:
            yield {"type": "alert", "arm": ARM, "tick": tick, "text": f"{name}: {of}"}
        elif name == "votes":
            yield line | {"vote": of["id"], "tick": tick, "bot": False, "right": None}
        elif name == "lessons":
            shares = {account: weight / UNIT for account, weight in of["shares"]}
            yield line | {"label": "spam" if of["spam"] else "ham", "shares": shares}
        elif name == "releases":
            if of["slice"].startswith(FIRST_SLICE):
                yield line
        elif name == "responses":
            yield line | {of["scope"]: of["source"]}
        else:
            yield line


def _frame(tick: int, given: list[tuple[str, Event]]) -> Frame:
    """A tick in numbers, as far as they can be known without the truth."""
    many: dict[str, int] = {}
    rulings: dict[str, int] = {}
    release = ""
    mails = 0
    weight = 0.0
    for name, event in given:
        many[name] = many.get(name, 0) + 1
        if name in ("stopped", "rulings"):
            ruling = str(event.fields.get("ruling", ""))
            rulings[ruling] = rulings.get(ruling, 0) + 1
        elif name == "lessons":
            weight += event.fields.get("weight", 0) / UNIT
        elif name == "releases":
            release = str(event.fields.get("action", PROMOTE))
        elif name == VERDICTS:
            mails += 1
    zeros = dict.fromkeys(Frame.__struct_fields__, 0)
    known = {
        "tick": tick,
        "mails": mails,
        "votes_people": many.get("votes", 0),
        "rulings_people": rulings,
        "rulings_bots": {},
        "lessons_people": weight,
        "release": release,
    }
    return msgspec.convert(zeros | known, Frame)
