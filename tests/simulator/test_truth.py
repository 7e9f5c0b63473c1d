"""The answer key never travels: permuted, it changes nothing that the filter does."""

from typing import Any

import numpy as np
import pytest

from filter.events import ACCOUNT, SUBNET
from filter.stage import Flow
from simulator import arms, loop
from simulator.mail import Post
from simulator.truth import Known, Truth
from tests.contracts.small import Table, small

BLIND: Table = {"judges": {"on": False}}
SEEING: Table = {"judges": {"on": True, "golden": 0.2}}


class Permuted(Truth):
    """An answer key that belongs to other mails, and other accounts."""

    def __init__(self, window: int, bots: Any, subnets: Any) -> None:
        super().__init__(window, bots, subnets)
        self.bots = frozenset(range(1000))

    def deliver(self, tick: int, post: Post, folder: Any, shown: Any) -> Known:
        order = np.random.default_rng(tick).permutation(len(post.mail))
        wrong = post._replace(
            genre=post.genre[order],
            spam=post.spam[order],
            story=post.story[order],
            kind=post.kind[order],
        )
        return super().deliver(tick, wrong, folder, shown)


def decided(change: Table, arm: str) -> list[Any]:
    """Everything that the filter decided, tick by tick."""
    prepared = loop.prepare(small(change, {"arms": [arm]}))
    found = []
    for _ in loop.ticks(prepared):
        flow = prepared.arms[arm].last
        if flow is not None:
            found.append(decisions(flow))
    return found


def decisions(flow: Flow) -> Any:
    assert flow.verdicts is not None
    releases = [release.fingerprint() for release in flow.releases or ()]
    columns = [column.tolist() for column in flow.verdicts]
    records = (flow.claims, flow.stopped, flow.rulings, flow.lessons, flow.credits)
    return columns, records, releases, flow.requests, flow.responses


@pytest.mark.parametrize("arm", ["attacked", "unguarded", "reject_all"])
def test_another_answer_key_changes_not_one_ruling_where_nobody_judges(
    arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = decided(BLIND, arm)
    monkeypatch.setattr(arms, "Truth", Permuted)
    permuted = decided(BLIND, arm)
    assert sum(len(rulings) for _, (_, _, rulings, _, _), *_ in honest) > 50
    assert permuted == honest


def test_the_same_key_moves_rulings_through_the_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: what is permuted there is what judges go by."""
    honest = decided(SEEING, "attacked")
    monkeypatch.setattr(arms, "Truth", Permuted)
    permuted = decided(SEEING, "attacked")
    assert [one[1][2] for one in permuted] != [one[1][2] for one in honest]


def test_the_frames_do_tell_the_keys_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = []
    for key in (Truth, Permuted):
        monkeypatch.setattr(arms, "Truth", key)
        prepared = loop.prepare(small(BLIND, {"arms": ["attacked"]}))
        for _ in loop.ticks(prepared):
            pass
        frames.append(prepared.arms["attacked"].frames)
    assert frames[0] != frames[1]
    assert [f.mails for f in frames[0]] == [f.mails for f in frames[1]]


def post(tick: int, count: int = 4) -> Post:
    prepared = loop.prepare(small({"synthetic": {"mails_per_hour": count}}))
    return prepared.world.ordinary(tick)


def test_the_key_answers_in_the_order_asked_and_for_any_tick_of_its_window() -> None:
    truth = Truth(3, {7, 9}, {5})
    posts = {tick: post(tick) for tick in range(3)}
    for tick, one in posts.items():
        truth.deliver(tick, one, *[np.zeros(4, np.int8)] * 2)
    mails = [posts[2].mail[1], posts[0].mail[3], posts[2].mail[0], posts[1].mail[2]]
    known = truth.look(np.array(mails, np.uint64), np.array([2, 0, 2, 1]))
    assert known.mail.tolist() == [int(mail) for mail in mails]
    assert known.spam.tolist() == [
        posts[2].spam[1],
        posts[0].spam[3],
        posts[2].spam[0],
        posts[1].spam[2],
    ]
    assert truth.bots == {7, 9}
    assert truth.sources == {ACCOUNT: {7, 9}, SUBNET: {5}}


def test_a_mail_never_sent_is_no_mail_of_the_key() -> None:
    truth = Truth(3, set(), set())
    truth.deliver(0, post(0), *[np.zeros(4, np.int8)] * 2)
    with pytest.raises(KeyError, match="no mail 5 at tick 0"):
        truth.look(np.array([5], np.uint64), np.array([0]))


def test_nothing_asked_is_nothing_known() -> None:
    assert not len(Truth(3, set(), set()).look(post(0).mail[:0], np.array([])).mail)


def test_the_key_forgets_what_nobody_can_vote_on_any_more() -> None:
    truth = Truth(3, set(), set())
    one = post(0)
    for tick in range(50):
        truth.deliver(tick, one, *[np.zeros(4, np.int8)] * 2)
    assert sorted(truth.state()) == [46, 47, 48, 49]
