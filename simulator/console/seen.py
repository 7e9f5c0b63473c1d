"""What has been seen of a run up to a tick: all that the console's panels show."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from filter.events import STOPS, TAUGHT, UNLEARN
from simulator.console.carried import Carried
from simulator.console.following import Line
from simulator.console.plan import Plan
from simulator.frame import Frame
from simulator.joins import joined

DAY = 24
REMEMBERED = 10 * DAY
"""Ticks for which a vote is kept: a ruling on it comes no later."""
EVIDENCE, EVENTS = 16, 500
"""Lines kept of each source, and of the whole run."""
CHANGES = 40
"""Changes of a source's reputation that are kept."""
MOST = 20_000
"""Sources that are remembered at most; the ones heard longest ago are forgotten."""
EVIDENT = 1_000
"""Sources of which more than figures are remembered: those that were heard last."""


@dataclass
class Check:
    """What a check has stopped, by the last ruling on each vote, and the last reason it gave.

    ``mistaken`` are those of people that were wrong.
    """

    bots: int = 0
    people: int = 0
    mistaken: int = 0
    reason: str = ""
    tick: int = 0

    def count(self, cast: "_Cast", more: int) -> None:
        """Count a vote in, or out again (-1): another ruling on it came."""
        self.bots += more * cast.source.bot
        self.people += more * (not cast.source.bot)
        self.mistaken += more * cast.mistaken


@dataclass
class Source:
    """An account that voted, and what is known of it."""

    account: str
    bot: bool = False
    votes: int = 0
    taught: int = 0
    stopped: int = 0
    right: int = 0
    wrong: int = 0
    reputations: list[float] = field(default_factory=list)
    address: str = ""
    subnet: str = ""
    last: int = 0
    state: str = ""
    until: int = 0
    evidence: list[tuple[int, str]] = field(default_factory=list)

    @property
    def reputation(self) -> float | None:
        """The last that was told."""
        return self.reputations[-1] if self.reputations else None

    def note(self, tick: int, said: str) -> None:
        """Keep a line of evidence, and as many of the last ones as are shown."""
        self.evidence.append((tick, said))
        del self.evidence[:-EVIDENCE]

    def believe(self, tick: int, reputation: float) -> None:
        """Take another reputation."""
        if self.reputation != reputation:
            self.note(tick, f"reputation {reputation:.2f}")
            self.reputations.append(reputation)
            del self.reputations[:-CHANGES]

    def now(self, tick: int) -> str:
        """What is being done about it at a tick."""
        return self.state if self.until > tick else ""


class Measure(NamedTuple):
    """Something that was done about a source, until it ends."""

    tick: int
    action: str
    scope: str
    source: str
    until: int
    reason: str


@dataclass
class Event:
    """A line of the log: ``level`` is ``info``, ``warn`` or ``alarm``; ``many`` are told in it."""

    tick: int
    level: str
    text: str
    many: int = 1


@dataclass
class _Cast:
    """A vote that may still be ruled on."""

    source: Source
    tick: int
    mistaken: bool = False
    stopped: Check | None = None
    """The check whose ruling on it is the last, if that stopped it."""


