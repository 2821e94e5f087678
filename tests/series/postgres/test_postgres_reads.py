"""The plans of the queries: seeks in the chunks that matter, never walks."""

from typing import Any

from lns.series.postgres import buckets, reads
from lns.series.postgres.connecting import connect
from lns.series.postgres.grid import instant
from lns.series.postgres.store import PostgresSeries
from tests.postgres import config, roll, shared
from tests.series.build import DAY_US, T0, Clock, row, rows, running

ASKED: dict[str, Any] = {
    "device": 3,
    "field": "t",
    "from": instant(T0 - DAY_US),
    "to": instant(T0),
    "limit": 10,
    "width": 3_600_000_000,
    "scale": 1.0,
    "devices": [3],
    "fields": [1, 2],
    "times": [instant(T0)],
    "first": instant(T0),
    "last": instant(T0),
}
SCANNED = ASKED | {"field": 1, "time": instant(T0 - DAY_US), "seq_le": None}
QUERIES = {
    "latest": (reads.LATEST, ASKED),
    "range": (reads.RANGE, ASKED),
    "buckets": (buckets.OF_MEASUREMENTS, ASKED),
    "at": (reads.AT, ASKED),
    "scan": (reads.SCAN, SCANNED),
    "rolled up": (buckets.of_rollups("rolled_hour"), ASKED),
    "hours by SQL": ("SELECT * FROM rollup_hour WHERE device_id = 3 AND field_id = 1 AND start >= %(from)s", ASKED),
}


async def test_no_read_walks_a_chunk():
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())) as store:
        for day in range(5):
            await store.write(
                rows(*(row(n * 1000 - day * DAY_US, device=n % 300, field="tu"[n % 2]) for n in range(20_000))), None
            )
        await roll(store)
    plans = {}
    with connect(settings, {}) as connection:
        connection.execute("ANALYZE")
        for name, (query, asked) in QUERIES.items():
            plans[name] = "\n".join(line for (line,) in connection.execute(f"EXPLAIN ANALYZE {query}", asked))
    for name, plan in plans.items():
        assert "Seq Scan on measurement" not in plan, (name, plan)
        assert "Seq Scan on rolled" not in plan, (name, plan)
        walked = [line for line in plan.splitlines() if "measurement_20260917" in line and "never executed" not in line]
        assert not [line for line in walked if "actual time" in line], (name, plan)
