"""What a run does not begin or go on with: said in a sentence, and nothing is spoilt."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from msgspec import structs
from redis import Redis

from filter.charter import PROTOCOL, Charter, charter, packed
from filter.redis_server import LedgerRefused, connect
from filter.settings import FilterSettings
from filter.worker import Refused, understood
from simulator.fleet import engines
from simulator.folder import RunFolder
from simulator.loop import prepare
from simulator.scenario import Scenario
from simulator.scripting import Silent
from simulator.servers import HOW, PASSWORD, Misplaced
from simulator.session import simulate
from simulator.stack import Stack, free_port
from simulator.templates import make
from tests.contracts.small import small
from tests.live.test_workers import Command, Start, gone, judged, servers, small_run, start, until

__all__ = ["start"]  # a fixture

SECRET = "s3cret"


def chosen(stack: Stack, **changes: Any) -> Scenario:
    """A small scenario on Kafka that starts no workers."""
    kafka = {"broker": stack.broker, "workers": 0} | changes
    return small({"engine": "kafka", "kafka": kafka, "redis": {"url": stack.redis_url}})


class Held(NamedTuple):
    """What the servers hold: the end of each partition, and the keys."""

    ends: dict[Any, int]
    keys: set[bytes]


def held(stack: Stack) -> Held:
    with closing(KafkaConsumer(bootstrap_servers=stack.broker)) as consumer:
        names = [name for name in consumer.topics() if name.startswith("hamstrung.")]
        places = [
            TopicPartition(name, part)
            for name in names
            for part in consumer.partitions_for_topic(name) or ()
        ]
        ends = consumer.end_offsets(places) if places else {}
    with Redis.from_url(stack.redis_url) as client:
        return Held(ends, set(client.keys("hamstrung:*")))


def topic(stack: Stack, name: str, parts: int) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=stack.broker)) as admin:
        admin.create_topics({name: {"num_partitions": parts}})
        admin.wait_for_topics([name])


def put(stack: Stack, name: str, headers: list[tuple[str, bytes]]) -> None:
    with closing(KafkaProducer(bootstrap_servers=stack.broker)) as producer:
        producer.send(name, b"[]", partition=1, headers=headers).get(30)


def nothing(_open: ExitStack) -> int:
    return free_port()


def silence(open_: ExitStack) -> int:
    listening = open_.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
    return int(listening.getsockname()[1])


@pytest.mark.parametrize("who", [nothing, silence])
def test_without_redis_a_run_ends_with_3_and_leaves_nothing(
    stack: Stack, start: Start, tmp_path: Path, who: Callable[[ExitStack], int]
) -> None:
    with ExitStack() as open_:
        port = who(open_)
        url = f"redis.url=redis://127.0.0.1:{port}/0"
        ran = start(*small_run(stack, "--set", url, "-o", "run"))
        must_end(ran, 3, f"127.0.0.1:{port}", "redis.url", HOW)
    assert not (tmp_path / "run").exists()


def must_end(ran: Command, code: int, *words: str) -> None:
    """With an exit code and a sentence."""
    until(lambda: ran.process.poll() is not None, ran.said)
    assert ran.code() == code, ran.said()
    for word in words:
        assert word in ran.said()
    assert "Traceback" not in ran.said()
    assert "internal error" not in ran.said()


@contextmanager
def redis_with(stack: Stack, name: str, value: str) -> Iterator[None]:
    """A setting of Redis, for a while."""
    with Redis.from_url(stack.redis_url) as client:
        before = client.config_get(name)[name]
        client.config_set(name, value)
        try:
            yield
        finally:
            client.config_set(name, before)


def test_a_redis_that_may_drop_keys_is_refused(stack: Stack, start: Start, tmp_path: Path) -> None:
    with redis_with(stack, "maxmemory-policy", "allkeys-lru"):
        ran = start(*small_run(stack, "-o", "run"))
        must_end(ran, 2, "allkeys-lru", "redis-cli config set maxmemory-policy noeviction")
    assert not (tmp_path / "run").exists()


def test_a_redis_that_asks_for_a_password_gets_it_from_the_environment_alone(
    stack: Stack, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)
    with redis_with(stack, "requirepass", SECRET):
        must_end(start(*small_run(stack, "-o", "none")), 2, "Authentication required", PASSWORD)
        monkeypatch.setenv(PASSWORD, "another")
        must_end(start(*small_run(stack, "-o", "wrong")), 2, "password", PASSWORD)
        monkeypatch.setenv(PASSWORD, SECRET)
        ran = start(*small_run(stack, "-o", "right"))
        assert ran.code() in (0, 99), ran.said()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["right"]
    assert SECRET not in ran.said()
    assert not any(SECRET in path.read_text() for path in (tmp_path / "right").rglob("*.*"))


def test_a_redis_that_others_can_reach_needs_a_password() -> None:
    with pytest.raises(LedgerRefused, match=r"10\.0\.0\.7 can be reached by others"):
        connect("redis://10.0.0.7:6379/0", None)


@pytest.mark.parametrize("headers", [[], [("run", b"another")]])
def test_topics_of_somebody_else_are_left_alone(
    stack: Stack, tmp_path: Path, headers: list[tuple[str, bytes]]
) -> None:
    scenario = chosen(stack)
    folder = RunFolder.create(scenario, tmp_path / "run")
    name = f"hamstrung.{folder.run_id()}.votes"
    topic(stack, name, 2)
    put(stack, name, headers)
    before = held(stack)
    with pytest.raises(Misplaced, match=f"{name} holds messages that are not of run"):
        simulate(scenario, folder, Silent(), [])
    assert held(stack) == before


def test_a_topic_of_another_number_of_partitions_is_left_alone(
    stack: Stack, tmp_path: Path
) -> None:
    scenario = chosen(stack)
    folder = RunFolder.create(scenario, tmp_path / "run")
    name = f"hamstrung.{folder.run_id()}.votes"
    topic(stack, name, 3)
    before = held(stack)
    with pytest.raises(Misplaced, match=f"{name} has 3 partitions, expected 2"):
        simulate(scenario, folder, Silent(), [])
    assert held(stack) == before


def begin(scenario: Scenario, run: str, folder: Path) -> None:
    """Make a run's topics, and hand its charter over."""
    said: list[str] = []
    with engines(scenario, run, folder, said.append) as made:
        prepare(scenario, made)


