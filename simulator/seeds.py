"""Counter-based draws: one number per seed, purpose and ids, drawn or not.

Nothing here has a state, so adding a bot moves nobody else's numbers, a twin shares everybody's,
and a resumed run goes on alike (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
SC 2011).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filter import hashing

Ids = NDArray[np.uint64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of one seed.

    >>> Draws(seed=1).uniform("looks", np.arange(3, dtype=np.uint64), 24).round(3).tolist()
    [0.74, 0.986, 0.85]
    """

    seed: int

    def bits(self, purpose: str, *columns: Ids | int) -> Ids:
        """Sixty-four random bits for each row of ``columns``, for this purpose alone.

        Args:
            purpose: What is decided, in a word or two; other purposes get unrelated numbers.
            columns: Ids and ticks that broadcast together; their order matters.
        """
        return hashing.combine(_key(self.seed, purpose), *columns)

    def uniform(self, purpose: str, *columns: Ids | int) -> Floats:
        """A number in [0, 1) for each row of ``columns``, for this purpose alone."""
        return hashing.draw(_key(self.seed, purpose), *columns)

    def generator(self, *parts: int | str) -> np.random.Generator:
        """A fresh Generator keyed by the seed and ``parts``, always from its start.

        It costs some 20 microseconds, so it is for an attack's tick, not for each person.

        >>> draws = Draws(seed=1)
        >>> [draws.generator("not-spam", 3).integers(100, size=4).tolist() for _ in range(2)]
        [[10, 86, 35, 35], [10, 86, 35, 35]]
        """
        low = hashing.key("generator", self.seed, *parts, 0)
        high = hashing.key("generator", self.seed, *parts, 1)
        return np.random.Generator(np.random.Philox(key=high << 64 | low))


@lru_cache(maxsize=1024)
def _key(seed: int, purpose: str) -> int:
    return hashing.key("draws", seed, purpose)
