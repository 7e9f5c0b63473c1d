"""The panel of what carries a run on Kafka: every figure with its age, and who does not answer."""

from simulator.console.carried import Answer, Carried, Stand, Stream
from simulator.console.panels import BAD, Look
from simulator.console.pipeline import carried, pipeline
from simulator.console.plan import plan
from simulator.console.seen import Seen

KAFKA, REDIS = Answer("Kafka", 0.0021, 1), Answer("Redis", 0.0003)
STANDS = (
    Stand("scoring", 0, 61, 0, "9b3b08", 48),
    Stand("scoring", 1, 59, 7, "c482c5", 48, 1),
    Stand("account_guard", 0, 61, 0, "9b3b08", 61),
    Stand("learner", 0, None, 0, "", None),
)
STREAMS = (Stream("mails", 13.74, 2, "scoring"), Stream("verdicts", None, None, "driver"))
NOW = Carried(61, STANDS, STREAMS, KAFKA, REDIS)
SHORT, TALL = Look(58, 6), Look(118, 30)


def drawn(now: Carried, look: Look) -> list[str]:
    return [line.plain.rstrip() for line in carried(now, look)]


def test_in_little_room_a_stage_has_a_cell_and_the_slowest_reader_is_named() -> None:
    assert drawn(NOW, SHORT) == [
        "now: hour 61; Redis 0.3 ms, Kafka 2.1 ms, 1 s ago",
        "scoring           59-61   -2  account_guard        61    0",
        "learner            none  -62  owners: 2, taken over: 1",
        "14 messages/s; scoring 2 h behind on mails",
    ]


def test_where_two_cells_have_no_room_each_has_a_line() -> None:
    assert drawn(NOW, Look(38, 6))[1:3] == [
        "scoring           59-61   -2",
        "account_guard        61    0",
    ]


def test_with_room_each_partition_and_each_topic_has_a_line() -> None:
    lines = drawn(NOW, TALL)
    head = "stage          part  at hour  behind     for   saved  owner   taken over"
    assert lines[1:6] == [
        head,
        "scoring           0       61       0     0 s      48  9b3b08           0",
        "scoring           1       59       2     7 s      48  c482c5           1",
        "account_guard     0       61       0     0 s      61  9b3b08           0",
        "learner           0     none      62     0 s    none  -                0",
    ]
    assert lines[7].split() == ["mails", "13.7", "2", "scoring", "verdicts", "-", "-", "driver"]
    assert "others at snapshots alone" in lines[-2]


def test_who_stands_still_with_work_to_do_is_pointed_at() -> None:
    of = {line.plain[:19]: line.style for line in carried(NOW, TALL)}
    assert of["scoring           1"] == BAD
    assert of["scoring           0"] == ""
    idle = NOW._replace(stands=(Stand("scoring", 0, 61, 99),))
    assert not [line for line in carried(idle, TALL) if line.style == BAD]


def test_a_server_that_is_silent_is_named_and_what_it_told_is_as_old_as_it_is() -> None:
    now = NOW._replace(kafka=Answer("Kafka", 0.0021, 12, "Kafka at 127.0.0.1:9092: timed out"))
    assert drawn(now, SHORT)[:2] == [
        "12 s ago: hour 61; Redis 0.3 ms, Kafka silent, 0 s ago",
        "‼ no answer for 12 s: Kafka at 127.0.0.1:9092: timed out",
    ]
    hung = NOW._replace(redis=Answer("Redis", 0.0003, 30))
    assert drawn(hung, SHORT)[1] == "‼ no answer for 30 s: Redis"


def test_before_anybody_answered_no_figure_is_made_up() -> None:
    nobody = Answer("Kafka", None, 0, "Kafka at a:1: refused"), Answer("Redis", None)
    assert drawn(Carried(None, (), (), *nobody), SHORT) == [
        "now: hour none; Redis silent, Kafka silent",
        "‼ no answer yet: Kafka at a:1: refused",
    ]


def test_a_run_that_is_not_asked_about_shows_what_its_frames_tell() -> None:
    seen = Seen(plan({"engine": "kafka"}, 10))
    assert pipeline(seen, SHORT).plain.startswith("carried by the engine: kafka; last 24 h")
    seen.topics = {"votes": (1200, 7), "rulings": (3, 5)}
    assert pipeline(seen, SHORT).plain.splitlines()[2].split() == ["rulings", "3", "5", "2"]
    seen.carried = NOW
    assert pipeline(seen, Look(58, 2)).plain.splitlines() == drawn(NOW, SHORT)[:2]
