"""Who was silenced without having been wrong, and whether it is always the same few."""

from collections.abc import Iterator, Sequence

from simulator.metrics import Metric
from simulator.page.count import worst_tenth
from simulator.page.part import Part, Table, percent, ratio
from simulator.page.run import Run
from simulator.page.votes import MOST
from simulator.safe import safe

TOP = 10
ENOUGH = 100
"""Votes from which it is said how concentrated they are."""


def silenced(run: Run) -> Part | None:
    """The part of the people; nothing where no vote of theirs was stopped or lost."""
    genres = [*_genres(run)]
    if not run.counted.silenced and not genres:
        return None
    return Part("Who was silenced wrongly", [*_words(run)], tables=[*_tables(run, genres)])


def _words(run: Run) -> Iterator[str]:
    found = run.counted.silenced
    votes = sum(many for _, many in found)
    yield (
        f"{votes:,} right votes of {len(found):,} people's accounts were stopped;"
        f" {run.counted.voters:,} accounts of people voted."
    )
    if found:
        yield (
            "Which votes were right is told by the answer key, which no guard sees. One that was"
            " stopped is not always lost: another vote on the same story may have taught the same."
        )
    if votes >= ENOUGH:
        share = worst_tenth(many for _, many in found)
        yield f"The tenth of these accounts with the most has {percent(share)} of the votes."
    few = run.summary.metrics.get("honest_votes_lost_by_few", Metric(None)).mean
    if few is not None:
        yield (
            "By the answer key, which knows every vote that was right, the tenth of voters who lost"
            f" most has {percent(few)} of all that was lost."
        )


def _tables(run: Run, genres: Sequence[Sequence[str]]) -> Iterator[Table]:
    rows = [(account, f"{many:,}") for account, many in run.counted.silenced[:TOP]]
    if rows:
        title = "The accounts that were stopped most"
        note = "hamstrung explain RUN VOTE follows a single vote through the guard."
        left = len(run.counted.silenced) - len(rows)
        note = f"And {left:,} more. {note}" if left else note
        yield Table(title, ("account", "right votes stopped"), rows, note=note)
    if genres:
        note = (
            "By the answer key: right votes of people, and how many of them taught nothing within a"
            " day. A lesson on the same story serves all votes on it."
        )
        yield Table(
            "Right votes lost, by genre", ("genre", "right votes", "lost", "share"), genres, 1, note
        )


def _genres(run: Run) -> Iterator[Sequence[str]]:
    arm = run.summary.arms.get(run.judged)
    lost = [one for one in (arm.genres if arm else ()) if one.lost_votes > 0]
    for one in sorted(lost, key=lambda one: -one.lost_votes)[:MOST]:
        many = f"{one.lost_votes:,.1f}".removesuffix(".0")
        share = ratio(one.lost_votes, one.right_votes)
        yield (safe(one.genre, 40), f"{one.right_votes:,}", many, share)
