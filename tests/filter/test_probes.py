"""Who tries the filter out on himself is counted, and shown decoys."""

import numpy as np
import pytest

from filter import codec
from filter.columns import Mails, partition, rows
from filter.events import DECOY, FOLDERS, INBOX, JUNK, Limits, ProbeCount, Response
from filter.probes import DAY, Probes
from filter.ragged import ragged
from filter.scoring import Scoring, ScoringIn, ScoringOut
from filter.stage import Provider, Release
from tests.filter.test_scoring import START

PROVIDER = Provider(bytes(range(16)), 48)
COMMON = np.zeros(1 << 10, np.bool_)
PROBER, READER = 7, 8


def probes(watched_from: int = 1, tried: int = 2) -> Probes:
    return Probes(COMMON, 3, watched_from, tried)


def mails(tick: int, *to: tuple[int, int]) -> Mails:
    """A mail for each (recipient, text): equal texts have equal words."""
    ids = 1000 * tick + np.arange(len(to), dtype=np.uint64)
    recipients = np.array([recipient for recipient, _ in to], np.uint64)
    words = [[100 * text + n for n in range(20)] for _, text in to]
    return Mails(ids, ids, ids, recipients, ragged(words))


def test_equal_mails_to_one_recipient_are_counted_and_others_are_not() -> None:
    stage = probes()
    counts, again = stage.look(1, mails(1, (PROBER, 1), (PROBER, 1), (READER, 1), (PROBER, 2)))
    assert counts == (ProbeCount(PROBER, 2), ProbeCount(READER, 1))
    assert again.tolist() == [False, True, False, False]
    counts, again = stage.look(2, mails(2, (PROBER, 2), (PROBER, 1), (READER, 3)))
    assert counts == (ProbeCount(PROBER, 3), ProbeCount(READER, 1))
    assert again.tolist() == [True, True, False]


def test_only_a_mail_of_which_there_were_enough_is_tried_out() -> None:
    stage = probes(tried=3)
    bits = stage.look(1, mails(1, *[(PROBER, 1)] * 4, (PROBER, 2), (PROBER, 2)))[1]
    assert bits.tolist() == [False, False, True, True, False, False]


def test_a_new_day_begins_with_nobody() -> None:
    stage = probes()
    stage.look(DAY - 1, mails(1, (PROBER, 1), (PROBER, 1)))
    counts, again = stage.look(DAY, mails(2, (PROBER, 1)))
    assert counts == (ProbeCount(PROBER, 1),)
    assert not again.any()


def test_only_who_gets_many_mails_is_looked_through() -> None:
    stage = probes(watched_from=3)
    given = [mails(tick, (PROBER, 1), (READER, tick)) for tick in range(1, 6)]
    found = [stage.look(tick, one)[0] for tick, one in enumerate(given, 1)]
    assert [len(counts) for counts in found] == [0, 0, 2, 2, 2]
    assert found[-1] == (ProbeCount(PROBER, 3), ProbeCount(READER, 1))


@pytest.mark.parametrize("parts", [2, 5])
def test_a_part_counts_its_recipients_as_the_whole_would(parts: int) -> None:
    rng = np.random.default_rng(3)
    whole, apart = probes(3), [probes(3) for _ in range(parts)]
    for tick in range(1, 30):
        given = mails(tick, *rng.integers(0, [40, 4], (60, 2)).tolist())
        where = partition(given.recipient, parts)
        counts, again = whole.look(tick, given)
        found = [one.look(tick, rows(given, where == part)) for part, one in enumerate(apart)]
        assert sorted(one for of, _ in found for one in of) == list(counts) != []
        for part, (_, bits) in enumerate(found):
            assert bits.tolist() == again[where == part].tolist()


def test_a_thawed_count_goes_on() -> None:
    stage, other = probes(2), probes(2)
    stage.look(1, mails(1, (PROBER, 1), (PROBER, 1), (READER, 1)))
    other.thaw(stage.freeze())
    assert other.freeze() == stage.freeze()
    more = mails(2, (PROBER, 1), (READER, 1), (9, 1), (9, 1))
    (counts, again), (same, bits) = stage.look(2, more), other.look(2, more)
    assert counts == same
    assert again.tolist() == bits.tolist() == [True, False, False, True]
    assert other.freeze() == stage.freeze()


# Decoys


def scoring() -> Scoring:
    return Scoring(PROVIDER, START, probes())


def step(stage: Scoring, tick: int, given: Mails, *told: Response) -> ScoringOut:
    return stage.step(tick, ScoringIn(given, (), told))


MANY = [(PROBER, 1)] * 300 + [(READER, 1)] * 300 + [(PROBER, text) for text in range(2, 50)]


def test_who_is_shown_decoys_sees_what_he_tries_again_in_folders_drawn_by_lot() -> None:
    stage = scoring()
    verdicts = step(stage, 1, mails(1, *MANY), Response(PROBER, DECOY, 3, "")).verdicts
    lied = verdicts.shown != verdicts.folder
    assert not lied[300:].any(), "nobody else's mail, and none of his own that is new"
    seen = verdicts.shown[1:300]
    assert 100 < (seen == INBOX).sum() < 200
    assert set(seen.tolist()) == {INBOX, JUNK}
    for tick, lies in ((2, True), (3, False), (4, False)):
        verdicts = step(stage, tick, mails(tick, *MANY)).verdicts
        assert (verdicts.shown != verdicts.folder).any() == lies


def test_what_becomes_of_mail_is_the_same_with_decoys_and_without() -> None:
    given = mails(1, *MANY)
    honest, lying = (
        step(scoring(), 1, given),
        step(scoring(), 1, given, Response(PROBER, DECOY, 9, "")),
    )
    assert codec.pack(lying.features) == codec.pack(honest.features)
    for name in ("score", "folder", "token"):
        assert codec.pack(getattr(lying.verdicts, name)) == codec.pack(
            getattr(honest.verdicts, name)
        )


def test_the_lots_do_not_hang_on_what_the_filter_thinks() -> None:
    """Or an average over many would tell the truth after all."""
    strict = Release(0, "promote", "", START.scorer, Limits(-9.0, -8.0))
    shown = []
    for release in (START, strict):
        stage = Scoring(PROVIDER, release, probes())
        out = step(stage, 1, mails(1, *MANY), Response(PROBER, DECOY, 9, ""))
        shown.append(out.verdicts.shown[1:300].tolist())
        assert FOLDERS[int(out.verdicts.folder[0])] == FOLDERS[int(out.verdicts.shown[0])]
    assert shown[0] == shown[1]


def test_without_anybody_to_heed_probes_none_are_counted_and_nobody_is_lied_to() -> None:
    out = step(Scoring(PROVIDER, START), 1, mails(1, *MANY), Response(PROBER, DECOY, 9, ""))
    assert out.probes == ()
    assert out.verdicts.shown.tolist() == out.verdicts.folder.tolist()


def test_a_thawed_scoring_goes_on_lying() -> None:
    stage, other = scoring(), scoring()
    step(stage, 1, mails(1, *MANY), Response(PROBER, DECOY, 5, ""))
    other.thaw(stage.freeze())
    assert other.freeze() == stage.freeze()
    given = mails(2, *MANY)
    assert codec.pack(step(other, 2, given)) == codec.pack(step(stage, 2, given))
