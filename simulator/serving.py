"""A worker's process: ``hamstrung worker all``."""

import asyncio
import os
import signal
import sys
import threading
import warnings
from contextlib import suppress

from aiokafka.errors import KafkaError

from filter.plugins import told
from filter.redis_server import LedgerRefused, Unreachable
from simulator.broker import program, runs_on
from simulator.exits import DONE, of_error, say
from simulator.servers import HINT, HOW, PASSWORD, KafkaSettings, RedisSettings, Unreached

LOOKS = 2.0
"""Seconds from one look for a run to the next."""

LEAVES = 5.0
"""Seconds to leave in, once told to; Faust waits without end for a broker that is gone."""


def work(kafka: KafkaSettings, redis: RedisSettings, run: str | None, while_stdin: bool) -> int:
    """Work for a run, or for one run after another, until told to end.

    Args:
        kafka: where Kafka is.
        redis: where the ledger is.
        run: its id; None: whichever begins.
        while_stdin: end when standard input does, as that of a process whose parent is gone.
    """
    warnings.simplefilter("ignore")
    with asyncio.Runner() as runner:
        try:
            code = runner.run(_work(kafka, redis, run, while_stdin))
        except Exception as error:  # noqa: BLE001 - told here: what is left to do may not end
            code = of_error(error)
        _leave_soon(code)
    return code


def _leave_soon(code: int) -> None:
    """See to it that this process ends: after some seconds as if it was killed."""
    end = threading.Timer(LEAVES, os._exit, (code,))
    end.daemon = True
    end.start()


async def _work(
    kafka: KafkaSettings, redis: RedisSettings, run: str | None, while_stdin: bool
) -> int:
    from filter.worker import quiet

    quiet()
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    if while_stdin:
        threading.Thread(target=_watch, args=(loop, told), daemon=True).start()
    working = asyncio.create_task(_one(kafka, redis, run) if run else _every(kafka, redis))
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not working.done():
        _leave_soon(DONE)
        await _ended(working)
        return DONE
    working.result()
    return DONE


def _watch(loop: asyncio.AbstractEventLoop, told: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with suppress(RuntimeError):  # the loop may have ended before
        loop.call_soon_threadsafe(told.set)


async def _one(kafka: KafkaSettings, redis: RedisSettings, run: str) -> None:
    from filter.worker import Settings, serve

    settings = Settings(
        kafka.broker, redis.url, os.environ.get(PASSWORD), kafka.session_timeout, program()
    )
    try:
        await serve(settings, run, say)
    except Unreachable as error:
        raise Unreached(f"{error} (redis.url): start one with {HOW}") from error
    except LedgerRefused as error:
        raise LedgerRefused(f"{error} (redis.url; {HINT})") from None


async def _every(kafka: KafkaSettings, redis: RedisSettings) -> None:
    """Work for the run that was begun or resumed last, until it is over or another one begins.

    A run that cannot go on here is left to others: it may lie on the broker for days.
    """
    current, working = "", asyncio.create_task(asyncio.sleep(0))
    left: set[str] = set()
    waits = False
    try:
        while True:
            idle = working.done()
            if idle and not _done(working, current):
                left.add(current)
            try:
                found = await asyncio.to_thread(runs_on, kafka.broker)
            except (Unreached, KafkaError):
                if not current:
                    raise
                continue  # it takes some seconds to say so
            open_ = [run for run in found if run not in left]
            newest = open_[-1] if open_ else ""
            if newest and (newest != current or idle):
                await _ended(working)
                say(f"working for {newest}")
                current, working = newest, asyncio.create_task(_one(kafka, redis, newest))
            elif not newest and not waits:
                say(
                    f"no run on {kafka.broker} yet; begin one with:"
                    " hamstrung run quickstart --engine kafka --workers 0"
                )
            waits = not newest
            await asyncio.wait([working], timeout=LOOKS)
            await asyncio.sleep(0 if not working.done() else LOOKS)
    finally:
        await _ended(working)


def _done(working: "asyncio.Task[None]", run: str) -> bool:
    """Whether a run is over; if not, why it cannot go on here is said.

    Raises:
        Unreached: Redis does not answer.
        LedgerRefused: it will not do.
        KafkaError: the broker has been away for too long.
    """
    error = working.exception()
    if error is None:
        return True
    if not isinstance(error, Exception) or isinstance(
        error, Unreached | LedgerRefused | KafkaError
    ):
        raise error
    say(f"cannot work for {run}: {told(error)}")
    return False


async def _ended(working: "asyncio.Task[None]") -> None:
    if not working.done():
        working.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await working
