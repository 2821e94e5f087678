"""What is InfluxDB's own, beside the contract: an engine without conditions and without transactions."""

import asyncio
import random
import sys
import time
from pathlib import Path

import pytest

from lns.config.stores import Influx
from lns.errors import StoreError
from lns.series.influx.store import InfluxSeries
from lns.series.store import Key, Removal, Rows, WriteResult
from tests.influx import InfluxServer, OwnDatabase, shared_server
from tests.series.build import DAY_US, DEVICE, T0, Clock, row, rows, running
from tests.series.test_kill import batch, expected

EVER = (T0 - 60 * DAY_US, T0 + DAY_US)

WRITER = """
import asyncio, sys
from lns.config.stores import Influx
from lns.series.influx.store import InfluxSeries
from tests.series.build import Clock
from tests.series.test_kill import batch

async def main():
    store = InfluxSeries(Influx(url=sys.argv[1], database="kill"), {}, Clock())
    await store.open()
    seq = await store.cursor()
    while True:
        upto = seq + 1 + seq % 89
        await store.write(batch(seq, upto), upto)
        print(upto, flush=True)
        seq = upto

asyncio.run(main())
"""


def store_on(server: InfluxServer, database: str = "kill") -> InfluxSeries:
    return InfluxSeries(Influx(url=server.url, database=database), {}, Clock())


async def test_an_older_row_loses_also_after_a_restart():
    first = OwnDatabase(shared_server(), Clock())
    await first.open()
    await first.write(rows(row(0, 2.0, seq=500)), None)
    async with running(store_on(shared_server(), first.database)) as second:
        assert await second.write(rows(row(0, 1.0, seq=499), row(1, 1.0, seq=501)), None) == WriteResult(1, 1)
        assert [p.value for p in await second.range(DEVICE, "t", *EVER, 9)] == [2.0, 1.0]
    await first.close()


async def test_a_removal_survives_until_the_key_is_written_again():
    async with running(OwnDatabase(shared_server(), Clock())) as store:
        await store.write(rows(row(0, 2.0, seq=1)), 1)
        await store.write(Rows(), 2, [Removal(DEVICE, "t", T0, 2)])
        assert await store.range(DEVICE, "t", *EVER, 9) == []
        await store.write(rows(row(0, True, seq=3)), 3)
        assert [p.value for p in await store.range(DEVICE, "t", *EVER, 9)] == [True]


async def test_where_nothing_can_be_deleted_a_removed_row_is_hidden():
    store = OwnDatabase(shared_server(), Clock(), hiding=True)
    async with running(store):
        await store.write(rows(row(0, 1.0, seq=1), row(1, 2.0, seq=1), row(0, 1.0, field="u", seq=1)), 1)
        await store.write(Rows(), 2, [Removal(DEVICE, "t", T0 + 1, 2), Removal(DEVICE, "u", T0, 2)])
        assert await store.fields(DEVICE) == ["t"]
        assert [info.last_value for info in await store.latest(DEVICE)] == [1.0]
        assert list(await store.scan(*EVER, 9)) == [row(0, 1.0, seq=1)]
        assert list(await store.at([(DEVICE, T0), (DEVICE, T0 + 1)])) == [row(0, 1.0, seq=1)]
        [bucket] = await store.buckets(DEVICE, "t", *EVER, 1000)
        assert (bucket.count, bucket.last) == (1, 1.0)
        assert await store.expire(T0 + 1) == 0
        await store.write(rows(row(1, True, seq=3)), 3)
        assert [p.value for p in await store.range(DEVICE, "t", *EVER, 9)] == [1.0, True]


async def test_odd_names_are_found_again():
    names = ["a b", "a,b=c", "it's", 'say "x"', "back\\slash\\", "new\nline", "%41", "°C"]
    async with running(OwnDatabase(shared_server(), Clock())) as store:
        await store.write(rows(*(row(i, float(i), field=name) for i, name in enumerate(names))), None)
        assert await store.fields(DEVICE) == sorted(names)
        for i, name in enumerate(names):
            assert [p.value for p in await store.range(DEVICE, name, *EVER, 9)] == [float(i)]


@pytest.mark.parametrize("page", [1, 2, 5, 100])
async def test_a_scan_does_not_lose_fields_of_one_moment(page):
    wanted = [row(at, field=field, device=device) for device in (1, 2) for at in (0, 1) for field in "edcba"]
    async with running(OwnDatabase(shared_server(), Clock())) as store:
        await store.write(rows(*wanted), None)
        found, after = [], None
        while some := list(await store.scan(*EVER, page, after)):
            found += some
            after = Key(some[-1].device_id, some[-1].field, some[-1].time_us)
    assert found == sorted(wanted, key=lambda r: (r.device_id, r.time_us, r.field))


@pytest.mark.kill
async def test_every_row_up_to_the_position_is_there_after_kill_9_of_the_writer(tmp_path):
    server, chance = InfluxServer(tmp_path / "influx"), random.Random(3)
    server.start()
    try:
        for _ in range(8):
            acknowledged = await _write_and_kill(server.url, chance)
            async with running(store_on(server)) as store:
                position = await store.cursor()
                await _bring_up(store, acknowledged, position)
    finally:
        server.kill()


