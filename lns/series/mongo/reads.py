"""The reading half of the MongoDB store.

Two indexes: _id has a device's rows in the order of time and serves copies and expiry; `series` has them field by field
and serves charts and newest values.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from pymongo import ASCENDING, DESCENDING

from lns.series.aggregate import aggregate
from lns.series.mongo.connecting import Collection
from lns.series.mongo.documents import Document, decode, ends, int64, point
from lns.series.mongo.documents import after as key_after
from lns.series.store import Bucket, FieldInfo, Key, Point, Rows

_NEWEST_FIRST = [("_id.d", DESCENDING), ("_id.f", DESCENDING), ("_id.t", DESCENDING)]  # `series` backwards
_BATCH = 1000  # documents the driver decodes at once, about 2 ms
_RANGES = 64  # devices or moments asked for at once


class Reads:
    """Queries of one collection. A limit of 0 would be none to the engine, so it is not sent.

    `page` is the number of points fetched at once for aggregates.
    """

    def __init__(self, collection: Callable[[], Collection], page: int = 20_000) -> None:
        self._collection, self._page = collection, page

    async def latest(self, device_id: int) -> list[FieldInfo]:
        """From the last field to the first, one seek each."""
        found: list[FieldInfo] = []
        where: Document = {"_id.d": device_id}
        while newest := await self._collection().find(where).sort(_NEWEST_FIRST).limit(1).to_list():
            row = decode(newest[0])
            found.append(FieldInfo(row.field, row.unit, row.value, row.time_us))
            where = {"_id.d": device_id, "_id.f": {"$lt": row.field}}
        return found[::-1]

    async def points(self, device_id: int, field: str, from_us: int, to_us: int, limit: int) -> list[Point]:
        if limit < 1:
            return []
        where = {"_id.d": device_id, "_id.f": field, "_id.t": {"$gte": int64(from_us), "$lt": int64(to_us)}}
        found = self._collection().find(where).sort("_id.t", ASCENDING).limit(limit).batch_size(_BATCH)
        return [point(document) async for document in found]

    async def buckets(self, device_id: int, field: str, from_us: int, to_us: int, width_us: int) -> list[Bucket]:
        """Made here, of the points: a page at a time, whose last bucket may go on in the next."""
        found: list[Bucket] = []
        points: list[Point] = []
        while page := await self.points(device_id, field, from_us, to_us, self._page):
            points += page
            from_us = page[-1].time_us + 1
            whole = bisect_left(points, page[-1].time_us // width_us * width_us, key=lambda p: p.time_us)
            found += aggregate(points[:whole], width_us)
            del points[:whole]
        return found + aggregate(points, width_us)

    async def at(self, moments: Sequence[tuple[int, int]]) -> Rows:
        rows = Rows()
        for start in range(0, len(moments), _RANGES):
            some = moments[start : start + _RANGES]
            ranges = [{"_id": ends(device_id, time_us, time_us + 1)} for device_id, time_us in some]
            _extend(rows, await self._collection().find({"$or": ranges}).batch_size(_BATCH).to_list())
        return rows

    async def scan(self, from_us: int, to_us: int, limit: int, after: Key | None, seq_le: int | None) -> Rows:
        """Device by device in the order of their ids, then by time and field."""
        rows = Rows()
        if limit < 1:
            return rows
        if after is not None:
            await self._scan([{"_id": key_after(after, from_us, to_us)}], limit, seq_le, rows)
        if len(rows) >= limit:
            return rows
        devices = await self.devices(after.device_id if after else None)
        for start in range(0, len(devices), _RANGES):
            ranges = [{"_id": ends(device_id, from_us, to_us)} for device_id in devices[start : start + _RANGES]]
            await self._scan(ranges, limit - len(rows), seq_le, rows)
            if len(rows) >= limit:
                break
        return rows

    async def _scan(self, ranges: list[Document], limit: int, seq_le: int | None, rows: Rows) -> None:
        where: Document = {"$or": ranges}
        if seq_le is not None:
            where["s"] = {"$lte": int64(seq_le)}
        found = self._collection().find(where).sort("_id", ASCENDING).limit(limit).batch_size(_BATCH)
        _extend(rows, await found.to_list())

    async def expired(self, device_id: int, before_us: int, limit: int) -> tuple[Document | None, bool]:
        """The _id of the last of the oldest `limit` rows older than `before_us`, and whether there may be more."""
        where = {"_id": {"$gte": {"d": device_id}, "$lt": {"d": device_id, "t": int64(before_us)}}}
        found = await self._collection().find(where, {"_id": 1}).sort("_id", ASCENDING).limit(limit).to_list()
        return found[-1]["_id"] if found else None, len(found) == limit

    async def devices(self, above: int | None = None) -> list[int]:
        """Ids of the devices that have rows, sorted; those above one only."""
        stages: list[Document] = [] if above is None else [{"$match": {"_id.d": {"$gt": above}}}]
        found = await self._collection().aggregate([*stages, {"$group": {"_id": "$_id.d"}}])
        return sorted([document["_id"] async for document in found])


def _extend(rows: Rows, documents: list[Document]) -> None:
    for document in documents:
        row = decode(document)
        rows.device_ids.append(row.device_id)
        rows.fields.append(row.field)
        rows.times_us.append(row.time_us)
        rows.values.append(row.value)
        rows.units.append(row.unit)
        rows.seqs.append(row.seq)
