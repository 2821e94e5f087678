"""The consumer between the log and a store of latest values."""

import asyncio
import math
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
import redis.asyncio

from lns.errors import StoreError
from lns.exchange.loop import run_consumer
from lns.exchange.records import Event, Measurement, Replay, Rx, Stored
from lns.latest.consumer import HISTORY_RECORDS, LatestConsumer, Origin, Who, heard_in
from lns.latest.health import State
from lns.latest.memory import MemoryLatest
from lns.latest.redis import RedisLatest
from lns.latest.store import LatestStore, LostError, Subject
from lns.latest.values import Latest
from lns.series.sqlite import SqliteSeries
from tests.exchange.build import running as log_running
from tests.exchange.build import uplink
from tests.redis_server import RedisServer
from tests.series.build import T0, Clock, row, rows
from tests.series.build import running as series_running
from tests.series.test_consumer import decoded

MIN = 60_000_000
GATEWAY = "a84041000181c061"


class Bench:
    """A consumer with a clock that tests move, and what it has told."""

    def __init__(self, store: LatestStore, series: SqliteSeries, devices: tuple[int, ...] = (1, 2)) -> None:
        self.clock, self.told, self.store, self.series = Clock(), [], store, series
        self.consumer = LatestConsumer(
            store, Origin(self._series, self._ids, self._head, self._decoded), self._who, self.told.append, self.clock
        )
        self._devices = devices
        self.log: list[Stored] = []

    async def _series(self) -> SqliteSeries:
        return self.series

    def _ids(self) -> tuple[int, ...]:
        return self._devices

    def _head(self) -> int:
        return self.log[-1].seq if self.log else 0

    async def _decoded(self, after_seq: int) -> tuple[list[Stored], int]:
        found = [stored for stored in self.log if stored.seq > after_seq and stored.topic == "decoded"][:2]
        return found, found[-1].seq if found else self.log[-1].seq

    async def handle(self, *batch: Stored) -> None:
        """What the log holds from here on, and the consumer is given."""
        self.log += batch
        await self.consumer.handle(batch)

    def _who(self, device_id: int) -> Who | None:
        return Who(5, f"{device_id:016x}") if device_id < 9 else None

    def states(self) -> list[tuple[str, str]]:
        return [(event.dev_eui or event.gateway_eui or "", event.data["state"]) for event in self.told]


@asynccontextmanager
async def bench(store: LatestStore | None = None) -> AsyncIterator[Bench]:
    async with series_running(SqliteSeries(None, Clock())) as series:
        assert isinstance(series, SqliteSeries)
        yield Bench(store or MemoryLatest(), series)


def heard(seq: int, at_min: float, device_id: int = 1, gateways: tuple[str, ...] = ()) -> Stored:
    at_us = T0 + int(at_min * MIN)
    rx = tuple(Rx(eui, -80.0, 5.0, 1, at_us) for eui in gateways)
    return Stored(seq, "uplink", msgspec.structs.replace(uplink(seq, device_id), received_at_us=at_us, rx=rx))


def correction(seq: int, device_id: int, at: int) -> Stored:
    stored = decoded(seq, device_id)
    replay = Replay("job", outlets=False, removed=(("t", T0 + at),))
    return msgspec.structs.replace(stored, record=msgspec.structs.replace(stored.record, replay=replay))


async def test_a_new_store_is_filled_from_the_series_store_and_reads_the_end_of_the_log():
    async with bench() as b:
        await b.series.write(rows(row(0, 1.5, device=1), row(9, 2.5, device=1), row(3, "x", device=3)), 250_000)
        assert await b.consumer.position() == 250_000 - HISTORY_RECORDS
        assert await b.store.values(1) == {"t": Latest(2.5, "C", T0 + 9, 0)}
        assert await b.store.values(3) == {}  # not one of the devices there are


