"""What is InfluxDB's own, beside the contract: an engine without conditions and without transactions."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from lns.config.stores import Influx
from lns.errors import StoreError
from lns.series.influx.store import InfluxSeries
from lns.series.store import Key, Removal, Rows, WriteResult
from tests.influx import InfluxServer, OwnDatabase, make_server, shared_server
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
    server, chance = make_server(tmp_path / "influx"), random.Random(3)
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
    server = make_server(tmp_path / "influx")
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
    server = make_server(tmp_path / "influx")
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
