"""The plans of the queries: seeks, never walks."""

import sqlite3
from contextlib import closing

import pytest

from lns.series import reads, rolled, rollups
from lns.series.sqlite import SqliteSeries
from tests.series.build import Clock, running

QUERIES = {
    "fields": reads.FIELDS,
    "latest": reads.LATEST,
    "range": reads.RANGE,
    "buckets": reads.BUCKETS,
    "scan": reads.SCAN,
    "keys": reads.KEYS,
    "rolled": rolled.ROLLED,
    "changed": rolled.CHANGED,
    "hours": rollups.HOURS,
    "clear": rollups.CLEAR,
    "next device": rollups.NEXT_DEVICE,
    "next time": rollups.NEXT_TIME,
}


WALKS = tuple(f"SCAN {table}" for table in ("measurement", "m", "newest", "series", "rollup", "changed_day"))


@pytest.mark.parametrize("name", QUERIES)
async def test_no_read_walks_the_table_or_sorts_a_scan(tmp_path, name):
    path = tmp_path / "series.db"
    names = ("device", "field", "time", "from", "to", "limit", "width", "seq_le", "first", "end", "day")
    async with running(SqliteSeries(path, Clock())):
        with closing(sqlite3.connect(path)) as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", dict.fromkeys(names, 1)).fetchall()
    steps = [step[3] for step in plan]
    assert not [step for step in steps if step.startswith(WALKS)]
    if name in ("scan", "keys", "range", "rolled"):
        assert not [step for step in steps if "TEMP B-TREE" in step]
