"""The console in a browser answers this machine's own pages alone."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from simulator.console.web import PAGES, Consoles

PORT = 8765
OURS = f"127.0.0.1:{PORT}"


@asynccontextmanager
async def client(run: Path) -> "AsyncIterator[TestClient[Request, Application]]":
    server = TestServer(await Consoles(run, PORT).application())
    async with TestClient(server) as one:
        yield one


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        (OURS, None, 200),
        (f"localhost:{PORT}", None, 200),
        (OURS, f"http://{OURS}", 200),
        ("evil.example", None, 403),
        (f"127.0.0.1.evil.example:{PORT}", None, 403),
        (OURS, "http://evil.example", 403),
        (OURS, "null", 403),
        (OURS, f"https://{OURS}", 403),
    ],
)
async def test_another_name_or_another_site_s_page_is_refused(
    tmp_path: Path, host: str, origin: str | None, status: int
) -> None:
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    async with client(tmp_path) as one:
        for path in ("/", "/static/js/textual.js"):
            assert (await one.get(path, headers=headers)).status == status


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
async def test_no_socket_is_opened_for_a_page_of_another_site(
    tmp_path: Path, origin: str | None
) -> None:
    headers = {"Host": OURS} | ({"Origin": origin} if origin else {})
    async with client(tmp_path) as one:
        with pytest.raises(WSServerHandshakeError, match="403"):
            await one.ws_connect("/ws", headers=headers)


async def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with client(tmp_path) as one:
        answer = await one.get("/", headers={"Host": OURS})
        page = await answer.text()
    addresses = re.findall(r"(?:https?|ws)://[^\"'\s]+", page)
    assert addresses
    assert {address.split("/")[2] for address in addresses} == {OURS}
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "https:" not in policy


def test_the_page_lies_in_the_package() -> None:
    assert (PAGES / "app_index.html").is_file()


def test_each_viewer_gets_a_console_on_the_run_whatever_it_is_called(tmp_path: Path) -> None:
    run = tmp_path / "a run; rm -rf ~"
    command = Consoles(run, PORT).command
    assert f"watch '{run}'" in command
    assert command.startswith("exec "), "a shell in between would outlive the server, and hide it"
