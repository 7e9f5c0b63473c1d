"""The verdict: a run in some sentences, for whoever reads nothing else."""

from collections.abc import Mapping, Sequence

from simulator.arms import PLANS, TWINS
from simulator.damage import Beside, Phase, beside
from simulator.loop import Prepared
from simulator.metrics import Metric, window
from simulator.phases import AFTER, UNDER

REACHES = 0.05
"""Share of the campaign in the inbox from which people are said to report it."""
WHEN = {UNDER: "under the attack", AFTER: "after it"}


def verdict(
    prepared: Prepared,
    metrics: Mapping[str, Mapping[str, Metric]],
    told: Sequence[Phase],
    status: str,
    why: str,
) -> str:
    """A run in some sentences.

    Args:
        prepared: the run, finished or not.
        metrics: of each arm, by name.
        told: the phases of each arm.
        status: ``done``, ``interrupted`` or ``error``.
        why: what went wrong with the attack, if it did.
    """
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
    errs = aside(told, judged, _more_reports(prepared, judged) > 0)
    mean = metrics[judged]["attack_success"].mean
    inbox = metrics[judged]["campaign_in_inbox"].mean
    if inbox is None:
        return f"{said}The attacker sent no campaign to people.{errs}"
    if mean is None:
        return (
            f"{said}{_pc(inbox)} of the campaign reached the inbox; no twin says how much of that"
            " is the attack's doing."
        )
    plan = PLANS[judged]
    guard = plan.baseline or plan.guard or prepared.scenario.filter.guard
    outcome = "held" if mean < 0.05 else "was beaten" if mean >= 0.3 else "was breached"
    if guard == "none":
        who, outcome = "Without a guard", "the attack put"
        line = f"{who} {outcome} {_pc(mean)} of the campaign into the inbox."
    else:
        line = f"The guard '{guard}' {outcome}: {_pc(mean)} of the campaign reached the inbox"
        bare = metrics.get("unguarded", {}).get("attack_success")
        line += f", {_pc(bare.mean)} without a guard." if bare and bare.mean is not None else "."
    return said + line + errs


def _more_reports(prepared: Prepared, judged: str) -> float:
    """How much more people taught in an arm than in its twin, in lessons; 0 without one."""
    twin = prepared.arms.get(TWINS.get(judged, ""))
    pair = (prepared.arms[judged], twin) if twin else ()
    taught = [sum(frame.lessons_people for frame in arm.frames) for arm in pair]
    return taught[0] - taught[1] if taught else 0.0


def aside(told: Sequence[Phase], judged: str, reported: bool = False) -> str:
    """What else the poison did, and what the guard costs without any: of mail not the campaign's.

    Args:
        told: the phases of each arm.
        judged: the arm that is judged.
        reported: whether people taught more in it than in its twin.
    """
    twin, said = TWINS.get(judged, ""), ""
    if notable := [one for one in beside(told, judged, twin) if one.notable]:
        said += f" Poisoned, the filter {_all(notable, 'in its twin')}"
        fewer = all(_less(one) for one in notable if one.label == "spam")
        if fewer and reported and _reaches(told, judged):
            said += ": people report the campaign that reaches them, and so teach more"
        said += "."
    guarded = beside(told, twin, "reference") if twin != "reference" else []
    if notable := [one for one in guarded if one.notable]:
        price = any(sum(one.ours) > sum(one.theirs) for one in notable)
        said += " The guard has a price: unpoisoned" if price else " Unpoisoned"
        said += f", the filter {_all(notable, 'without a guard')}."
    return said


def _less(one: Beside) -> bool:
    """Whether the first arm errs less in every phase."""
    return all(ours < theirs for ours, theirs in zip(one.ours, one.theirs, strict=True))


def _reaches(told: Sequence[Phase], judged: str) -> bool:
    """Whether so much of the campaign reached inboxes that people can have reported it."""
    shares = [one.campaign_in_inbox for one in told if one.arm == judged and one.phase == UNDER]
    return any(share is not None and share >= REACHES for share in shares)


def _all(notable: Sequence[Beside], other: str) -> str:
    return "; and it ".join(_both(one, other) for one in notable)


def _both(one: Beside, other: str) -> str:
    """One arm and another one, phase by phase."""
    does = "misses" if one.label == "spam" else "puts"
    where = "" if one.label == "spam" else " into the spam folder"
    ours = " and ".join(
        f"{_pc(share)}{f' of other {one.label}' if place == 0 else ''} {WHEN[phase]}"
        for place, (phase, share) in enumerate(zip(one.phases, one.ours, strict=True))
    )
    theirs = " and ".join(map(_pc, one.theirs))
    return f"{does} {ours}{where} ({other} {theirs})"


def _pc(share: float | None) -> str:
    return "no data" if share is None else f"{100 * share:.1f} %"
