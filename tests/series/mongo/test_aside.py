"""Rows that were set aside in MongoDB itself."""

import json
import math

import pytest

pytest.importorskip("pymongo", reason="the mongodb store needs: pip install 'inflight-lns[mongo]'")

from lns.config.stores import Mongo
from lns.series.mongo.store import MongoSeries
from lns.series.store import WriteResult
from tests.mongo import shared_server
from tests.series.build import T0, Clock, row, rows, running
from tests.series.mongo.own import OwnDatabase


async def test_numbers_grow_also_after_a_restart_and_when_all_was_forgotten():
    first = OwnDatabase(shared_server().url, Clock())
    async with running(first):
        await first.write(rows(row(0, math.nan), row(1, math.nan)), None)
        async with running(MongoSeries(Mongo(url=first.url, database=first.database), Clock(), {})) as second:
            await second.expire(T0 + 1)
            await second.write(rows(row(0, math.nan), row(2, math.inf)), None)
            kept = await second.rejected(9)
    assert [k.id for k in kept] == [3, 4]
    assert [json.loads(k.row)[2] for k in kept] == [T0, T0 + 2]


async def test_a_text_far_too_long_is_kept_whole():
    text = 'x"\\' * 40_000
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        await store.write(rows(row(0, text)), None)
        [kept] = await store.rejected(9)
        assert json.loads(kept.row)[3] == text


async def test_an_integer_that_bson_cannot_hold_is_set_aside_and_costs_nobody_else():
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        result = await store.write(rows(row(0), row(1, device=2**63)), 1)
        [kept] = await store.rejected(9)
        assert (result.accepted, kept.code) == (1, "constraint")
        assert json.loads(kept.row)[0] == 2**63


async def test_ids_that_nobody_has_are_nothing_to_retry_or_list():
    async with running(OwnDatabase(shared_server().url, Clock())) as store:
        assert await store.retry([1, 2**70]) == WriteResult(0, 0)
        assert await store.rejected(9, after_id=2**70) == []
        assert await store.rejected(0) == []
