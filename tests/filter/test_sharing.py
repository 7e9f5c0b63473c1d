import numpy as np
import pytest

from filter import codec
from filter.columns import Verdicts
from filter.events import Ruling
from filter.sharing import merged, shares


def ids(*numbers: int) -> np.typing.NDArray[np.uint64]:
    return np.array(numbers, np.uint64)


def rulings(count: int) -> tuple[Ruling, ...]:
    return tuple(Ruling(n, n * n, n, 3, "rejected", "", "") for n in range(count))


def verdicts(count: int) -> Verdicts:
    n = np.arange(count)
    return Verdicts(
        n.astype(np.uint64),
        ids(*(n * n)),
        n / np.float64(2),
        (n % 3).astype(np.int8),
        ids(*(n + 9)),
        (n % 2).astype(np.int8),
    )


@pytest.mark.parametrize("parts", [2, 3, 7, 50])
def test_shares_are_disjoint_and_together_they_are_the_whole(parts: int) -> None:
    records = shares(rulings(40), "account", parts)
    assert sum(map(len, records)) == 40
    assert merged(records[::-1]) == rulings(40)
    columns = shares(verdicts(40), "recipient", parts)
    assert codec.pack(merged(columns[::-1])) == codec.pack(verdicts(40))


def test_a_stream_without_the_key_goes_to_every_part() -> None:
    assert shares(rulings(5), "recipient", 3) == [rulings(5)] * 3