async def test_a_batch_changes_values_and_position():
    async with bench() as b:
        assert await b.consumer.position() == 0
        await b.consumer.handle([decoded(4, 1, Measurement("t", T0 + 5, 20.5, "C"), Measurement("open", T0, True))])
        await b.consumer.handle([decoded(5, 1, Measurement("t", T0 + 4, 19.0, "C")), heard(6, 0)])
        assert await b.store.values(1) == {
            "open": Latest(True, None, T0, 4),
            "t": Latest(20.5, "C", T0 + 5, 4),
        }
        assert await b.store.position() == 6


async def test_what_no_series_store_takes_is_nobodys_last_value():
    async with bench() as b:
        await b.consumer.handle(
            [decoded(1, 1, Measurement("t", T0, math.nan), Measurement("t", T0 + 90_000_000_000, 1.0))]
        )
        assert await b.store.values(1) == {}


async def test_after_a_removal_the_value_before_it_counts():
    async with bench() as b:
        await b.consumer.handle(
            [decoded(1, 1, Measurement("t", T0, 1.0)), decoded(2, 1, Measurement("t", T0 + 9, 2.0))]
        )
        await b.series.write(rows(row(0, 1.0, device=1, unit=None)), 2)
        await b.consumer.handle([correction(3, 1, 9)])
        assert await b.store.values(1) == {"t": Latest(1.0, None, T0, 0)}


async def test_a_value_that_the_series_store_has_not_taken_back_yet_does_not_return():
    async with bench() as b:
        await b.consumer.handle([decoded(2, 1, Measurement("t", T0 + 9, 2.0))])
        await b.series.write(rows(row(9, 2.0, device=1)), 2)
        await b.consumer.handle([correction(3, 1, 9)])
        assert await b.store.values(1) == {}


async def test_a_device_goes_offline_and_comes_back_and_people_are_told():
    async with bench() as b:
        await b.consumer.position()
        await b.consumer.handle([heard(n, 10 * n) for n in range(1, 6)])
        assert b.consumer.deadline() == T0 + 80 * MIN
        await b.consumer.expire(T0 + 79 * MIN)
        await b.consumer.expire(T0 + 80 * MIN)
        await b.consumer.expire(T0 + 81 * MIN)
        await b.consumer.handle([heard(6, 100)])
        eui = f"{1:016x}"
        assert b.states() == [(eui, "online"), (eui, "offline"), (eui, "back")]
        offline = b.told[1]
        assert (offline.kind, offline.application_id, offline.at_us) == ("health", 5, T0 + 80 * MIN)
        assert offline.data == {"state": "offline", "silent_s": 1800.0}
        assert (await b.store.healths())[Subject("device", "1")].outages == 1


async def test_a_gateway_is_known_by_uplinks_and_by_what_else_it_sends():
    async with bench() as b:
        await b.consumer.position()
        await b.consumer.handle([heard(1, 1, gateways=(GATEWAY,))])
        await b.consumer.gateways_seen([(GATEWAY, T0 + 2 * MIN)])
        await b.consumer.expire(T0 + 4 * MIN - 1)
        assert (GATEWAY, "offline") not in b.states()
        await b.consumer.expire(T0 + 4 * MIN)
        await b.consumer.gateways_seen([(GATEWAY, T0 + 9 * MIN)])
        assert [state for who, state in b.states() if who == GATEWAY] == ["online", "offline", "back"]


async def test_a_restart_tells_nothing_of_what_was_before_it():
    async with bench() as b:
        await b.series.write(rows(row(-60 * 24 * 3 * MIN, device=2)), 9)  # silent for three days
        b.clock.now_us = T0 + 500 * MIN
        await b.consumer.position()
        # Device 1 was heard until an hour before the server stopped, device 3 to the end.
        await b.consumer.handle(
            [heard(n, 10 * n, device) for n in range(1, 20) for device in (1, 3) if n < 10 or device == 3]
        )
        await b.consumer.expire(T0 + 500 * MIN)
        assert b.told == []
        healths = await b.store.healths()
        assert {subject.id: health.state for subject, health in healths.items()} == {
            "1": State.OFFLINE,
            "2": State.OFFLINE,
            "3": State.ONLINE,
        }
        assert b.consumer.deadline() == T0 + 530 * MIN  # while the server was stopped nobody was silent
        await b.consumer.expire(T0 + 530 * MIN)
        assert b.states() == [(f"{3:016x}", "offline")]


