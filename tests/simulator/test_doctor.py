import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import doctor
from simulator.doctor import Answer, Finding, Probe, examine, look, render, start
from simulator.paint import ansi
from simulator.servers import HOW

FOUND = (
    Finding("Python", "run", "ok", "3.11.2", "the program", ""),
    Finding("runs folder", "run", "broken", "read-only", "what a run leaves", "go elsewhere"),
    Finding("terminal", "comfort", "ok", "80 columns", "progress", ""),
    Finding("Docker", "kafka", "missing", "no engine", "containers", "start it"),
)
NARROW = """\
EVERY RUN  needs these
  ✓ Python        3.11.2  for the program
  ✗ runs folder   read-only  for what a run leaves
                  → go elsewhere

COMFORT  a run does without
  ✓ terminal      80 columns  for progress

KAFKA  only for --engine kafka
  – Docker        no engine  for containers
                  → start it

A run does not work here yet: runs folder."""


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that is the whole PATH, empty; the cache and the working folder are empty too."""
    for name in ("KAFKA_HOME", "JAVA_HOME", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("bin", "cache", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "bin"


def stub(programs: Path, name: str, script: str) -> None:
    path = programs / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def closed() -> Iterator[int]:
    """A port of this machine at which nobody listens, nor will."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port of this machine at which somebody listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one.getsockname()[1]


def test_findings_are_shown_with_what_to_do_next() -> None:
    assert render(FOUND) == NARROW


def test_a_wide_terminal_shows_what_each_is_for_in_a_column_of_its_own() -> None:
    lines = render(FOUND, width=100).splitlines()
    columns = {line.index("for ") for line in lines if "for " in line and line[0] == " "}
    assert columns == {64}


def test_without_unicode_all_is_ascii_and_aligned() -> None:
    text = render(FOUND, unicode=False)
    assert text.isascii()
    assert "  NO runs folder   read-only" in text
    assert "                   -> go elsewhere" in text


def test_colour_adds_nothing_but_colour() -> None:
    text = render(FOUND, ansi)
    for code in ("1", "34", "1;33", "2", "0"):
        text = text.replace(f"\x1b[{code}m", "")
    assert text == NARROW


def test_all_well_says_what_to_run() -> None:
    last = render([FOUND[0]]).splitlines()[-1]
    assert last == "All that a run needs is here: hamstrung run quickstart"


@given(found=st.text(), step=st.text(), width=st.integers(60, 100))
def test_whatever_was_found_acts_on_no_terminal_and_fits(found: str, step: str, width: int) -> None:
    text = render([FOUND[0]._replace(found=found, step=step)], width=width)
    assert all(one.isprintable() or one.isspace() for one in text.replace("\n", ""))
    assert "\x1b" not in text
    assert max(map(len, text.split("\n"))) <= width


def answer_with(group: doctor.Group, answer: Answer) -> Finding:
    return look([Probe("it", group, "all", lambda: answer)])[0]


@pytest.mark.parametrize(
    ("group", "state"), [("run", "broken"), ("comfort", "missing"), ("kafka", "missing")]
)
def test_only_what_every_run_needs_can_be_broken(group: doctor.Group, state: str) -> None:
    assert answer_with(group, Answer(False, "")).state == state
    assert answer_with(group, Answer(True, "")).state == "ok"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("of redis://:secret@x"), "cannot be examined: ValueError"),
        (ModuleNotFoundError("No module named 'kafka'"), "No module named 'kafka'"),
    ],
)
def test_a_probe_that_raises_is_a_finding_and_tells_no_secret(error: Exception, said: str) -> None:
    def fail() -> NoReturn:
        raise error

    [finding] = look([Probe("it", "run", "all", fail)])
    assert finding.state == "broken"
    assert finding.found.endswith(said)


