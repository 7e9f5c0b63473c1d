"""What the default guard holds, against each attacker, and where it breaks.

    python -m benchmarks.attacks [--corpus PATH] [--seeds 20] [--few 4] > docs/attacks.md
    python -m benchmarks.attacks --only checks

Each part is printed as soon as it is there. ``--few`` is for the parts that turn dials. The
settings of the default guard were chosen on seeds below 20, so it is judged on others.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.machine import machine
from filter.settings import ALWAYS, guard
from simulator import run
from simulator.scenario import read, scenario_names
from simulator.summary import Summary

ATTACKS: Final = tuple(
    name for name in scenario_names() if name != "quickstart" and "attack" in read(name)
)
SLOW: Final = {"boiling-frog": 28}
"""Mails an hour at which a corpus has to be dealt to last as long as the attack."""
VARIES: Final = (0.3, 0.6, 0.8)
UPPER, END, WORST, LOST = 0.05, 0.05, 0.15, 0.01
"""The bars: upper limits of `attack_success` and its end, the worst seed, honest votes lost."""

Table = dict[str, Any]
Runner = Callable[..., Summary]


class Asked(NamedTuple):
    """What to measure: against which attacks, and on which corpus beside synthetic mail."""

    corpus: str
    attacks: tuple[str, ...]


def mails(corpus: str) -> Iterator[tuple[str, Callable[[str], Table]]]:
    """The kinds of mail, and the settings that an attack needs on them."""
    yield "synthetic", lambda _: {}
    if corpus:
        name = Path(corpus).name.split(".")[0]
        yield (
            name,
            lambda attack: {"corpus": {"path": corpus, "mails_per_hour": SLOW.get(attack, 75)}},
        )


# Each attacker, against the default guard and the baselines


def held(asked: Asked, replicated: Runner) -> Iterator[str]:
    """A row for each attack and kind of mail."""
    yield (
        "| attack | mail | no guard | stopped by lot | default guard | worst seed | at the end"
        " | honest votes lost | correction delay, median, p95 | bars |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for attack in asked.attacks:
        for mail, settings in mails(asked.corpus):
            arms = ["attacked", "twin", "unguarded", "reference", "random"]
            found = replicated(attack, arms=arms, **settings(attack))
            row = f"| `{attack}` | {mail} | {' | '.join(_held(found))} |"
            yield row
            _say(row)


def _held(found: Summary) -> Iterator[str]:
    ours = found.metrics
    for arm in ("unguarded", "random"):
        yield _percent(found, arm, "attack_success")
    yield _percent(found, "attacked", "attack_success")
    worst = ours["attack_success"].max
    yield "no data" if worst is None else f"{100 * worst:.1f} %"
    yield _percent(found, "attacked", "attack_success_end")
    yield _percent(found, "attacked", "honest_votes_lost")
    times = (ours[name].mean for name in ("correction_delay", "correction_delay_p95"))
    yield ", ".join("never" if hours is None else f"{hours:.0f} h" for hours in times)
    yield ", ".join(missed(found)) or "met"


def missed(found: Summary) -> Iterator[str]:
    """The bars that a run does not meet, by how much."""
    ours = found.metrics
    without = found.arms["unguarded"].metrics["attack_success"]
    if without.ci_low is None or without.ci_low < 0.3:
        yield "the attack is too weak to tell: below 30 % without a guard"
    for name, bar in (("attack_success", UPPER), ("attack_success_end", END)):
        high = ours[name].ci_high
        if high is None or high >= bar:
            yield f"`{name}` up to {_whole(high)}, bar {bar:.0%}"
    worst = ours["attack_success"].max
    if worst is not None and worst > WORST:
        yield f"worst seed {_whole(worst)}, bar {WORST:.0%}"
    lost = ours["honest_votes_lost"].mean
    if lost is not None and lost >= LOST:
        yield f"`honest_votes_lost` {100 * lost:.1f} %, bar {LOST:.0%}"


def _whole(share: float | None) -> str:
    return "no data" if share is None else f"{100 * share:.1f} %"


# The dials


def dials(asked: Asked, replicated: Runner) -> Iterator[str]:
    """Each attack at each share of varied words, with and without the guard."""
    heads = [f"{varies:.0%} varied" for varies in VARIES]
    yield "| attack | mail | " + " | ".join(heads) + " |"
    yield "|" + "---|" * (2 + len(VARIES))
    for attack in asked.attacks:
        for mail, settings in mails(asked.corpus):
            cells = []
            for varies in VARIES:
                own = settings(attack) | {"attack": {"settings": {"varies": varies}}}
                arms = ["attacked", "twin", "unguarded", "reference"]
                found = replicated(attack, arms=arms, **own)
                without = found.arms["unguarded"].metrics["attack_success"].mean
                cells.append(f"{_percent(found, 'attacked', 'attack_success')}; {_whole(without)}")
            yield f"| `{attack}` | {mail} | {' | '.join(cells)} |"
            _say(f"{attack}, {mail}: {'; '.join(cells)}")


FARM: Final[Mapping[str, tuple[Table, ...]]] = {
    "votes an hour, each of another account": tuple(
        {"settings": {"votes_per_hour": votes, "accounts": 100 * votes}}
        for votes in (10, 20, 40, 80, 160)
    ),
    "age of the accounts, ticks": tuple(
        {"bots": {"age": age, "right": 0, "wrong": 0}} for age in (0, 336, 8760)
    ),
    "right votes before": tuple(
        {"bots": {"age": 8760, "right": right, "wrong": 0}} for right in (0, 2, 8)
    ),
    "addresses": tuple({"bots": {"addresses": count}} for count in (20, 200, 4000)),
    "subnets": tuple({"bots": {"addresses": 4000, "subnets": count}} for count in (5, 50, 4000)),
}
"""What a farm can buy more of, one thing at a time, at 60 % varied words."""


def doses(_: Asked, replicated: Runner) -> Iterator[str]:
    """The Sybil farm with more of everything, a row a dose."""
    yield "| what | dose | no guard | default guard | and source-limits, share-cap, lockstep |"
    yield "|---|---|---|---|---|"
    more = ",".join([*_default(), "source_limits", "share_cap", "lockstep", "gate", "responder"])
    for what, all_of_it in FARM.items():
        for dose in all_of_it:
            own = {"attack": {"settings": {"varies": 0.6} | dose.get("settings", {})}}
            own["attack"] |= {"bots": dose["bots"]} if "bots" in dose else {}
            arms = ["attacked", "twin", "unguarded", "reference"]
            found = replicated("sybil-farm", arms=arms, **own)
            other = replicated(
                "sybil-farm", arms=["attacked", "twin"], filter={"guard": more}, **own
            )
            said = ", ".join(f"{k} {v}" for of in dose.values() for k, v in of.items())
            cells = [_percent(found, arm, "attack_success") for arm in ("unguarded", "attacked")]
            cells.append(_percent(other, "attacked", "attack_success"))
            yield f"| {what} | {said} | {' | '.join(cells)} |"
            _say(f"{what}, {said}: {' | '.join(cells)}")


# Each check's own worth


def checks(_: Asked, replicated: Runner) -> Iterator[str]:
    """Each check alone, and the default guard without it, at each share of varied words."""
    shares = " | ".join(f"{varies:.0%}" for varies in VARIES)
    yield f'| guard | {shares} | honest "not spam" votes lost | honest mistakes refused |'
    yield "|" + "---|" * (3 + len(VARIES))
    own = _default()
    extra = ("source_limits", "share_cap", "lockstep", "outlying_sources", "corroboration")
    guards = [("the default", [*own, "gate", "responder"])]
    guards += [(f"`{name}` alone", [name]) for name in (*own, "gate", *extra)]
    guards += [
        (f"the default without `{name}`", [one for one in guards[0][1] if one != name])
        for name in guards[0][1]
    ]
    guards += [(f"the default and `{name}`", [*own, name, "gate", "responder"]) for name in extra]
    for said, of in guards:
        own_guard = {"guard": ",".join(of)}
        peace = replicated("peace", arms=["default"], filter=own_guard)
        cells = []
        for varies in VARIES:
            found = replicated(
                "not-spam-campaign",
                arms=["attacked", "twin"],
                filter=own_guard,
                attack={"settings": {"varies": varies}},
            )
            cells.append(_percent(found, "attacked", "attack_success"))
        prices = ("honest_votes_lost_not_spam", "honest_mistakes_refused")
        cells += [_percent(peace, "default", name) for name in prices]
        yield f"| {said} | {' | '.join(cells)} |"
        _say(f"{said}: {' | '.join(cells)}")


# Tuned on one kind of mail, judged on the others


TUNED: Final[Mapping[str, Table]] = {
    "as it is": {},
    "second opinion: 35 % of spam": {"checks": {"second_opinion": {"share": 0.35}}},
    "second opinion: 20 % of spam": {"checks": {"second_opinion": {"share": 0.2}}},
    "second opinion: 65 % of spam": {"checks": {"second_opinion": {"share": 0.65}}},
    "near-duplicates: 4 of 8 hashes": {"alike": 4},
    "near-duplicates: 2 of 8 hashes": {"alike": 2},
    "quarantine after one refuted claim": {"responder": {"refuted": 1}},
    "quarantine after four": {"responder": {"refuted": 4}},
}
"""What a user might turn for his own mail; each is the default guard but for one setting."""


def damage(found: Summary) -> float:
    """What a guard is tuned to: attack success, and the error of its twin, in points."""
    twin = found.arms["twin"].metrics
    parts = [found.metrics["attack_success"], twin["ham_misclassified"], twin["spam_misclassified"]]
    return 100 * sum(part.mean or 0.0 for part in parts)


def tuned(asked: Asked, replicated: Runner) -> Iterator[str]:
    """Which setting is the best on each kind of mail, and what it is worth on the others."""
    kinds = dict(mails(asked.corpus))
    harm: dict[str, dict[str, float]] = {kind: {} for kind in kinds}
    for said, of in TUNED.items():
        for kind, settings in kinds.items():
            attack = {"settings": {"varies": 0.6}}
            own = settings("sybil-farm") | {"attack": attack, "filter": of}
            harm[kind][said] = damage(replicated("sybil-farm", arms=["attacked", "twin"], **own))
            _say(f"{said}, {kind}: {harm[kind][said]:.2f}")
    yield "| setting | " + " | ".join(kinds) + " |"
    yield "|---|" + "---|" * len(kinds)
    for said in TUNED:
        yield f"| {said} | {' | '.join(f'{harm[kind][said]:.2f}' for kind in kinds)} |"
    yield ""
    yield "| tuned on | best setting | " + " | ".join(f"on {kind}" for kind in kinds) + " |"
    yield "|---|---|" + "---|" * len(kinds)
    for kind in kinds:
        best = min(harm[kind], key=harm[kind].__getitem__)
        worse = [harm[other][best] - min(harm[other].values()) for other in kinds]
        yield f"| {kind} | {best} | {' | '.join(f'+{points:.2f}' for points in worse)} |"


def _default() -> list[str]:
    return [name for name in guard("default").checks if name not in ALWAYS]


def _percent(found: Summary, arm: str, name: str) -> str:
    metric = found.arms[arm].metrics[name]
    if metric.mean is None or metric.ci_low is None or metric.ci_high is None:
        return "not enough votes" if name.startswith("honest") else "no data"
    return f"{100 * metric.mean:.1f} % [{100 * metric.ci_low:.1f}, {100 * metric.ci_high:.1f}]"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


PARTS: Final[Mapping[str, tuple[Callable[[Asked, Runner], Iterator[str]], bool, str]]] = {
    "held": (
        held,
        True,
        """## Each attacker

