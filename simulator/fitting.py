"""Which arms a run has and which rules it can answer, once guard, attack and twin are known."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from filter.plugins import SettingsError, unknown
from simulator.arms import PLANS, TWINS
from simulator.thresholds import Threshold, parse

JUDGED = "attacked"
CLEAN = ("twin", "reference")
OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
OF_TWIN = ("attack_success", "attack_success_end", "ticks_to_compromise", "ticks_to_recover")
OF_ATTACK = (*OF_TWIN, "campaign_in_inbox", "campaign_unsure", "ticks_to_detect", "poison_share")


class Fitted(NamedTuple):
    """Arms and thresholds, and what to say of those that were left out."""

    arms: list[str]
    thresholds: list[str]
    notes: tuple[str, ...]


def fitted(table: Mapping[str, Any], fail_if: Iterable[str], twin: bool, free: bool) -> Fitted:
    """Fit arms and rules to what a table of settings says.

    Args:
        table: the settings.
        fail_if: rules that must not come true; each becomes the rule that its opposite holds.
        twin: whether the arms that are never poisoned are wanted.
        free: whether the arms may be changed: they are the scenario's, not asked for.

    Raises:
        SettingsError: an unknown arm, or a rule that is none or names an unknown metric.
    """
    arms = _known(table.get("arms", [JUDGED, "twin"]))
    attack = bool(_of(table, "attack", "name"))
    guard = str(_of(table, "filter", "guard") or "default")
    fit, stands_for = _arms(arms, guard, attack, twin) if free else (arms, {})
    kept, notes = [], []
    for place, text in enumerate(_texts(table.get("thresholds", []))):
        rule = parse(text, f"thresholds[{place}]")
        why = _unanswerable(_of_arm(rule, stands_for), fit, attack)
        if why:
            notes.append(f"not checked, for there is {why}: {text}")
        else:
            kept.append(_renamed(rule, stands_for))
    kept += [_opposite(text, fit, stands_for) for text in fail_if]
    return Fitted(fit, kept, tuple(notes))


def _of(table: Mapping[str, Any], group: str, name: str) -> Any:
    inside = table.get(group, {})
    return inside.get(name) if isinstance(inside, dict) else None


def _texts(rules: Any) -> list[str]:
    if not isinstance(rules, list | tuple) or not all(isinstance(rule, str) for rule in rules):
        raise SettingsError(f"thresholds: expected a list of texts, got {rules!r}")
    return list(rules)


def _known(arms: Any) -> list[str]:
    if not isinstance(arms, list | tuple) or not arms:
        raise SettingsError(f"arms: expected a list of names, got {arms!r}")
    for place, arm in enumerate(arms):
        if arm not in PLANS:
            raise SettingsError(f"arms[{place}]: {unknown(str(arm), list(PLANS))}")
    return list(arms)


def _arms(
    arms: list[str], guard: str, attack: bool, twin: bool
) -> tuple[list[str], dict[str, str]]:
    """The arms that differ, and for each of the others the one that is just the same."""
    if attack and JUDGED not in arms and "default" in arms:
        arms = [JUDGED, "twin", *(arm for arm in arms if arm != "default")]
    same: dict[tuple[str, bool, str], str] = {}
    stands_for: dict[str, str] = {}
    for arm in arms:
        plan = PLANS[arm]
        kind = (plan.guard or guard, plan.poisoned and attack, plan.baseline if attack else "")
        if kind in same and not attack:
            same[kind] = _plainer(same[kind], arm)
        same.setdefault(kind, arm)
        stands_for[arm] = same[kind]
    fit = list(same.values())
    if not twin and attack:
        fit = [arm for arm in fit if arm not in CLEAN] or fit
    if not attack:
        fit = ["default" if arm in (JUDGED, "twin") else arm for arm in fit]
    return fit, stands_for


def _plainer(one: str, other: str) -> str:
    """Of two arms that are alike without an attack, the one that a metric asks for by name."""
    plain = [arm for arm in (one, other) if arm in ("reference", "reject_all", "default")]
    named = [arm for arm in plain if arm != "default"]
    return (named or plain or [one])[0]


def _of_arm(rule: Threshold, stands_for: Mapping[str, str]) -> Threshold:
    return rule._replace(arm=stands_for.get(rule.arm, rule.arm))


def _unanswerable(rule: Threshold, arms: list[str], attack: bool) -> str:
    """Why a scenario's rule cannot be answered by these arms, if it cannot."""
    if rule.metric in OF_ATTACK and not attack:
        return "no attack"
    if rule.metric == "vote_value" and attack:
        return "an attack"
    arm = rule.arm or arms[0]
    if arm not in arms:
        return f"no arm '{arm}'"
    if rule.metric == "attack_success_ref" and "reference" not in arms:
        return "no arm 'reference'"
    if rule.metric in OF_TWIN and TWINS.get(arm) not in arms:
        return f"no twin of the arm '{arm}'"
    return ""


def _renamed(rule: Threshold, stands_for: Mapping[str, str]) -> str:
    other = stands_for.get(rule.arm, rule.arm)
    return rule.text.replace(f"{rule.arm}.", f"{other}.", 1) if other != rule.arm else rule.text


def _opposite(text: str, arms: list[str], stands_for: Mapping[str, str]) -> str:
    """What has to hold for a rule not to come true: "above 0.05" must not, so "at most 0.05"."""
    rule = parse(text, "--fail-if", breaks=True)
    arm = stands_for.get(rule.arm, rule.arm)
    if arm and arm not in arms:
        raise SettingsError(f"--fail-if: arm {unknown(rule.arm, arms)}")
    whose = f"{arm}." if arm else ""
    empty = " or no data" if rule.empty else ""
    sign, value = OPPOSITE[rule.sign], f"{rule.value:g}"
    exact = value if float(value) == rule.value else repr(rule.value)
    return f"{whose}{rule.metric}.{rule.statistic} {sign} {exact}{empty}"
