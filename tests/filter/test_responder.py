from dataclasses import replace

from filter.events import DECOY, QUARANTINE, SHADOW, SUBNET, UNLEARN, Credit, ProbeCount, Response
from filter.responder import DAY, Responder, ResponderIn, ResponderSettings

SETTINGS = ResponderSettings(refuted=2, memory=100, quarantine=10, longest=40)


def step(stage: Responder, tick: int, *refuted: int) -> tuple[Response, ...]:
    judged = tuple(Credit(account, n, n, -1, account) for n, account in enumerate(refuted))
    return stage.step(tick, ResponderIn(judged)).responses


def until(responses: tuple[Response, ...]) -> list[int]:
    assert all(one.action in (QUARANTINE, SHADOW) for one in responses)
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
        assert {(one.source, one.until) for one in responses} == {(7, 11)}


def test_who_was_right_of_late_is_put_in_quarantine_but_not_unlearned() -> None:
    for tick, told in ((1, [QUARANTINE]), (100, [QUARANTINE]), (101, [QUARANTINE, UNLEARN])):
        stage = Responder(SETTINGS, on=True, unlearns=True)
        stage.step(1, ResponderIn((Credit(7, 1, 1, 1, 0),)))
        assert [one.action for one in step(stage, tick, 7, 7)] == told


def test_refuted_claims_of_one_tick_add_up_and_two_sources_do_not() -> None:
    stage = Responder(SETTINGS, on=True)
    assert step(stage, 1, 7, 8) == ()
    assert until(step(Responder(SETTINGS, on=True), 1, 7, 7)) == [11]


def test_confirmed_claims_are_no_reason() -> None:
    stage = Responder(SETTINGS, on=True)
    right = tuple(Credit(7, n, n, 1, 0) for n in range(9))
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


def test_who_was_in_quarantine_twice_and_never_right_is_shadowed_the_third_time() -> None:
    wrong, mixed = Responder(SETTINGS, on=True), Responder(SETTINGS, on=True)
    told: list[list[str]] = []
    for tick in (0, 50, 100):
        mixed.step(tick, ResponderIn((Credit(7, 1, 1, 1, 0),)))
        told.append([one.action for stage in (wrong, mixed) for one in step(stage, tick, 7, 7)])
    assert told == [[QUARANTINE] * 2, [QUARANTINE] * 2, [SHADOW, QUARANTINE]]


def of_subnet(stage: Responder, tick: int, **outcomes: int) -> list[Response]:
    """Credit accounts of one subnet, each named ``_number``; what is done about the subnet."""
    given = [Credit(int(name[1:]), 1, 1, outcome, 5) for name, outcome in outcomes.items()]
    responses = stage.step(tick, ResponderIn(tuple(given))).responses
    again = Responder(SETTINGS, on=True)
    again.thaw(stage.freeze())
    assert again.freeze() == stage.freeze()
    return [one for one in responses if one.scope == SUBNET]


def test_a_subnet_of_which_three_accounts_were_refuted_is_put_in_quarantine_whole() -> None:
    stage = Responder(SETTINGS, on=True)
    assert of_subnet(stage, 1, _1=-1, _2=-1) == []
    reason = "3 of its accounts refuted in 100 h"
    assert of_subnet(stage, 9, _3=-1) == [Response(5, QUARANTINE, 19, reason, SUBNET)]
    assert of_subnet(stage, 18, _4=-1, _5=-1, _6=-1) == [], "it is there already"
    assert [one.until for one in of_subnet(stage, 19, _7=-1)] == [39], "and then twice as long"


def test_one_account_does_not_condemn_its_subnet_and_the_confirmed_speak_for_it() -> None:
    assert of_subnet(Responder(SETTINGS, on=True), 1, _1=-1, _2=-1) == []
    stage = Responder(SETTINGS, on=True)
    for tick in range(9):
        assert of_subnet(stage, tick, _1=-1) == []
    stage = Responder(SETTINGS, on=True)
    assert of_subnet(stage, 1, _1=-1, _4=1, _5=1, _6=1, _2=-1, _3=-1) == []
    assert len(of_subnet(stage, 50, _7=-1)) == 1, "four against three"
    before = Responder(SETTINGS, on=True)
    assert of_subnet(before, 1, _4=1, _5=1, _6=1) == []
    assert of_subnet(before, 2, _1=-1, _2=-1, _3=-1) == [], "they were confirmed before"
    assert of_subnet(Responder(SETTINGS, on=True), 1, _1=1, _2=1, _7=-1, _8=-1, _9=-1) != []


def test_subnets_are_let_alone_if_so_set() -> None:
    stage = Responder(replace(SETTINGS, cluster=0), on=True)
    assert of_subnet(stage, 1, _1=-1, _2=-1, _3=-1, _4=-1) == []


def test_a_source_in_quarantine_is_not_put_there_again() -> None:
    stage = Responder(SETTINGS, on=True)
    assert len(step(stage, 1, 7, 7)) == 1
    assert step(stage, 5, 7, 7) == ()


def test_switched_off_it_does_nothing() -> None:
    stage = Responder(SETTINGS, on=False)
    assert step(stage, 1, 7, 7, 7) == ()


def test_responses_come_in_order_of_account() -> None:
    assert [one.source for one in step(Responder(SETTINGS, on=True), 1, 9, 3, 9, 3)] == [3, 9]


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
        sizes.append(len(stage._memory.sources))
        assert len(stage._memory.clusters) == sizes[-1]
    assert max(sizes[-DAY:]) == max(sizes[200 : 200 + DAY]) <= 100 * (20 + DAY)


def test_sources_that_were_in_quarantine_are_forgotten_too() -> None:
    stage, sizes = Responder(SETTINGS, on=True), []
    for tick in range(300):
        new = range(20 * tick, 20 * tick + 20)
        step(stage, tick, *new, *new)
        sizes.append(len(stage._memory.sources))
    kept = SETTINGS.quarantine + SETTINGS.longest + DAY
    assert max(sizes[-DAY:]) == max(sizes[150 : 150 + DAY]) <= 20 * kept


def probed(stage: Responder, tick: int, **many: int) -> list[tuple[int, str, int]]:
    given = tuple(ProbeCount(int(name[1:]), count) for name, count in many.items())
    responses = stage.step(tick, ResponderIn((), given)).responses
    return [(one.source, one.action, one.until) for one in responses]


def test_who_tries_the_filter_out_is_shown_decoys_for_a_while() -> None:
    stage = Responder(replace(SETTINGS, probes=8, decoy=20), on=True)
    assert probed(stage, 1, _7=7, _8=8, _9=99) == [(8, DECOY, 21), (9, DECOY, 21)]
    assert probed(stage, 20, _7=7, _8=50) == [], "he sees them already"
    assert probed(stage, 21, _8=8) == [(8, DECOY, 41)]
    assert probed(Responder(replace(SETTINGS, probes=0), on=True), 1, _7=99) == []


def test_decoys_that_have_ended_are_forgotten() -> None:
    stage = Responder(replace(SETTINGS, decoy=20), on=True)
    for tick in range(100):
        probed(stage, tick, **{f"_{n}": 9 for n in range(tick * 10, tick * 10 + 10)})
    assert len(stage._memory.decoys) <= 10 * (20 + DAY)
