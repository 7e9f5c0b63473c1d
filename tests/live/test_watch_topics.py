"""The console on the topics of a run: what they tell is what the run's folder tells."""

import asyncio
from pathlib import Path

from simulator.console.app import Console
from simulator.console.recording import Recording
from simulator.console.topics import Topics
from simulator.folder import RunFolder
from simulator.manifest import DONE, RUNNING
from simulator.scripting import Silent
from simulator.session import simulate
from simulator.stack import Stack
from simulator.tail import reading
from tests.contracts.small import small
from tests.live.test_parity import SHORT, kafka
from tests.live.test_tail import Spoken, speak  # noqa: F401  a fixture
from tests.simulator.console.watched import screen


async def _screen(topics: Topics) -> str:
    app = Console(topics)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("g", "P", "left", "e")
        await pilot.pause()
        return screen(app)


def test_topics_tell_of_votes_and_rulings_what_the_folder_tells(
    stack: Stack, tmp_path: Path
) -> None:
    chosen = small(SHORT, kafka(stack, partitions=2, workers=1, events_per_message=7))
    folder = RunFolder.create(chosen, tmp_path / "run")
    simulate(chosen, folder, Silent(), [])
    of_folder = Recording(RunFolder.open(folder.path))
    of_folder.read()
    of_folder.go(10**6)
    with reading(stack.broker, folder.run_id()) as (consumer, run):
        topics = Topics(consumer, run)
        for _ in range(20):
            topics.read()
        assert topics.status() == DONE
        assert topics.last == of_folder.last == chosen.duration - 1
        ours, theirs = topics.seen, of_folder.seen
        assert ours.plan.duration == chosen.duration
        assert {name: one.bots + one.people for name, one in ours.checks.items()} == {
            name: one.bots + one.people for name, one in theirs.checks.items()
        }
        assert ours.checks
        assert ours.done == theirs.done
        assert ours.teachers == theirs.teachers
        for account, one in theirs.sources.items():
            other = ours.sources[account]
            assert (other.votes, other.taught, other.right, other.wrong) == (
                *(one.votes, one.taught, one.right, one.wrong),
            )
            assert other.reputation == one.reputation
            assert not other.bot, "who is a bot is on no topic"
        mails = [frame.mails for frame in ours.frames[ours.plan.judged]]
        assert mails == [frame.mails for frame in theirs.frames["attacked"]]
        drawn = asyncio.run(_screen(topics))
    assert "topics can only be watched" in drawn
    assert "messages  at hour  behind" in drawn


def test_a_run_that_says_little_is_watched_as_far_as_it_is_whole(
    speak: "object",  # noqa: F811  the fixture
) -> None:
    assert callable(speak)
    run: Spoken = speak()
    with reading(run.kafka.broker, run.run) as (consumer, chosen):
        topics = Topics(consumer, chosen)
        assert (topics.status(), topics.last) == (RUNNING, -1)
        run.end()
        topics.read()
        for _ in range(20):
            topics._catch_up()
            if topics.status() == DONE:
                break
        assert topics.status() == DONE
