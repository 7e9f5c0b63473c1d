import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from filter.plugins import SettingsError
from filter.river_travel import TRAVELS
from simulator.cli import main
from simulator.fleet import RESTARTS, Fleet, engines
from simulator.scenario import scenario
from simulator.servers import HOW, PASSWORD, EngineError, RedisSettings
from simulator.stack import born, free_port
from tests.contracts.small import small

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""kafka-python leaves its sockets open where nobody answers."""

SECRET = "s3cret"
ON_KAFKA = ["run", "quickstart", "--engine", "kafka", "-o", "run"]


@pytest.fixture
def nowhere() -> list[str]:
    """The settings of servers that are not there."""
    kafka, redis = (f"127.0.0.1:{free_port()}" for _ in range(2))
    return ["--set", f"kafka.broker={kafka}", "--set", f"redis.url=redis://{redis}/0"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which nothing lies, with no Redis's password in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(PASSWORD, raising=False)
    yield tmp_path
    gc.collect()


def test_without_a_broker_a_run_ends_with_3_and_leaves_nothing(
    elsewhere: Path, nowhere: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ON_KAFKA, *nowhere]) == 3
    said = capsys.readouterr().err
    assert nowhere[1].partition("=")[2] in said
    assert HOW in said
    assert "Traceback" not in said
    assert not list(elsewhere.iterdir())


def test_without_a_broker_a_worker_ends_with_3(nowhere: list[str]) -> None:
    program = [sys.executable, "-c", "import sys; from simulator.cli import main; sys.exit(main())"]
    words = [*program, "worker", "all", *nowhere]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    assert told.returncode == 3
    assert HOW in told.stderr
    assert "Traceback" not in told.stderr


def test_a_classifier_that_does_not_travel_is_refused_before_anybody_is_asked(
    elsewhere: Path, nowhere: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ON_KAFKA, *nowhere, "--model", "tree.HoeffdingTreeClassifier"]) == 2
    said = capsys.readouterr().err
    assert "tree.HoeffdingTreeClassifier" in said
    assert all(name in said for name in TRAVELS)
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}@127.0.0.1:6379/0",
        f"rediss://me:{SECRET}@example.org",
        f"redis://127.0.0.1?password={SECRET}",
        f"unix://:{SECRET}@/run/redis.sock",
    ],
)
def test_a_password_is_never_a_setting(
    elsewhere: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ON_KAFKA, "--set", f"redis.url={url}"]) == 2
    assert main(["worker", "all", "--set", f"redis.url={url}"]) == 2
    assert main(["config", "quickstart", "--set", f"redis.url={url}"]) == 2
    told = capsys.readouterr()
    assert told.err.count(PASSWORD) == 3
    assert SECRET not in told.out + told.err
    assert not list(elsewhere.iterdir())


def test_a_password_is_not_taken_from_a_file_or_the_environment_either(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"redis://:{SECRET}@127.0.0.1:6379/0"
    monkeypatch.setenv("HAMSTRUNG_SET", f"redis.url={url}")
    assert main(ON_KAFKA) == 2
    monkeypatch.delenv("HAMSTRUNG_SET")
    (elsewhere / "hamstrung.toml").write_text(f'[redis]\nurl = "{url}"\n')
    assert main(ON_KAFKA) == 2
    told = capsys.readouterr().err
    assert told.count(PASSWORD) == 2
    assert SECRET not in told


@pytest.mark.parametrize("url", ["redis://me@127.0.0.1/3", "unix:///run/redis.sock", "redis://[x"])
def test_an_address_without_a_password_is_a_setting(url: str) -> None:
    assert RedisSettings(url).url == url


def test_the_password_in_the_environment_is_not_written_down(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, SECRET)
    tiny = ["--set", "world.people=50", "--set", "synthetic.mails_per_hour=20", "--attack", "none"]
    main(["run", "quickstart", "-o", "run", "--duration", "2", "--display", "none", *tiny])
    assert json.loads((elsewhere / "run" / "manifest.json").read_text())["status"] == "done"
    assert not any(SECRET in path.read_text() for path in elsewhere.rglob("*.json*"))


def workers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: list[str], script: str, count: int = 1
) -> Fleet:
    """A fleet whose workers are a shell script in the place of Python."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return Fleet(small({"kafka": {"workers": count}}), "r", folder, said.append)


def ended(pids: list[int]) -> None:
    """Wait until workers are gone, which their fleet has not noticed."""
    until = time.monotonic() + 20
    while not all(_over(pid) for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.01)


def _over(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or ") Z " in state.read_text()


LASTS = "cat > /dev/null"


def test_a_worker_is_told_where_the_servers_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = workers(tmp_path, monkeypatch, [], 'echo "$@"')
    fleet.start()
    ended(fleet.pids())
    fleet.stop(over=False)
    words = (tmp_path / "worker-0.log").read_text()
    assert "worker all --run r --while-stdin" in words
    assert "--set kafka.broker=127.0.0.1:9092 --set redis.url=redis://127.0.0.1:6379/0" in words
    assert "--set kafka.session_timeout=6.000" in words


def test_a_new_worker_takes_the_place_of_one_that_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    fleet = workers(tmp_path, monkeypatch, said, f"[ -e second ] && {LASTS}; touch second; exit 7")
    fleet.start()
    first = fleet.pids()
    ended(first)
    fleet.mend()
    assert said == ["worker 0 ended with 7; a new one takes over"]
    assert fleet.pids() != first
    fleet.mend()
    fleet.stop(over=False)
    assert not any(map(born, fleet.pids()))


@pytest.mark.parametrize("code", [2])
def test_a_worker_that_cannot_work_here_ends_the_run_with_its_last_words(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = workers(tmp_path, monkeypatch, [], f"echo no; echo 'not here' >&2; exit {code}")
    fleet.start()
    ended(fleet.pids())
    with pytest.raises(EngineError, match=f"worker 0 ended with {code}: not here"):
        fleet.mend()
    fleet.stop(over=False)


def test_workers_that_keep_ending_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = workers(tmp_path, monkeypatch, [], "exit 1")
    fleet.start()
    for _ in range(RESTARTS):
        ended(fleet.pids())
        fleet.mend()
    ended(fleet.pids())
    with pytest.raises(EngineError, match=r"worker-0\.log says nothing"):
        fleet.mend()
    fleet.stop(over=False)


def test_workers_may_end_again_and_again_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = workers(tmp_path, monkeypatch, [], "exit 3")
    fleet.start()
    for tick in range(RESTARTS + 5):
        ended(fleet.pids())
        fleet.mend(tick)
    fleet.stop(over=False)


def test_a_run_without_workers_of_its_own_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    workers(tmp_path, monkeypatch, said, "exit 1", count=0).start()
    (line,) = said
    assert "hamstrung worker all --set kafka.broker=127.0.0.1:9092" in line


def test_logs_that_say_nothing_are_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = workers(tmp_path, monkeypatch, [], '[ "$0" ] && exit 0', count=2)
    fleet.start()
    fleet.stop(over=True)
    assert not list(tmp_path.glob("*.log"))


def test_no_server_is_asked_about_a_classifier_that_does_not_travel() -> None:
    chosen = scenario({"filter": {"model": "tree.HoeffdingTreeClassifier"}})
    said: list[str] = []
    with (
        pytest.raises(SettingsError, match="does not run on Kafka"),
        engines(chosen, "r", None, said.append),
    ):
        raise AssertionError