async def test_redis_goes_on_where_it_was(tmp_path):
    with RedisServer(tmp_path / "redis") as server:
        for start in (1, 6):
            store = RedisLatest(server.url)
            async with bench(store) as b:
                assert await b.consumer.position() == (0 if start == 1 else 5)
                await b.consumer.handle([heard(n, 10 * n) for n in range(start, start + 5)])
                assert len(b.told) == (1 if start == 1 else 0)
                assert b.consumer.deadline() == T0 + (10 * (start + 4) + 30) * MIN
            await store.close()


async def test_a_store_that_is_away_changes_nothing_and_tells_nobody(tmp_path):
    with RedisServer(tmp_path / "redis") as server:
        store = RedisLatest(server.url)
        async with bench(store) as b:
            await b.consumer.position()
            server.kill()
            with pytest.raises(StoreError):
                await b.consumer.handle([heard(1, 1)])
            assert (b.told, b.consumer.deadline()) == ([], None)
            server.start()
            await b.consumer.handle([heard(1, 1)])
            assert len(b.told) == 1
        await store.close()


async def a_full_redis(b: Bench, server: RedisServer) -> None:
    """Values by the series store up to seq 4, the healths of two devices and a gateway, and more in the log alone."""
    await b.series.write(rows(row(1, 1.0, device=1), row(9, 9.0, device=2)), 4)
    await b.consumer.position()
    await b.handle(decoded(3, 1, Measurement("t", T0 + 1, 1.0, "C")), heard(4, 0, 1, (GATEWAY,)))
    await b.handle(decoded(5, 1, Measurement("t", T0 + 5, 5.0, "C")), heard(6, 0, 2))
    await b.handle(decoded(7, 1, Measurement("u", T0, True)), decoded(8, 2, Measurement("t", T0 + 8, 8.0, "C")))


async def held(store: LatestStore) -> tuple[object, ...]:
    """Everything, but for the seqs, which a series store does not know."""
    values = [
        {field: (latest.value, latest.unit, latest.time_us) for field, latest in (await store.values(device)).items()}
        for device in (1, 2)
    ]
    return values, await store.healths(), await store.position()


@pytest.mark.parametrize("noticed_by", ["a batch", "silence", "a gateway"])
@pytest.mark.parametrize("how", ["flushed", "killed with an empty folder", "put back to an older state"])
async def test_a_redis_that_lost_what_it_held_is_filled_again(tmp_path, how, noticed_by):
    with RedisServer(tmp_path / "redis") as server:
        store = RedisLatest(server.url)
        async with bench(store) as b:
            await a_full_redis(b, server)
            before = await held(store)
            match how:
                case "flushed":
                    await flush(server)
                case "killed with an empty folder":
                    server.kill()
                    with pytest.raises(StoreError, match="redis cannot be used"):
                        await store.values(1)
                    shutil.rmtree(server.folder / "appendonlydir")
                    server.start()
                case _:
                    await put_back(server, position=5, device=2, field="t")
            match noticed_by:
                case "a batch":
                    await b.handle(decoded(9, 2, Measurement("t", T0 + 2, 2.0, "C")))  # an older one, which is late
                    assert await held(store) == (*before[:2], 9)
                case "silence":
                    await b.consumer.expire(T0 + 30 * 60 * MIN)
                    assert [state for _, state in b.states()] == ["online"] * 3 + ["offline"] * 3
                    assert await held(store) == (before[0], b.consumer._healths, before[2])
                case _:
                    await b.consumer.gateways_seen([(GATEWAY, T0)])
                    assert await held(store) == before
        await store.close()


