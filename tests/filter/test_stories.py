import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filter.ragged import Ragged, ragged
from filter.stories import Stories

NOBODY_S = np.zeros(1 << 10, np.bool_)


def ids(*mails: int) -> np.typing.NDArray[np.uint64]:
    return np.array(mails, np.uint64)


def text(seed: int, count: int = 60, other: float = 0.0, of: int = 0) -> list[int]:
    """Tokens of story ``seed``, with a share of them exchanged for mail ``of``."""
    rng, own = np.random.default_rng(seed), np.random.default_rng(10**6 + of)
    tokens = rng.integers(0, 2**32, count)
    changed = own.random(count) < other
    return [int(t) for t in np.where(changed, own.integers(0, 2**32, count), tokens)]


def stories(alike: int = 3, most: int = 100) -> Stories:
    return Stories(NOBODY_S, alike, most)


def assigned(known: Stories, tick: int, mails: dict[int, list[int]]) -> list[int]:
    return known.assign(tick, ids(*mails), ragged(list(mails.values())))


def test_a_story_is_called_after_its_first_mail() -> None:
    known = stories()
    assert assigned(known, 1, {5: text(1), 6: text(1), 7: text(2)}) == [5, 5, 7]
    assert assigned(known, 2, {8: text(2), 9: text(1)}) == [7, 5]
    assert 5 in known
    assert 6 not in known


def test_mails_with_a_third_of_their_words_varied_are_mostly_one_story() -> None:
    """Eight min-hashes, three of them equal: what the guard relies on, and where it goes blind."""
    shares = []
    for varied in (0.0, 0.3, 0.6, 0.9):
        known = stories()
        mails = {n: text(4, 60, varied, n) for n in range(1, 81)}
        story = assigned(known, 1, mails)
        shares.append(max(story.count(one) for one in set(story)) / 80)
    assert shares[0] == 1.0
    assert shares[1] > 0.5
    assert shares[3] < 0.1
    assert shares == sorted(shares, reverse=True)


def test_unlike_mails_are_stories_of_their_own() -> None:
    mails = {n: text(n) for n in range(1, 200)}
    assert assigned(stories(), 1, mails) == list(mails)


def test_a_mail_of_few_rare_words_is_its_own_story() -> None:
    known = stories()
    assert assigned(known, 1, {5: [1, 2, 3], 6: [1, 2, 3], 7: []}) == [5, 6, 7]
    assert 5 not in known


def test_common_words_do_not_make_mails_alike() -> None:
    common = NOBODY_S.copy()
    common[:512] = True
    shared = [value * 1024 for value in range(1, 60)]
    mine, yours = ([600 + 1024 * (100 * n + k) for k in range(5)] for n in (1, 2))
    assert assigned(Stories(common, 3, 9), 1, {5: shared + mine, 6: shared + yours}) == [5, 6]
    assert assigned(stories(), 1, {5: shared + mine, 6: shared + yours}) == [5, 5]


def test_a_story_not_met_for_long_is_forgotten_and_may_come_again() -> None:
    known = stories()
    assigned(known, 1, {5: text(1), 6: text(2)})
    assigned(known, 9, {7: text(2)})
    known.forget(before=5)
    assert (5 in known, 6 in known, known.forgotten) == (False, True, 0)
    assert assigned(known, 10, {8: text(1), 9: text(2)}) == [8, 6]


def test_beyond_the_cap_the_oldest_go_first_and_are_counted() -> None:
    known = stories(most=10)
    for tick in range(15):
        assigned(known, tick, {100 + tick: text(tick)})
    known.forget(before=0)
    assert [100 + tick in known for tick in range(15)] == [False] * 5 + [True] * 10
    assert known.forgotten == 5


@settings(max_examples=25)
@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 30))
def test_a_thawed_memory_tells_stories_alike(seeds: list[int], cut: int) -> None:
    mails = {n + 1: text(seed, 60, 0.2, n) for n, seed in enumerate(seeds)}
    known, other = stories(), stories()
    first = dict(list(mails.items())[:cut])
    rest = dict(list(mails.items())[cut:])
    assigned(known, 1, first)
    other.thaw(known.freeze())
    assert assigned(other, 2, rest) == assigned(known, 2, rest)
    assert other.freeze() == known.freeze()


def test_nothing_to_assign_is_no_story() -> None:
    assert stories().assign(1, ids(), Ragged(np.empty(0, np.uint32), np.zeros(1, np.int64))) == []


@pytest.mark.parametrize("alike", [1, 5, 8])
def test_a_copy_is_always_of_the_story(alike: int) -> None:
    assert assigned(stories(alike), 1, {5: text(1), 6: text(1)[::-1]}) == [5, 5]
