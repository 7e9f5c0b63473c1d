"""What became of the votes: over time, and which check stopped whose."""

from collections.abc import Iterator, Sequence

from filter.events import RESPONDER, STOPS, TAUGHT
from simulator.page.charts import stacked
from simulator.page.count import SPARING, Ruled, precision, recall, rightly, total
from simulator.page.course import binned
from simulator.page.damage import attack
from simulator.page.part import Chart, Part, Table, percent, ratio
from simulator.page.run import Run
from simulator.printed import GLUE
from simulator.safe import safe

MOST = 40
"""Rows of a table at most: a folder may hold anything."""
SAID = {
    "": "the vote taught the filter",
    "merged": "its story had just been taught this; a further vote adds nothing",
    "duplicate": "the account had voted on this mail before",
}


def votes(run: Run) -> Part | None:
    """The part of the votes; nothing where nobody voted."""
    if not run.counted.bots + run.counted.people:
        return None
    return Part("What became of the votes", tuple(_words(run)), [*_flows(run)], [*_tables(run)])


def _words(run: Run) -> Iterator[str]:
    count = run.counted
    fates = [total(count.ruled, kinds) for kinds in ((TAUGHT,), SPARING, STOPS)]
    if count.people:
        fate = _fate("People", count.people, *(of.people for of in fates))
        yield f"{fate} Of all of them {_share(count.mistaken, count.people)} were mistaken."
    if count.bots:
        yield _fate("Bots", count.bots, *(of.bots for of in fates))


def _fate(who: str, cast: int, taught: int, spared: int, stopped: int) -> str:
    return (
        f"{who} cast {cast:,} votes: {_share(taught, cast)} taught the filter,"
        f" {_share(spared, cast)} had nothing to add, {_share(stopped, cast)} were stopped."
    )


def _share(some: int, of: int) -> str:
    return f"{some:,} ({ratio(some, of)})"


def _flows(run: Run) -> Iterator[Chart]:
    hours = max(run.summary.ticks, 1)
    for whose, bot in (("people", False), ("bots", True)):
        bins = binned(run.counted.flow, bot, hours)
        if not bins.rates:
            continue
        title = f"Votes of {whose}"
        size = bins.edges[1] - bins.edges[0]
        every = [sum(column) for column in zip(*bins.rates.values(), strict=True)]
        kinds = sorted(bins.rates.items(), key=lambda one: -sum(one[1]))
        said = (
            f"By the hour they were cast in, and by what became of them in the end: "
            f"{', '.join(f'{sum(of) * size:,.0f} {safe(ruling, 30)}' for ruling, of in kinds)}."
            f" The most were {max(every):,.1f} an hour, at {bins.edges[every.index(max(every))]} h."
        )
        drawing = stacked(whose, f"{title}. {said}", bins, attack(run.summary))
        yield Chart(title, said, drawing)


def _tables(run: Run) -> Iterator[Table]:
    rows = [*_checks(run)]
    note = (
        "Stopped means rejected, limited, held in quarantine to the end, or shadowed (it only looks"
        " as if it counted). The first check that stops a vote has it; what comes after never sees"
        " it."
    )
    heads: tuple[str, ...] = ("check", "how", "people's votes stopped", "of these mistaken")
    if run.counted.bots:
        heads = (*heads[:2], "bots' votes stopped", *heads[2:], "rightly", "precision", "recall")
        note += (
            " Rightly: of the votes stopped, those of bots and the mistaken ones of people."
            " Precision: of the votes stopped, the share that bots cast. Recall: of all bots'"
            " votes, the share stopped here, which for a late check is low. The truth in both is"
            " who cast the vote, which the filter is never told."
        )
    note += (
        " Mistaken: the vote was wrong by the answer key, so that stopping it was right."
        f" {RESPONDER.capitalize()} is no check: it is the stage that has the votes of sources"
        " held, or shadowed, after judges refuted earlier ones."
    )
    if rows:
        yield Table("What the checks stopped", heads, rows, 2, note)
    others = [*_others(run)]
    if others:
        whose = ("bots' votes", "people's votes") if run.counted.bots else ("people's votes",)
        yield Table(
            "No accusation",
            ("ruling", "why", *whose),
            others,
            2,
            "Merged and duplicate votes are not held against anybody, and were not stopped.",
        )


def _checks(run: Run) -> Iterator[Sequence[str]]:
    ruled = {kind: of for kind, of in run.counted.ruled.items() if kind[1] in STOPS}
    names = sorted({check for check, _ in ruled}, key=lambda name: (*_most(run, name), name))
    for name in names[:MOST]:
        of = _stopped(run, name)
        how = [
            f"{safe(kind, 30)}{GLUE}{_all(one):,}"
            for (by, kind), one in ruled.items()
            if by == name
        ]
        yield _row(run, safe(name, 40) or "-", ", ".join(how), of)
    if len(names) > 1:
        yield _row(run, "all together", "", total(ruled, STOPS))


def _most(run: Run, check: str) -> tuple[int, int]:
    """Sorts what stopped most bots, then most people, to the front."""
    of = _stopped(run, check)
    return -of.bots, -of.people


def _stopped(run: Run, check: str) -> Ruled:
    mine = {kind: of for kind, of in run.counted.ruled.items() if kind[0] == check}
    return total(mine, STOPS)


def _all(of: Ruled) -> int:
    return of.bots + of.people


def _row(run: Run, name: str, how: str, of: Ruled) -> Sequence[str]:
    people = (f"{of.people:,}", f"{of.mistaken:,}")
    if not run.counted.bots:
        return (name, how, *people)
    shares = map(percent, (rightly(of), precision(of), recall(of, run.counted.bots)))
    return (name, how, f"{of.bots:,}", *people, *shares)


def _others(run: Run) -> Iterator[Sequence[str]]:
    for (check, ruling), of in [*run.counted.ruled.items()][:MOST]:
        if ruling in STOPS:
            continue
        why = SAID.get("" if ruling == TAUGHT else ruling, "not ruled on before the run ended")
        by = f" ({safe(check, 40)})" if check else ""
        bots = (f"{of.bots:,}",) if run.counted.bots else ()
        yield (f"{safe(ruling, 30)}{by}", why, *bots, f"{of.people:,}")
