"""Arms: the same world, run side by side with one thing different."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.random import Generator

from agents.actor import Attack, Delivery, Draft, View, fresh
from agents.people import People
from filter import codec
from filter.columns import Kept, joined, no_judgements
from filter.events import SPAM, Vote
from filter.hashing import combine
from filter.plugins import place, told
from filter.stage import Flow
from simulator import digest
from simulator.engine import Engine
from simulator.frame import Frame, frame
from simulator.judges import Judges
from simulator.mail import Post
from simulator.mailboxes import VOTE, Mailboxes, Pending
from simulator.meter import Meter
from simulator.scenario import Scenario
from simulator.tally import Tally
from simulator.truth import Known, Truth
from simulator.world import World

TOP = 1 << 64


class Plan(NamedTuple):
    """What makes an arm: its guard (None: the scenario's own), and whether bots poison.

    ``baseline`` names the check of `simulator.baselines` that the simulator hands in.
    """

    guard: str | None
    poisoned: bool
    baseline: str = ""


PLANS = {
    "default": Plan(None, False),
    "attacked": Plan(None, True),
    "twin": Plan(None, False),
    "unguarded": Plan("none", True),
    "reference": Plan("none", False),
    "reject_all": Plan("reject-all", True),
    "perfect": Plan("none", True, "perfect"),
    "random": Plan("none", True, "random"),
}
TWINS = {
    "attacked": "twin",
    "unguarded": "reference",
    "perfect": "reference",
    "random": "reference",
}


class AttackError(Exception):
    """An attack raised, or did what cannot be done."""


class Strike(NamedTuple):
    """An attack and its time.

    Poison flows from ``start`` to before ``end``; the campaign goes on to the end of the run, or
    there would be nothing to see of the filter's recovery.
    """

    name: str
    attack: Attack
    start: int
    end: int


class Crew(NamedTuple):
    """Bots that act together, as many as the attack has accounts: the first ones, or later ones.

    Whoever joins fills up the last crew, in a place of it that is drawn by lot, and one that is not
    full acts as if it were: only, what its missing bots would do is left undone. So a bot that
    joins does what a first one does from then on, as much and as often, whatever the attack and its
    settings are called; also where an attack has its accounts take turns, by their numbers.

    That is exact for mail to bots, and so for votes on it; where an attack draws bots by lot, it is
    as exact as for any first one (each of 200 of which 20 are drawn is sent 20 mails in 200 hours,
    give or take 4). Mail that they send to people is left out by lot, in their share. What is not
    scaled: votes that an attack makes up, on mail that came to none of its accounts. And the attack
    is not told how many there are: one that waits for an answer from each account waits in vain.

    ``first`` is the number of its first account, ``memory`` what it remembers, known to all of it.
    ``name`` keys its luck. ``places`` are the accounts that its bots take, in the order in which
    they join, and ``bots`` which of them takes an account; the first crew is full, and has neither.
    """

    name: tuple[str | int, ...]
    attack: Attack
    first: int
    memory: Any
    places: tuple[int, ...] = ()
    bots: tuple[int, ...] = ()

    @classmethod
    def later(cls, number: int, attack: Attack, luck: Generator) -> "Crew":
        """A crew that nobody has joined yet."""
        places = luck.permutation(attack.accounts)
        bots = np.argsort(places)
        first = number * attack.accounts
        return cls(
            (number,), attack, first, fresh(attack), tuple(places.tolist()), tuple(bots.tolist())
        )

    def knows(self, bot: int) -> bool:
        """Whether an account of the attacker's is one of them."""
        return self.first <= bot < self.first + self.attack.accounts

    def carried_out(self, drafts: list[Draft], bots: int, luck: Generator) -> list[Draft]:
        """What of its orders there is somebody to carry out, with the accounts' numbers.

        Args:
            drafts: what it orders, as if it were full; its own accounts are counted from 0.
            bots: how many there are in all crews.
            luck: draws which of the drafts to people are left out.
        """
        there = bots - self.first
        drawn = luck.integers(self.attack.accounts, size=len(drafts)).tolist()
        given = [
            (one, by if one.to is None else self.bots[one.to])
            for one, by in zip(drafts, drawn, strict=True)
        ]
        return [
            one if one.to is None else msgspec.structs.replace(one, to=bot + self.first)
            for one, bot in given
            if bot < there
        ]


class State(msgspec.Struct):
    """All that an arm remembers, besides its engine."""

    frames: list[Frame]
    hash: str
    tally: Tally
    meter: Meter
    posts: dict[int, Post]
    known: dict[int, Known]
    votes: dict[int, list[Pending]]
    kept: dict[int, list[Kept]]
    memory: bytes
    """The attacker's."""
    more: list[bytes] = []
    """The memories of the crews that joined later."""


class Arm:
    """One run of the world against one filter.

    Args:
        name: what it is called.
        plan: what makes it.
        scenario: the settings.
        world: what is the same in every arm.
        strike: the attack, if there is one.
        engine: the filter.
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        scenario: Scenario,
        world: World,
        strike: Strike | None,
        engine: Engine,
    ) -> None:
        """Start before tick 0."""
        self.name = name
        self.plan = plan
        self._scenario = scenario
        self._world = world
        self._strike = strike
        self.engine = engine
        window = world.provider.mail_window
        self._truth = Truth(window + 2 * scenario.feedback_delay, world.bot_ids, world.bot_subnets)
        genres = world.source.genres
        habits = People(
            scenario.seed,
            scenario.people,
            world.people.zeal,
            genres.names,
            genres.spam,
            genres.share,
            window - scenario.feedback_delay,
        )
        self._mailboxes = Mailboxes(world.people, habits, world.bots, scenario.people.kept_after)
        everything = scenario.filter.learner.learns_from == "all"
        self._judges = Judges(scenario.judges, world.draws, world.provider.secret, everything)
        self.frames: list[Frame] = []
        self.hash = digest.START
        start, end = (strike.start, strike.end) if strike else (0, scenario.duration)
        self.meter = Meter(start, end, unlearns=scenario.filter.learner.unlearns)
        self._tally = Tally()
        self._posts: dict[int, Post] = {}
        self._judgements = no_judgements()
        self._inbox: list[Delivery] = []
        self._crews = [Crew((), strike.attack, 0, fresh(strike.attack))] if strike else []
        self.last: Flow | None = None

    def join(self) -> None:
        """Let the world's new bots join the attack: they fill up its last crew, and others."""
        bots = self._world.bots
        self._mailboxes.join(bots)
        if self._strike:
            attack = self._strike.attack
            while attack.accounts and len(self._crews) * attack.accounts < len(bots.id):
                number = len(self._crews)
                luck = self._world.draws.generator("places", number)
                self._crews.append(Crew.later(number, attack, luck))

    def step(self, tick: int) -> None:
        """See what became of an earlier tick, then hand this one's mail and votes over."""
        seen = tick - self._scenario.feedback_delay
        self.last = None
        if seen >= 0:
            self.last = self.engine.collect(seen)
            self._receive(tick, seen, self.last)
        if tick < self._scenario.duration:
            self.engine.submit(tick, self._given(tick))

    def _receive(self, now: int, sent: int, flow: Flow) -> None:
        """Deliver a tick's mail, have some of it judged, and measure."""
        post = self._posts.pop(sent)
        verdicts, requests = flow.verdicts, flow.requests
        assert verdicts is not None
        assert requests is not None
        known = self._truth.deliver(sent, post, verdicts.folder, verdicts.shown)
        self._mailboxes.deliver(now, sent, post, verdicts)
        self._inbox = self._mailboxes.inbox(sent, post, verdicts)
        self._judgements = self._judges.judge(sent, known, requests, self._truth)
        rulings = [*(flow.stopped or ()), *(flow.rulings or ())]
        self._tally.count(flow.votes or (), rulings, self._truth.bots)
        counted = frame(sent, flow, known, self._truth, len(self._tally.open))
        self.frames.append(counted)
        self.hash = digest.chained(self.hash, flow, counted)
        self.meter.read(sent, flow, known, self._truth)

    def _given(self, tick: int) -> Flow:
        """A tick's mail, votes, looks and judgements."""
        votes = self._mailboxes.votes(tick)
        posts = [self._world.ordinary(tick)]
        for post, cast in self._attack(tick):
            posts += [post] if post else []
            votes += cast
        self._posts[tick] = joined(posts)
        judgements, self._judgements = self._judgements, no_judgements()
        return Flow(
            mails=self._posts[tick].mails,
            votes=tuple(sorted(votes)),
            kept=self._mailboxes.kept(tick),
            judgements=judgements,
        )

    def _attack(self, tick: int) -> Iterable[tuple[Post | None, list[Vote]]]:
        """The campaign, in every arm; and the poison, where it is not absent."""
        strike = self._strike
        if strike is None or tick < strike.start:
            return
        attack, hour = strike.attack, tick - strike.start
        campaign = self._ordered(
            self._crews[0], "campaign", lambda rng: attack.campaign(hour, rng), tick
        )
        yield self._world.drafted(tick, campaign[0], "campaign"), []
        if self.plan.poisoned and tick < strike.end:
            for crew in self._crews:
                yield self._poison(crew, tick, hour)

    def _poison(self, crew: Crew, tick: int, hour: int) -> tuple[Post | None, list[Vote]]:
        """What a crew does; it sees and numbers its own bots alone."""
        own = tuple(one for one in self._inbox if crew.knows(one.bot))
        if crew.first:
            own = tuple(one._replace(bot=crew.places[one.bot - crew.first]) for one in own)
        view = View(tick, hour, own, crew.memory)
        drafts, votes = self._ordered(
            crew, "poison", lambda rng: crew.attack.poison(view, rng), tick
        )
        if crew.first:
            luck = self._world.draws.generator("crew", tick, *crew.name)
            drafts = crew.carried_out(drafts, len(self._world.bots.id), luck)
        purpose = "-".join(map(str, ("copies", *crew.name)))
        return self._world.drafted(tick, drafts, purpose), _numbered(tick, votes)

    def _ordered(
        self, crew: Crew, method: str, do: Any, tick: int
    ) -> tuple[list[Draft], list[Vote]]:
        """What an attack's method orders; whatever it raises, or orders wrongly, ends the attack.

        Raises:
            AttackError: with the attack's name, the tick, and what was wrong.
        """
        assert self._strike
        name = self._strike.name
        rng: Generator = self._world.draws.generator(name, method, tick, *crew.name)
        try:
            orders = list(do(rng))
        except Exception as error:  # an attack may be anybody's code
            where = f"{method} at tick {tick}: {place(error)}"
            raise AttackError(f"{name}: {where}{told(error)}") from error
        drafts = [one for one in orders if isinstance(one, Draft)]
        votes = [one for one in orders if isinstance(one, Vote)]
        for one in orders:
            fault = _fault(one, crew.attack.accounts, method)
            if fault:
                raise AttackError(f"{name}: {method} at tick {tick}: {fault}")
        return drafts, votes

    @property
    def stopped(self) -> dict[str, int]:
        """How many votes of bots each check has stopped, those that stopped most first."""
        found = {check: many for check, many in self._tally.bots.items() if many}
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    def right(self, votes: Iterable[Vote]) -> dict[int, bool]:
        """Of people's votes of the last ticks, by their ids: whether each says what is true."""
        known = [
            vote
            for vote in votes
            if vote.account not in self._truth.bots and self._truth.was_sent(vote.mail, vote.sent)
        ]
        mails = np.array([vote.mail for vote in known], np.uint64)
        sent = np.array([vote.sent for vote in known], np.int64)
        spam: list[bool] = self._truth.look(mails, sent).spam.tolist()
        return {vote.id: (vote.label == SPAM) == of for vote, of in zip(known, spam, strict=True)}

    def truly(self, mail: int, sent: int) -> tuple[str, bool, int]:
        """What is true of a mail of the last ticks: its genre, whether it is spam, whose it is.

        Raises:
            KeyError: there is none, or it is too old.
        """
        known = self._truth.look(np.array([mail], np.uint64), np.array([sent], np.int64))
        genre = self._world.source.genres.names[int(known.genre[0])]
        return genre, bool(known.spam[0]), int(known.kind[0])

    def freeze(self) -> bytes:
        """Everything, also what is on its way."""
        votes, kept = self._mailboxes.state()
        state = State(
            self.frames,
            self.hash,
            self._tally,
            self.meter,
            self._posts,
            self._truth.state(),
            votes,
            kept,
            codec.pack(self._crews[0].memory if self._crews else None),
            [codec.pack(crew.memory) for crew in self._crews[1:]],
        )
        return codec.pack((codec.pack(state), self.engine.freeze()))

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen arm: this one's, or the one from which it forks."""
        packed, engine = codec.unpack(tuple[bytes, bytes], frozen)
        state = codec.unpack(State, packed)
        self.frames, self.hash, self._tally = state.frames, state.hash, state.tally
        self.meter = state.meter
        self._posts = state.posts
        self._truth.restore(state.known)
        self._mailboxes.restore(state.votes, state.kept)
        memories = [state.memory, *state.more]
        self._crews = [
            crew if crew.memory is None else crew._replace(memory=_thawed(crew.memory, memory))
            for crew, memory in zip(self._crews, memories, strict=False)
        ]
        self.engine.thaw(engine)


def _thawed(like: Any, memory: bytes) -> Any:
    return codec.unpack(type(like), memory)


def _numbered(tick: int, votes: list[Vote]) -> list[Vote]:
    """Bots' votes with their ids: of account, mail, tick, and which of several alike it is."""
    alike: Counter[tuple[int, int]] = Counter()
    numbered = []
    for vote in votes:
        alike[vote.account, vote.mail] += 1
        copy = alike[vote.account, vote.mail]
        id_ = int(combine(VOTE, vote.account, vote.mail, tick, copy))
        numbered.append(msgspec.structs.replace(vote, id=id_))
    return numbered


def _fault(order: Any, bots: int, method: str) -> str:
    """What is wrong with an attack's order, if anything: its fields may hold anything."""
    if isinstance(order, Draft):
        return _fault_of_draft(order, bots)
    if isinstance(order, Vote) and method == "poison":
        numbers = (order.account, order.mail, order.address, order.subnet, order.token)
        if not all(_whole(number, 0, TOP) for number in numbers):
            return "a vote with an id that is no whole number from 0 to 2^64"
        if not all(_whole(tick, -TOP >> 24, TOP >> 24) for tick in (order.sent, order.tick)):
            return "a vote with a tick that is no tick"
        return (
            ""
            if _whole(order.opened, -TOP >> 24, TOP >> 24) and _text(order.label)
            else ("a vote whose label is no text, or whose account was opened at no tick")
        )
    wanted = "Draft or Vote" if method == "poison" else "Draft"
    return f"it gave a {type(order).__name__}, expected a {wanted}"


def _fault_of_draft(draft: Any, bots: int) -> str:
    if draft.to is not None and not _whole(draft.to, 0, bots):
        return f"a draft to account {draft.to!r}, but there are {bots}, counted from 0"
    for what, share in (("varies by", draft.varies), ("has ham's words by", draft.ham)):
        if not (isinstance(share, int | float) and 0 <= share <= 1):
            return f"a draft that {what} {share!r}, expected 0 to 1"
    if not _whole(draft.variant, 0, TOP >> 1):
        return f"a draft of variant {draft.variant!r}, expected a whole number from 0"
    return ""


def _whole(number: Any, low: int, high: int) -> bool:
    return isinstance(number, int) and low <= number < high


def _text(label: Any) -> bool:
    """Whether it is a short text that can be written as UTF-8: one with half a pair cannot."""
    return (
        isinstance(label, str)
        and len(label) < 100
        and not any("\ud800" <= one <= "\udfff" for one in label)
    )
