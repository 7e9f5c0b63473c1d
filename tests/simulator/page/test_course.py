from math import isnan
from typing import Any

import msgspec

from simulator.frame import Frame
from simulator.page.course import BINS, POINTS, Span, binned, curve, gate

EMPTY: dict[str, Any] = {
    name: {} if name.startswith("rulings") else "" if name == "release" else 0
    for name in Frame.__struct_fields__
}


def frame(tick: int, **counts: Any) -> Frame:
    return msgspec.convert(EMPTY | {"tick": tick} | counts, Frame)


def frames(campaign: list[tuple[int, int]]) -> list[Frame]:
    return [
        frame(tick, campaign_in_inbox=inbox, campaign=every)
        for tick, (inbox, every) in enumerate(campaign)
    ]


def test_a_share_is_a_ratio_of_sums_over_the_last_hours_and_no_mean_of_ratios() -> None:
    found = curve(frames([(1, 1), (0, 9), (5, 10)]), "campaign_in_inbox", hours=2)
    assert found.ticks == [0, 1, 2]
    assert found.shares == [1.0, 1 / 10, 5 / 19]
    assert found.highest() == (1.0, 0)


def test_where_there_is_no_mail_there_is_no_share() -> None:
    found = curve(frames([(0, 0), (0, 0)]), "campaign_in_inbox")
    assert all(isnan(share) for share in found.shares)
    assert found.highest() is None
    assert curve([], "campaign_in_inbox").ticks == []


def test_however_long_the_run_few_points_are_drawn_and_the_last_is_one() -> None:
    found = curve(frames([(1, 2)] * 5003), "campaign_in_inbox")
    assert POINTS / 2 < len(found.ticks) <= POINTS
    assert found.ticks[-1] == 5002
    flow = {(tick, True, "taught"): 2 for tick in range(5003)}
    bins = binned(flow, True, 5003)
    assert len(bins.rates["taught"]) <= BINS
    size = bins.edges[1]
    assert round(sum(bins.rates["taught"]) * size) == 2 * 5003


def test_people_and_bots_flow_apart() -> None:
    flow = {(0, True, "taught"): 3, (1, False, "rejected"): 4}
    assert binned(flow, True, 2).rates == {"taught": [3.0, 0.0]}
    assert binned(flow, False, 2).rates == {"rejected": [0.0, 4.0]}


def test_what_the_gate_did_is_told_in_spans() -> None:
    said = ["", "promote", "promote", "hold", "roll back", "promote"]
    found = gate([frame(tick, release=release) for tick, release in enumerate(said)])
    assert found == [
        Span("promote", 1, 3),
        Span("hold", 3, 4),
        Span("roll back", 4, 5),
        Span("promote", 5, 6),
    ]


def test_a_roll_back_is_seen_in_a_run_of_many_points() -> None:
    states = ["promote"] * 3000
    states[1234] = "roll back"
    found = gate([frame(tick, release=release) for tick, release in enumerate(states)])
    [back] = [span for span in found if span.state == "roll back"]
    assert back.start <= 1234 < back.end
