"""docker-compose.yml: valid to a compose tool, and the same versions and ports as the code's."""

import os
import re
import shutil
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.stack import HOST, KAFKA_PORT, KAFKA_VERSION, PROPERTIES, REDIS_PORT

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
TOOLS = (("docker", "compose"), ("docker-compose",), ("podman-compose",))
ABSENT = "no compose tool (docker compose, docker-compose, podman-compose)"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def works(tool: tuple[str, ...]) -> bool:
    """Docker's own client is often there without its plug-in for compose."""
    return bool(shutil.which(tool[0])) and run(*tool, "version").returncode == 0


@cache
def found() -> tuple[str, ...]:
    return next(filter(works, TOOLS), ())


@pytest.fixture
def tool() -> tuple[str, ...]:
    if found():
        return found()
    if os.environ.get("HAMSTRUNG_REQUIRE_LIVE") == "1":
        pytest.fail(f"{ABSENT}, and HAMSTRUNG_REQUIRE_LIVE is 1", pytrace=False)
    pytest.skip(ABSENT)


def service(name: str) -> str:
    """A service's part of the file, as it stands there."""
    services = TEXT.partition("\nservices:\n")[2].partition("\nvolumes:\n")[0]
    match = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", services, re.MULTILINE)
    assert match, name
    return match[1]


def names() -> list[str]:
    services = TEXT.partition("\nservices:\n")[2].partition("\nvolumes:\n")[0]
    return re.findall(r"^  (\w+):$", services, re.MULTILINE)


@pytest.mark.parametrize("profile", [(), ("--profile", "workers")])
def test_a_compose_tool_finds_no_fault(tool: tuple[str, ...], profile: tuple[str, ...]) -> None:
    checked = run(*tool, *profile, "config")
    assert checked.returncode == 0, checked.stderr
    assert "apache/kafka" in checked.stdout


def test_a_compose_tool_finds_a_fault_that_is_there(tool: tuple[str, ...], tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(TEXT.replace("network_mode: service:redis", "network_mode: service:nobody"))
    checked = run(*tool, "-f", str(wrong), "--profile", "workers", "config")
    assert checked.returncode != 0 or tool == ("podman-compose",)  # it believes what it reads


def test_the_broker_is_the_version_that_the_stack_fetches() -> None:
    assert f"\n    image: apache/kafka:{KAFKA_VERSION}\n" in f"\n{service('kafka')}"


def test_every_image_is_an_exact_version() -> None:
    images = re.findall(r"^    image: (\S+)", TEXT, re.MULTILINE)
    assert len(images) == len(names())
    pinned = [one for one in images if one != "hamstrung-worker"]  # made here, from the Dockerfile
    assert all(re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+", one) for one in pinned)
    assert re.search(r"^FROM python:3\.12\.\d+-slim-bookworm$", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize(("name", "port"), [("kafka", KAFKA_PORT), ("redis", REDIS_PORT)])
def test_the_ports_are_the_code_s_and_open_to_this_machine_alone(name: str, port: int) -> None:
    ports = re.search(r"^    ports:\n((?:      .*\n)+)", service(name), re.MULTILINE)
    assert ports
    assert ports[1].split() == ["-", f'"{HOST}:{port}:{port}"']


def test_the_default_addresses_are_these() -> None:
    assert (HOST, KAFKA_PORT, REDIS_PORT) == ("127.0.0.1", 9092, 6379)


def test_the_broker_sends_this_machine_to_loopback_and_containers_to_its_name() -> None:
    assert (
        f"KAFKA_ADVERTISED_LISTENERS: HOST://{HOST}:{KAFKA_PORT},INSIDE://kafka:19092\n"
        in service("kafka")
    )
    assert "kafka.broker=kafka:19092;" in service("worker")


def test_the_broker_is_set_as_the_stack_s_is() -> None:
    addresses = {"listeners", "advertised.listeners", "log.dirs", "controller.quorum.voters"}
    addresses |= {"controller.listener.names"}
    for line in PROPERTIES.splitlines():
        key, value = line.split("=", 1)
        if key not in addresses:
            variable = f"KAFKA_{key.replace('.', '_').upper()}"
            assert re.search(rf'^      {variable}: "?{value}"?$', service("kafka"), re.MULTILINE)


def test_redis_keeps_what_it_was_told_and_refuses_when_full() -> None:
    words = re.findall(r'^      - "?([^"\n]*)"?$', service("redis"), re.MULTILINE)
    told = dict(pairwise(words))
    assert told["--appendonly"] == "yes"
    assert told["--maxmemory-policy"] == "noeviction"


def test_redis_is_on_loopback_for_a_worker_too_since_it_has_no_password() -> None:
    assert "    network_mode: service:redis\n" in service("worker")
    assert f"redis.url=redis://{HOST}:{REDIS_PORT}/0\n" in service("worker")
    assert "requirepass" not in TEXT


@pytest.mark.parametrize("name", ["kafka", "redis"])
def test_a_server_is_asked_for_its_health_and_keeps_its_data(name: str) -> None:
    assert "    healthcheck:\n      " in service(name)
    assert f"      - {name}-data:/" in service(name)
    assert re.search(rf"^volumes:\n(?:  .*\n)*  {name}-data:\n", TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", names())
def test_no_service_may_take_the_whole_machine(name: str) -> None:
    assert re.search(r"^    mem_limit: ", service(name), re.MULTILINE)
    assert re.search(r"^    cpus: ", service(name), re.MULTILINE)


def test_workers_come_only_when_asked_for() -> None:
    asked = [name for name in names() if "    profiles: [workers]\n" in service(name)]
    assert asked == ["worker"]


def test_the_image_is_made_from_the_lock_and_its_user_has_no_rights() -> None:
    assert "--require-hashes --no-deps --only-binary :all: --requirement requirements.lock" in (
        DOCKERFILE
    )
    *_, user = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert user not in {"root", "0"}


def test_the_image_gets_what_the_dockerfile_copies_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        word
        for words in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.MULTILINE)
        for word in words.split()
    }
    assert "*" in lines
    assert let_in == copied
    assert all((ROOT / name).exists() for name in copied)
