import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filter.columns import Features
from filter.mailroom import Mailroom
from filter.ragged import Ragged, ragged

WINDOW = 4


def features(mails: list[int]) -> Features:
    column = np.array(mails, np.uint64)
    tokens = ragged([[mail, mail + 1] for mail in mails])
    return Features(column, column, column, np.zeros(len(mails), np.int8), tokens)


def full() -> Mailroom:
    """Ten ticks of three mails; mail 10 t + i came at tick t."""
    room = Mailroom(WINDOW)
    for tick in range(10):
        room.take(tick, features([10 * tick, 10 * tick + 1, 10 * tick + 2]))
    return room


def asked(room: Mailroom, mails: list[int], sent: list[int]) -> list[list[int]]:
    tokens: Ragged = room.tokens(np.array(mails, np.uint64), np.array(sent, np.int64))
    return [tokens.row(number).tolist() for number in range(tokens.rows)]


@given(st.lists(st.tuples(st.integers(5, 9), st.integers(0, 2)), max_size=20))
def test_tokens_come_in_the_order_asked(wanted: list[tuple[int, int]]) -> None:
    mails = [10 * tick + place for tick, place in wanted]
    found = asked(full(), mails, [tick for tick, _ in wanted])
    assert found == [[mail, mail + 1] for mail in mails]


def test_a_mail_that_is_not_here_has_no_tokens_and_disturbs_no_other() -> None:
    mails = [91, 77, 50, 4, 92, 61]
    sent = [9, 9, 5, 0, 9, 33]
    assert asked(full(), mails, sent) == [[91, 92], [], [50, 51], [], [92, 93], []]


def test_mail_is_kept_as_long_as_it_can_be_voted_on() -> None:
    assert asked(full(), [50], [5]) == [[50, 51]]
    assert asked(full(), [40], [4]) == [[]]
    assert sorted(full()._by_tick) == [5, 6, 7, 8, 9]


def test_nothing_asked_is_nothing_found() -> None:
    assert asked(full(), [], []) == []


def test_a_tick_without_mail_has_none_to_ask_for() -> None:
    room = Mailroom(WINDOW)
    room.take(0, features([]))
    assert asked(room, [5, 6], [0, 0]) == [[], []]


def test_a_thawed_mailroom_is_the_same() -> None:
    room = Mailroom(WINDOW)
    room.thaw(full().freeze())
    assert room.freeze() == full().freeze()
    assert asked(room, [81, 70], [8, 7]) == [[81, 82], [70, 71]]
