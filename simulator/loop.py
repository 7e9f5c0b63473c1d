"""A run: the loop over ticks, in all arms."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from agents.actor import Attack
from filter import chain, codec, settings
from filter.checks import AccountCheck
from filter.model import ModelSettings
from filter.plugins import Plugin, SettingsError, configured, load
from filter.river_model import RiverModel
from filter.settings import FilterSettings
from simulator.arms import PLANS, Arm, Plan, Strike
from simulator.baselines import Perfect, Random, stopped
from simulator.corpus import CorpusError, read_corpus
from simulator.dealt import Dealt
from simulator.engine import Embedded, Engine
from simulator.mail import Source
from simulator.scenario import Scenario
from simulator.synthetic import Synthetic
from simulator.world import World

RIVER = "{model} learns mail by mail, many times slower"
STAYS = (
    "the state of {model} cannot be saved safely, so this run cannot be resumed, and its arms part"
    " at the first tick"
)


PEACE = "peace"
"""Name of the arm that nobody sees."""


class Prepared(NamedTuple):
    """A run before its first tick."""

    scenario: Scenario
    world: World
    strike: Strike | None
    arms: dict[str, Arm]
    peace: Arm
    """Simulates what is before the arms part, for the others; it may be none of ``arms``."""
    fork: int
    """Tick at which the arms part."""
    plugins: tuple[Plugin, ...]
    """The plug-ins at work, with their digests."""
    travels: bool
    """Whether the run's state can be frozen: if not, it has no checkpoints."""
    notes: tuple[str, ...]
    """What a user should know before it begins, in sentences."""
    more: dict[int, int]
    """How many bots join at a tick; more may be added for ticks to come."""


Engines = Callable[[FilterSettings, chain.Beginning, Source, int], Engine]
"""Makes an engine from settings, beginning, the source of its mail, and the run's last tick."""


def prepare(scenario: Scenario, elsewhere: Engines | None = None) -> Prepared:
    """Make the world, the filter and the arms of a scenario.

    Args:
        scenario: what to run.
        elsewhere: makes the engine of the first arm; the others are always in this process.
    """
    plugins, strike = _strike(scenario)
    bots = strike.attack.accounts if strike else 0
    window = scenario.filter.mail_window
    mail = source(scenario)
    farm = scenario.attack.bots
    world = World(scenario.seed, scenario.world, scenario.people, mail, bots, farm, window)
    model = settings.model(scenario.filter)
    if strike:
        world.choose_campaign(model, scenario.filter.learner.limits)
    scenario, notes = _fitted(scenario, mail)
    notes += _of_model(scenario.filter.model, model)
    beginning = world.beginning()
    arms: dict[str, Arm] = {}
    for name in scenario.arms:
        plan = PLANS[name]
        own = _settings(scenario, plan)
        engine: Engine
        if elsewhere is not None and not arms:
            if plan.baseline:
                raise SettingsError(f"arms: {name} sees the truth, so it cannot run elsewhere")
            engine = elsewhere(own, beginning, mail, scenario.duration - 1)
        else:
            baseline = _baseline(plan, scenario, world, arms)
            stages = chain.stages(own, beginning, baseline=baseline)
            engine = Embedded(stages, scenario.feedback_delay)
        arms[name] = Arm(name, plan, scenario, world, strike, engine)
    fork = strike.start if strike and model.travels else 0
    plugins += settings.plugins(scenario.filter)
    fork = min(fork, scenario.duration)
    first, *others = arms.values()
    peace = first
    if elsewhere is not None and others:
        own = _settings(scenario, first.plan)
        alike = [arm for arm in others if _settings(scenario, arm.plan) == own]
        engine = Embedded(chain.stages(own, beginning), scenario.feedback_delay)
        peace = alike[0] if alike else Arm(PEACE, first.plan, scenario, world, strike, engine)
    more: Counter[int] = Counter()
    for tick, count in scenario.attack.more if strike else ():
        more[tick] += count
    return Prepared(scenario, world, strike, arms, peace, fork, plugins, model.travels, notes, more)


def _baseline(
    plan: Plan, scenario: Scenario, world: World, arms: Mapping[str, Arm]
) -> tuple[tuple[str, AccountCheck[Any]], ...]:
    """The check that knows what no guard may know, where a plan asks for one."""
    if plan.baseline == "perfect":
        return (("perfect", Perfect(world.bot_ids)),)
    if plan.baseline == "random":
        first = next(iter(arms.values()), None)
        if first is None:
            raise SettingsError("arms: random stops as many votes as the first arm, so it is none")
        start = scenario.attack.start
        so_far = lru_cache(maxsize=1)(lambda ticks: stopped(first.frames[:ticks], start))
        return (("random", Random(scenario.seed, lambda: so_far(len(first.frames)))),)
    return ()


