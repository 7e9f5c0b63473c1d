"""The exporter: figures of a run for Prometheus, over HTTP, for this machine alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from filter.plugins import SettingsError
from simulator.durable import told
from simulator.figures import Figures
from simulator.spelling import whole

HERE: Final = "127.0.0.1"
LAST: Final = 65_535
OPTION: Final = "--prometheus-port"


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each scrape in a thread that does not outlive the run."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Take the port; the standard library would ask a name server who 127.0.0.1 is."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HERE, self.server_address[1]
        self.setup_environ()


class _Silent(WSGIRequestHandler):
    """Says nothing of a scrape on the terminal."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Say nothing."""


def port(text: str) -> int:
    """The number of a port.

    Raises:
        SettingsError: it is none; 0 is none either, for nobody could be told where to scrape.
    """
    number = whole(text, OPTION)
    if not 1 <= number <= LAST:
        raise SettingsError(f"{OPTION}: expected a number from 1 to {LAST}, got {number}")
    return number


@contextmanager
def exported(text: str, version: str) -> Iterator[Figures]:
    """Figures that are served until the end, from a registry of their own.

    Args:
        text: the port, as it was written.
        version: the program's.

    Raises:
        SettingsError: the port is none, or cannot be had.
    """
    number = port(text)
    registry, figures = CollectorRegistry(), Figures(version)
    registry.register(figures)
    try:
        server = _Server((HERE, number), _Silent)
    except OSError as error:
        where = f"{HERE}:{number} cannot be had: {told(error)}"
        raise SettingsError(f"{OPTION}: {where}; choose another port") from error
    server.set_app(make_wsgi_app(registry))
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield figures
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
