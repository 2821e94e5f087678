"""The consumer that writes `decoded` records to a store.

The store keeps the position in the transaction that stores the rows: each record is applied exactly once.
"""

from collections.abc import Iterable, Sequence

from lns import metrics
from lns.exchange.records import Decoded, Measurement, Stored
from lns.series.store import Removal, Rows, SeriesStore


class SeriesConsumer:
    """Feeds one store. Large batches cost less CPU and disk: a commit rewrites a page for nearly every device in it."""

    topics = frozenset({"decoded"})
    max_batch = 2000

    def __init__(self, store: SeriesStore) -> None:
        self.name = f"series.{store.name}"
        self._store = store

    async def position(self) -> int:
        """The store's own position."""
        return await self._store.cursor()

    async def log(self) -> str:
        """The log that the store follows."""
        return await self._store.log()

    async def follow(self, log_id: str) -> None:
        """The store follows another log, or one that it did not know by its id."""
        await self._store.follow(log_id)

    async def handle(self, batch: Sequence[Stored]) -> None:
        """Store the measurements of a batch; StoreError means that none of it is stored."""
        result = await self._store.write(rows_of(batch), batch[-1].seq, removals_of(batch))
        metrics.measurements_stored.inc(self._store.name, n=result.accepted)
        for rejected in result.rejected:
            metrics.measurements_rejected.inc(self._store.name, rejected.code)


def rows_of(batch: Iterable[Stored]) -> Rows:
    """The rows of a batch of `decoded` records, a column at a time."""
    device_ids: list[int] = []
    seqs: list[int] = []
    measurements: list[Measurement] = []
    for stored in batch:
        record = stored.record
        if isinstance(record, Decoded) and record.measurements:
            count = len(record.measurements)
            device_ids += [record.device_id] * count
            seqs += [stored.seq] * count
            measurements += record.measurements
    return Rows(
        device_ids,
        [m.field for m in measurements],
        [m.time_us for m in measurements],
        [m.value for m in measurements],
        [m.unit for m in measurements],
        seqs,
    )


def removals_of(batch: Iterable[Stored]) -> list[Removal]:
    """What a replay takes back of what it has replaced."""
    return [
        Removal(stored.record.device_id, field, time_us, stored.seq)
        for stored in batch
        if isinstance(stored.record, Decoded) and stored.record.replay is not None
        for field, time_us in stored.record.replay.removed
    ]