def test_a_run_that_was_begun_with_other_settings_is_left_alone(
    stack: Stack, tmp_path: Path
) -> None:
    run = "other-settings"
    begin(chosen(stack), run, tmp_path)
    before = held(stack)
    assert any(place.topic == f"hamstrung.{run}.control" for place in before.ends)
    with pytest.raises(Misplaced, match=f"run {run} were made with other settings"):
        begin(chosen(stack, snapshot_every=7), run, tmp_path)
    assert held(stack) == before


def test_what_is_refused_ends_with_2(stack: Stack, start: Start) -> None:
    ran = start(*small_run(stack, "-o", "run", "--model", "tree.HoeffdingTreeClassifier"))
    must_end(ran, 2, "does not run on Kafka", "linear_model.LogisticRegression")


RAISES = '''
    def examine(self, tick, past, vote, provider):
        """Fails."""
        if tick >= 5:
            raise ZeroDivisionError("my own mistake")
        return NOTHING, tick
'''


def own_check(folder: Path, name: str = "my_check") -> Path:
    folder.mkdir(exist_ok=True)
    make("check", name, folder)
    return folder / f"{name}.py"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_check_that_raises_ends_the_run_with_its_error(
    stack: Stack, start: Start, tmp_path: Path, workers: str
) -> None:
    path = own_check(tmp_path)
    path.write_text(path.read_text() + RAISES)
    ran = start(
        *small_run(stack, "-o", "run", "--workers", workers, "--guard", f"./{path.name},gate")
    )
    must_end(ran, 1, "a worker failed", "ZeroDivisionError: my own mistake")
    assert ran.said().count("a new one takes over") <= int(workers)


def test_a_worker_whose_plug_ins_differ_says_so_and_the_run_ends(
    stack: Stack, start: Start, tmp_path: Path
) -> None:
    ours, theirs = own_check(tmp_path / "here"), own_check(tmp_path / "there")
    theirs.write_text(theirs.read_text() + "\n# another\n")
    words = small_run(stack, "-o", "run", "--workers", "0", "--guard", f"./{ours.name},gate")
    ran = start(*words, folder=ours.parent)
    worker = start("worker", "all", *servers(stack), folder=theirs.parent)
    worker.must_say("the plug-in 'my-check' differs from the driver's")
    must_end(ran, 1, "a worker failed", "my-check", "differs from the driver's")
    assert worker.process.poll() is None


def test_a_run_that_failed_goes_on_when_the_reason_is_gone(
    stack: Stack, start: Start, tmp_path: Path
) -> None:
    path, reason = own_check(tmp_path), tmp_path / "reason"
    failing = RAISES.replace("tick >= 5", f"tick >= 5 and __import__('os').path.exists('{reason}')")
    path.write_text(path.read_text() + failing)
    reason.touch()
    guard = ("--guard", f"./{path.name},gate")
    ran = start(*small_run(stack, "-o", "run", *guard, "--json"))
    ran.must_say('"tick":4')
    must_end(ran, 1, "ZeroDivisionError: my own mistake")
    reason.unlink()
    again = start("run", "--resume", "run")
    assert again.code() in (0, 99), again.said()
    alone = start(*small_run(stack, "-o", "alone", *guard, "--engine", "embedded"))
    assert alone.code() in (0, 99), alone.said()
    assert judged(tmp_path / "run") == judged(tmp_path / "alone")


def test_a_run_that_fails_leaves_no_worker_behind(
    stack: Stack, start: Start, tmp_path: Path
) -> None:
    path = own_check(tmp_path)
    path.write_text(path.read_text() + RAISES.replace("tick >= 5", "tick >= 25"))
    words = ("-o", "run", "--workers", "2", "--guard", f"./{path.name},gate", "--json")
    ran = start(*small_run(stack, *words))
    ran.must_say('"tick"')
    children = ran.children()
    assert ran.code() == 1, ran.said()
    assert gone(children)


CHARTER = {"hamstrung": "0.1.0", "numpy": "2.1", "files": "abc"}


@pytest.mark.parametrize("name", CHARTER)
def test_a_worker_of_another_version_refuses(name: str) -> None:
    other = CHARTER | {name: "another"}
    with pytest.raises(Refused, match=f"begun with {name} {CHARTER[name]}, here it is another"):
        understood(packed(made(), 1000), other)
    assert understood(packed(made(), 1000), CHARTER).run == "r"


def test_a_worker_of_another_protocol_refuses() -> None:
    with pytest.raises(Refused, match=f"speaks protocol {PROTOCOL + 1}, this worker {PROTOCOL}"):
        understood(packed(structs.replace(made(), protocol=PROTOCOL + 1), 1000), CHARTER)


def test_a_charter_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Refused, match="another version of the program"):
        understood([b"\x80"], CHARTER)


def made() -> Charter:
    own = FilterSettings()
    begun = prepare(small()).world.beginning()
    counts = {"parts": 1, "delay": 1, "last": 9, "per_message": 9, "snapshot_every": 9}
    return charter("r", own, b"{}", begun, CHARTER, **counts)
