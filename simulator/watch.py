"""What ``hamstrung watch`` does: find a run, and show it in the console."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from filter.plugins import SettingsError
from simulator.durable import FolderError
from simulator.exits import say
from simulator.folder import RunFolder
from simulator.paint import terminal
from simulator.servers import KafkaSettings, RedisSettings

if TYPE_CHECKING:
    from simulator.console.carried import Carried

NO_TERMINAL = (
    "the console needs a terminal; off one, see the run's progress with --display plain, or what it"
    " came to with: hamstrung report latest"
)
NO_WEB = (
    "--web: textual-serve is not installed; it is in the extra web: pip install 'hamstrung[web]'"
)
IN_A_BROWSER = "TEXTUAL_DRIVER"
"""Variable by which textual-serve says that a browser is the terminal."""


def watch(run: str) -> int:
    """Show a run until somebody leaves; gives the exit code.

    Args:
        run: its folder, its name, or ``latest``.

    Raises:
        FolderError: there is no such run, or no terminal to show it in.
    """
    if not (IN_A_BROWSER in os.environ or (terminal(sys.stdout) and sys.stdin.isatty())):
        raise FolderError(NO_TERMINAL)
    if IN_A_BROWSER in os.environ:
        end_with(os.getppid())
    return show(_found(run))


def end_with(parent: int) -> None:
    """End this process when its parent has ended: nobody sees a console without its server."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=look, daemon=True).start()


def watch_kafka(kafka: KafkaSettings, ledger: RedisSettings, run: str | None) -> int:
    """Show what the topics of a run on Kafka tell; gives the exit code.

    Args:
        kafka: where the broker is.
        ledger: where Redis is.
        run: the run's id; None: the one of which something was said last.

    Raises:
        FolderError: there is no terminal to show it in.
        SettingsError: there is no such run.
        Unreached: no broker answers.
    """
    from simulator.console.app import Console
    from simulator.console.carriers import Carriers
    from simulator.console.topics import Topics
    from simulator.tail import reading

    if not (terminal(sys.stdout) and sys.stdin.isatty()):
        raise FolderError(NO_TERMINAL)
    with (
        reading(kafka.broker, run) as (consumer, chosen),
        closing(Carriers(kafka, ledger, chosen)) as carriers,
    ):
        console = Console(Topics(consumer, chosen, carriers.now))
        console.run()
    return console.return_code or 0


def serve(run: str, port: int) -> int:
    """Serve the console on a run to browsers of this machine, until Ctrl-C.

    Args:
        run: its folder, its name, or ``latest``.
        port: of 127.0.0.1.

    Raises:
        FolderError: there is no such run.
        SettingsError: somebody listens on the port already, or the extra is not installed.
    """
    folder = _found(run)
    try:
        from simulator.console.web import Consoles
    except ImportError as error:
        raise SettingsError(NO_WEB) from error
    from simulator.stack import free

    if not free(port):
        raise SettingsError(f"--port: {port} is taken on 127.0.0.1; choose another one")
    say(f"the console is on http://127.0.0.1:{port}/ for browsers of this machine; Ctrl-C ends it")
    Consoles(folder.path.absolute(), port).serve()
    return 0


def _found(run: str) -> RunFolder:
    folder = RunFolder.open(run)
    folder.must_be_one()
    return folder


def show(folder: RunFolder, behind: Callable[[], bool] | None = None) -> int:
    """Open the console on a run; gives the exit code.

    Args:
        folder: the run's.
        behind: of a run that ends when the console is left, whether it lives.
    """
    from simulator.console.app import Console
    from simulator.console.recording import Recording

    with carried(folder) as now:
        console = Console(Recording(folder, now), behind)
        console.run()
    return console.return_code or 0


@contextmanager
def carried(folder: RunFolder) -> "Iterator[Callable[[], Carried] | None]":
    """What tells who carries a run on Kafka, None for another one; nobody is asked before it is.

    Args:
        folder: the run's; its manifest says where the servers are.
    """
    if folder.manifest.scenario.get("engine") != "kafka":
        yield None
        return
    from simulator.console.carriers import Carriers

    try:
        scenario = folder.scenario()
    except SettingsError:  # of another version of the program, whose own console can tell
        yield None
        return
    with closing(Carriers(scenario.kafka, scenario.redis, folder.run_id())) as carriers:
        yield carriers.now
