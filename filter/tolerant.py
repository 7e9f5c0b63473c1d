"""Fetched records, one of which may be what the clients cannot decode.

A header's name is text to them; a record in which it is none stops both, at the same place for
ever: aiokafka with UnicodeDecodeError, kafka-python with CorruptRecordError. Here it stands as a
record without headers, which no reader takes for its own, and so becomes a dead letter.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher as aiokafka_fetcher
from kafka.consumer import fetcher as kafka_fetcher
from kafka.errors import CorruptRecordError


class Undecoded(NamedTuple):
    """A record of which nothing is known but where it lies."""

    offset: int
    timestamp: int
    timestamp_type: int = 0
    key: None = None
    value: None = None
    headers: tuple[()] = ()
    checksum: None = None
    size_in_bytes: int = 0

    def validate_crc(self) -> bool:
        """The batch was checked as a whole."""
        return True


class Batch:
    """A batch of a client's; from the first record on that does not decode, nothing is known.

    All of it comes from one producer, so it is another producer's messages that are lost.
    """

    def __init__(self, batch: Any) -> None:
        """Wrap a batch."""
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        """Whatever else it has."""
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        """The records."""
        after = self._batch.base_offset
        try:
            for record in self._batch:
                after = record.offset + 1
                yield record
        except (UnicodeDecodeError, CorruptRecordError):
            for offset in range(after, self._batch.next_offset):
                yield Undecoded(offset, self._batch.max_timestamp)

    def __next__(self) -> Any:
        """The next record, of a control batch."""
        return next(self._batch)


class Records:
    """What was fetched of a partition, batch by batch."""

    def __init__(self, records: Any) -> None:
        """Wrap a client's."""
        self._records = records

    def __getattr__(self, name: str) -> Any:
        """Whatever else it has."""
        return getattr(self._records, name)

    def next_batch(self) -> Any:
        """The next batch; None: there is none."""
        batch = self._records.next_batch()
        return None if batch is None else Batch(batch)


class _OfAiokafka(aiokafka_fetcher.PartitionRecords):  # type: ignore[misc]  # it has no types
    def _unpack_records(self) -> Any:
        self._records: Any = Records(self._records)
        return super()._unpack_records()


class _OfKafkaPython(kafka_fetcher.Fetcher.PartitionRecords):  # type: ignore[misc]  # no types
    def _unpack_records(self, place: Any, records: Any, key: Any, value: Any) -> Any:
        return super()._unpack_records(place, Records(records), key, value)


def tolerate() -> None:
    """Let the clients of this process go on behind a record that they cannot decode."""
    aiokafka_fetcher.PartitionRecords = _OfAiokafka
    kafka_fetcher.Fetcher.PartitionRecords = _OfKafkaPython
