"""What the SQLite writer promises beyond the contract: rows SQLite refuses stand alone, a bounded log."""

import pytest

from lns.errors import StoreError
from lns.series import writer
from lns.series.sqlite import SqliteSeries
from lns.series.store import Rejected, WriteResult
from tests.series.build import DEVICE, T0, Clock, row, rows, run_sql, running

CLOCK = Clock()
POISON = """CREATE TRIGGER poison BEFORE INSERT ON measurement WHEN new.time_us % 1000 = 7
BEGIN SELECT raise(ABORT, 'poisoned'); END"""


async def test_rows_that_sqlite_refuses_are_found_in_a_large_batch(tmp_path):
    path = tmp_path / "series.db"
    async with running(SqliteSeries(path, CLOCK)) as store:
        run_sql(path, POISON)
        batch = [row(i) for i in range(7_213)]
        batch[100] = row(100, float("nan"))
        batch[200] = row(200, device=2**70)
        result = await store.write(rows(*batch), 9)
        refused = [i for i in range(7_213) if i % 1000 == 7]
        assert result.accepted == 7_213 - len(refused) - 2
        assert sorted(result.rejected, key=lambda r: r.index) == sorted(
            [Rejected(i, "constraint", "poisoned") for i in refused]
            + [Rejected(200, "constraint", "Python int too large to convert to SQLite INTEGER")]
            + [Rejected(100, "not_finite", "value is not a finite float64")],
            key=lambda r: r.index,
        )
        assert len((await store.scan(T0, T0 + 10_000, 10_000)).seqs) == result.accepted
        assert await store.cursor() == 9

        run_sql(path, "DROP TRIGGER poison")
        waiting = [kept.id for kept in await store.rejected(100) if kept.reason == "poisoned"]
        assert await store.retry(waiting) == WriteResult(len(refused), 0)


async def test_a_failed_write_changes_nothing_and_can_be_repeated(tmp_path):
    path = tmp_path / "series.db"
    async with running(SqliteSeries(path, CLOCK)) as store:
        run_sql(path, "ALTER TABLE position RENAME TO elsewhere")
        with pytest.raises(StoreError, match=r"cannot be used: no such table: position$"):
            await store.write(rows(row(field="new", unit="new")), 3)
        run_sql(path, "ALTER TABLE elsewhere RENAME TO position")
        assert await store.fields(DEVICE) == []
        assert await store.write(rows(row(field="new", unit="new")), 3) == WriteResult(1, 0)
        assert [info.unit for info in await store.latest(DEVICE)] == ["new"]


async def test_the_log_is_cut_when_it_outgrows_its_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_WAL_BOUND_BYTES", 300_000)
    path, largest = tmp_path / "series.db", 0
    async with running(SqliteSeries(path, CLOCK)) as store:
        for n in range(40):
            await store.write(rows(*(row(n * 1000 + i) for i in range(500))), None)
            largest = max(largest, path.with_name("series.db-wal").stat().st_size)
    assert 200_000 < largest <= 300_000
