"""What ./dev stack says where something is missing or in the way; real servers: tests/live."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from simulator import stack as module
from simulator.stack import (
    Mark,
    Server,
    Stack,
    StackError,
    born,
    fetched,
    free,
    free_port,
    holder,
    java_version,
    kafka_home,
    locked,
    main,
)

Program = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing is installed: the folder for its programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("JAVA_HOME", "KAFKA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


@pytest.fixture
def program(bare: Path) -> Program:
    """Puts a shell script on PATH, in place of a real program."""

    def put(name: str, script: str) -> Path:
        path = bare / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return put


@pytest.fixture
def maven(program: Program) -> Path:
    """A Maven that puts one jar where it is told to, and writes its arguments into a file."""
    return program(
        "mvn",
        'echo "$@" >>"$0.calls"; for word; do case $word in -DoutputDirectory=*)\n'
        "/bin/mkdir -p ${word#*=} && : >${word#*=}/kafka_2.13-4.1.1.jar;; esac; done",
    )


def write_mark(server: Server, mark: Mark) -> None:
    """Write a pid file."""
    path = server.log.with_suffix(".pid")
    path.write_bytes(msgspec.json.encode(mark))


def answers_never(port: int) -> bool:
    return port < 0


def told(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    """The one line that a command says on stderr when it ends with a code."""
    assert main(words) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err.removeprefix("hamstrung: ").rstrip("\n")


def test_a_bare_machine_is_told_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, 3, "up") == (
        "this machine lacks Java 17 or later, Maven (or Kafka in KAFKA_HOME), redis-server;"
        " on Debian: apt-get install default-jre-headless maven redis-server"
    )


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_412"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "11.0.2"', 11),
        ("no Java at all", 0),
    ],
)
def test_java_tells_its_version(program: Program, output: str, version: int) -> None:
    java = program("java", f"printf '%s\\n' '{output}' >&2")
    assert java_version(str(java)) == version


@pytest.mark.usefixtures("maven")
def test_an_old_java_is_named_with_its_version(program: Program) -> None:
    java = program("java", "echo 'openjdk version \"11.0.2\"' >&2")
    program("redis-server", "")
    assert Stack.missing() == (
        f"this machine lacks Java 17 or later ({java} is 11);"
        " on Debian: apt-get install default-jre-headless"
    )


def test_a_java_of_java_home_goes_before_that_of_path(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = program("java", "")
    assert module.java() == str(on_path)
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    own = home / "bin" / "java"
    on_path.rename(own)
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert module.java() == str(own)


def test_with_java_maven_and_redis_nothing_is_missing(program: Program, maven: Path) -> None:
    program("java", "echo 'openjdk version \"17.0.15\"' >&2")
    assert "redis-server; on Debian: apt-get install redis-server" in Stack.missing()
    program("redis-server", "")
    assert Stack.missing() == ""
    maven.unlink()
    assert "Maven (or Kafka in KAFKA_HOME)" in Stack.missing()


def test_kafka_is_fetched_once_and_whole(maven: Path) -> None:
    said: list[str] = []
    left = fetched().with_name(f"{fetched().name}-part-killed")
    left.mkdir(parents=True)
    assert kafka_home(said.append) == fetched() == kafka_home(said.append)
    assert said == ["fetching Apache Kafka 4.1.1 with Maven, once"]
    (call,) = maven.with_name("mvn.calls").read_text().splitlines()
    assert call.startswith("-B -q --strict-checksums -f ")
    assert ":copy-dependencies" in call
    assert [path.name for path in (fetched() / "libs").iterdir()] == ["kafka_2.13-4.1.1.jar"]
    assert "<version>4.1.1</version>" in (fetched() / "pom.xml").read_text()
    assert not list(fetched().parent.glob("*-part-*"))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo '[ERROR] Could not transfer artifact'; echo '[ERROR] more'; exit 1",
            "Could not transfer artifact",
        ),
        ("exit 1", "it did not say why"),
        ("exit 0", "it did not say why"),
    ],
)
def test_without_a_network_maven_s_word_is_passed_on_and_nothing_is_left(
    program: Program, script: str, reason: str
) -> None:
    program("mvn", script)
    with pytest.raises(StackError) as caught:
        kafka_home(str)
    assert str(caught.value) == (
        "Maven cannot fetch Apache Kafka 4.1.1: is there a network? Or unpack a release and let"
        f" KAFKA_HOME name it. Maven said: {reason}"
    )
    assert [path.name for path in fetched().parent.iterdir()] == ["kafka-4.1.1.lock"]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StackError, match=r"cannot be written: .*; let XDG_CACHE_HOME name another"):
        kafka_home(str)


def test_an_unpacked_release_in_kafka_home_needs_no_maven(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("java", "echo 'openjdk version \"21.0.1\"' >&2")
    program("redis-server", "")
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert Stack.missing() == ""
    with pytest.raises(StackError, match=r"no libs/kafka_\*\.jar in there; unset it"):
        kafka_home(str)
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka_2.13-4.1.1.jar").touch()
    assert kafka_home(str) == tmp_path


def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    folder = file / "stack"
    assert told(capsys, 3, "up", "--dir", str(folder)) == (
        f"{folder}: cannot be written: not a directory; give another by --dir"
    )


def test_a_folder_with_other_files_is_refused_and_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine" / "kafka-data").mkdir(parents=True)
    (tmp_path / "mine" / "thesis.tex").touch()
    before = sorted((tmp_path / "mine").iterdir())
    for command in (["up"], ["down", "--wipe"]):
        main([*command, "--dir", str(tmp_path / "mine")])
        assert sorted((tmp_path / "mine").iterdir()) == before
    assert "thesis" not in (said := capsys.readouterr().err)
    assert "neither empty nor a stack's; give a folder of its own by --dir" in said


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "required: command"),
        (["start"], "invalid choice: 'start'"),
        (["up", "--kafka-port", "0"], "expected a port, 1 to 65535, got '0'"),
        (["up", "--redis-port", "6379x"], "expected a port, 1 to 65535, got '6379x'"),
        (["up", "--redis-port", "9092"], "--kafka-port and --redis-port: both are 9092"),
        (["up", "--wipe"], "unrecognized arguments: --wipe"),
    ],
)
def test_a_wrong_command_is_told_and_ends_with_2(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_where_nothing_was_ever_started_there_is_nothing_to_stop_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "state" / "hamstrung" / "stack"
    nothing = f"nothing to stop: no stack was ever started in {folder}"
    assert told(capsys, 0, "down") == nothing
    assert not folder.exists()


def test_the_status_of_nothing_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    ports = [f"--kafka-port={free_port()}", f"--redis-port={free_port()}"]
    assert main(["status", *ports]) == 3
    kafka, redis, _ = capsys.readouterr().out.splitlines()
    assert kafka.endswith("not running, no answer")
    assert redis.endswith("not running, no answer")


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    here = born(os.getpid())
    assert here
    assert born(os.getpid()) == here
    assert born(os.getppid()) != ""
    assert born(2**22 + 1) == ""


def test_a_stale_pid_file_is_told_for_what_it_is(tmp_path: Path) -> None:
    server = Server("redis", tmp_path, answers_never)
    assert (server.stale(), server.running()) == ("", None)
    write_mark(server, Mark(2**22 + 1, "1", 9, "once"))
    assert server.stale() == (
        f"redis: process {2**22 + 1} had ended by itself; its log is {tmp_path / 'redis.log'}"
    )
    write_mark(server, Mark(os.getpid(), "1", 9, "once"))
    assert server.running() is None
    another = f"redis: process {os.getpid()} is another program's by now, and left alone"
    assert server.stale() == another
    write_mark(server, Mark(os.getpid(), born(os.getpid()), 9, "now"))
    assert server.stale() == ""
    assert server.running()


def test_a_pid_file_that_is_none_counts_as_no_process(tmp_path: Path) -> None:
    (tmp_path / "redis.pid").write_text("1234\n")
    server = Server("redis", tmp_path, answers_never)
    assert server.marked() is None
    assert server.running() is None


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("", "it said nothing"),
        ("starting\nready\n", "ready"),
        ("java.lang.RuntimeException: No disk\n\tat kafka.Kafka.main(error)\n", "RuntimeException"),
        ("# Fatal error, can't open config file\nbye\n", "Fatal error"),
    ],
)
def test_the_line_of_the_log_that_tells_most_is_the_reason(
    tmp_path: Path, log: str, reason: str
) -> None:
    server = Server("kafka", tmp_path, answers_never)
    server.log.write_text(log)
    with pytest.raises(StackError, match=rf"kafka ended at its start: .*{reason}.* \(all in"):
        server.wait()


def test_a_free_port_is_free_and_none_that_connections_get() -> None:
    port = free_port()
    assert free(port)
    assert 20000 <= port < 32000
    assert holder(port) == ""


def test_the_next_command_names_only_what_differs_from_the_defaults(tmp_path: Path) -> None:
    run = "hamstrung run not-spam-campaign --engine kafka"
    assert module._next(Stack(tmp_path, 9092, 6379)) == run
    assert module._next(Stack(tmp_path, 9999, 6379)) == f"{run} --set kafka.broker=127.0.0.1:9999"
    assert module._next(Stack(tmp_path, 9092, 6380)) == (
        f"{run} --set redis.url=redis://127.0.0.1:6380/0"
    )


def test_who_waits_for_another_says_so(tmp_path: Path) -> None:
    waits = threading.Event()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        waits.set()

    def second() -> None:
        with locked(tmp_path / "lock", say):
            said.append("done")

    thread = threading.Thread(target=second)
    with locked(tmp_path / "lock", say):
        thread.start()
        assert waits.wait(timeout=10)
    thread.join()
    assert said == [f"waiting for another process that works in {tmp_path}", "done"]


def test_it_is_run_as_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator.stack", "down"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "nothing to stop" in done.stderr
