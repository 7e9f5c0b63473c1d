"""What a filter has learned, and who taught it: words that moved, and mail filed before and after.

A run keeps neither mail nor models: its judged arm is simulated again, as `simulator.show` does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from filter.columns import Mails, find, rows
from filter.events import INBOX, JUNK, UNIT, Lesson
from filter.features import words_of
from filter.model import LogOdds
from filter.ragged import Ragged, ragged
from filter.river_model import RiverRelease
from filter.scoring import folders
from filter.stage import Flow, Release
from simulator.folder import RunFolder
from simulator.loop import Prepared, ticks
from simulator.show import alone

TOP: Final = 12
SAMPLE: Final = 200
"""Mails of the campaign, and of the start set's ham, that are filed before and after."""
VARIES: Final = 0.3
"""Share of the words that vary in the campaign's."""

Pair = tuple[float, float]
Taught = dict[int, "Word"]


class Word(NamedTuple):
    """A word of mails that were taught: its spelling, and the weight that each account taught."""

    word: str
    shares: dict[int, int]


class Moved(NamedTuple):
    """A word that moved.

    Args:
        word: the word.
        before: what it says for spam (above 0) or ham, in log-odds, in the release before.
        after: the same in the release after.
        accounts: how many taught mail that has it.
        bots: how many of these are bots.
        most: the one that taught most of it.
    """

    word: str
    before: float
    after: float
    accounts: int
    bots: int
    most: int


class Learned(NamedTuple):
    """What the judged arm learned between two ticks.

    Args:
        since: the tick of the release before.
        until: the tick of the release after.
        lessons: taught in between.
        moved: the words that moved most, of those in the mails that were taught: how far, times
            the root of the weight with which each was taught, or chance words of one mail lead.
        campaign: share of the campaign's mail in the inbox, before and after; None in peace.
        ham: share of the start set's ham in spam, before and after.
    """

    since: int
    until: int
    lessons: int
    moved: tuple[Moved, ...]
    campaign: Pair | None
    ham: Pair


class Stopped(Exception):  # noqa: N818  nothing went wrong
    """Nobody waits for the answer any more."""


def learned(
    folder: RunFolder, since: int, until: int, stopped: Callable[[], bool] = lambda: False
) -> Learned:
    """Simulate the judged arm again up to a tick, and tell what it learned since another one.

    Args:
        folder: the run's.
        since: tick of the release to begin with, 0 or later.
        until: tick of the release to end with, later than that.
        stopped: asked after each tick whether nobody waits any more.

    Raises:
        FolderError: the run cannot be simulated again.
        Stopped: nobody waits any more.
    """
    folder.must_be_one()
    prepared = alone(folder)
    sent: dict[int, Mails] = {}
    lessons: list[Lesson] = []
    taught: Taught = {}
    before = after = None
    for tick, flow in _flows(prepared, until):
        if stopped():
            raise Stopped
        assert flow.mails is not None
        sent[tick] = flow.mails
        sent.pop(tick - prepared.world.provider.mail_window - 2, None)
        served = [one for one in flow.releases or () if one.scorer is not None]
        after = served[-1] if served else after
        before = after if tick <= since or before is None else before
        if tick > since:
            lessons += flow.lessons or ()
            _note(prepared, flow.lessons or (), sent, taught)
    assert before is not None
    assert after is not None
    moved = _moved(taught, _scorer(before), _scorer(after), prepared.world.bot_ids)
    return Learned(since, until, len(lessons), moved, *_filed(prepared, before, after))


def _flows(prepared: Prepared, until: int) -> Iterator[tuple[int, Flow]]:
    """What flowed at each tick up to the last one that is wanted."""
    (arm,) = prepared.arms.values()
    for tick in ticks(prepared):
        seen = tick - prepared.scenario.feedback_delay
        if seen > until:
            return
        if arm.last is not None:
            yield seen, arm.last


