"""The summary: all that is said of a run when it has ended, as one record."""

from collections.abc import Mapping

import msgspec

from filter.events import INBOX, JUNK, UNSURE
from simulator.arms import TWINS
from simulator.frame import Frame
from simulator.loop import Prepared
from simulator.metrics import Metric, inbox_share, inside, measure, window
from simulator.thresholds import Held, Threshold, check

SCHEMA_VERSION = 1
NOTABLE = 0.005
"""Error, as a share, from which the verdict speaks of it."""
BEFORE, UNDER, AFTER = "before", "under", "after"

RAN, SKIPPED, ERROR = "ran", "skipped", "error"


class Phase(msgspec.Struct, frozen=True):
    """An arm's damage in a phase of the run: before, under or after the attack; or all of it."""

    arm: str
    phase: str
    start: int
    end: int
    ham_misclassified: float | None
    spam_misclassified: float | None
    campaign_in_inbox: float | None


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
    return Summary(
        schema_version=SCHEMA_VERSION,
        scenario=scenario.name,
        about=scenario.about,
        seed=scenario.seed,
        status=status,
        verdict=_verdict(prepared, metrics, status, why),
        hash=first.hash,
        metrics=metrics[judged],
        arms=arms,
        thresholds=[rule(one) for one in held],
        phases=[phase for name in prepared.arms for phase in _phases(prepared, name)],
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


def _phases(prepared: Prepared, name: str) -> list[Phase]:
    start, end = window(prepared)
    duration = prepared.scenario.duration
    spans = [("all", 0, duration)]
    if prepared.strike:
        spans = [(BEFORE, 0, start), (UNDER, start, end), (AFTER, end, duration)]
    return [_phase(prepared.arms[name].frames, name, *span) for span in spans if span[2] > span[1]]


def _phase(frames: list[Frame], arm: str, phase: str, start: int, end: int) -> Phase:
    here = inside(frames, start, end)
    ham = sum(frame.ham for frame in here)
    spam = sum(frame.spam for frame in here)
    return Phase(
        arm,
        phase,
        start,
        end,
        sum(frame.ham_in_spam for frame in here) / ham if ham else None,
        sum(frame.spam_in_inbox for frame in here) / spam if spam else None,
        inbox_share(here),
    )


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
    )


def _verdict(
    prepared: Prepared, metrics: Mapping[str, Mapping[str, Metric]], status: str, why: str
) -> str:
    """The run in a sentence."""
    if why:
        return f"The attack failed to run: {why}"
    judged = next(iter(metrics))
    start, end = window(prepared)
    said = "" if status == "done" else "Interrupted; so far: "
    if prepared.strike is None:
        value = metrics[judged]["vote_value"].mean
        ham, spam = (metrics[judged][f"{x}_misclassified"].mean for x in ("ham", "spam"))
        worth = "" if value is None else f"; without votes it errs {100 * value:.1f} points more"
        return f"{said}Peace: {_pc(ham)} of ham misclassified, {_pc(spam)} of spam{worth}."
    if not any(start <= frame.tick < end for frame in prepared.arms[judged].frames):
        early = "Interrupted before the attack began." if said else ""
        return early or "The run ended before the attack began."
    errs = _errs(metrics, judged)
    mean = metrics[judged]["attack_success"].mean
    inbox = metrics[judged]["campaign_in_inbox"].mean
    if inbox is None:
        return f"{said}The attacker sent no campaign to people.{errs}"
    if mean is None:
        return (
            f"{said}{_pc(inbox)} of the campaign reached the inbox; no twin says how much of that"
            " is the attack's doing."
        )
    guard = prepared.scenario.filter.guard
    outcome = "held" if mean < 0.05 else "was beaten" if mean >= 0.3 else "was breached"
    if guard == "none":
        who, outcome = "Without a guard", "the attack put"
        line = f"{who} {outcome} {_pc(mean)} of the campaign into the inbox."
    else:
        line = f"The guard '{guard}' {outcome}: {_pc(mean)} of the campaign reached the inbox"
        bare = metrics.get("unguarded", {}).get("attack_success")
        line += f", {_pc(bare.mean)} without a guard." if bare and bare.mean is not None else "."
    return said + line + errs


def _errs(metrics: Mapping[str, Mapping[str, Metric]], judged: str) -> str:
    """What else the poison did, and what the guard costs without any: in points of error."""
    twin, bare = metrics.get(TWINS.get(judged, ""), {}), metrics.get("reference", {})
    ours, theirs, free = (_error(one) for one in (metrics[judged], twin, bare))
    said = ""
    if ours is not None and theirs is not None and abs(ours - theirs) >= NOTABLE:
        more = "more" if ours > theirs else "less"
        said += (
            f" On other mail it errs {100 * abs(ours - theirs):.1f} points {more} than its twin."
        )
    if theirs is not None and free is not None and abs(theirs - free) >= NOTABLE:
        more = "more" if theirs > free else "less"
        said += (
            f" The guard itself has a price: unpoisoned, it errs {100 * abs(theirs - free):.1f}"
            f" points {more} than no guard."
        )
    return said


def _error(metrics: Mapping[str, Metric]) -> float | None:
    """Ham misclassified plus spam misclassified."""
    parts = [metrics[f"{x}_misclassified"].mean for x in ("ham", "spam")] if metrics else []
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == 2 else None


def _pc(share: float | None) -> str:
    return "no data" if share is None else f"{100 * share:.1f} %"
