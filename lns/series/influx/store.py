"""The time-series store on InfluxDB 1, 2 or 3: one writer a database.

The engine knows no condition and no transaction: the last write of a key wins. So a batch that may hold something older
than the store does is compared with it first, and the position is written after the rows. A crash between the two
brings the rows once more, which changes nothing; the position is a point beside the rows, so that a database that was
lost or restored is filled again from where it stands, which a file beside the server would not know.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from lns.clock import now_us
from lns.config.stores import Influx
from lns.series.checks import EARLIEST_US, problems
from lns.series.flood import Flood
from lns.series.influx.aside import Aside
from lns.series.influx.client import Client
from lns.series.influx.lines import GONE, encode, encode_gone, tag_text
from lns.series.influx.reads import Reads
from lns.series.influx.versions import REFUSED, Deletes, code_of
from lns.series.store import (
    Bucket,
    Caps,
    FieldInfo,
    Key,
    Point,
    Rejected,
    Removal,
    Row,
    Rows,
    SetAside,
    WriteResult,
)

_CEILING_STEP = 20_000
_HOUR_US = 3_600_000_000


class InfluxSeries:
    """`SeriesStore` on the server that `settings` name; `environ` holds its secret, `clock` gives UTC microseconds.

    No batch is written before a point says how high its seqs may be, the ceiling: rows above it need no comparison,
    also after a crash.
    """

    name = "influxdb"
    caps = Caps(time_resolution_us=1, transactional_cursor=False, conditional_upsert=False)

    def __init__(self, settings: Influx, environ: Mapping[str, str], clock: Callable[[], int] = now_us) -> None:
        self._client = Client(settings, environ)
        self._measurement = settings.measurement
        self._clock = clock
        self._reads = Reads(self._client, settings.measurement)
        self._aside = Aside(self._client, f"{settings.measurement}_rejected")
        self._writing = asyncio.Lock()
        self._flood = Flood()
        self._highest = 0  # no row above it is stored
        self._ceiling = 0
        self._cursor = 0

    async def open(self) -> None:
        await self._client.open()
        await self._aside.open()
        self._cursor, self._ceiling = await self._position()
        self._highest = self._ceiling

    async def setup_sql(self) -> str:
        return self._client.setup_text()

    async def close(self) -> None:
        async with self._writing:
            await self._client.close()

    async def write(self, rows: Rows, cursor: int | None, removals: Sequence[Removal] = ()) -> WriteResult:
        async with self._writing:
            now_us = self._clock()
            result = await self._store(rows, now_us)
            flood = self._flood.after(len(rows), [r for r in result.rejected if r.code == REFUSED])
            if result.rejected:
                above = all(rows.seqs[r.index] > self._cursor for r in result.rejected)
                await self._aside.add(rows, result.rejected, now_us, above)
            if removals:
                await self._remove(removals)
            if cursor is not None and cursor > self._cursor:
                await self._note_position(f"seq={cursor}i", now_us)
                self._cursor = cursor
                self._aside.settled()
            self._flood = flood
            return result

    async def cursor(self) -> int:
        return (await self._position())[0]

    async def log(self) -> str:
        [found] = await self._client.query([f'SELECT last("log") FROM "{self._measurement}_position"'])
        return str(found[0].values[0][1] or "") if found else ""

    async def follow(self, log_id: str) -> None:
        await self._note_position(f'log="{log_id}"', self._clock())

    async def expire(self, before_us: int) -> int:
        dropped = await self._reads.count_before(before_us)
        if self._client.api.deletes is Deletes.HIDING:
            return 0  # version 3 forgets by the retention period of its database only
        if dropped:
            await self._client.delete(self._measurement, EARLIEST_US, before_us, {})
        await self._client.delete(f"{self._measurement}_rejected", EARLIEST_US, before_us, {})
        return dropped

    async def rejected(self, limit: int, after_id: int = 0, state: str = "open") -> list[SetAside]:
        return await self._aside.listed(limit, after_id, state)

    async def retry(self, ids: Sequence[int]) -> WriteResult:
        async with self._writing:
            found = await self._aside.open_rows(ids)
            result = await self._store(Rows.of(found.values()), self._clock())
            await self._aside.settle(list(found), result.rejected)
            return result

    async def fields(self, device_id: int) -> list[str]:
        return [info.field for info in await self._reads.latest(device_id)]

    async def latest(self, device_id: int) -> list[FieldInfo]:
        return await self._reads.latest(device_id)

    async def range(self, device_id: int, field: str, from_us: int, to_us: int, limit: int) -> list[Point]:
        return await self._reads.points(device_id, field, from_us, to_us, limit)

    async def buckets(self, device_id: int, field: str, from_us: int, to_us: int, width_us: int) -> list[Bucket]:
        return await self._reads.buckets(device_id, field, from_us, to_us, width_us)

    async def at(self, moments: Sequence[tuple[int, int]]) -> Rows:
        return await self._reads.at(moments)

    async def scan(
        self, from_us: int, to_us: int, limit: int, after: Key | None = None, seq_le: int | None = None
    ) -> Rows:
        return await self._reads.scan(from_us, to_us, limit, after, seq_le)

    async def _store(self, rows: Rows, now_us: int) -> WriteResult:
        rejected = problems(rows, now_us)
        bad = {r.index for r in rejected}
        good = [(index, row) for index, row in enumerate(rows) if index not in bad]
        newest = await self._not_newer_in_store(_highest_of_each_key(good))
        if newest:
            await self._raise_ceiling(max(row.seq for _, row in newest), now_us)
        # In a thread: 2,000 rows take milliseconds, for which the radio would wait.
        lines = await asyncio.to_thread(lambda: [encode(self._measurement, row) for _, row in newest])
        refused = await self._client.write(lines)
        rejected += [Rejected(newest[place][0], code_of(reason), reason) for place, reason in refused.items()]
        rejected.sort(key=lambda r: r.index)
        accepted = len(newest) - len(refused)
        return WriteResult(accepted, len(good) - len(newest), tuple(rejected))

    async def _not_newer_in_store(self, rows: list[tuple[int, Row]]) -> list[tuple[int, Row]]:
        """The rows that replace what is stored. Only those at or below the highest seq written are looked up."""
        doubtful = [_key(row) for _, row in rows if row.seq <= self._highest]
        held = await self._reads.seqs(doubtful) if doubtful else {}
        return [(index, row) for index, row in rows if row.seq > held.get(_key(row), (-1, 0))[0]]

    async def _raise_ceiling(self, seq: int, now_us: int) -> None:
        if seq > self._ceiling:
            ceiling = seq + _CEILING_STEP
            await self._note_position(f"ceiling={ceiling}i", now_us)
            self._ceiling = ceiling
        self._highest = max(self._highest, seq)

    async def _remove(self, removals: Sequence[Removal]) -> None:
        wanted = {Key(r.device_id, r.field, r.time_us): r.seq for r in sorted(removals, key=lambda r: r.seq)}
        held = await self._reads.seqs(wanted)
        gone = [(key, wanted[key]) for key, (seq, kind) in held.items() if seq < wanted[key] and kind < GONE]
        if self._client.api.deletes is Deletes.HIDING:
            lines = [encode_gone(self._measurement, *key, seq) for key, seq in gone]
            if lines:
                await self._raise_ceiling(max(seq for _, seq in gone), self._clock())
            await self._client.write(lines)
            return
        for (device_id, field, time_us), _ in gone:
            tags = {"device": str(device_id), "field": tag_text(field)}
            await self._client.delete(self._measurement, time_us, time_us + 1, tags)

    async def _position(self) -> tuple[int, int]:
        """Seq of the last record applied, and the ceiling."""
        query = f'SELECT max("seq"), max("ceiling") FROM "{self._measurement}_position"'
        [found] = await self._client.query([query])
        if not found:
            return 0, 0
        _, seq, ceiling = found[0].values[0]
        return seq or 0, ceiling or 0

    async def _note_position(self, field: str, now_us: int) -> None:
        # One point an hour: a fixed time would leave the retention of the database one day, and take this with it.
        hour_us = now_us // _HOUR_US * _HOUR_US
        await self._client.write([f"{self._measurement}_position {field} {hour_us}"])


def _key(row: Row) -> Key:
    return Key(row.device_id, row.field, row.time_us)


def _highest_of_each_key(rows: Iterable[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Of rows with one key the one with the highest seq, the first of equals."""
    best: dict[Key, tuple[int, Row]] = {}
    for index, row in rows:
        key = _key(row)
        if key not in best or row.seq > best[key][1].seq:
            best[key] = (index, row)
    return list(best.values())
