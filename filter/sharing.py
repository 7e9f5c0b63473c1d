"""Sharing a stream out among the parts of a stage, and putting together what they gave."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from filter.columns import joined, partition, rows


def shares(stream: Any, key: str, parts: int) -> list[Any]:
    """Each part's share of a stream: what has its key; all of what has no such field."""
    if parts == 1 or not key:
        return [stream] * parts
    if hasattr(stream, "_fields"):
        of = partition(getattr(stream, key), parts)
        return [rows(stream, of == part) for part in range(parts)]
    if not isinstance(stream, tuple) or not all(hasattr(one, key) for one in stream):
        return [stream] * parts
    keys = np.array([getattr(one, key) for one in stream], np.uint64)
    dealt: list[list[Any]] = [[] for _ in range(parts)]
    for part, one in zip(partition(keys, parts).tolist(), stream, strict=True):
        dealt[part].append(one)
    return [tuple(mine) for mine in dealt]


def merged(parts: Sequence[Any]) -> Any:
    """What the parts of a stage gave, in order of id."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "_fields"):
        return joined(parts)
    return tuple(sorted(record for part in parts for record in part))
