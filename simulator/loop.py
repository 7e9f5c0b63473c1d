"""A run: the loop over ticks, in all arms."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from agents.actor import Attack
from filter import chain, codec, settings
from filter.plugins import Plugin, configured, load
from simulator.arms import PLANS, Arm, Plan, Strike
from simulator.corpus import CorpusError, read_corpus
from simulator.dealt import Dealt
from simulator.engine import Embedded
from simulator.mail import Source
from simulator.scenario import Scenario
from simulator.synthetic import Synthetic
from simulator.world import World

RIVER = (
    "{model} learns mail by mail, many times slower; its state cannot be saved safely, so this run"
    " cannot be resumed, and its arms part at the first tick"
)


class Prepared(NamedTuple):
    """A run before its first tick."""

    scenario: Scenario
    world: World
    strike: Strike | None
    arms: dict[str, Arm]
    fork: int
    """Tick at which the arms part; before it, the first one stands for all."""
    plugins: tuple[Plugin, ...]
    """The plug-ins at work, with their digests."""
    travels: bool
    """Whether the run's state can be frozen: if not, it has no checkpoints."""
    notes: tuple[str, ...]
    """What a user should know before it begins, in sentences."""


def prepare(scenario: Scenario) -> Prepared:
    """Make the world, the filter and the arms of a scenario."""
    plugins, strike = _strike(scenario)
    bots = strike.attack.accounts if strike else 0
    window = scenario.filter.mail_window
    mail = source(scenario)
    world = World(scenario.seed, scenario.world, scenario.people, mail, bots, window)
    model = settings.model(scenario.filter)
    if strike:
        world.choose_campaign(model, scenario.filter.learner.limits)
    scenario, notes = _fitted(scenario, mail)
    if not model.travels:
        notes += (RIVER.format(model=scenario.filter.model),)
    beginning = world.beginning()
    arms: dict[str, Arm] = {}
    for name in scenario.arms:
        plan = PLANS[name]
        engine = _engine(scenario, plan, beginning)
        arms[name] = Arm(name, plan, scenario, world, strike, engine)
    fork = strike.start if strike and model.travels else 0
    plugins += settings.plugins(scenario.filter)
    fork = min(fork, scenario.duration)
    return Prepared(scenario, world, strike, arms, fork, plugins, model.travels, notes)


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


def _engine(scenario: Scenario, plan: Plan, beginning: chain.Beginning) -> Embedded:
    own = scenario.filter
    if plan.guard is not None:
        own = replace(own, guard=plan.guard)
    return Embedded(chain.stages(own, beginning), scenario.feedback_delay)


def ticks(prepared: Prepared, start: int = 0) -> Iterator[int]:
    """Simulate: a tick in every arm, then the next one. Yields the tick that was just done."""
    first, *others = prepared.arms.values()
    last = prepared.scenario.duration + prepared.scenario.feedback_delay
    for tick in range(start, last):
        if tick == prepared.fork and tick > 0:
            peace = first.freeze()
            for arm in others:
                arm.thaw(peace)
        first.step(tick)
        for arm in others if tick >= prepared.fork else ():
            arm.step(tick)
        yield tick


def freeze(prepared: Prepared, ready: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
    """The state of all arms; that of those which are ``ready`` is taken as it is."""
    arms = prepared.arms.items()
    return codec.pack({name: ready.get(name) or arm.freeze() for name, arm in arms})


def thaw(prepared: Prepared, frozen: bytes) -> None:
    """Take up a frozen state."""
    for name, state in codec.unpack(dict[str, bytes], frozen).items():
        prepared.arms[name].thaw(state)