async def test_a_redis_that_is_lost_while_it_is_filled_is_filled_from_the_start(tmp_path, monkeypatch):
    with RedisServer(tmp_path / "redis") as server:
        store = RedisLatest(server.url)
        async with bench(store) as b:
            await a_full_redis(b, server)
            before = await held(store)
            await flush(server)
            read_on, calls = b.consumer._origin.decoded, []

            async def flushed_while_read(after_seq: int) -> tuple[list[Stored], int]:
                calls.append(after_seq)
                if len(calls) == 1:
                    await flush(server)
                if len(calls) == 2:
                    server.kill()
                return await read_on(after_seq)

            b.consumer._origin = b.consumer._origin._replace(decoded=flushed_while_read)
            with pytest.raises(LostError, match="redis lost what it held: its position is missing, not -1"):
                await b.handle(heard(9, 1))
            with pytest.raises(StoreError, match="redis cannot be used"):
                await b.handle(heard(9, 1))
            server.start()
            other = RedisLatest(server.url)
            assert await other.position() is None  # who starts now fills it too
            await other.close()
            await b.handle(heard(9, 1))
            values, healths, position = await held(store)
            assert (values, healths, position) == (before[0], b.consumer._healths, 9)
        await store.close()


async def test_after_a_loss_without_a_series_store_the_whole_log_is_read(tmp_path):
    with RedisServer(tmp_path / "redis") as server:
        store = RedisLatest(server.url)
        async with bench(store) as b:
            await a_full_redis(b, server)
            before = await held(store)
            await b.series.close()
            await flush(server)
            await b.handle(heard(9, 1))
            assert (await held(store))[0][0] == before[0][0]
            assert await store.values(2) == {"t": Latest(8.0, "C", T0 + 8, 8)}  # the log never held the newer one
            await b.series.open()
        await store.close()


async def flush(server: RedisServer) -> None:
    async with redis.asyncio.Redis.from_url(server.url) as client:
        await client.flushall()


async def put_back(server: RedisServer, position: int, device: int, field: str) -> None:
    async with redis.asyncio.Redis.from_url(server.url) as client:
        await client.set("inflight:position", position)
        await client.hdel(f"inflight:device:{device}", field)
        await client.delete("inflight:healths")


def test_joins_and_uplinks_show_that_somebody_is_there():
    join = Event(b"", "join", T0, 7, 1, "00", None, {})
    assert list(heard_in([join, msgspec.structs.replace(join, kind="status")])) == [(Subject("device", "7"), T0)]


def test_a_gateway_counts_once_a_batch_by_its_newest_frame_and_a_device_by_every_frame():
    records = [heard(n, at_min, 4, (GATEWAY,)).record for n, at_min in ((1, 0), (3, 2), (2, 1))]
    assert list(heard_in(records)) == [
        *((Subject("device", "4"), T0 + at_min * MIN) for at_min in (0, 2, 1)),
        (Subject("gateway", GATEWAY), T0 + 2 * MIN),
    ]


async def test_after_a_restart_the_log_gives_back_what_memory_lost(tmp_path):
    async with log_running(tmp_path / "log.db") as log, bench() as first:
        for n in range(1, 6):
            log.put("uplink", heard(n, 10 * n).record)
        log.put("decoded", decoded(6, 1, Measurement("t", T0, 20.5, "C")).record)
        second = Bench(MemoryLatest(), first.series)
        for b in (first, second):
            b.clock.now_us = T0 + 50 * MIN
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(run_consumer(log, b.consumer))
                async with asyncio.timeout(10):
                    while await b.store.position() != 6:
                        await asyncio.sleep(0.005)
                task.cancel()
            assert await b.store.values(1) == {"t": Latest(20.5, "C", T0, 6)}
            await b.consumer.expire(T0 + 50 * MIN)
            assert b.consumer.deadline() == T0 + 80 * MIN
