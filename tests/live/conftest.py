"""A broker and a Redis of their own for the tests that need real ones."""

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from simulator.stack import Stack, StackError, kafka_home

REQUIRE = "HAMSTRUNG_REQUIRE_LIVE"


def lack() -> str:
    """Why nothing can be started here; fetches Kafka if it can be fetched."""
    if missing := Stack.missing():
        return missing
    try:
        kafka_home(str)
    except StackError as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def new_stack() -> Callable[..., Stack]:
    """Makes a stack that does not run yet, with a Java that is small and soon there.

    What needs real servers is skipped where they cannot run; under HAMSTRUNG_REQUIRE_LIVE=1 it
    fails.
    Two of pytest's processes that both want to fetch Kafka wait for each other.
    """
    if reason := lack():
        if os.environ.get(REQUIRE) == "1":
            pytest.fail(f"{reason}; and {REQUIRE} is 1", pytrace=False)
        pytest.skip(reason)
    return partial(Stack, java_options=("-Xmx512m", "-XX:TieredStopAtLevel=1"))


@pytest.fixture(scope="session")
def stack(
    new_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A running stack, shared by the live tests of one of pytest's processes.

    The first test that asks for it waits some 4 s, and 300 MB are gone. Whoever stops one of its
    servers starts it again before the test ends.
    """
    stack = new_stack(tmp_path_factory.mktemp("stack") / "folder")
    try:
        stack.up()
        yield stack
    finally:
        stack.down(wipe=True)
