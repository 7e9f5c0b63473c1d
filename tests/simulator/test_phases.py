from simulator.phases import AFTER, ALL, BEFORE, LONGEST, NAMES, PEACE, UNDER


def test_every_phase_of_a_summary_has_a_name_of_its_own() -> None:
    assert NAMES.keys() == {BEFORE, UNDER, AFTER, ALL}
    assert len(set(NAMES.values())) == 4
    assert NAMES[ALL] == PEACE
    assert max(map(len, NAMES.values())) == LONGEST
