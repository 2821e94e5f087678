"""Queries that need more than one request."""

import pytest

pytest.importorskip("pymongo", reason="the mongodb store needs: pip install 'inflight-lns[mongo]'")

from pymongo import AsyncMongoClient

from lns.series.mongo.reads import Reads
from lns.series.store import Key
from tests.mongo import shared_server
from tests.series.build import DAY_US, DEVICE, T0, Clock, row, rows, running
from tests.series.mongo.own import OwnDatabase

EVER = (T0 - DAY_US, T0 + DAY_US)


@pytest.mark.parametrize("page", [1, 3, 4, 100])
async def test_buckets_are_the_same_however_many_points_come_at_once(page):
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        await store.write(rows(*(row(at, float(at)) for at in (0, 1, 2, 9, 10, 35, 36, 37, 40))), None)
        async with AsyncMongoClient(store.url) as client:
            reads = Reads(lambda: client[store.database]["measurements"], page)
            found = await reads.buckets(DEVICE, "t", *EVER, 10)
    assert [(b.start_us - T0, b.count, b.first, b.last) for b in found] == [
        (0, 4, 0.0, 9.0),
        (10, 1, 10.0, 10.0),
        (30, 3, 35.0, 37.0),
        (40, 1, 40.0, 40.0),
    ]


async def test_odd_names_are_found_again():
    names = sorted(["a b", "a.b", "$a", "a$", "it's", 'say "x"', "new\nline", "nul\0x", "°C", "e\u0301", "\U0001f321"])
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        await store.write(rows(*(row(i, float(i), field=name) for i, name in enumerate(names))), None)
        assert await store.fields(DEVICE) == names
        for i, name in enumerate(names):
            assert [p.value for p in await store.range(DEVICE, name, *EVER, 9)] == [float(i)]


@pytest.mark.parametrize("page", [1, 7, 100])
async def test_a_scan_goes_over_more_devices_than_it_asks_for_at_once(page):
    wanted = [row(at, field=field, device=device) for device in range(70) for at, field in ((0, "b"), (1, "a"))]
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        await store.write(rows(*reversed(wanted)), None)
        found = []
        after = Key(60, "", 0) if page == 1 else None  # one by one, the last ten will do
        while some := list(await store.scan(*EVER, page, after)):
            found += some
            after = Key(some[-1].device_id, some[-1].field, some[-1].time_us)
        moments = [(device, T0) for device in range(70)]
        assert sorted(r.device_id for r in await store.at(moments)) == list(range(70))
    assert found == [r for r in wanted if page > 1 or r.device_id >= 60]


async def test_a_limit_of_nothing_is_nothing():
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        await store.write(rows(row(0)), None)
        assert await store.range(DEVICE, "t", *EVER, 0) == []
        assert list(await store.scan(*EVER, 0)) == []


async def test_bounds_beyond_64_bits_are_all_there_is():
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        await store.write(rows(row(0)), None)
        assert len(await store.range(DEVICE, "t", -(2**70), 2**70, 9)) == 1
        assert list(await store.scan(-(2**70), 2**70, 9, seq_le=2**70)) == [row(0)]


async def test_what_has_expired_is_found_piece_by_piece():
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        await store.write(rows(*(row(at) for at in range(5)), row(0, device=8)), None)
        async with AsyncMongoClient(store.url) as client:
            reads = Reads(lambda: client[store.database]["measurements"])
            pieces = [await reads.expired(DEVICE, T0 + before, 2) for before in (0, 1, 2, 5)]
    ids = [{"d": DEVICE, "t": T0 + at, "f": "t"} for at in (0, 1)]
    assert pieces == [(None, False), (ids[0], False), (ids[1], True), (ids[1], True)]
