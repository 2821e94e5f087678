"""The time-series store on MongoDB: one writer a collection.

An ordinary collection, because a time-series collection has no unique index and no conditional update: a batch that is
written twice would be there twice. Rows first, then the position: transactions are for replica sets only. A crash
between the two brings the rows once more, which changes nothing.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from lns.clock import now_us
from lns.config import ConfigError
from lns.config.stores import Mongo
from lns.errors import StoreError
from lns.series.flood import Flood
from lns.series.store import Bucket, Caps, FieldInfo, Key, Point, Removal, Rows, SetAside, WriteResult

try:
    from lns.series.mongo import schema
    from lns.series.mongo.aside import Aside
    from lns.series.mongo.connecting import Collection, Server
    from lns.series.mongo.reads import Reads
    from lns.series.mongo.turns import Turns
    from lns.series.mongo.writes import REFUSED, Writes
except ModuleNotFoundError as missing:
    raise ConfigError("the mongodb store needs the extra: pip install 'inflight-lns[mongo]'") from missing

_POSITION = {"_id": "position"}
_EXPIRE_ROWS = 5000  # deleted in one request


class MongoSeries:
    """`SeriesStore` on the server of `settings`. `clock` gives UTC microseconds, `environ` holds the password."""

    name = "mongodb"
    caps = Caps(time_resolution_us=1, transactional_cursor=False, conditional_upsert=True)

    def __init__(
        self, settings: Mongo, clock: Callable[[], int] = now_us, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._settings, self._clock, self._environ = settings, clock, environ
        self._server = Server(settings, environ)
        self._turns = Turns()
        self._writing = asyncio.Lock()
        self._flood = Flood()
        self._writes = Writes(self._server.collection, settings.batch_rows, self._turns)
        self._reads = Reads(self._server.collection)
        self._aside = Aside(lambda: self._server.collection(schema.REJECTED), self._state)

    async def open(self) -> None:
        try:
            await self._server.open()
            with self._server.answers():
                await schema.prepare(self._server)
        except StoreError:
            await self.close()
            raise

    async def setup_sql(self) -> str:
        server = Server(self._settings, self._environ)
        try:
            await server.open()
            with server.answers():
                return await schema.setup_script(server)
        finally:
            await server.close()

    async def close(self) -> None:
        async with self._writing:
            await self._server.close()

    async def write(self, rows: Rows, cursor: int | None, removals: Sequence[Removal] = ()) -> WriteResult:
        async with self._writing:
            with self._server.answers():
                now_us = self._clock()
                result = await self._writes.store(rows, now_us)
                flood = self._flood.after(len(rows), [r for r in result.rejected if r.code == REFUSED])
                if result.rejected:
                    await self._aside.add(rows, result.rejected, now_us)
                if removals:
                    await self._writes.remove(removals)
                if cursor is not None:
                    await self._state().update_one(_POSITION, {"$max": {"seq": cursor}}, upsert=True)
                self._flood = flood
                return result

    async def cursor(self) -> int:
        with self._server.answers():
            found = await self._state().find_one(_POSITION)
        return found["seq"] if found and "seq" in found else 0

    async def log(self) -> str:
        with self._server.answers():
            found = await self._state().find_one(_POSITION)
        return str(found.get("log", "")) if found else ""

    async def follow(self, log_id: str) -> None:
        with self._server.answers():
            await self._state().update_one(_POSITION, {"$set": {"log": log_id}}, upsert=True)

    async def expire(self, before_us: int) -> int:
        dropped = 0
        with self._server.answers():
            for device_id in await self._reads.devices():
                more = True
                while more:
                    last, more = await self._reads.expired(device_id, before_us, _EXPIRE_ROWS)
                    if last is not None:
                        old = {"_id": {"$gte": {"d": device_id}, "$lte": last}}
                        dropped += (await self._server.collection().delete_many(old)).deleted_count
            await self._aside.forget(before_us)
        return dropped

    async def rejected(self, limit: int, after_id: int = 0, state: str = "open") -> list[SetAside]:
        with self._server.answers():
            return await self._aside.listed(limit, after_id, state)

    async def retry(self, ids: Sequence[int]) -> WriteResult:
        async with self._writing:
            with self._server.answers():
                found = await self._aside.open_rows(ids)
                result = await self._writes.store(Rows.of(found.values()), self._clock())
                await self._aside.settle(list(found), result.rejected)
                return result

    async def fields(self, device_id: int) -> list[str]:
        return [info.field for info in await self.latest(device_id)]

    async def latest(self, device_id: int) -> list[FieldInfo]:
        async with self._reading():
            return await self._reads.latest(device_id)

    async def range(self, device_id: int, field: str, from_us: int, to_us: int, limit: int) -> list[Point]:
        async with self._reading():
            return await self._reads.points(device_id, field, from_us, to_us, limit)

    async def buckets(self, device_id: int, field: str, from_us: int, to_us: int, width_us: int) -> list[Bucket]:
        async with self._reading():
            return await self._reads.buckets(device_id, field, from_us, to_us, width_us)

    async def at(self, moments: Sequence[tuple[int, int]]) -> Rows:
        async with self._reading():
            return await self._reads.at(moments)

    async def scan(
        self, from_us: int, to_us: int, limit: int, after: Key | None = None, seq_le: int | None = None
    ) -> Rows:
        async with self._reading():
            return await self._reads.scan(from_us, to_us, limit, after, seq_le)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        async with self._turns.reading():
            with self._server.answers():
                yield

    def _state(self) -> Collection:
        return self._server.collection(schema.STATE)
