import numpy as np
import pytest

from filter import codec
from filter.columns import Mails, joined, no_mails, partition, rows
from filter.delivery import sign_one
from filter.events import HOLD, INBOX, JUNK, PROMOTE, UNIT, UNSURE, Limits
from filter.model.naive_bayes import NaiveBayes
from filter.ragged import ragged
from filter.scoring import Scoring, ScoringIn, folders
from filter.stage import Provider, Release

PROVIDER = Provider(bytes(range(16)), 48)
HAM_WORD, SPAM_WORD = 11, 22


def release(limits: Limits, weight: int = UNIT) -> Release:
    model = NaiveBayes(bits=8).begin()
    tokens = ragged([[SPAM_WORD], [HAM_WORD]])
    model.learn(0, tokens, np.array([True, False]), np.full(2, weight))
    return Release(0, PROMOTE, "", model.release(0), limits)


START = release(Limits(-0.3, 0.3))


def mails(count: int = 40) -> Mails:
    number = np.arange(1, count + 1, dtype=np.uint64)
    words = [[(HAM_WORD, SPAM_WORD, 99)[n % 3]] for n in range(count)]
    return Mails(number, number, number, number * np.uint64(7), ragged(words))


def test_folders_begin_at_their_limits() -> None:
    odds = np.array([-2.0, -1.0001, -1.0, 0.0, 0.9999, 1.0, 7.0])
    put = folders(odds, Limits(inbox=-1.0, spam=1.0)).tolist()
    assert put == [INBOX, INBOX, UNSURE, UNSURE, UNSURE, JUNK, JUNK]


def test_every_mail_gets_a_score_a_folder_and_a_token_that_fits() -> None:
    verdicts, features, probes = Scoring(PROVIDER, START).step(9, ScoringIn(mails(), ()))
    assert verdicts.folder.tolist()[:3] == [INBOX, JUNK, UNSURE]
    assert ((verdicts.score > 0) & (verdicts.score < 1)).all()
    assert verdicts.score[0] < 0.5 < verdicts.score[1]
    for place in range(40):
        delivery = (int(verdicts.recipient[place]), int(verdicts.mail[place]), 9)
        assert int(verdicts.token[place]) == sign_one(PROVIDER.secret, *delivery)
    assert features.folder.tolist() == verdicts.folder.tolist() == verdicts.shown.tolist()
    assert probes == ()
    assert features.tokens.values.tolist() == mails().tokens.values.tolist()


def test_a_promoted_release_serves_from_now_on_and_a_held_one_never() -> None:
    scoring = Scoring(PROVIDER, START)
    strict = release(Limits(-9.0, -8.0))
    held = Release(5, HOLD, "worse", None, None)
    spam = [
        int((scoring.step(tick, ScoringIn(mails(), given)).verdicts.folder == JUNK).sum())
        for tick, given in enumerate([(), (held,), (strict,), (held,), ()])
    ]
    assert spam == [13, 13, 40, 40, 40]


def test_of_two_releases_the_last_one_serves() -> None:
    scoring = Scoring(PROVIDER, START)
    given = (release(Limits(-9.0, -8.0)), START)
    put = scoring.step(1, ScoringIn(mails(), given)).verdicts.folder
    assert (
        put.tolist()
        == Scoring(PROVIDER, START).step(1, ScoringIn(mails(), ())).verdicts.folder.tolist()
    )


@pytest.mark.parametrize("parts", [2, 7])
def test_a_part_scores_its_recipients_as_the_whole_would(parts: int) -> None:
    whole = Scoring(PROVIDER, START).step(3, ScoringIn(mails(), ()))
    where = partition(mails().recipient, parts)
    apart = [
        Scoring(PROVIDER, START).step(3, ScoringIn(rows(mails(), where == part), ()))
        for part in range(parts)
    ]
    assert codec.pack(joined([out.verdicts for out in apart])) == codec.pack(whole.verdicts)
    assert codec.pack(joined([out.features for out in apart])) == codec.pack(whole.features)


def test_an_hour_without_mail_has_no_verdicts() -> None:
    assert not len(Scoring(PROVIDER, START).step(1, ScoringIn(no_mails(), ())).verdicts.mail)


def test_a_thawed_stage_serves_the_same_release() -> None:
    scoring = Scoring(PROVIDER, START)
    scoring.step(1, ScoringIn(mails(), (release(Limits(-9.0, -8.0), 5 * UNIT),)))
    other = Scoring(PROVIDER, START)
    other.thaw(scoring.freeze())
    assert codec.pack(other.step(2, ScoringIn(mails(), ()))) == codec.pack(
        scoring.step(2, ScoringIn(mails(), ()))
    )
