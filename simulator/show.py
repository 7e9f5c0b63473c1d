"""A mail of a run as text, with its story: what it is, where it was put, and what was said of it.

A run keeps no mail. Its judged arm is simulated again up to the tick of the mail, which gives the
same mail and the same verdict, because nothing in a run hangs on anything but its settings.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from filter.columns import find
from filter.columns import rows as taken
from filter.events import INBOX, JUNK, UNSURE
from simulator import manifest
from simulator.durable import FolderError
from simulator.explain import examples, there_are
from simulator.folder import RunFolder
from simulator.loop import Prepared, prepare, ticks
from simulator.mail import CAMPAIGN, COPY, Text
from simulator.safe import safe
from simulator.session import corpus_digest

Line = dict[str, Any]
Say = Callable[[str], None]
FOLDERS: Final = {INBOX: "inbox", UNSURE: "unsure", JUNK: "spam"}
DIGITS: Final = 16
LONG: Final = 4000
"""Characters of a mail that are shown at most."""


class Shown(NamedTuple):
    """A mail: its text, and what the world and the filter made of it."""

    mail: int
    sent: int
    text: Text
    sender: int
    domain: int
    recipient: int
    genre: str
    is_spam: bool
    kind: int
    score: float
    folder: str
    shown: str


def show(folder: RunFolder, wanted: str, say: Say) -> list[str]:
    """A mail's text and story, sanitised, as lines.

    Args:
        folder: the run's.
        wanted: the mail's id as 16 hexadecimal digits, or how it begins if somebody voted on it.
        say: tells people that this takes a while.

    Raises:
        FolderError: there is no such mail, or the run cannot be simulated again.
    """
    folder.must_be_one()
    events = list(folder.events())
    mail, last = _the_one(events, wanted, folder.manifest.duration)
    prepared = alone(folder)
    say(f"simulating the arm '{next(iter(prepared.arms))}' again, up to {last} h at most")
    found = _replayed(prepared, mail, last)
    if found is None:
        raise FolderError(
            f"mail {wanted!r}: there is none in this run; {there_are(events, 'mail')}"
        )
    return [*_about(found), "", *_text(found.text), "", *_said(events, mail)]


def _the_one(events: Sequence[Line], wanted: str, duration: int) -> tuple[int, int]:
    """The mail's id, and the tick up to which it was sent."""
    start = wanted.strip().lower().removeprefix("0x")
    known = {line["mail"]: line["sent"] for line in events if line["type"] == "vote"}
    found = [mail for mail in known if start and mail.startswith(start)]
    if len(found) == 1:
        return int(found[0], DIGITS), known[found[0]]
    if found:
        raise FolderError(
            f"mail {wanted!r}: {len(found)} mails that were voted on begin so; name one of them:"
            f" {examples(events, start, 'mail')}"
        )
    try:
        whole = int(start, DIGITS) if len(start) == DIGITS else -1
    except ValueError:
        whole = -1
    if whole < 0:
        raise FolderError(
            f"mail {wanted!r}: expected {DIGITS} hexadecimal digits, or the first ones of a mail"
            f" that somebody voted on; {there_are(events, 'mail')}"
        )
    return whole, duration - 1


def alone(folder: RunFolder) -> Prepared:
    """The judged arm of a run alone, before its first tick.

    Raises:
        FolderError: something has changed since, so it would be another run.
    """
    scenario = folder.scenario()
    prepared = prepare(replace(scenario, arms=scenario.arms[:1], engine="embedded"))
    now = manifest.begun(scenario, folder.manifest.began, folder.manifest.command)
    corpus, duration = corpus_digest(prepared), prepared.scenario.duration
    now = manifest.with_world(now, prepared.plugins, corpus, duration)
    manifest.must_go_on(folder.manifest, now)
    return prepared


def _replayed(prepared: Prepared, mail: int, last: int) -> Shown | None:
    (arm,) = prepared.arms.values()
    wanted = np.array([mail], np.uint64)
    for tick in ticks(prepared):
        sent = tick - prepared.scenario.feedback_delay
        if sent > last:
            break
        flow = arm.last
        if flow is None or flow.mails is None or flow.verdicts is None:
            continue
        place = find(flow.mails.mail, wanted)
        if place[0] < 0:
            continue
        one, verdict = taken(flow.mails, place), taken(flow.verdicts, place)
        genre, is_spam, kind = arm.truly(mail, sent)
        (text,) = prepared.world.source.texts(sent, one)
        return Shown(
            mail,
            sent,
            text,
            int(one.sender[0]),
            int(one.domain[0]),
            int(one.recipient[0]),
            genre,
            is_spam,
            kind,
            float(verdict.score[0]),
            FOLDERS[int(verdict.folder[0])],
            FOLDERS[int(verdict.shown[0])],
        )
    return None


def _about(one: Shown) -> Iterator[str]:
    whose = {CAMPAIGN: "the attacker's campaign", COPY: "a copy of the campaign, sent to a bot"}
    label = "spam" if one.is_spam else "ham"
    yield f"mail        {one.mail:016x}, sent at {one.sent} h"
    yield f"from        {one.sender:016x}, domain {one.domain:016x}"
    yield f"to          account {one.recipient:016x}"
    yield f"in truth    {label}: {safe(one.genre)}{', ' * (one.kind in whose)}" + whose.get(
        one.kind, ""
    )
    yield f"verdict     {one.folder}, score {one.score:.3f}"
    if one.shown != one.folder:
        yield f"decoy       its recipient is suspected of probing, and sees it in {one.shown}"


def _text(text: Text) -> Iterator[str]:
    yield f"  {safe(text.subject, 300)}"
    yield ""
    shown = safe(text.text.replace("\n", " "), LONG)
    yield from textwrap.wrap(shown, 76, initial_indent="  ", subsequent_indent="  ")


def _said(events: Sequence[Line], mail: int) -> Iterator[str]:
    """The votes on it with their rulings, and what it taught."""
    id_ = f"{mail:016x}"
    votes = [line for line in events if line["type"] == "vote" and line["mail"] == id_]
    ruled: dict[str, Line] = {one["vote"]: one for one in events if one["type"] == "ruling"}
    if not votes:
        yield "votes       nobody has voted on it"
    for line in votes:
        who = "a bot" if line["bot"] else "a person"
        ruling = ruled.get(line["vote"])
        became = f"{ruling['ruling']}: {ruling['reason']}" if ruling else "no ruling yet"
        yield (
            f"vote        {line['vote']} says {safe(line['label'], 40)!r} at {line['tick']} h, by"
            f" {who}; {safe(became, 200)}"
        )
    for line in events:
        if line["type"] == "lesson" and line["mail"] == id_:
            yield (
                f"lesson      at {line['tick']} h: {line['label']!r} with weight"
                f" {line['weight']:g}, of {len(line['shares'])} accounts"
            )
