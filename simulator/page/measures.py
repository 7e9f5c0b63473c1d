"""The measures that were taken against sources, and against whom."""

from collections.abc import Iterator

from filter.events import DECOY, HOLD, QUARANTINE, ROLL_BACK, SHADOW, UNLEARN
from simulator.page.part import Part, Table
from simulator.page.run import Run
from simulator.page.votes import MOST
from simulator.safe import safe

MEANS = {
    QUARANTINE: "its votes are held until a judge or a second opinion speaks for them",
    SHADOW: "its votes look as if they counted, and teach nothing",
    DECOY: "it sees lies about mails that it tries the filter out with",
    UNLEARN: "what it taught is taken out of the model",
}
WHOSE = {"bots": "bots", "people": "people", "unknown": "never voted"}
"""Columns of sources, shown where there are any."""


def measures(run: Run) -> Part | None:
    """The part of the measures; nothing where none was taken."""
    done = [*run.counted.done.items()][:MOST]
    words = [*_words(run)]
    if not done and not words:
        return None
    columns = ["times", *(name for name in WHOSE if any(getattr(of, name) for _, of in done))]
    rows = [
        (
            f"{safe(action, 30)}, {scope}",
            MEANS.get(action, ""),
            *(f"{getattr(of, column):,}" for column in columns),
        )
        for (action, scope), of in done
    ]
    heads = ("measure", "what it does", *(WHOSE.get(column, column) for column in columns))
    note = (
        "Sources are accounts, or subnets, counted once each; a subnet counts as the bots' if any"
        " bot voted from it."
    )
    tables = [Table("", heads, rows, 2, note)] if rows else []
    return Part("What was done about the sources", words, tables=tables)


def _words(run: Run) -> Iterator[str]:
    frames = run.of_judged()
    refused = sum(frame.release in (HOLD, ROLL_BACK) for frame in frames)
    named = sum(frame.alarms for frame in frames) - refused
    if named:
        true = sum(frame.alarms_true for frame in frames)
        whose = (
            f"{true:,} times it was one of the attacker's, {named - true:,} times one of people's"
            if run.summary.attacks
            else "each time it was one of people's"
        )
        yield (
            f"Sources were found out {named:,} times, each once an hour at most; by the answer key"
            f" {whose}."
        )
    back = sum(frame.release == ROLL_BACK for frame in frames)
    if back:
        yield f"The gate rolled the model back {back:,} times."
    lies, harmed = (sum(getattr(f, name) for f in frames) for name in ("decoys", "harmed"))
    if lies or harmed:
        yield (
            f"Decoys showed {lies:,} copies to bots in another folder than they were filed in, and"
            f" {harmed:,} mails of people."
        )
