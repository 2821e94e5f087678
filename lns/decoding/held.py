"""What the store holds of the uplinks of a page, and which of it an uplink's own earlier decodes have written."""

from collections.abc import Iterable, Mapping, Sequence

from lns.decoding.corrections import LINK, Held
from lns.exchange.records import Decoded
from lns.exchange.sqlite import SqliteExchange
from lns.series.store import SeriesStore

Moment = tuple[int, int]
"""Device and time in UTC microseconds."""

Key = tuple[str, int]
"""Field and time in UTC microseconds."""


class Holdings:
    """Rows of the store, read for a page at once."""

    def __init__(self, store: SeriesStore, exchange: SqliteExchange) -> None:
        self._store, self._exchange = store, exchange
        self._read: set[Moment] = set()
        self._devices: dict[int, Held] = {}
        self._seqs: dict[tuple[int, str, int], int] = {}
        self._records: dict[int, Decoded | None] = {}

    async def read(self, moments: Iterable[Moment]) -> None:
        """Read what is stored at these moments. StoreError."""
        missing = [moment for moment in dict.fromkeys(moments) if moment not in self._read]
        if not missing:
            return
        for row in await self._store.at(missing):
            there = self._devices.setdefault(row.device_id, {}).setdefault(row.time_us, {})
            there[row.field] = (row.value, row.unit)
            self._seqs[(row.device_id, row.field, row.time_us)] = row.seq
        self._read.update(missing)

    def of(self, device_id: int) -> Held:
        """All that has been read of a device."""
        return self._devices.setdefault(device_id, {})

    def at(self, device_id: int, at_us: int) -> list[Key]:
        """What the codec of a device has at the time of an uplink: no other uplink writes to that time."""
        return [(field, at_us) for field in self.of(device_id).get(at_us, ()) if not field.startswith(LINK)]

    async def written_by(self, uplink_seq: int, device_id: int, times_us: Sequence[int]) -> list[Key]:
        """What earlier decodes of an uplink have written at times of its own, found by what they left at some of them.

        Only what the log still tells of can be found; what another uplink has written since is not its own any more.
        """
        found: list[Key] = []
        for seq in self._writers(device_id, times_us):
            record = await self._record(seq)
            if record is None or record.uplink_seq != uplink_seq:
                continue
            keys = [(m.field, m.time_us) for m in record.measurements if not m.field.startswith(LINK)]
            await self.read((device_id, time_us) for _, time_us in keys)
            found += [key for key in keys if self._seqs.get((device_id, *key)) == seq]
        return found

    def _writers(self, device_id: int, times_us: Sequence[int]) -> set[int]:
        held: Mapping[int, Mapping[str, object]] = self.of(device_id)
        return {
            seq
            for time_us in times_us
            for field in held.get(time_us, ())
            if (seq := self._seqs.get((device_id, field, time_us))) is not None
        }

    async def _record(self, seq: int) -> Decoded | None:
        if seq not in self._records:
            stored = await self._exchange.pick(seq)
            record = stored.record if stored is not None else None
            self._records[seq] = record if isinstance(record, Decoded) else None
        return self._records[seq]
