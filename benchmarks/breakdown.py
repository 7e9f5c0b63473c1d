"""Where the time of a mail goes: a clock around the calls of a tick, put there from outside."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Any
from unittest.mock import patch

from benchmarks.loop import Loop
from benchmarks.strings import Unhashed
from filter import delivery, stories
from filter.account_guard import AccountGuard
from filter.crowd_guard import CrowdGuard
from filter.learner import Learner
from filter.mailroom import Mailroom
from filter.model import LogOdds
from filter.model.naive_bayes import NaiveBayesModel
from filter.responder import Responder
from filter.scoring import Scoring
from simulator import arms, digest
from simulator.arms import Arm
from simulator.judges import Judges
from simulator.mailboxes import Mailboxes
from simulator.meter import Meter
from simulator.tally import Tally
from simulator.truth import Truth
from simulator.world import World

REST = "the loop between all these"

# Some are private: a benchmark looks inside, and the code should not have to help it.
PARTS: tuple[tuple[Any, str, str], ...] = (
    (Unhashed, "take", "hash the strings"),
    (World, "ordinary", "world: deal the mail"),
    (World, "drafted", "attack: its mail"),
    (Arm, "_ordered", "attack: its orders"),
    (Truth, "deliver", "answer key"),
    (Mailboxes, "deliver", "people: looks and votes to come"),
    (Mailboxes, "votes", "people: votes cast"),
    (Mailboxes, "kept", "people: mail kept"),
    (Mailboxes, "inbox", "bots: what they got"),
    (Judges, "judge", "judges"),
    (Scoring, "step", "scoring: folders and the rest"),
    (LogOdds, "log_odds", "log odds, in scoring and the gate"),
    (delivery, "sign", "scoring: sign deliveries"),
    (AccountGuard, "step", "account guard"),
    (CrowdGuard, "step", "crowd guard"),
    (stories.Stories, "assign", "crowd guard: stories"),
    (stories, "sketch", "crowd guard: min-hashes"),
    (Mailroom, "tokens", "mailroom: tokens of mails with feedback"),
    (Learner, "step", "learner: the rest"),
    (Learner, "_ask", "learner: whom to ask"),
    (Learner, "_decide", "learner: the gate's test"),
    (NaiveBayesModel, "learn", "learner: add evidence"),
    (NaiveBayesModel, "release", "learner: make a release"),
    (NaiveBayesModel, "snapshot", "learner: keep a snapshot"),
    (Responder, "step", "responder"),
    (Tally, "count", "metrics: tally"),
    (arms, "frame", "metrics: frame"),
    (Meter, "read", "metrics: meter"),
    (digest, "chained", "run hash"),
)


class Clock:
    """Seconds by name, each without those of the timed calls within it."""

    def __init__(self) -> None:
        """Start at nought."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._within: list[float] = []

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, with its time noted."""

        def run(*args: Any, **named: Any) -> Any:
            self._within.append(0.0)
            begun = perf_counter()
            try:
                return call(*args, **named)
            finally:
                took = perf_counter() - begun
                self.seconds[name] += took - self._within.pop()
                if self._within:
                    self._within[-1] += took

        return run


def breakdown(loop: Loop, length: int) -> dict[str, float]:
    """Microseconds a mail of each part of a lap, the dearest first."""
    clock = Clock()
    with _watched(clock):
        lap = loop.lap(length)
    known = dict(clock.seconds) | {REST: lap.seconds - sum(clock.seconds.values())}
    ranked = sorted(known.items(), key=lambda one: -one[1])
    return {name: 1e6 * seconds / lap.mails for name, seconds in ranked}


@contextmanager
def _watched(clock: Clock) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, attribute, name in PARTS:
            timed = clock.timed(name, getattr(owner, attribute))
            stack.enter_context(patch.object(owner, attribute, timed))
        yield
