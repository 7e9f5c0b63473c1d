"""The path of one vote, from the events of its run."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from filter.events import (
    ACCOUNT,
    HOLD,
    PROMOTE,
    QUARANTINED,
    REJECTED,
    RESPONDER,
    ROLL_BACK,
    SUBNET,
    TAUGHT,
)
from simulator.durable import FolderError
from simulator.folder import RunFolder

Line = dict[str, Any]
SOUGHT = (TAUGHT, REJECTED, QUARANTINED)
UNRULED = "no ruling yet"
FEW = 5
"""Ids in a message."""


def explain(folder: RunFolder, vote: str) -> str:
    """What became of a vote of the judged arm, and why.

    Args:
        folder: the run's.
        vote: its id as 16 hexadecimal digits, or the beginning of one that no other vote has.

    Raises:
        FolderError: there is no such vote, or more than one, with ids that there are; or the
            folder holds several seeds.
    """
    folder.must_be_one()
    events = list(folder.events())
    cast = _the_one(events, vote)
    of_vote = [line for line in events if line.get("vote") == cast["vote"]]
    rulings = [line for line in of_vote if line["type"] == "ruling"]
    parts = [
        _about(cast),
        *(_claim(line) for line in of_vote if line["type"] == "claim"),
        *(_ruling(line, place) for place, line in enumerate(rulings)),
        *([] if rulings else ["ruling      none yet"]),
        *_lesson(folder, events, cast, rulings),
        *(_credit(line) for line in of_vote if line["type"] == "credit"),
        *_quarantines(events, cast),
    ]
    return "\n".join(parts)


def _the_one(events: Sequence[Line], wanted: str) -> Line:
    votes = [line for line in events if line["type"] == "vote"]
    start = wanted.strip().lower().removeprefix("0x")
    found = [line for line in votes if line["vote"].startswith(start)] if start else []
    if len(found) == 1:
        return found[0]
    if found:
        raise FolderError(
            f"vote {wanted!r}: {len(found)} votes begin so; name one of them:"
            f" {examples(events, start)}"
        )
    raise FolderError(f"vote {wanted!r}: there is none in this run; {there_are(events)}")


def there_are(events: Sequence[Line], of: str = "vote") -> str:
    """Ids to begin with, as the end of a message that there is none as was asked for."""
    some = examples(events, of=of)
    return f"there are, for example: {some}" if some else "nobody has voted yet"


def examples(events: Sequence[Line], start: str = "", of: str = "vote") -> str:
    """A few ids, first one of each kind: of what became of a vote, and of whose it is.

    Args:
        events: of a run.
        start: how they begin.
        of: what they are the ids of: ``vote``, or ``mail`` for those that were voted on.
    """
    ruled = {line["vote"]: line["ruling"] for line in events if line["type"] == "ruling"}
    kinds: dict[str, tuple[str, bool]] = {}
    for line in events:
        if line["type"] == "vote" and line[of].startswith(start):
            kinds.setdefault(line[of], (ruled.get(line["vote"], UNRULED), line["bot"]))
    so_far: Counter[tuple[str, bool]] = Counter()
    found = []
    for id_, (ruling, bot) in kinds.items():
        so_far[ruling, bot] += 1
        rank = SOUGHT.index(ruling) if ruling in SOUGHT else len(SOUGHT)
        whose = "a bot's" if bot else "a person's"
        found.append((so_far[ruling, bot], rank, bot, f"{id_} ({whose} vote, {ruling})"))
    return ", ".join(text for *_, text in sorted(found)[:FEW])


def _about(cast: Line) -> str:
    said = {True: "and right", False: "and mistaken", None: "but no such mail was sent"}
    who = "a bot's account" if cast["bot"] else f"a person's account, {said[cast['right']]}"
    after = cast["tick"] - cast["sent"]
    late = "" if cast["cast"] == cast["tick"] else f", dated {cast['cast']} h"
    return "\n".join(
        [
            f"vote        {cast['vote']} in the arm '{cast['arm']}'",
            f"says        {cast['label']!r} of mail {cast['mail']}, sent at {cast['sent']} h",
            f"cast        at {cast['tick']} h{late}, {after} h after the mail",
            f"by          account {cast['account']}, opened at {cast['opened']} h",
            f"from        address {cast['address']}, subnet {cast['subnet']}",
            f"in truth    {who} (the filter is never told)",
        ]
    )


def _claim(line: Line) -> str:
    standing = "vetted" if line["vetted"] else "not vetted"
    wait = f"; to be held: {line['hold']}" if line["hold"] else ""
    return (
        f"claim       at {line['tick']} h: reputation"
        f" {line['reputation']:.2f} ({standing}), weight {line['weight']:g}{wait}"
    )


def _ruling(line: Line, place: int) -> str:
    who = "the responder" if line["check"] == RESPONDER else f"the check {line['check']}"
    by = f" by {who}" if line["check"] else ""
    which = "ruling" if place == 0 else "then"
    return f"{which:<12}{line['ruling']} at {line['tick']} h{by}: {line['reason']}"


def _lesson(
    folder: RunFolder, events: Iterable[Line], cast: Line, rulings: Sequence[Line]
) -> Iterator[str]:
    """The lesson that a vote became, and the release that it got into."""
    ticks = {line["tick"] for line in rulings if line["ruling"] == TAUGHT}
    for line in events:
        taught = line["type"] == "lesson" and line["tick"] in ticks and line["mail"] == cast["mail"]
        if taught and line["label"] == cast["label"] and cast["account"] in line["shares"]:
            share = line["shares"][cast["account"]]
            yield (
                f"lesson      at {line['tick']} h: {line['label']!r} with weight {share:g}"
                f" of {line['weight']:g}; {_served(folder, cast['arm'], line['tick'])}"
            )


def _served(folder: RunFolder, arm: str, tick: int) -> str:
    """The release of which a lesson is a part, as far as is known."""
    dropped = {
        line["tick"]: line["dropped"]
        for line in folder.events()
        if line["type"] == "release" and line["arm"] == arm and line["action"] == ROLL_BACK
    }
    served = ""
    held = 0
    for name, frame in folder.frames():
        if name != arm or frame.tick < tick:
            continue
        if frame.release == HOLD and not served:
            held += 1
        if frame.release == PROMOTE and not served:
            waited = f", after {held} h on hold" if held else ""
            served = f"in the release of {frame.tick} h{waited}"
        if frame.release == ROLL_BACK and dropped.get(frame.tick, tick) < tick:
            until = f"{served}, " if served else ""
            return f"{until}thrown away by the roll-back of {frame.tick} h"
    return served or "in no release yet"


def _credit(line: Line) -> str:
    said = "confirmed" if line["outcome"] > 0 else "refuted"
    return f"credit      {line['outcome']:+d} at {line['tick']} h: {said} by a judgement"


def _quarantines(events: Iterable[Line], cast: Line) -> Iterator[str]:
    for line in events:
        of = line["type"] == "response" and line["arm"] == cast["arm"]
        for scope in (ACCOUNT, SUBNET) if of else ():
            if line.get(scope) != cast[scope]:
                continue
            yield (
                f"response    {line['action']} of the {scope} at {line['tick']} h,"
                f" until {line['until']} h: {line['reason']}"
            )
