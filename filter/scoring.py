"""Scoring: every mail gets a score, a folder and a delivery token."""

from typing import NamedTuple

import numpy as np

from filter import codec, delivery
from filter.columns import Features, Folders, Mails, Verdicts
from filter.events import INBOX, JUNK, UNSURE, Limits
from filter.model import LogOdds
from filter.portable import sigmoid
from filter.river_model import RiverRelease
from filter.stage import Provider, Release


class ScoringIn(NamedTuple):
    """A tick's mail, and the releases that take effect."""

    mails: Mails
    releases: tuple[Release, ...]


class ScoringOut(NamedTuple):
    """A verdict and the features of every mail."""

    verdicts: Verdicts
    features: Features


class Scoring:
    """The stage `scoring`, split by recipient: it serves the last release that was promoted."""

    def __init__(self, provider: Provider, start: Release) -> None:
        """Serve the release that the filter starts with."""
        self._secret = provider.secret
        self._serving = start

    @property
    def serving(self) -> LogOdds | RiverRelease:
        """The scorer being served: the one that the next release is told apart from."""
        assert self._serving.scorer is not None
        return self._serving.scorer

    def step(self, tick: int, given: ScoringIn) -> ScoringOut:
        """Score a tick's mail with what has been promoted by now."""
        for release in given.releases:
            if release.scorer is not None:
                self._serving = release
        mails, serving = given.mails, self._serving
        assert serving.scorer is not None
        assert serving.limits is not None
        odds = serving.scorer.log_odds(mails.tokens)
        folder = folders(odds, serving.limits)
        token = delivery.sign(self._secret, mails.recipient, mails.mail, tick)
        return ScoringOut(
            Verdicts(mails.mail, mails.recipient, sigmoid(odds), folder, token),
            Features(mails.mail, mails.recipient, mails.domain, folder, mails.tokens),
        )

    def freeze(self) -> bytes:
        """The release being served."""
        return codec.pack(self._serving)

    def thaw(self, frozen: bytes) -> None:
        """Serve a frozen release again."""
        self._serving = codec.unpack(Release, frozen)


def folders(odds: np.typing.NDArray[np.float64], limits: Limits) -> Folders:
    """The folder of each mail: inbox, spam, or the abstaining class between the two limits."""
    folder = np.full(len(odds), UNSURE, np.int8)
    folder[odds < limits.inbox] = INBOX
    folder[odds >= limits.spam] = JUNK
    return folder
