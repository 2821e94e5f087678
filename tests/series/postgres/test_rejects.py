"""Rows that PostgreSQL refuses are found, stand alone and can be retried."""

from lns.series.postgres.store import PostgresSeries
from lns.series.store import WriteResult
from tests.postgres import config, shared
from tests.series.build import T0, Clock, row, rows, running


async def test_rows_that_postgres_refuses_are_found_in_a_large_batch():
    settings = config(shared().dsn)
    table = f"{settings.schema}.measurement"
    async with running(PostgresSeries(settings, Clock())) as store:
        shared().run_sql(f"ALTER TABLE {table} ADD CONSTRAINT poison CHECK (mod(number::int8, 1000) <> 7)")
        batch = [row(i, float(i)) for i in range(7_213)]
        batch[100] = row(100, float("nan"))
        batch[200] = row(200, device=2**70)
        batch[300] = row(300, seq=2**63)
        result = await store.write(rows(*batch), 9)
        refused = [i for i in range(7_213) if i % 1000 == 7]
        assert result.accepted == 7_213 - len(refused) - 3
        found = {r.index: (r.code, r.reason) for r in result.rejected}
        assert set(found) == {100, 200, 300, *refused}
        assert found[100] == ("not_finite", "value is not a finite float64")
        assert found[200] == ("constraint", f"device id is {2**70}, at most 2147483647 fits")
        assert found[300] == ("constraint", f"seq is {2**63}, at most 9223372036854775807 fits")
        assert {found[i][0] for i in refused} == {"constraint"}
        assert 'violates check constraint "poison"' in found[7][1]
        assert len(await store.scan(T0, T0 + 10_000, 10_000)) == result.accepted
        assert await store.cursor() == 9

        shared().run_sql(f"ALTER TABLE {table} DROP CONSTRAINT poison")
        waiting = [kept.id for kept in await store.rejected(100) if "poison" in kept.reason]
        assert await store.retry(waiting) == WriteResult(len(refused), 0)


async def test_a_retry_of_many_rows_that_are_refused_again_keeps_them():
    settings = config(shared().dsn)
    table = f"{settings.schema}.measurement"
    async with running(PostgresSeries(settings, Clock())) as store:
        shared().run_sql(f"ALTER TABLE {table} ADD CONSTRAINT odd CHECK (mod(number::int8, 20) <> 1)")
        for n in range(1, 4):
            await store.write(rows(*(row(i, float(i)) for i in range(n * 1000, n * 1000 + 1000))), n)
        waiting = [kept.id for kept in await store.rejected(1000)]
        result = await store.retry(waiting)
        assert (len(waiting), result.accepted, len(result.rejected)) == (150, 0, 150)
        assert [kept.id for kept in await store.rejected(1000)] == waiting
