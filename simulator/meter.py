"""The meter: what has to be remembered of a run, beside its frames, to measure it truly."""

from typing import NamedTuple

import msgspec
import numpy as np

from filter.columns import Floats, Ids, Ticks
from filter.events import INBOX, JUNK, PROMOTE, ROLL_BACK, SPAM, UNIT, UNSURE
from filter.portable import sigmoid
from filter.stage import Flow
from simulator.mail import COPY, PEOPLE
from simulator.truth import Known, Truth

BINS = 1024
EDGES = sigmoid(np.linspace(-24.0, 24.0, BINS - 1))
"""Scores are counted in bins, even in log odds: what lies closer together counts as equal."""


FOLDERS = 1 + max(INBOX, UNSURE, JUNK)


class Cast(NamedTuple):
    """A right vote of an honest person: on which story, with what label."""

    tick: int
    story: int
    spam: bool


class Taught(NamedTuple):
    """A lesson made of votes, and the tick from which a promoted release held it (-1: not yet)."""

    tick: int
    story: int
    spam: bool
    weight: float
    promoted: int


class Meter(msgspec.Struct, forbid_unknown_fields=True):
    """Right honest votes, lessons, scores of ham and spam, and folders, in a window of ticks."""

    start: int
    end: int
    cast: list[Cast] = []
    taught: list[Taught] = []
    ham: list[int] = []
    spam: list[int] = []
    folders: list[list[int]] = []
    """Of people's ordinary mail, by genre: how many in each folder, by its number."""

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
        place = known.genre[people].astype(np.int64) * FOLDERS + known.folder[people]
        counted = np.bincount(place, minlength=len(self.folders) * FOLDERS)
        counted.resize(-(-len(counted) // FOLDERS), FOLDERS)
        counted[: len(self.folders)] += np.array(self.folders, np.int64).reshape(-1, FOLDERS)
        self.folders[:] = counted.tolist()

    def _read_votes(self, tick: int, flow: Flow, truth: Truth) -> None:
        votes = [vote for vote in flow.votes or () if vote.account not in truth.bots]
        known = _known(truth, [(vote.mail, vote.sent) for vote in votes])
        for vote, story, spam in zip(votes, known.story.tolist(), known.spam.tolist(), strict=True):
            if (vote.label == SPAM) == spam:
                self.cast.append(Cast(tick, story, spam))

    def _read_lessons(self, tick: int, flow: Flow, truth: Truth) -> None:
        lessons = flow.lessons or ()
        known = _known(truth, [(lesson.mail, lesson.sent) for lesson in lessons])
        self.taught += [
            Taught(tick, story, lesson.spam, lesson.weight / UNIT, -1)
            for lesson, story in zip(lessons, known.story.tolist(), strict=True)
        ]
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
        votes = [v for v in self.cast if v.spam == label and v.tick < end - within]
        return self._lost(votes, label, within) if len(votes) >= enough else None

    def _lost(self, votes: list[Cast], label: bool, within: int) -> float:
        lessons: dict[int, list[Taught]] = {}
        for lesson in self.taught:
            if lesson.spam == label and lesson.promoted >= 0:
                lessons.setdefault(lesson.story, []).append(lesson)
        taught = 0.0
        for vote in votes:
            weight = sum(
                lesson.weight
                for lesson in lessons.get(vote.story, ())
                if abs(lesson.tick - vote.tick) <= within and lesson.promoted - vote.tick <= within
            )
            taught += min(1.0, weight)
        return 1.0 - taught / len(votes)

    def one_minus_roca(self) -> float | None:
        """The area above the ROC curve: how often a ham mail scores above a spam mail."""
        ham, spam = np.array(self.ham, np.int64), np.array(self.spam, np.int64)
        if not ham.sum() or not spam.sum():
            return None
        below = np.concatenate(([0], np.cumsum(spam)[:-1]))
        wrong = (ham * (below + spam / 2)).sum()
        return float(wrong / (ham.sum() * spam.sum()))


def _known(truth: Truth, mails: list[tuple[int, int]]) -> Known:
    ids: Ids = np.array([mail for mail, _ in mails], np.uint64)
    sent: Ticks = np.array([sent for _, sent in mails], np.int64)
    return truth.look(ids, sent)