def test_a_probe_that_hangs_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.05)
    read, write = os.pipe()

    def hang() -> Answer:
        os.read(read, 1)
        return Answer(True, "at last")

    hanging, other = look(
        [Probe("it", "kafka", "all", hang), Probe("me", "run", "all", lambda: Answer(True, "here"))]
    )
    assert (hanging.state, hanging.step) == ("missing", "try again")
    assert hanging.found.startswith("no answer within")
    assert other.found == "here"
    os.close(write)


def test_what_a_thread_raises_is_raised_for_who_waits() -> None:
    def fail() -> NoReturn:
        raise KeyError("x")

    with pytest.raises(KeyError):
        start(fail)(10)


@pytest.mark.parametrize(
    ("version", "good"),
    [((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)],
)
def test_pythons_from_3_11_to_3_13_will_do(version: tuple[int, ...], good: bool) -> None:
    answer = doctor.python(version)
    assert answer.good == good
    assert sys.executable in answer.found
    assert good or "use Python 3.11 to 3.13" in answer.step


def test_our_packages_are_those_that_pyproject_asks_for() -> None:
    names = doctor.required()
    assert {"numpy", "river", "scikit-learn", "textual-plotext", *doctor.FOR_KAFKA} <= names
    assert not names & {"pytest", "pandas", "textual-serve"}


def test_a_checkout_that_is_not_installed_asks_for_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    before = doctor.required()
    monkeypatch.setattr(metadata, "requires", unknown)
    assert doctor.required() == before


def test_packages_are_told_with_their_versions() -> None:
    answer = doctor.packages(["numpy", "msgspec"])
    assert answer == Answer(
        True, f"msgspec {metadata.version('msgspec')}, numpy {metadata.version('numpy')}"
    )


def test_missing_and_old_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"numpy": "1.26.4", "river": "0.26.1"}

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    answer = doctor.packages(["numpy", "river", "joblib"])
    assert not answer.good
    assert answer.found == "joblib is not installed; numpy 1.26.4 is older than 2.1"


def test_our_three_packages_lie_in_one_folder() -> None:
    assert doctor.our_code().good


def test_a_package_of_the_same_name_elsewhere_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other" / "agents").mkdir(parents=True)
    (tmp_path / "other" / "agents" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    for name in [name for name in sys.modules if name.split(".")[0] == "agents"]:
        monkeypatch.delitem(sys.modules, name)
    answer = doctor.our_code()
    assert not answer.good
    assert f"agents is in {tmp_path / 'other'}" in answer.found
    assert "filter is in" not in answer.found


def test_a_package_that_wrote_into_ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(doctor.__file__).parents[1]
    owners: Mapping[str, list[str]] = {"agents": ["hamstrung", "openai-agents"], "numpy": ["numpy"]}
    monkeypatch.setattr(metadata, "packages_distributions", lambda: owners)
    monkeypatch.setattr(
        metadata, "distribution", lambda _: SimpleNamespace(locate_file=lambda _: here)
    )
    answer = doctor.our_code()
    assert not answer.good
    assert answer.found == "openai-agents wrote into our agents"


def test_a_runs_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    answer = doctor.runs_folder()
    assert answer.good
    assert str(tmp_path / "work") in answer.found
    assert not list((tmp_path / "work").iterdir())
    (tmp_path / "work" / "runs").mkdir()
    assert str(tmp_path / "work" / "runs") in doctor.runs_folder().found


def test_a_file_in_place_of_the_runs_folder_and_a_full_disk_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SimpleNamespace(free=5_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: disk)
    full = doctor.runs_folder()
    assert (full.good, "5.0 MB free" in full.found) == (False, True)
    assert full.step.startswith("make room")
    (tmp_path / "work" / "runs").touch()
    assert "-o DIR" in doctor.runs_folder().step


def test_what_the_terminal_asks_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True, encoding="ascii"))
    monkeypatch.setenv("COLUMNS", "77")
    answer = doctor.screen()
    assert answer.found == "77 columns, ascii, TERM dumb, no colour, NO_COLOR is set"
    assert (answer.good, answer.step) == (False, "for UTF-8: export LC_ALL=C.UTF-8")