`attack_success`, the share of the campaign in the inbox less the twin's, over {seeds} seeds, at the
scenarios' own strength. "Stopped by lot": as many votes refused as by the default guard, but by
lot. The bars: the interval of `attack_success`, and of its end, below 5 %, no seed above 15 %,
honest votes lost below 1 %.

{table}
""",
    ),
    "dials": (
        dials,
        False,
        """## The more the words vary

With the default guard, and after the semicolon without one, over {few} seeds. The less two mails of
the campaign have in common, the less the checks see that look for near-duplicates.

{table}
""",
    ),
    "checks": (
        checks,
        False,
        """## What each check is worth

The flagship at 30, 60 and 80 % varied words, over {few} seeds: each check alone, the default guard
without it, and with one more. The last columns are of `peace`: what it costs the honest who are
right, and how many of those who are wrong it keeps from teaching.

{table}
""",
    ),
    "tuned": (
        tuned,
        False,
        """## Tuned on one kind of mail, judged on the others

`sybil-farm` at 60 % varied words, over {few} seeds. Each setting is the default guard but for one
thing; a figure is attack success plus the error of the twin (ham and spam misclassified), in
points. Then the best setting of each kind of mail, and how many points worse it is, on each, than
the best one there: what is lost by whoever tunes on other mail than his own.