def _note(
    prepared: Prepared, lessons: Sequence[Lesson], sent: Mapping[int, Mails], taught: Taught
) -> None:
    """Note the words of the mails that were taught, and who taught them."""
    for lesson in lessons:
        mails = sent.get(lesson.sent)
        place = find(mails.mail, np.array([lesson.mail], np.uint64)) if mails else NOWHERE
        if mails is None or place[0] < 0:
            continue
        one = rows(mails, place)
        (text,) = prepared.world.source.texts(lesson.sent, one)
        (words,) = words_of([f"{text.subject}\n{text.text}"])
        for word, token in zip(words, one.tokens.values.tolist(), strict=False):
            of = taught.setdefault(token, Word(word, {}))
            for account, weight in lesson.shares:
                of.shares[account] = of.shares.get(account, 0) + weight


NOWHERE: Final = np.array([-1])


def _scorer(release: Release) -> LogOdds | RiverRelease:
    assert release.scorer is not None
    return release.scorer


def _moved(
    taught: Taught, before: LogOdds | RiverRelease, after: LogOdds | RiverRelease, bots: Set[int]
) -> tuple[Moved, ...]:
    tokens = sorted(taught)
    if not tokens:
        return ()
    was, now = _says(before, tokens), _says(after, tokens)
    weight = np.array([sum(taught[token].shares.values()) for token in tokens]) / UNIT
    by_far = np.argsort(-np.abs(now - was) * np.sqrt(weight), kind="stable")[:TOP].tolist()
    found = []
    for place in by_far:
        of = taught[tokens[place]]
        most = min(of.shares, key=lambda account: (-of.shares[account], account))
        count = sum(account in bots for account in of.shares)
        found.append(
            Moved(of.word, float(was[place]), float(now[place]), len(of.shares), count, most)
        )
    return tuple(found)


def _says(scorer: LogOdds | RiverRelease, tokens: Sequence[int]) -> NDArray[np.float64]:
    """What each token alone adds to the log-odds of a mail without any."""
    odds: NDArray[np.float64] = scorer.log_odds(ragged([[], *([token] for token in tokens)]))
    added: NDArray[np.float64] = odds[1:] - odds[0]
    return added


def _filed(prepared: Prepared, before: Release, after: Release) -> tuple[Pair | None, Pair]:
    """Shares of the campaign in the inbox and of old ham in spam, by both releases."""
    world = prepared.world
    ham = world.source.start().ham
    ham = ham.part(0, min(SAMPLE, ham.rows))
    in_spam = _share(before, ham, JUNK), _share(after, ham, JUNK)
    if world.campaign is None:
        return None, in_spam
    ids = world.draws.bits("probe mails", np.arange(SAMPLE, dtype=np.uint64))
    mails = world.campaign.mails(ids, np.full(SAMPLE, VARIES), np.zeros(SAMPLE))
    return (_share(before, mails, INBOX), _share(after, mails, INBOX)), in_spam


def _share(release: Release, mails: Ragged, folder: int) -> float:
    """The share of some mails that a release would put into a folder."""
    assert release.limits is not None
    put = folders(_scorer(release).log_odds(mails), release.limits)
    return float((put == folder).mean())


def told(found: Learned, truth: bool = True) -> list[str]:
    """What was learned, in lines; words are as they stand in mail, so they are made safe later.

    Args:
        found: what was found out.
        truth: whether it may be said who is a bot, and what becomes of the campaign.
    """
    lines = [f"from {found.since} h to {found.until} h: {found.lessons} lessons"]
    if found.campaign and truth:
        was, now = (f"{100 * one:.0f} %" for one in found.campaign)
        lines.append(f"{SAMPLE} mails of the campaign: {was} in the inbox before, {now} after")
    was, now = (f"{100 * one:.1f} %" for one in found.ham)
    lines.append(f"ham of the start set: {was} in spam before, {now} after")
    lines.append("")
    lines.append("how far a word alone moves a mail: + towards spam, - towards ham")
    lines.append(f"{'word':<18}{'before':>8}{'after':>8}   taught by")
    return lines + [_line(one, truth) for one in found.moved]


def _line(one: Moved, truth: bool) -> str:
    bots = f", {one.bots} bots" if truth else ""
    most = f"{one.most:016x}"[-8:]  # as the console's table of sources has it
    who = f"{one.accounts} accounts{bots}; most by {most}"
    return f"{one.word[:17]:<18}{one.before:>+8.2f}{one.after:>+8.2f}   {who}"
