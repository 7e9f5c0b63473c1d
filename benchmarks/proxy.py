"""A small TCP proxy that does to connections what bad networks do."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

HOST: Final = "127.0.0.1"
BYTES: Final = 1 << 16


class Proxy:
    """Stands at a port of loopback in front of another one; good until told otherwise.

    Two threads a connection, one for each direction: whoever does not read holds up nobody else.

    Args:
        port: where it listens.
        target: the port behind it; that nobody listens there is as if it stood there itself.
    """

    def __init__(self, port: int, target: int) -> None:
        """Do not listen yet."""
        self.port, self._target = port, target
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._flows = threading.Event()
        self._flows.set()
        self._loses = False

    def __enter__(self) -> "Proxy":
        """Listen."""
        self.restore()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the port and of all connections."""
        self.cut()
        self._flows.set()

    def cut(self) -> None:
        """Break all connections, and refuse new ones."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            _close(listener)
        self._break()

    def stall(self) -> None:
        """Take connections and bytes, and pass nothing on."""
        self._flows.clear()

    def drop_answers(self) -> None:
        """Pass on what is asked; the answer is lost, and with it the connection."""
        self._loses = True

    def restore(self) -> None:
        """Be good again: listen, and pass on."""
        self._loses = False
        self._flows.set()
        with self._lock:
            if self._listener is None:
                self._listener = socket.create_server((HOST, self.port), backlog=128)
                self._start(self._accept, self._listener)

    @staticmethod
    def _start(do: Callable[..., None], *given: object) -> None:
        threading.Thread(target=do, args=given, daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._start(self._join, client)

    def _join(self, client: socket.socket) -> None:
        """Connect a client with the server, or leave it as alone as the server would."""
        self._flows.wait()
        try:
            server = socket.create_connection((HOST, self._target), timeout=5)
        except OSError:
            _close(client)
            return
        server.settimeout(None)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = client, server
        with self._lock:
            self._pairs.add(pair)
            listens = self._listener is not None
        if not listens:
            self._break()
        self._start(self._pump, pair, client, server, False)
        self._start(self._pump, pair, server, client, True)

    def _pump(
        self,
        pair: tuple[socket.socket, socket.socket],
        source: socket.socket,
        sink: socket.socket,
        answers: bool,
    ) -> None:
        with suppress(OSError):
            while data := source.recv(BYTES):
                self._flows.wait()
                if answers and self._loses:
                    break
                sink.sendall(data)
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            _close(end)

    def _break(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                _close(end)


def _close(end: socket.socket) -> None:
    """Close a socket that another thread may be waiting at."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
