"""What it cost: the attacker in accounts, mails and votes, the defender in work and errors."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from simulator.arms import TWINS
from simulator.metrics import Metric
from simulator.page.part import Part, Table
from simulator.page.run import Run
from simulator.printed import ARMS, unit
from simulator.safe import safe
from simulator.summary import RAN, Planned, Summary

DEFENDER = {
    "ham_misclassified": "ham misclassified",
    "spam_misclassified": "other spam misclassified",
    "honest_votes_lost": "right honest votes lost (the worse label)",
    "honest_mistakes_refused": "honest mistakes refused (more is better)",
    "correction_delay": "hours until a right vote acts, median",
    "correction_delay_p95": "the same, 95th percentile",
}
NOBODY = "not enough votes"


def costs(summary: Summary, run: Run | None) -> Part | None:
    """The part of the costs; nothing of a run without any arm.

    Args:
        summary: of one run or of several seeds.
        run: the one run, where its frames and events are known.
    """
    if not summary.arms:
        return None
    tables = [*_attackers(summary, run), _defenders(summary, run)]
    words = ["Means over the seeds."] if summary.replicates else []
    return Part("What it cost", words, tables=tables)


def _attackers(summary: Summary, run: Run | None) -> Iterator[Table]:
    rows = [row for one in summary.attacks for row in _attacker(one, run)]
    if rows:
        title = "The attacker: " + ", ".join(safe(one.attack, 60) for one in summary.attacks[:3])
        yield Table(title, ("what", "how much"), rows)


def _attacker(attack: Planned, run: Run | None) -> Iterator[Sequence[str]]:
    if attack.status != RAN:
        yield (f"it did not run ({safe(attack.status, 20)})", safe(attack.why, 300) or "-")
        return
    yield ("days", f"{(attack.end - attack.start) / 24:g}")
    yield ("accounts", f"{attack.accounts:,}")
    if run is not None and run.counted.bots:
        yield ("accounts that voted", f"{run.counted.accounts:,}")
        yield ("addresses that they voted from", f"{run.counted.addresses:,}")
        yield ("subnets that they voted from", f"{run.counted.subnets:,}")
    yield ("campaign mails to people", f"{attack.mails:,}")
    yield ("copies to its own bots", f"{attack.copies:,}")
    yield ("votes", f"{attack.votes:,}")


def _defenders(summary: Summary, run: Run | None) -> Table:
    judged = next(iter(summary.arms), "")
    arms = [arm for arm in (judged, TWINS.get(judged), "reference") if arm in summary.arms]
    arms = [*dict.fromkeys(arms)]
    rows = [
        (
            said if summary.attacks else said.removeprefix("other "),
            *(_figure(summary.arms[arm].metrics, name) for arm in arms),
        )
        for name, said in DEFENDER.items()
    ]
    alarms = summary.metrics.get("twin_alarms_a_day")
    if alarms is not None and alarms.mean is not None:
        own = [f"{alarms.mean:.2f}" if arm == TWINS.get(judged) else "-" for arm in arms]
        rows.append(("alarms a day though nobody attacks", *own))
    if run is not None:
        for name, said in (
            ("judged", "mails judged"),
            ("asked", "of these, asked for by the gate"),
        ):
            sums = (sum(getattr(f, name) for f in run.frames.get(arm, ())) for arm in arms)
            rows.append((f"{said}, whole run", *(f"{many:,}" for many in sums)))
    note = "During the attack" if summary.attacks else "Over the whole run"
    note += "".join(f"; {arm}: {ARMS[arm]}" for arm in arms[1:] if arm in ARMS)
    return Table("The defender", ("what", *(safe(arm, 24) for arm in arms)), rows, note=f"{note}.")


def _figure(metrics: Mapping[str, Metric], name: str) -> str:
    metric = metrics.get(name)
    if metric is None or metric.mean is None:
        return "never" if name.startswith("correction") and metric and metric.n else NOBODY
    write: Callable[[float | None], str] = unit(name)
    return write(metric.mean)