@pytest.mark.kill
async def test_what_was_acknowledged_is_there_after_kill_9_of_the_server(tmp_path):
    server = InfluxServer(tmp_path / "influx")
    server.start()
    try:
        store = store_on(server)
        await store.open()
        for upto in range(10, 60, 10):
            await store.write(batch(upto - 10, upto), upto)
            server.kill()
            with pytest.raises(StoreError, match="cannot reach influxdb"):
                await store.write(batch(upto, upto + 10), upto + 10)
            server.start()
            await _bring_up(store, upto, await store.cursor())
        await store.close()
    finally:
        server.kill()


async def test_a_frozen_server_is_an_error_and_the_same_batch_goes_through_after_it(tmp_path):
    server = InfluxServer(tmp_path / "influx")
    server.start()
    try:
        store = InfluxSeries(Influx(url=server.url, timeout_s=2.0), {}, Clock())
        async with running(store):
            await store.write(batch(0, 10), 10)
            server.freeze()
            with pytest.raises(StoreError, match=r"did not answer in 2 s"):
                await store.write(batch(10, 20), 20)
            server.thaw()
            await store.write(batch(10, 20), 20)
            assert await store.cursor() == 20
            await _bring_up(store, 20, 20)
    finally:
        server.kill()


async def _bring_up(store: InfluxSeries, acknowledged: int, position: int) -> None:
    """Whatever the kill has cut: the position claims no row that is missing, and the log's next ones make it whole."""
    assert position >= acknowledged
    found = {(r.device_id, r.field, r.time_us): r.seq for r in await store.scan(*EVER, 10_000_000)}
    assert all(found[(d, f, t)] >= seq for d, f, t, _, _, seq in expected(position))
    upto = max([position, *found.values()])
    await store.write(batch(0, upto), upto)
    held = await store.scan(*EVER, 10_000_000)
    assert sorted((r.device_id, r.field, r.time_us, r.value, r.unit, r.seq) for r in held) == expected(upto)


async def _write_and_kill(url: str, chance: random.Random) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline()]
    asyncio.get_running_loop().call_later(chance.uniform(0, 0.15), process.kill)
    lines += (await process.stdout.read()).splitlines()
    await process.wait()
    return max(map(int, lines))


async def conflicting(store: InfluxSeries) -> None:
    """The hour before T0 is to hold numbers, and has one point whose number is a text."""
    await store._client.write([f'measurements,device=99,field=x number="text",kind=0i,seq=1i {T0 - 5000}'])


async def write_all(store: InfluxSeries, batches: list[Rows]) -> None:
    for n, some in enumerate(batches, 1):
        await store.write(some, n)


async def test_a_flood_of_refused_points_stops_the_writer_until_the_conflict_is_gone():
    async with running(OwnDatabase(shared_server(), Clock())) as store:
        await conflicting(store)
        many = rows(*(row(-4000 + n, seq=n + 5) for n in range(200)))
        for _ in range(2):
            with pytest.raises(
                StoreError, match=r"^writing stops: 100 rows in a row were refused as refused; .* conflict"
            ):
                await store.write(many, 300)
        assert (await store.cursor(), await store.rejected(9)) == (0, [])
        [shards] = await store._client.query(["SHOW SHARDS"])  # each remembers the type of its fields
        own = [f"DROP SHARD {one[0]}" for found in shards for one in found.values if one[1] == store.database]
        await store._client.query(own)
        assert await store.write(many, 300) == WriteResult(200, 0)
        assert await store.cursor() == 300


async def test_small_batches_of_refused_points_are_a_flood_too():
    async with running(OwnDatabase(shared_server(), Clock())) as store:
        await conflicting(store)
        batches = [rows(*(row(n * 10 + i, True if i % 2 else 1.0, seq=n) for i in range(10))) for n in range(1, 9)]
        with pytest.raises(StoreError, match=r"^writing stops: 25 rows of 5 batches in a row were refused"):
            await write_all(store, batches)
        assert (await store.cursor(), len(await store.rejected(99))) == (4, 20)


async def test_what_is_older_than_the_server_keeps_is_no_flood_however_much_it_is():
    now_us = time.time_ns() // 1000
    async with running(OwnDatabase(shared_server(), lambda: now_us)) as store:
        await store._client.query(
            [f'ALTER RETENTION POLICY "autogen" ON "{store.database}" DURATION 1d SHARD DURATION 1h']
        )
        times = [now_us - n - (3 * DAY_US if n < 150 else 0) for n in range(200)]
        some = Rows([7] * 200, ["t"] * 200, times, [1.0] * 200, [None] * 200, list(range(1, 201)))
        result = await store.write(some, 200)
        assert (result.accepted, {r.code for r in result.rejected}) == (50, {"past_retention"})
        assert (await store.cursor(), len(await store.rejected(999))) == (200, 150)
