"""The closed loop as a contender: the simulator's own loop, some ticks at a time."""

from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

from benchmarks.strings import Strings, Unhashed, unhashed
from simulator.dealt import CorpusSettings, Dealt
from simulator.loop import Prepared, prepare, ticks
from simulator.scenario import AttackSettings, Scenario
from simulator.synthetic import SyntheticSettings

SEED = 1


class Lap(NamedTuple):
    """Ordinary mails (the attacker's are not counted), and the seconds they took."""

    mails: int
    seconds: float

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds


class Loop:
    """World, people, bots, filter and metrics, tick by tick.

    Args:
        scenario: what runs; its attack is on from tick 0.
        said: the strings to hash within the loop; None takes what the source gives.
    """

    def __init__(self, scenario: Scenario, said: Strings | None = None) -> None:
        """Prepare the run, which no lap is charged for."""
        self.prepared: Prepared = prepare(scenario)
        self._tokens: Unhashed | None = None
        source = self.prepared.world.source
        if said is not None:
            assert isinstance(source, Dealt)
            self._tokens = unhashed(said)
            source.corpus = source.corpus._replace(tokens=self._tokens)
        self._size = (
            scenario.corpus.mails_per_hour
            if isinstance(source, Dealt)
            else scenario.synthetic.mails_per_hour
        )
        self._ticks = ticks(self.prepared)

    def lap(self, length: int) -> Lap:
        """Simulate some ticks, in all arms."""
        if self._tokens is not None:
            self._tokens.dealt.clear()
        begun = perf_counter()
        for _ in range(length):
            next(self._ticks)
        return Lap(length * self._size, perf_counter() - begun)

    @property
    def dealt(self) -> list[int]:
        """The rows of the corpus that the last lap dealt, in order."""
        assert self._tokens is not None
        return [row for rows in self._tokens.dealt for row in rows.tolist()]

    @property
    def hash(self) -> str:
        """The run hash of the first arm so far."""
        return next(iter(self.prepared.arms.values())).hash


def corpus_scenario(path: str, size: int, duration: int, start_mails: int) -> Scenario:
    """The flagship's attack on a corpus, dealt again and again so that every tick is full."""
    corpus = CorpusSettings(path, size, start_mails, start_mails, reuse=True)
    return replace(_attacked(duration), corpus=corpus)


def synthetic_scenario(size: int, duration: int) -> Scenario:
    """The flagship's attack on synthetic mail."""
    return replace(_attacked(duration), synthetic=SyntheticSettings(mails_per_hour=size))


def _attacked(duration: int) -> Scenario:
    attack = AttackSettings("not-spam-campaign", start=0, duration=duration)
    return Scenario(seed=SEED, duration=duration, arms=("attacked",), attack=attack)
