"""Rows that were set aside in InfluxDB itself."""

import json
import math

from lns.series.influx.aside import encode
from tests.influx import OwnDatabase, shared_server
from tests.series.build import T0, Clock, row, rows, running
from tests.series.influx.test_store import store_on


def test_a_row_is_kept_exactly():
    assert encode(row(0, math.nan)) == f'[7, "t", {T0}, NaN, "C", 1]'
    assert json.loads(encode(row(0, "half \ud800")))[3] == "half \ud800"


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
