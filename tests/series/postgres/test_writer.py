"""What the PostgreSQL writer promises beyond the contract."""

import pytest

from lns.errors import StoreError
from lns.series.postgres.store import PostgresSeries
from lns.series.store import WriteResult
from tests.postgres import config, shared
from tests.series.build import DEVICE, T0, Clock, row, rows, running


async def test_a_failed_write_changes_nothing_and_can_be_repeated():
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())) as store:
        shared().run_sql(f"ALTER TABLE {settings.schema}.position RENAME TO elsewhere")
        with pytest.raises(StoreError, match=r'refuses: relation "position" does not exist \(42P01\)$'):
            await store.write(rows(row(field="new", unit="new")), 3)
        shared().run_sql(f"ALTER TABLE {settings.schema}.elsewhere RENAME TO position")
        assert await store.fields(DEVICE) == []
        assert await store.write(rows(row(field="new", unit="new")), 3) == WriteResult(1, 0)
        assert [info.unit for info in await store.latest(DEVICE)] == ["new"]


async def test_a_key_that_stands_in_a_batch_twice_keeps_its_highest_seq():
    async with running(PostgresSeries(config(shared().dsn), Clock())) as store:
        batch = rows(row(0, 1.0, seq=1), row(0, 3.0, seq=3), row(0, 2.0, seq=2), row(0, 4.0, seq=3))
        result = await store.write(batch, None)
        assert (result.accepted + result.superseded, result.rejected) == (4, ())
        assert list(await store.scan(T0, T0 + 1, 9)) == [row(0, 3.0, seq=3)]


async def test_new_rows_and_repeated_ones_are_told_apart_whichever_way_they_take():
    async with running(PostgresSeries(config(shared().dsn), Clock())) as store:
        for n in range(12):
            new = [row(2 * n), row(2 * n + 1)]
            old = [row(at) for at in range(2 * n)] if n % 3 else []
            assert await store.write(rows(*new, *old), n) == WriteResult(2, len(old))
        assert await store.write(rows(row(5, 7.0, seq=2), row(5, seq=1)), None) == WriteResult(1, 1)
        assert len(await store.scan(T0, T0 + 1000, 1000)) == 24
