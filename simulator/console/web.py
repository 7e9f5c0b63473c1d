"""The console in a browser: the same one, served on 127.0.0.1 to whoever sits at this machine.

A page of another site may make a browser send requests here. None is answered that names another
host than this server's (DNS rebinding), and no socket is opened for another origin.
"""

import shlex
import sys
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from textual_serve.server import Server

HOST = "127.0.0.1"
HTTP = 80
"""The port that browsers leave out of a host's name."""
PAGES = Path(__file__).with_name("pages")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self';"
    " img-src 'self' data:; connect-src 'self' ws://{0}; frame-ancestors 'none'; base-uri 'none'"
)
"""What the page may load: nothing from elsewhere."""


class Consoles(Server):
    """A server that starts a console for each viewer.

    Args:
        run: the path of the run that is watched.
        port: of 127.0.0.1.
    """

    def __init__(self, run: Path, port: int) -> None:
        """Name the command that each viewer gets."""
        words = [sys.executable, "-c", PROGRAM, "watch", str(run)]
        command = f"exec {shlex.join(words)}"  # no shell stays between: it ends with its server
        super().__init__(command, HOST, port, title="Hamstrung", templates_path=str(PAGES))
        bare = {HOST, "localhost"} if port == HTTP else set()
        self.names = frozenset({f"{HOST}:{port}", f"localhost:{port}", *bare})

    def initialize_logging(self) -> None:
        """Say nothing: a line on stderr has said where it is."""

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing."""

    async def application(self) -> web.Application:
        """The pages, behind the check of who asks."""
        app = await super()._make_app()
        app.middlewares.append(self.checked())
        return app

    async def _make_app(self) -> web.Application:
        return await self.application()

    def checked(self) -> Middleware:
        """Refuses requests to another host's name, and those that another site's page makes."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            origin = request.headers.get("Origin")
            if request.host not in self.names:
                raise web.HTTPForbidden(text="wrong host\n")
            if origin is not None and origin.removeprefix("http://") not in self.names:
                raise web.HTTPForbidden(text="wrong origin\n")
            if request.path == "/ws" and origin is None:
                raise web.HTTPForbidden(text="no origin\n")
            response = await handler(request)
            if not response.prepared:
                response.headers["Content-Security-Policy"] = POLICY.format(request.host)
                response.headers["X-Content-Type-Options"] = "nosniff"
                response.headers["Referrer-Policy"] = "no-referrer"
            return response

        return check


PROGRAM = "from simulator.cli import main; raise SystemExit(main())"
