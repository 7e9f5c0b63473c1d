"""The summary: all that is said of a run when it has ended, as one record."""

import msgspec

from filter.events import INBOX, JUNK, UNSURE
from filter.plugins import about
from simulator.damage import Phase, phases
from simulator.loop import Prepared
from simulator.metrics import Metric, measure
from simulator.thresholds import Held, Threshold, check
from simulator.verdict import verdict

SCHEMA_VERSION = 1

RAN, SKIPPED, ERROR = "ran", "skipped", "error"


class Planned(msgspec.Struct, frozen=True):
    """A planned attack and what became of it: it ran, was skipped, or raised an error."""

    attack: str
    start: int
    end: int
    status: str
    why: str
    mails: int
    copies: int
    votes: int
    accounts: int
    about: str = ""
    """What it does, in a sentence."""
    stopped: dict[str, int] = {}
    """How many of its votes each check of the judged arm has stopped."""


class Rule(msgspec.Struct, frozen=True):
    """A threshold, the actual value (null: no data) and whether it held."""

    rule: str
    actual: float | None
    held: bool


class OfGenre(msgspec.Struct, frozen=True):
    """Where the filter put the mail of a genre, in the measured window.

    ``right_votes`` of honest people were cast on it, of which ``lost_votes`` taught nothing.
    """

    genre: str
    is_spam: bool
    inbox: int
    unsure: int
    spam: int
    right_votes: int = 0
    lost_votes: float = 0.0


class ArmSummary(msgspec.Struct, frozen=True):
    """An arm's hash and metrics, and where people's ordinary mail went."""

    hash: str
    metrics: dict[str, Metric]
    genres: list[OfGenre] = []


class Replicate(msgspec.Struct, frozen=True):
    """One of several seeds: ``done``, ``interrupted``, or what else became of it and why.

    ``folder`` is its own, inside that of all; ``hashes`` are its arms', ``values`` its figures by
    arm and metric.
    """

    seed: int
    status: str
    why: str
    folder: str
    hashes: dict[str, str]
    values: dict[str, dict[str, float | None]]


class Summary(msgspec.Struct, frozen=True, tag_field="type", tag="summary"):
    """What a run came to. ``hash`` and ``metrics`` are those of the judged arm."""

    schema_version: int
    scenario: str
    about: str
    seed: int
    status: str
    """``done``, ``interrupted`` or ``error``."""
    verdict: str
    hash: str
    metrics: dict[str, Metric]
    arms: dict[str, ArmSummary]
    thresholds: list[Rule]
    phases: list[Phase]
    attacks: list[Planned]
    ticks: int
    mails: int
    """Mails simulated, all arms together."""
    replicates: list[Replicate] = []
    """One for each seed, of a run of several; see `simulator.pooled`."""


def summarise(
    prepared: Prepared, thresholds: list[Threshold], status: str = "done", why: str = ""
) -> Summary:
    """Sum a run up.

    Args:
        prepared: the run, finished or not.
        thresholds: the scenario's, and those asked for.
        status: ``done``, ``interrupted`` or ``error``.
        why: what went wrong with the attack, if it did.
    """
    metrics = {name: measure(prepared, name) for name in prepared.arms}
    judged, first = next(iter(prepared.arms.items()))
    held = [check(threshold, metrics, judged) for threshold in thresholds]
    arms = {
        name: ArmSummary(arm.hash, metrics[name], _genres(prepared, name))
        for name, arm in prepared.arms.items()
    }
    scenario = prepared.scenario
    told = phases(prepared)
    return Summary(
        schema_version=SCHEMA_VERSION,
        scenario=scenario.name,
        about=scenario.about,
        seed=scenario.seed,
        status=status,
        verdict=verdict(prepared, metrics, told, status, why),
        hash=first.hash,
        metrics=metrics[judged],
        arms=arms,
        thresholds=[rule(one) for one in held],
        phases=told,
        attacks=[_planned(prepared, why)] if prepared.strike else [],
        ticks=len(first.frames),
        mails=_simulated(prepared),
    )


def _genres(prepared: Prepared, name: str) -> list[OfGenre]:
    genres, meter = prepared.world.source.genres, prepared.arms[name].meter
    lost = meter.lost_by_genre(prepared.scenario.duration)
    return [
        OfGenre(genre, bool(spam), of[INBOX], of[UNSURE], of[JUNK], *lost.get(place, (0, 0.0)))
        for place, (genre, spam, of) in enumerate(
            zip(genres.names, genres.spam, meter.folders, strict=False)
        )
    ]


def rule(held: Held) -> Rule:
    """A threshold as the summary has it."""
    return Rule(held.threshold.text, held.actual, held.held)


def _simulated(prepared: Prepared) -> int:
    """Mails that were really simulated: those before the fork once."""
    first, *others = prepared.arms.values()
    rest = [f.mails for arm in others for f in arm.frames if f.tick >= prepared.fork]
    return sum(frame.mails for frame in first.frames) + sum(rest)


def _planned(prepared: Prepared, why: str) -> Planned:
    """The row of the attack, with what it cost the attacker in the judged arm."""
    strike = prepared.strike
    assert strike is not None
    arm = next(iter(prepared.arms.values()))
    arm_ticks = {frame.tick for frame in arm.frames}
    begun = any(frame.tick >= strike.start for frame in arm.frames)
    status = ERROR if why else RAN if begun else SKIPPED
    reason = why or ("" if begun else "the run ended before its start")
    return Planned(
        strike.name,
        strike.start,
        strike.end,
        status,
        reason,
        sum(frame.campaign for frame in arm.frames),
        sum(frame.copies for frame in arm.frames),
        sum(frame.votes_bots for frame in arm.frames),
        strike.attack.accounts + sum(n for tick, n in prepared.more.items() if tick in arm_ticks),
        about(strike.attack),
        arm.stopped,
    )
