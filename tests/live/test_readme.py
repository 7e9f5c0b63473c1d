"""The README's commands on Kafka, in their order: a small world, a stack of the test's own."""

import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from simulator.stack import Stack
from tests.test_readme import ENDED, ROOT, SMALL, commands, hamstrung, on_kafka


def test_the_section_on_kafka_runs_as_it_stands(
    new_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    own = new_stack(tmp_path / "stack", *free_ports())
    ports = f"--kafka-port {own.port(own.kafka)} --redis-port {own.port(own.redis)}"
    where = f'[kafka]\nbroker = "{own.broker}"\n[redis]\nurl = "{own.redis_url}"\n'
    (tmp_path / "hamstrung.toml").write_text(SMALL + where)
    ran = [line for line in commands() if on_kafka(line)]
    assert [line.split()[1] for line in ran] == ["stack", "hamstrung", "hamstrung", "stack"]
    try:
        for command in ran:
            if command.startswith("./dev stack"):
                words = command.removeprefix("./dev stack ")
                done = stack(f"up {ports}" if words == "up" else words, tmp_path)
                assert done.returncode == 0, done.stderr
            else:
                done = hamstrung(command, tmp_path)
                assert done.returncode in ENDED, f"{command}\n{done.stderr}"
                assert done.stdout or done.stderr
    finally:
        own.down()


def free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        return one.getsockname()[1], other.getsockname()[1]


def stack(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulator.stack", *shlex.split(words)]
    return subprocess.run(
        [*command, "--dir", str(folder / "stack")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
