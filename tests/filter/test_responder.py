from dataclasses import replace

from filter.events import QUARANTINE, UNLEARN, Credit, Response
from filter.responder import DAY, Responder, ResponderIn, ResponderSettings

SETTINGS = ResponderSettings(refuted=2, memory=100, quarantine=10, longest=40)


def step(stage: Responder, tick: int, *refuted: int) -> tuple[Response, ...]:
    judged = tuple(Credit(account, n, n, -1) for n, account in enumerate(refuted))
    return stage.step(tick, ResponderIn(judged)).responses


def until(responses: tuple[Response, ...]) -> list[int]:
    assert all(one.action == QUARANTINE for one in responses)
    return [one.until for one in responses]


def test_a_source_is_put_in_quarantine_when_too_many_claims_were_refuted() -> None:
    stage = Responder(SETTINGS, on=True)
    assert step(stage, 1, 7) == ()
    assert step(stage, 5, 7) == (Response(7, QUARANTINE, 15, "2 claims refuted in 100 h"),)


def test_what_it_taught_is_unlearned_where_the_model_can() -> None:
    for settings, can, told in (
        (SETTINGS, True, [QUARANTINE, UNLEARN]),
        (SETTINGS, False, [QUARANTINE]),
        (replace(SETTINGS, unlearn=False), True, [QUARANTINE]),
    ):
        responses = step(Responder(settings, on=True, unlearns=can), 1, 7, 7)
        assert [one.action for one in responses] == told
        assert {(one.account, one.until) for one in responses} == {(7, 11)}


def test_who_was_right_of_late_is_put_in_quarantine_but_not_unlearned() -> None:
    for tick, told in ((1, [QUARANTINE]), (100, [QUARANTINE]), (101, [QUARANTINE, UNLEARN])):
        stage = Responder(SETTINGS, on=True, unlearns=True)
        stage.step(1, ResponderIn((Credit(7, 1, 1, 1),)))
        assert [one.action for one in step(stage, tick, 7, 7)] == told


def test_refuted_claims_of_one_tick_add_up_and_two_sources_do_not() -> None:
    stage = Responder(SETTINGS, on=True)
    assert step(stage, 1, 7, 8) == ()
    assert until(step(Responder(SETTINGS, on=True), 1, 7, 7)) == [11]


def test_confirmed_claims_are_no_reason() -> None:
    stage = Responder(SETTINGS, on=True)
    right = tuple(Credit(7, n, n, 1) for n in range(9))
    assert stage.step(1, ResponderIn(right)).responses == ()


def test_old_refutations_are_forgotten() -> None:
    stage = Responder(SETTINGS, on=True)
    step(stage, 1, 7)
    assert step(stage, 101, 7) == ()
    assert until(step(stage, 200, 7)) == [210]


def test_each_further_quarantine_lasts_twice_as_long_up_to_the_longest() -> None:
    stage, tick, lasted = Responder(SETTINGS, on=True), 0, []
    for _ in range(5):
        (end,) = until(step(stage, tick, 7, 7))
        lasted.append(end - tick)
        tick = end
    assert lasted == [10, 20, 40, 40, 40]


def test_a_source_in_quarantine_is_not_put_there_again() -> None:
    stage = Responder(SETTINGS, on=True)
    assert len(step(stage, 1, 7, 7)) == 1
    assert step(stage, 5, 7, 7) == ()


def test_switched_off_it_does_nothing() -> None:
    stage = Responder(SETTINGS, on=False)
    assert step(stage, 1, 7, 7, 7) == ()


def test_responses_come_in_order_of_account() -> None:
    assert [one.account for one in step(Responder(SETTINGS, on=True), 1, 9, 3, 9, 3)] == [3, 9]


def test_a_thawed_responder_remembers() -> None:
    stage, other = Responder(SETTINGS, on=True), Responder(SETTINGS, on=True)
    step(stage, 1, 7, 8, 8)
    other.thaw(stage.freeze())
    assert step(other, 2, 7) == step(stage, 2, 7) != ()
    assert other.freeze() == stage.freeze()


def test_forty_thousand_refuted_newcomers_are_forgotten_with_time() -> None:
    """Promise 9: each of 100 new accounts an hour is refuted once."""
    stage, sizes = Responder(replace(SETTINGS, memory=20), on=True), []
    for tick in range(400):
        step(stage, tick, *range(100 * tick, 100 * tick + 100))
        sizes.append(len(stage._sources))
    assert max(sizes[-DAY:]) == max(sizes[200 : 200 + DAY]) <= 100 * (20 + DAY)


def test_sources_that_were_in_quarantine_are_forgotten_too() -> None:
    stage, sizes = Responder(SETTINGS, on=True), []
    for tick in range(300):
        new = range(20 * tick, 20 * tick + 20)
        step(stage, tick, *new, *new)
        sizes.append(len(stage._sources))
    kept = SETTINGS.quarantine + SETTINGS.longest + DAY
    assert max(sizes[-DAY:]) == max(sizes[150 : 150 + DAY]) <= 20 * kept
