"""The meter: what has to be remembered of a run, beside its frames, to measure it truly."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from filter.columns import Floats, Ids, Ticks
from filter.events import INBOX, JUNK, PROMOTE, ROLL_BACK, SPAM, UNIT, UNLEARN, UNSURE, Lesson
from filter.portable import sigmoid
from filter.stage import Flow
from simulator.mail import COPY, PEOPLE
from simulator.truth import Known, Truth

BINS = 1024
EDGES = sigmoid(np.linspace(-24.0, 24.0, BINS - 1))
"""Scores are counted in bins, even in log odds: what lies closer together counts as equal."""


FOLDERS = 1 + max(INBOX, UNSURE, JUNK)
NEVER = float("inf")


class Cast(NamedTuple):
    """A vote of an honest person: on which story, with what label; whose, on what genre."""

    tick: int
    story: int
    spam: bool
    account: int = 0
    genre: int = 0


class Taught(NamedTuple):
    """A lesson made of votes, and the tick from which a promoted release held it (-1: not yet).

    ``account`` is whose it is, if it is one account's.
    """

    tick: int
    story: int
    spam: bool
    weight: float
    promoted: int
    account: int = -1


class Meter(msgspec.Struct, forbid_unknown_fields=True):
    """Honest votes, lessons, scores of ham and spam, and folders, in a window of ticks.

    ``cast`` are the right votes, ``mistaken`` the wrong ones.
    """

    start: int
    end: int
    cast: list[Cast] = []
    taught: list[Taught] = []
    ham: list[int] = []
    spam: list[int] = []
    folders: list[list[int]] = []
    """Of people's ordinary mail, by genre: how many in each folder, by its number."""
    mistaken: list[Cast] = []
    unlearns: int = 168
    """Ticks for which a lesson can be taken back, `filter.learner.LearnerSettings.unlearns`."""

    def read(self, tick: int, flow: Flow, known: Known, truth: Truth) -> None:
        """Take a tick's verdicts, votes, lessons and releases."""
        assert flow.verdicts is not None
        if self.start <= tick < self.end:
            self._read_scores(flow.verdicts.score, known)
            self._read_folders(known)
            self._read_votes(tick, flow, truth)
        self._read_lessons(tick, flow, truth)

    def _read_scores(self, score: Floats, known: Known) -> None:
        bins = np.searchsorted(EDGES, score)
        people = known.kind != COPY
        for label, counts in ((False, self.ham), (True, self.spam)):
            new = np.bincount(bins[people & (known.spam == label)], minlength=BINS)
            counts[:] = (new + counts).tolist() if counts else new.tolist()

    def _read_folders(self, known: Known) -> None:
        people = known.kind == PEOPLE
        place = known.genre[people].astype(np.int64) * FOLDERS + known.shown[people]
        counted = np.bincount(place, minlength=len(self.folders) * FOLDERS)
        counted.resize(-(-len(counted) // FOLDERS), FOLDERS)
        counted[: len(self.folders)] += np.array(self.folders, np.int64).reshape(-1, FOLDERS)
        self.folders[:] = counted.tolist()

    def _read_votes(self, tick: int, flow: Flow, truth: Truth) -> None:
        votes = [
            vote
            for vote in flow.votes or ()
            if vote.account not in truth.bots and truth.was_sent(vote.mail, vote.sent)
        ]
        known = _known(truth, [(vote.mail, vote.sent) for vote in votes])
        columns = (known.story.tolist(), known.spam.tolist(), known.genre.tolist())
        for vote, story, spam, genre in zip(votes, *columns, strict=True):
            said = vote.label == SPAM
            cast = self.cast if said == spam else self.mistaken
            cast.append(Cast(tick, story, said, vote.account, genre))

    def _read_lessons(self, tick: int, flow: Flow, truth: Truth) -> None:
        lessons = flow.lessons or ()
        known = _known(truth, [(lesson.mail, lesson.sent) for lesson in lessons])
        self.taught += [
            Taught(tick, story, lesson.spam, lesson.weight / UNIT, -1, _owner(lesson))
            for lesson, story in zip(lessons, known.story.tolist(), strict=True)
        ]
        gone = {one.source for one in flow.responses or () if one.action == UNLEARN}
        if gone:
            oldest = tick - self.unlearns
            self.taught = [t for t in self.taught if t.account not in gone or t.tick <= oldest]
        for release in flow.releases or ():
            if release.action == ROLL_BACK:
                self.taught = [one for one in self.taught if one.tick <= release.dropped]
            if release.action in (PROMOTE, ROLL_BACK):
                self._promote(tick)

    def _promote(self, tick: int) -> None:
        for place in range(len(self.taught) - 1, -1, -1):
            if self.taught[place].promoted >= 0:
                break
            self.taught[place] = self.taught[place]._replace(promoted=tick)

    def lost(self, end: int, within: int = 24, enough: int = 300) -> float | None:
        """Honest votes lost: the worse label's share; None if there are too few votes of each.

        A right honest vote is not lost as far as lessons of its label on its story, within
        ``within`` ticks, add up to its full weight in a promoted release.
        """
        both = (self.lost_of(label, end, within, enough) for label in (False, True))
        return max((share for share in both if share is not None), default=None)

    def lost_of(self, label: bool, end: int, within: int = 24, enough: int = 300) -> float | None:
        """The same of one label: "spam" (True) or "not spam"; None if there are too few votes."""
        votes = [vote for vote in _old(self.cast, end, within) if vote.spam == label]
        if len(votes) < enough:
            return None
        return 1.0 - sum(self._taught(votes, within)) / len(votes)

    def mistakes_refused(self, end: int, within: int = 24, enough: int = 30) -> float | None:
        """The share of wrong honest votes that taught nothing, by the same rule."""
        votes = _old(self.mistaken, end, within)
        return None if len(votes) < enough else 1.0 - sum(self._taught(votes, within)) / len(votes)

    def lost_by_few(self, end: int, within: int = 24, enough: int = 30) -> float | None:
        """Of all right honest votes that were lost, the share of the tenth who lost most.

        A tenth of those who cast any; None if fewer than ``enough`` votes were lost.
        """
        votes = _old(self.cast, end, within)
        lost: dict[int, float] = {}
        for vote, taught in zip(votes, self._taught(votes, within), strict=True):
            lost[vote.account] = lost.get(vote.account, 0.0) + 1.0 - taught
        total = sum(lost.values())
        if total < enough:
            return None
        return sum(sorted(lost.values(), reverse=True)[: -(-len(lost) // 10)]) / total

    def lost_by_genre(self, end: int, within: int = 24) -> dict[int, tuple[int, float]]:
        """Of each genre, how many right honest votes were cast, and how many were lost."""
        votes = _old(self.cast, end, within)
        found: dict[int, tuple[int, float]] = {}
        for vote, taught in zip(votes, self._taught(votes, within), strict=True):
            many, lost = found.get(vote.genre, (0, 0.0))
            found[vote.genre] = many + 1, lost + 1.0 - taught
        return found

    def delay(self, share: float, end: int, within: int = 24, enough: int = 30) -> float | None:
        """Ticks from a right honest vote until a promoted release holds a lesson on its story.

        A lesson of up to ``within`` ticks before the vote serves it as well, with no delay.

        Args:
            share: the quantile that is wanted, as 0.5.
            end: tick at which the run ends.
            within: see `lost`; votes of the last ticks are too young to tell.
            enough: None for fewer votes; None also if that many were never served.
        """
        votes = _old(self.cast, end, within)
        if len(votes) < enough:
            return None
        waits = sorted(self._waits(votes, within))
        wait = waits[min(int(share * len(waits)), len(waits) - 1)]
        return None if wait == NEVER else wait

    def _waits(self, votes: list[Cast], within: int) -> Iterator[float]:
        lessons = self._lessons()
        for vote in votes:
            served = (
                max(0, lesson.promoted - vote.tick)
                for lesson in lessons.get((vote.story, vote.spam), ())
                if lesson.tick >= vote.tick - within
            )
            yield min(served, default=NEVER)

    def _taught(self, votes: list[Cast], within: int) -> list[float]:
        """Of each vote, the weight of the lessons that serve it, 1 at most."""
        lessons = self._lessons()
        return [
            min(
                1.0,
                sum(
                    lesson.weight
                    for lesson in lessons.get((vote.story, vote.spam), ())
                    if abs(lesson.tick - vote.tick) <= within
                    and lesson.promoted - vote.tick <= within
                ),
            )
            for vote in votes
        ]

    def _lessons(self) -> dict[tuple[int, bool], list[Taught]]:
        """The promoted ones, by story and label."""
        lessons: dict[tuple[int, bool], list[Taught]] = {}
        for lesson in self.taught:
            if lesson.promoted >= 0:
                lessons.setdefault((lesson.story, lesson.spam), []).append(lesson)
        return lessons

    def one_minus_roca(self) -> float | None:
        """The area above the ROC curve: how often a ham mail scores above a spam mail."""
        ham, spam = np.array(self.ham, np.int64), np.array(self.spam, np.int64)
        if not ham.sum() or not spam.sum():
            return None
        below = np.concatenate(([0], np.cumsum(spam)[:-1]))
        wrong = (ham * (below + spam / 2)).sum()
        return float(wrong / (ham.sum() * spam.sum()))


def _owner(lesson: Lesson) -> int:
    return lesson.shares[0][0] if len(lesson.shares) == 1 else -1


def _old(votes: list[Cast], end: int, within: int) -> list[Cast]:
    """The votes that are old enough to tell what became of them."""
    return [vote for vote in votes if vote.tick < end - within]


def _known(truth: Truth, mails: list[tuple[int, int]]) -> Known:
    ids: Ids = np.array([mail for mail, _ in mails], np.uint64)
    sent: Ticks = np.array([sent for _, sent in mails], np.int64)
    return truth.look(ids, sent)
