"""What only MongoDB itself can show; skipped where the environment names none."""

import pytest

pytest.importorskip("pymongo", reason="the mongodb store needs: pip install 'inflight-lns[mongo]'")

from pymongo import AsyncMongoClient

from tests.mongo import given
from tests.series.build import DAY_US, DEVICE, T0, Clock, row, rows, running


async def test_a_row_that_a_rule_of_the_collection_refuses_is_set_aside():
    store = given(Clock())
    async with running(store), AsyncMongoClient(store.url) as client:
        await store.write(rows(row(2, 1.0, seq=1)), 1)
        rule = {"v": {"$ne": 13.0}}
        await client[store.database].command("collMod", "measurements", validator=rule)
        result = await store.write(rows(row(0, seq=2), row(1, 13.0, seq=2), row(2, 13.0, seq=2)), 2)
        kept = await store.rejected(9)
        points = await store.range(DEVICE, "t", T0, T0 + DAY_US, 9)
    assert (result.accepted, [r.index for r in result.rejected], [k.code for k in kept]) == (1, [1, 2], ["refused"] * 2)
    assert [p.value for p in points] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("where", "order", "index"),
    [
        ({"_id.d": 7, "_id.f": "t", "_id.t": {"$gte": T0, "$lt": T0 + 9}}, {"_id.t": 1}, "series"),
        ({"_id.d": 7, "_id.f": {"$lt": "u"}}, {"_id.d": -1, "_id.f": -1, "_id.t": -1}, "series"),
        ({"_id": {"$gte": {"d": 7, "t": T0}, "$lt": {"d": 7, "t": T0 + 9}}}, {"_id": 1}, "_id_"),
    ],
)
async def test_reads_are_served_in_order_by_an_index(where, order, index):
    store = given(Clock())
    async with running(store), AsyncMongoClient(store.url) as client:
        await store.write(rows(*(row(i) for i in range(9))), None)
        command = {"find": "measurements", "filter": where, "sort": order, "limit": 5}
        plan = str((await client[store.database].command("explain", command))["queryPlanner"]["winningPlan"])
    assert f"'indexName': '{index}'" in plan
    assert "'SORT'" not in plan