{table}
""",
    ),
    "doses": (
        doses,
        False,
        """## What a farm has to buy

`sybil-farm` at 60 % varied words, over {few} seeds, one dial at a time. What is not named is as in
the scenario: 4,000 accounts drawn like people's, 40 votes an hour, each account used once.

{table}
""",
    ),
}

HEAD = """# Attackers: what the default guard holds, and where it breaks

Written by

```console
python -m benchmarks.attacks --corpus PATH --seeds {seeds} --few {few} > docs/attacks.md
```

with Python {python} on {cores} cores of {processor}. The figures do not depend on the machine. In
brackets: 95 % bootstrap intervals over seeds, which begin at {first}: the settings of the default
guard were chosen on others.
"""


def main() -> None:
    """Write the page to standard output."""
    options = argparse.ArgumentParser("python -m benchmarks.attacks", description=__doc__)
    options.add_argument("--corpus", default="")
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--few", type=int, default=4)
    options.add_argument("--first", type=int, default=21, help="the first seed")
    options.add_argument("--attack", choices=ATTACKS, action="append", help="one; repeatable")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--only", choices=PARTS, action="append", help="a part; repeatable")
    given = options.parse_args()
    about = machine()
    said = {"seeds": given.seeds, "few": given.few, "first": given.first}
    said |= {name: about[name] for name in ("python", "processor", "cores")}
    print(HEAD.format(**said), flush=True)
    for name in given.only or PARTS:
        rows, many, text = PARTS[name]
        seeds = given.seeds if many else given.few

        def replicated(scenario: str, seeds: int = seeds, **changes: Any) -> Summary:
            own = {"seed": given.first, "replicates": seeds, "jobs": given.jobs}
            return run(scenario, thresholds=[], **own, **changes)

        asked = Asked(given.corpus, tuple(given.attack or ATTACKS))
        print(text.format(table="\n".join(rows(asked, replicated)), **said), flush=True)


if __name__ == "__main__":
    main()
