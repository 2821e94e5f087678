"""Rows that were set aside in InfluxDB itself."""

import json
import math

from lns.series.store import Rows
from tests.influx import OwnDatabase, shared_server
from tests.series.build import T0, Clock, row, rows, running
from tests.series.influx.test_store import store_on


async def test_ids_grow_also_after_a_restart_with_a_clock_that_stands_still():
    first = OwnDatabase(shared_server(), Clock())
    await first.open()
    await first.write(rows(row(0, math.nan), row(1, math.nan)), None)
    async with running(store_on(shared_server(), first.database)) as second:
        await second.write(rows(row(0, math.nan), row(2, math.inf)), None)
        kept = await second.rejected(9)
        assert [k.id for k in kept] == [T0, T0 + 1, T0 + 2]
        assert [json.loads(k.row)[2] for k in kept] == [T0, T0 + 1, T0 + 2]
    await first.close()


async def test_a_text_far_too_long_is_kept_whole():
    text = 'x"\\' * 40_000
    async with running(OwnDatabase(shared_server(), Clock())) as store:
        await store.write(rows(row(0, text)), None)
        [kept] = await store.rejected(9)
        assert json.loads(kept.row)[3] == text


async def test_a_batch_costs_at_most_one_request_to_find_what_is_kept_already():
    async with running(OwnDatabase(shared_server(), Clock())) as store:
        asked = []
        query = store._client.query

        async def noted(statements):
            asked.append(list(statements))
            return await query(statements)

        def bad(first: int, last: int) -> Rows:
            return rows(*(row(n, math.nan, seq=n) for n in range(first, last)))

        store._client.query = noted
        await store.write(bad(1, 700), 699)
        await store.write(bad(700, 1400), 1399)
        await store.write(bad(1400, 2100), None)  # a kill, before the position is written
        assert asked == []  # nothing of it can be there
        await store.write(bad(1400, 2100), 2099)
        since = T0 + 1398  # the newest id when the position was written last
        assert [[one.partition(" AND ")[0] for one in statements] for statements in asked] == [
            [f'SELECT "digest" FROM "measurements_rejected" WHERE time > {since}000'] * 4
        ]
        asked.clear()
        await store.write(bad(1, 700), None)  # a backfill
        assert [len(statements) for statements in asked] == [4]
        store._client.query = query
        assert len(await store.rejected(9999)) == 2099