def test_corpora_in_the_cache_are_counted(tmp_path: Path) -> None:
    assert doctor.corpora().found.startswith("no corpus yet, in the cache ")
    folder = tmp_path / "cache" / "hamstrung"
    folder.mkdir()
    (folder / "corpus-1-x").write_bytes(bytes(2_500_000))
    (folder / "kafka-4.1.1").mkdir()
    answer = doctor.corpora()
    assert answer.found == f"1 corpus, 2.5 MB, in the cache {folder}"
    assert "--corpus" in answer.step


PROGRAMS = (doctor.java, doctor.redis_server, doctor.jars, doctor.docker)


@pytest.mark.parametrize("probe", PROGRAMS)
def test_a_program_that_is_not_there_is_told_with_how_to_get_it(probe: Any) -> None:
    answer = probe()
    assert not answer.good
    assert answer.found.endswith("is not on the PATH")
    assert "install" in answer.step


JAVA_17 = """\
echo 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g' >&2
echo 'openjdk version "17.0.15" 2025-04-15' >&2"""


@pytest.mark.parametrize(
    ("script", "good", "found"),
    [
        (JAVA_17, True, "17.0.15"),
        ("echo 'java version \"1.8.0_292\"'", False, "8.0_292 is too old"),
        ("echo 'openjdk version \"11.0.2\"'", False, "11.0.2 is too old"),
        ("echo 'openjdk version \"25-ea\" 2025'", True, "25-ea"),
        ("echo; echo who knows", False, "java tells no version: who knows"),
        ("echo broken >&2; exit 3", False, "java failed: broken"),
        ("exit 3", False, "java failed: 3"),
        ("kill -9 $$", False, "java failed: -9"),
    ],
)
def test_java_is_known_by_what_it_prints(
    programs: Path, script: str, good: bool, found: str
) -> None:
    stub(programs, "java", script)
    answer = doctor.java()
    assert (answer.good, answer.found, not answer.step) == (good, found, good)


@pytest.mark.parametrize(("version", "good"), [("6.0.16", False), ("6.2.0", True), ("10.0", True)])
def test_redis_servers_from_6_2_will_do(programs: Path, version: str, good: bool) -> None:
    stub(programs, "redis-server", f"echo 'Redis server v={version} sha=00000000:0'")
    answer = doctor.redis_server()
    assert (answer.good, version in answer.found) == (good, True)


@pytest.mark.parametrize(
    "script", ["exec /bin/sleep 600", "/bin/sleep 600 & wait", "/bin/sleep 600"]
)
def test_a_program_that_hangs_is_ended(
    programs: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "COMMAND", 0.1)
    stub(programs, "java", script)
    assert doctor.output("java").text.startswith("java gives no answer within")


def test_a_program_that_never_stops_talking_is_ended(programs: Path) -> None:
    stub(programs, "java", "while :; do echo yes; done")
    told = doctor.output("java")
    assert (told.good, told.text) == (False, "java failed: yes")


def test_a_program_that_cannot_be_started_is_told(programs: Path) -> None:
    (programs / "java").write_text("#!/no/such/interpreter\n")
    (programs / "java").chmod(0o755)
    assert doctor.java().found.startswith("java cannot be started: ")


def test_control_characters_that_a_program_prints_do_nothing(programs: Path) -> None:
    stub(programs, "java", r"printf '\033[2J\377\342\200\256no version'")
    [finding] = look([Probe("Java", "kafka", "a broker", doctor.java)])
    assert "\x1b" in finding.found
    assert "tells no version: ␛[2J�<202E>no version" in render([finding])


def put_jar(home: Path) -> None:
    (home / "libs").mkdir(parents=True)
    (home / "libs" / "kafka_2.13-4.1.1.jar").touch()


