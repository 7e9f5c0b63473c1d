from hypothesis import given
from hypothesis import strategies as st

from filter.gcra import Gcra

intervals = st.floats(0.01, 100)
bursts = st.integers(1, 50)
gaps = st.lists(st.integers(0, 30), max_size=200)


def passed(limit: Gcra, ticks: list[int]) -> list[int]:
    """The ticks at which a vote passed."""
    due, found = 0.0, []
    for tick in ticks:
        passes, due = limit.spend(tick, due)
        if passes:
            found.append(tick)
    return found


def summed(gaps: list[int]) -> list[int]:
    return [sum(gaps[: place + 1]) for place in range(len(gaps))]


@given(intervals, bursts, gaps)
def test_no_stretch_of_time_passes_more_than_a_burst_and_the_rate(
    interval: float, burst: int, gaps: list[int]
) -> None:
    found = passed(Gcra(interval, burst), summed(gaps))
    for first, start in enumerate(found):
        for last in range(first, len(found)):
            assert last - first + 1 <= burst + (found[last] - start) / interval + 1e-6


@given(st.sampled_from([0.25, 0.5, 1.0, 2.0, 24.0]), bursts, st.integers(0, 10**6))
def test_after_a_rest_a_whole_burst_passes_and_no_more(
    interval: float, burst: int, rested: int
) -> None:
    assert len(passed(Gcra(interval, burst), [rested] * (burst + 5))) == burst


@given(st.integers(1, 20), bursts)
def test_whoever_keeps_to_the_rate_is_never_stopped(interval: int, burst: int) -> None:
    ticks = [number * interval for number in range(100)]
    assert passed(Gcra(float(interval), burst), ticks) == ticks


@given(intervals, bursts, gaps, st.integers(1, 9))
def test_what_was_stopped_costs_nothing(
    interval: float, burst: int, gaps: list[int], more: int
) -> None:
    """Knocking again at a closed door does not keep it closed."""
    limit = Gcra(interval, burst)
    ticks = summed(gaps)
    allowed = passed(limit, ticks)
    insisting = [tick for tick in ticks for _ in range(1 + more * (tick not in allowed))]
    assert passed(limit, insisting) == allowed


def test_the_default_limit_passes_twenty_votes_at_once_at_any_tick() -> None:
    counts = [len(passed(Gcra(24.0 / 20.0, 20.0), [tick] * 25)) for tick in range(400)]
    assert set(counts) == {20}
