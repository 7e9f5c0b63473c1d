"""A real broker and a real Redis: started, asked, killed, started again."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaAdminClient
from redis import Redis

from simulator.stack import HOST, Mark, Server, Stack, StackError, born, free, free_port


def topics(stack: Stack, *new: str) -> set[str]:
    client = KafkaAdminClient(bootstrap_servers=stack.broker)
    try:
        if new:
            client.create_topics({name: {"num_partitions": 2} for name in new})
        return set(client.list_topics())
    finally:
        client.close()


def pid(server: Server) -> int:
    mark = server.running()
    assert mark
    return mark.pid


def answers_never(port: int) -> bool:
    return port < 0


def is_there(process: int) -> bool:
    return bool(born(process))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def redis_only(new_stack: Callable[..., Stack], tmp_path: Path, said: list[str]) -> Iterator[Stack]:
    """A stack of which nothing runs yet; its Redis starts in a moment."""
    stack = new_stack(tmp_path / "stack", say=said.append)
    yield stack
    stack.down()


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is none of a stack's business."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_both_answer_once_the_stack_is_up(stack: Stack) -> None:
    lines, good = stack.status()
    assert good
    assert [line.split()[0] for line in lines] == ["kafka", "redis", "folder"]
    assert all(line.endswith(", answers") for line in lines[:2])
    with Redis.from_url(stack.redis_url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_a_second_up_starts_nothing(stack: Stack, said: list[str]) -> None:
    before = pid(stack.kafka), pid(stack.redis)
    Stack(stack.folder, say=said.append).up()
    assert (pid(stack.kafka), pid(stack.redis)) == before
    assert said == [
        f"kafka: already running, process {before[0]}",
        f"redis: already running, process {before[1]}",
    ]


def test_the_servers_belong_to_no_terminal_and_to_no_caller(stack: Stack) -> None:
    for server in (stack.kafka, stack.redis):
        fields = Path(f"/proc/{pid(server)}/stat").read_text().rpartition(")")[2].split()
        parent, session, terminal = (int(fields[place]) for place in (1, 3, 4))
        assert parent != os.getpid()
        assert session != os.getsid(0)
        assert terminal == 0


def test_topics_outlive_a_broker_that_was_killed(stack: Stack) -> None:
    address, before = stack.broker, pid(stack.kafka)
    topics(stack, "kept")
    stack.kill_kafka(hard=True)
    try:
        assert not is_there(before)
        assert not stack.status()[1]
    finally:
        stack.start_kafka()
    assert pid(stack.kafka) != before
    assert stack.broker == address
    assert "kept" in topics(stack)


def test_keys_outlive_a_redis_that_was_killed(stack: Stack) -> None:
    address = stack.redis_url
    with Redis.from_url(address) as client:
        client.set("kept", "1")
    stack.kill_redis(hard=True)
    stack.start_redis()
    assert stack.redis_url == address
    with Redis.from_url(address) as client:
        assert client.get("kept") == b"1"


def test_a_server_is_gone_only_when_its_port_is_free(redis_only: Stack) -> None:
    """The first thread of a killed process is a zombie before the others let go of its port."""
    for _ in range(10):
        redis_only.start_redis()
        redis_only.kill_redis(hard=True)
        assert free(redis_only.port(redis_only.redis))


def test_up_starts_the_one_that_does_not_run(stack: Stack) -> None:
    before = pid(stack.kafka), pid(stack.redis)
    stack.kill_redis(hard=False)
    stack.up()
    assert pid(stack.kafka) == before[0]
    assert pid(stack.redis) != before[1]


def test_two_starts_at_once_make_one_server(redis_only: Stack, said: list[str]) -> None:
    others = [Stack(redis_only.folder, say=said.append) for _ in range(2)]
    threads = [threading.Thread(target=other.start_redis) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    process = pid(redis_only.redis)
    assert said[-1] == f"redis: already running, process {process}"
    assert sum(", up in " in line for line in said) == 1


def test_a_pid_that_is_another_s_by_now_is_left_alone_and_said(
    redis_only: Stack, said: list[str], stranger: "subprocess.Popen[bytes]"
) -> None:
    time.sleep(0.1)  # or both were born in the same moment
    redis_only.start_redis()
    mark = redis_only.redis.running()
    assert mark
    redis_only.kill_redis(hard=True)
    stale = redis_only.folder / "redis.pid"
    stale.write_bytes(msgspec.json.encode(replace(mark, pid=stranger.pid)))
    warning = f"redis: process {stranger.pid} is another program's by now, and left alone"
    said.clear()
    redis_only.down()
    assert said == [warning, "nothing to stop"]
    assert not stale.exists()
    stale.write_bytes(msgspec.json.encode(replace(mark, pid=stranger.pid)))
    redis_only.start_redis()
    assert warning in said
    assert stranger.poll() is None


def test_a_server_that_ended_by_itself_is_said_when_it_is_started_again(
    redis_only: Stack, said: list[str]
) -> None:
    redis_only.start_redis()
    process = pid(redis_only.redis)
    redis_only.kill_redis(hard=True)
    redis_only.start_redis()
    log = redis_only.folder / "redis.log"
    assert f"redis: process {process} had ended by itself; its log is {log}" in said


def test_a_port_that_is_taken_is_refused_with_the_name_of_its_holder(
    new_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        stack = new_stack(tmp_path / "stack", redis_port=port)
        name = Path("/proc/self/comm").read_text().strip()
        told = f"redis: port {port} is taken by {name}, process {os.getpid()}; stop that, or"
        with pytest.raises(StackError, match=told):
            stack.start_redis()
        assert not stack.redis.marked()
        line = stack.status()[0][1]
        assert f"not of this stack: {name}, process {os.getpid()}, no answer" in line


def test_another_port_than_the_running_one_s_is_refused(redis_only: Stack) -> None:
    redis_only.start_redis()
    port = redis_only.port(redis_only.redis)
    other = Stack(redis_only.folder, redis_port=free_port())
    with pytest.raises(StackError, match=rf"redis runs at port {port} already, not at \d+"):
        other.start_redis()


def test_a_server_that_ends_at_its_start_is_told_with_its_reason(redis_only: Stack) -> None:
    broken = redis_only.folder / "redis-data" / "appendonlydir" / "appendonly.aof.manifest"
    redis_only.start_redis()
    redis_only.kill_redis(hard=False)
    broken.write_text("no manifest\n")
    with pytest.raises(StackError, match=r"redis ended at its start: .*manifest"):
        redis_only.start_redis()
    assert redis_only.redis.running() is None


def test_what_does_not_end_when_asked_is_killed(redis_only: Stack) -> None:
    redis_only.start_redis()
    process = pid(redis_only.redis)
    os.kill(process, signal.SIGSTOP)
    redis_only.redis.ask_to_end()
    redis_only.redis.wait_for_end(seconds=0.1)
    assert not is_there(process)


def test_what_does_not_answer_in_time_is_told(tmp_path: Path) -> None:
    server = Server("kafka", tmp_path, answers_never)
    server.launch(["/bin/sleep", "600"], 9)
    try:
        with pytest.raises(StackError, match=r"does not answer at 127\.0\.0\.1:9 within 0 s"):
            server.wait(seconds=0)
    finally:
        server.ask_to_end(hard=True)
        server.wait_for_end()


def test_wiping_deletes_the_data_and_no_other_file(redis_only: Stack) -> None:
    redis_only.start_redis()
    foreign = redis_only.folder / "foreign"
    foreign.write_text("mine")
    redis_only.down(wipe=True)
    assert list(redis_only.folder.iterdir()) == [foreign]


@pytest.mark.usefixtures("new_stack")
def test_the_commands_start_tell_and_stop(tmp_path: Path) -> None:
    ports = {"kafka": free_port(), "redis": free_port()}
    folder = tmp_path / "a stack's folder, in ünïcode"
    options = [f"--{name}-port={port}" for name, port in ports.items()]

    def stack(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "simulator.stack", *words, "--dir", str(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    try:
        up = stack("up", *options)
        assert up.returncode == 0, up.stderr
        assert up.stdout == ""
        assert f"kafka.broker={HOST}:{ports['kafka']}" in up.stderr
        status = stack("status")
        assert status.returncode == 0
        assert all(f"{name}  {HOST}:{port}  " in status.stdout for name, port in ports.items())
        marks = [
            msgspec.json.decode((folder / f"{name}.pid").read_bytes(), type=Mark) for name in ports
        ]
    finally:
        down = stack("down")
    assert down.returncode == 0
    assert [f"stopped process {mark.pid} in" in down.stderr for mark in marks] == [True, True]
    assert not any(is_there(mark.pid) for mark in marks)
    assert all(free(port) for port in ports.values())
    again = stack("down", "--wipe")
    assert (again.returncode, folder.exists()) == (0, False)
    assert "nothing to stop" in again.stderr
    assert stack("status").returncode == 3