def test_kafkas_jars_may_be_fetched_or_in_the_cache(programs: Path, tmp_path: Path) -> None:
    stub(programs, "mvn", r"printf '\033[1mApache Maven 3.8.7\033[m\n'")
    assert doctor.jars() == Answer(True, "not here yet; Apache Maven 3.8.7 can fetch them")
    home = tmp_path / "cache" / "hamstrung" / "kafka-4.1.1"
    put_jar(home)
    assert doctor.jars() == Answer(True, str(home))


def test_a_kafka_home_counts_first_and_has_to_hold_jars(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(programs, "mvn", "echo Apache Maven 3.8.7")
    home = tmp_path / "kafka"
    monkeypatch.setenv("KAFKA_HOME", str(home))
    answer = doctor.jars()
    assert (answer.good, answer.found) == (False, f"none in {home}")
    assert "unset KAFKA_HOME" in answer.step
    put_jar(home)
    assert doctor.jars() == Answer(True, str(home))


def test_the_java_of_java_home_counts_first(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(programs, "java", JAVA_17)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert doctor.java().found == "17.0.15"
    (tmp_path / "home" / "bin").mkdir(parents=True)
    stub(tmp_path / "home" / "bin", "java", "echo 'version \"21\"'")
    assert doctor.java().found == "21"


@pytest.mark.parametrize(
    ("script", "good", "found"),
    [
        ("echo 28.2.2", True, "engine 28.2.2, with compose"),
        ("echo WARNING: odd >&2; echo 28.2.2", True, "engine 28.2.2, with compose"),
        ("[ $1 = info ] && echo 28.2.2", False, "engine 28.2.2, but no plug-in compose"),
        ("echo; echo 'no daemon' >&2; exit 1", False, "no engine: docker failed: no daemon"),
        ("exit 0", False, "no engine: "),
    ],
)
def test_docker_needs_an_engine_and_compose(
    programs: Path, script: str, good: bool, found: str
) -> None:
    stub(programs, "docker", script)
    answer = doctor.docker()
    assert (answer.good, answer.found, not answer.step) == (good, found, good)


@pytest.mark.parametrize("address", ["", "localhost", "localhost:", ":9092", "x:99999", "x:-1"])
def test_what_is_no_address_is_not_called(address: str) -> None:
    answer = doctor.kafka(address)
    assert (answer.good, answer.found) == (False, f"'{address}' is no address")


def test_a_port_at_which_nobody_listens_has_no_broker_and_no_redis(closed: int) -> None:
    broker = doctor.kafka(f"127.0.0.1:{closed}")
    assert not broker.good
    assert broker.found == f"nothing answers at 127.0.0.1:{closed} (Connection refused)"
    assert "./dev stack up" in broker.step
    answer = doctor.redis(f"redis://:secret@127.0.0.1:{closed}/0")
    assert answer.found == f"no Redis answers at redis://127.0.0.1:{closed} (ConnectionError)"
    assert "./dev stack up" in answer.step


class Admin:
    """A broker's administration, as kafka-python has it."""

    def __init__(self, **settings: object) -> None: ...

    def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": [{"broker_id": 7}]}

    def get_broker_version_data(self, node: int) -> SimpleNamespace:
        assert node == 7
        return SimpleNamespace(broker_version=(4, 1))

    def close(self) -> None: ...


class NoBroker(Admin):
    def describe_cluster(self) -> NoReturn:
        from kafka.errors import KafkaTimeoutError

        raise KafkaTimeoutError("of no use")


class Hanging(Admin):
    def describe_cluster(self) -> NoReturn:
        raise TimeoutError


@pytest.mark.parametrize(
    ("admin", "found"),
    [
        (Admin, "4.1 at {}"),
        (NoBroker, "{} is open, but no broker answers there (KafkaTimeoutError)"),
        (Hanging, "nothing answers at {} (not within 3 s)"),
    ],
)
def test_an_open_port_is_asked_for_the_brokers_version(
    admin: type, found: str, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kafka.KafkaAdminClient", admin)
    address = f"127.0.0.1:{silent}"
    answer = doctor.kafka(address)
    assert (answer.good, answer.found) == (admin is Admin, found.format(address))


def test_every_broker_of_a_list_is_asked(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kafka.KafkaAdminClient", Admin)
    good, bad = f"127.0.0.1:{silent}", "127.0.0.1:1"
    assert doctor.kafka(f"{good}, {good}").found == f"4.1 at {good}; 4.1 at {good}"
    answer = doctor.kafka(f"{good},{bad}")
    assert (answer.good, good in answer.found, bad in answer.found) == (False, False, True)
    assert HOW in answer.step


def test_a_broker_of_another_time_is_found_out(
    silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kafka.KafkaAdminClient", Admin)
    monkeypatch.setattr("simulator.broker.OLDEST", (4, 2))
    answer = doctor.kafka(f"127.0.0.1:{silent}")
    assert (answer.good, answer.step) == (False, "give it Kafka 4.2 or later")


def test_a_silent_server_is_no_redis(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NETWORK", 0.1)
    answer = doctor.redis(f"redis://127.0.0.1:{silent}")
    assert (answer.good, "TimeoutError" in answer.found) == (False, True)


@pytest.mark.parametrize(
    ("version", "policy", "good", "step"),
    [
        ("7.0.15", "noeviction", True, ""),
        ("7.0.15", "allkeys-lru", False, "redis-cli config set maxmemory-policy noeviction"),
        ("6.0.16", "noeviction", False, "start Redis 6.2 or later there"),
    ],
)
def test_redis_is_known_by_its_version_and_policy(
    version: str, policy: str, good: bool, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"redis_version": version, "maxmemory_policy": policy}
    monkeypatch.setattr("redis.Redis.info", lambda _: told)
    answer = doctor.redis("redis://me:secret@localhost:1/0")
    assert answer == Answer(
        good, f"{version} at redis://localhost:1, maxmemory-policy {policy}", step
    )


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:secret@127.0.0.1:1/0",
        "redis://:secret@127.0.0.1:1?password=secret",
        "redis://:se/secret@127.0.0.1:1",
        "redis://:secret#secret@127.0.0.1:1",
        "redis://127.0.0.1:secret/0",
        "redis://[secret",
        "unix://:secret@/secret",
        "http://:secret@127.0.0.1:1",
        "secret",
    ],
)
def test_a_password_is_not_shown_however_it_is_written(url: str) -> None:
    answer = doctor.redis(url)
    assert not answer.good
    assert "secret" not in answer.found + answer.step


def test_what_may_be_half_a_password_is_not_taken_for_a_host() -> None:
    assert doctor.shown("redis://secret/secret@127.0.0.1:1") == "the given URL"


@pytest.fixture
def as_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor looks at nothing but a probe that finds something for a control character."""
    probe = Probe("Java", "kafka", "a broker", lambda: Answer(False, "\x1b[2J", "get it"))
    monkeypatch.setattr(doctor, "probes", lambda *_: (probe,))


@pytest.mark.usefixtures("as_findings")
def test_json_is_a_line_a_finding(capfd: pytest.CaptureFixture[str]) -> None:
    assert examine("localhost:1", "redis://localhost:1", as_json=True) == 0
    [line] = capfd.readouterr().out.splitlines()
    assert json.loads(line) == {
        "type": "finding",
        "schema_version": 1,
        "name": "Java",
        "group": "kafka",
        "state": "missing",
        "found": "␛[2J",
        "needed": "a broker",
        "step": "get it",
    }


def test_a_machine_without_kafka_is_well(closed: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert examine(f"127.0.0.1:{closed}", f"redis://:secret@127.0.0.1:{closed}") == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "secret" not in out
    assert "\x1b" not in out
    assert "hamstrung run quickstart" in out.splitlines()[-1]


def test_a_machine_on_which_no_run_can_be_written_gives_1(
    closed: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work" / "runs").touch()
    assert examine(f"127.0.0.1:{closed}", f"redis://127.0.0.1:{closed}") == 1
    assert capfd.readouterr().out.splitlines()[-1].endswith("not work here yet: runs folder.")