def _of_model(name: str, model: ModelSettings) -> tuple[str, ...]:
    """What to say of a classifier that is not as the default one."""
    slower = (RIVER.format(model=name),) if isinstance(model, RiverModel) else ()
    return slower if model.travels else (*slower, STAYS.format(model=name))


def _fitted(scenario: Scenario, mail: Source) -> tuple[Scenario, tuple[str, ...]]:
    """The scenario as long as its mail lasts, and what to say of that."""
    if not isinstance(mail, Dealt):
        return scenario, ()
    notes = mail.notes()
    lasts = mail.ticks()
    if mail.settings.reuse or lasts >= scenario.duration:
        return scenario, notes
    if scenario.attack.name and lasts <= scenario.attack.start:
        raise CorpusError(
            f"{mail.corpus.name}: it lasts {lasts} h at {mail.settings.mails_per_hour} mails an"
            f" hour, and the attack begins at {scenario.attack.start} h; set corpus.mails_per_hour"
            " lower, or corpus.reuse=true to deal mails again"
        )
    notes += (f"no message is dealt twice: the corpus lasts {lasts} of {scenario.duration} h",)
    return replace(scenario, duration=lasts), notes


def _strike(scenario: Scenario) -> tuple[tuple[Plugin, ...], Strike | None]:
    if not scenario.attack.name:
        return (), None
    attack = scenario.attack
    plugin = attack_plugin(attack.name)
    made: Attack = configured(plugin.settings, attack.settings, "attack.settings")
    return (plugin,), Strike(plugin.name, made, attack.start, attack.start + attack.duration)


def attack_plugin(name: str) -> Plugin:
    """An attack by its name or file."""
    return load("agents.attacks", name, "attack", ("accounts", "campaign", "poison", "atlas"))


def source(scenario: Scenario) -> Source:
    """Where a scenario's ordinary mail comes from."""
    if scenario.corpus.path:
        return Dealt(scenario.corpus, read_corpus(scenario.corpus.path), scenario.seed)
    return Synthetic(scenario.synthetic, scenario.seed)


def _settings(scenario: Scenario, plan: Plan) -> FilterSettings:
    own = scenario.filter
    return own if plan.guard is None else replace(own, guard=plan.guard)


def ticks(prepared: Prepared, start: int = 0) -> Iterator[int]:
    """Simulate: a tick in every arm, then the next one. Yields the tick that was just done.

    Before the arms part, only the first one and the one that simulates peace are simulated.
    """
    first, *others = prepared.arms.values()
    peace = prepared.peace
    last = prepared.scenario.duration + prepared.scenario.feedback_delay
    for tick in range(start, last):
        _join(prepared, tick)
        if tick == prepared.fork and tick > 0:
            state = peace.freeze() if others else b""
            for arm in others:
                if arm is not peace:
                    arm.thaw(state)
        first.step(tick)
        if tick < prepared.fork and others and peace not in (first, *others):
            peace.step(tick)
        for arm in others:
            if tick >= prepared.fork or arm is peace:
                arm.step(tick)
        yield tick


def _join(prepared: Prepared, tick: int) -> None:
    """Let the bots join that are to join at a tick, in all arms at once."""
    count = prepared.more.get(tick, 0)
    if count:
        prepared.world.join(count)
        for arm in every(prepared).values():
            arm.join()


def freeze(prepared: Prepared, ready: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
    """The state of all arms; that of those which are ``ready`` is taken as it is."""
    arms = every(prepared).items()
    return codec.pack({name: ready.get(name) or arm.freeze() for name, arm in arms})


def every(prepared: Prepared) -> dict[str, Arm]:
    """All arms, with the one that nobody sees."""
    return {prepared.peace.name: prepared.peace} | prepared.arms


def thaw(prepared: Prepared, frozen: bytes, tick: int = -1) -> None:
    """Take up a frozen state.

    Args:
        prepared: the run, before its first tick.
        frozen: what `freeze` gave.
        tick: the tick after which it was frozen; the bots that joined by then join again.
    """
    for joined in sorted(prepared.more):
        if joined <= tick:
            _join(prepared, joined)
    for name, state in codec.unpack(dict[str, bytes], frozen).items():
        every(prepared)[name].thaw(state)