class Seen:
    """All that was seen of a run, in the order in which it was written.

    Args:
        plan: what is known from its manifest.
    """

    def __init__(self, plan: Plan) -> None:
        """Nothing was seen yet."""
        self.plan = plan
        self.tick = -1
        self.frames: dict[str, list[Frame]] = {arm: [] for arm in plan.arms}
        self.checks: dict[str, Check] = {}
        self.sources: dict[str, Source] = {}
        self.subnets: dict[str, tuple[str, int]] = {}
        """What is done about whole subnets, and until when."""
        self.measures: deque[Measure] = deque(maxlen=EVENTS)
        self.done: dict[str, int] = {}
        """How often each measure was taken."""
        self.marks: list[tuple[int, str]] = []
        """Ticks at which the gate did something else than promote."""
        self.release: Line = {}
        self.teachers: dict[str, list[float]] = {}
        """Weight that each subnet taught as ham, and as spam."""
        self.log: deque[Event] = deque(maxlen=EVENTS)
        self.bot_votes = 0
        self.topics: dict[str, tuple[int, int]] = {}
        """Messages of each topic, and the last tick that it speaks of; empty but on Kafka."""
        self.carried: Carried | None = None
        """Who carries it now, whatever tick is seen; None: nobody was asked."""
        self._cast: dict[str, _Cast] = {}
        self._told: dict[tuple[str, str], Event] = {}

    def frame(self, arm: str, frame: Frame) -> None:
        """Take a frame."""
        frames = self.frames.setdefault(arm, [])
        frames.append(frame)
        if arm != self.plan.judged:
            return
        self.tick = frame.tick
        turned = self.plan.phase(frame.tick) != self.plan.phase(frame.tick - 1)
        if self.plan.attack and (turned or not frame.tick):
            self._say("info", f"from here: {self.plan.phase(frame.tick)}")
        for count in (count for tick, count in self.plan.joins if tick == frame.tick):
            self._say("info", joined(count))
        if frame.tick % DAY == 0:
            self._forget(frame.tick)

    def event(self, line: Line) -> None:
        """Take an event of the journal; those of other arms than the judged one say nothing."""
        if line["arm"] != self.plan.judged:
            return
        match line["type"]:
            case "vote":
                self._vote(line)
            case "claim":
                self._claim(line)
            case "ruling":
                self._ruling(line)
            case "credit":
                self._credit(line)
            case "lesson":
                self._lesson(line)
            case "response":
                self._response(line)
            case "release":
                self._release(line)
            case "alert":
                self._say("alarm", line["text"])

    def _vote(self, line: Line) -> None:
        one = self.sources.setdefault(line["account"], Source(line["account"]))
        one.bot, one.address, one.subnet = line["bot"], line["address"], line["subnet"]
        one.votes += 1
        one.last = line["tick"]
        self.bot_votes += line["bot"]
        self._cast[line["vote"]] = _Cast(one, line["tick"], line["right"] is False)
        said = "not spam" if line["label"] == "ham" else line["label"]
        one.note(line["tick"], f'votes "{said}" on {line["mail"]}')

    def _claim(self, line: Line) -> None:
        cast = self._cast.get(line["vote"])
        if cast:
            cast.source.believe(line["tick"], line["reputation"])

    def _ruling(self, line: Line) -> None:
        cast = self._cast.get(line["vote"])
        if cast is None:
            return
        by = f" by {line['check']}" if line["check"] else ""
        cast.source.note(line["tick"], f"{line['ruling']}{by}: {line['reason']}")
        if line["ruling"] == TAUGHT:
            cast.source.taught += 1
        if cast.stopped:
            cast.stopped.count(cast, -1)
            cast.source.stopped -= 1
            cast.stopped = None
        if line["ruling"] in STOPS:
            cast.stopped = self.checks.setdefault(line["check"], Check())
            cast.stopped.count(cast, 1)
            cast.stopped.reason, cast.stopped.tick = line["reason"], line["tick"]
            cast.source.stopped += 1

    def _credit(self, line: Line) -> None:
        one = self.sources.get(line["account"])
        if one:
            one.right += line["outcome"] > 0
            one.wrong += line["outcome"] < 0
            said = "confirmed" if line["outcome"] > 0 else "refuted"
            one.note(line["tick"], f"{said} by a judgement")

    def _lesson(self, line: Line) -> None:
        for account, weight in line["shares"].items():
            one = self.sources.get(account)
            subnet = one.subnet if one else ""
            self.teachers.setdefault(subnet, [0.0, 0.0])[line["label"] == "spam"] += weight

    def _response(self, line: Line) -> None:
        scope = "subnet" if "subnet" in line else "account"
        source, action = line[scope], line["action"]
        self.measures.append(
            Measure(line["tick"], action, scope, source, line["until"], line["reason"])
        )
        self.done[action] = self.done.get(action, 0) + 1
        one = self.sources.get(source) if scope == "account" else None
        if scope == "subnet" and action != UNLEARN:
            self.subnets[source] = (action, line["until"])
        if one and action != UNLEARN:
            one.state, one.until = action, line["until"]
        if one:
            one.note(line["tick"], f"{action}: {line['reason']}")
        self._tell(line["tick"], action, scope, source, line["reason"])

    def _tell(self, tick: int, action: str, scope: str, source: str, reason: str) -> None:
        """Log a measure; those of one kind and tick in a line."""
        event = self._told.get((action, scope))
        if event is None or event.tick != tick:
            event = Event(tick, "warn", f"{action} of {scope} {source[-8:]}: {reason}")
            self._told[action, scope] = event
            self.log.append(event)
        else:
            event.many += 1
            event.text = f"{action} of {event.many} {scope}s, such as {source[-8:]}: {reason}"

    def _release(self, line: Line) -> None:
        self.release = line
        if line["action"] != "promote":
            self.marks.append((line["tick"], line["action"]))
            self._say("alarm", f"gate: {line['action']}: {line['reason']}")

    def _say(self, level: str, text: str) -> None:
        self.log.append(Event(self.tick, level, text))

    def _forget(self, tick: int) -> None:
        self._cast = {v: c for v, c in self._cast.items() if c.tick > tick - REMEMBERED}
        newest = sorted(self.sources.values(), key=lambda one: one.last)
        for one in newest[:-EVIDENT]:
            one.evidence.clear()
            del one.reputations[:-1]
        if len(newest) > MOST:
            self.sources = {one.account: one for one in newest[-MOST:]}

    def state(self, one: Source) -> tuple[str, int]:
        """What is being done about a source, or about its whole subnet, and until when."""
        if now := one.now(self.tick):
            return now, one.until
        action, until = self.subnets.get(one.subnet, ("", 0))
        return (f"{action} of subnet", until) if until > self.tick else ("", 0)

    def active(self) -> list[Measure]:
        """The measures that last, and have not ended; the newest first."""
        lasting = [one for one in self.measures if one.action != UNLEARN]
        return [one for one in reversed(lasting) if one.until > self.tick]

    def window(self, arm: str, ticks: int, up_to: int | None = None) -> list[Frame]:
        """An arm's last frames."""
        frames = self.frames.get(arm, [])
        end = len(frames) if up_to is None else min(up_to + 1, len(frames))
        return frames[max(end - ticks, 0) : end]
