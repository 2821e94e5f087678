"""Buckets read with roll-ups are those that the rows give, whatever was written, removed, dropped and rolled up."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lns.clock import DAY_US
from lns.errors import StoreError
from lns.series import reads, rolled, rollups
from lns.series.rolled import HOUR_US
from lns.series.sqlite import SqliteSeries
from lns.series.store import Bucket, Removal, Row, Rows
from lns.series.writer import Writer
from tests.series.build import Clock, run_sql, running

DAY0 = 20_700
START = DAY0 * DAY_US
QUARTER_US = HOUR_US // 4
WEEK = 7 * 24 * 4  # quarters of an hour


@contextmanager
def written() -> Iterator[tuple[sqlite3.Connection, Writer]]:
    """A database in memory and its writer, whose roll-ups go a single step at a time."""
    with pytest.MonkeyPatch.context() as patch, closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        patch.setattr(rollups, "_PIECE_S", 0)
        yield opened, Writer(opened, None)


def measured(quarter: int, value: float | bool | str, device: int = 1, field: str = "t", seq: int = 1) -> Row:
    return Row(device, field, START + quarter * QUARTER_US, value, None, seq)


def expire(connection: sqlite3.Connection, writer: Writer, before_us: int, now_us: int) -> None:
    old, _ = reads.expired(connection, before_us, 1000, (0, 0, 0))
    if old:
        writer.delete(old, now_us)
    writer.forget(before_us)


DEVICES = st.integers(1, 2)
NAMES = st.sampled_from("tu")
# Few moments, so that steps meet: hours of four days, the first and the last quarter among them.
QUARTERS = st.builds(lambda day, quarter: day * 96 + quarter, st.integers(0, 3), st.sampled_from([0, 1, 50, 95]))
# Sums of these are exact in any order.
EXACT = st.one_of(st.integers(-4000, 4000).map(lambda n: n / 4), st.booleans(), st.sampled_from(["", "open"]))
WRITES = st.tuples(st.just("write"), st.lists(st.tuples(QUARTERS, EXACT, DEVICES, NAMES), min_size=1, max_size=8))
REMOVES = st.tuples(st.just("remove"), st.lists(st.tuples(DEVICES, NAMES, QUARTERS), min_size=1, max_size=5))
STEPS = st.lists(
    st.one_of(
        WRITES,
        REMOVES,
        st.tuples(st.just("expire"), QUARTERS),
        st.tuples(st.just("clock"), st.integers(1, 5).map(lambda day: day * 96 + 4)),  # also back
        st.tuples(st.just("roll"), st.sampled_from([1, 2, 3, 100])),
        st.tuples(st.just("roll"), st.just(100)),
        st.tuples(st.just("fail"), WRITES),
        st.tuples(st.just("restart"), st.none()),
    ),
    min_size=3,
    max_size=12,
)
RANGES = st.lists(
    st.tuples(QUARTERS, QUARTERS.map(lambda length: length + 96), st.sampled_from([1, 5, 24, 36, 168])),
    min_size=1,
    max_size=3,
)


@settings(max_examples=120, deadline=None)
@given(steps=STEPS, ranges=RANGES)
@example(  # a row that comes on a day that was leapt over
    [("write", [(0, 1.0, 1, "t")]), ("clock", 600), ("roll", 9), ("write", [(200, 2.0, 1, "t")]), ("roll", 9)],
    [],
)
@example(  # a day begins while another one is in progress
    [
        ("write", [(0, 1.0, 1, "t"), (0, 1.0, 2, "t")]),
        ("clock", 200),
        ("roll", 4),
        ("write", [(199, 2.0, 1, "t")]),
        ("clock", 600),
        ("roll", 40),
    ],
    [],
)
@example(  # the clock goes back
    [("write", [(0, 1.0, 1, "t")]), ("clock", 600), ("roll", 99), ("clock", 100), ("write", [(200, 2.0, 1, "t")])],
    [],
)
@example(  # a field is gone altogether
    [("write", [(0, 1.0, 1, "t")]), ("roll", 99), ("remove", [(1, "t", 0)]), ("roll", 99)],
    [],
)
@example(  # the end of the range cuts a day that is rolled up
    [("write", [(0, 1.0, 1, "t"), (100, 2.0, 1, "t"), (150, 3.0, 1, "t")]), ("clock", 600), ("roll", 99)],
    [(-4, 130, 24), (20, 130, 1)],
)
def test_buckets_are_the_same_with_and_without_rollups(steps, ranges):
    with written() as (connection, writer):
        now_us = START + 196 * QUARTER_US
        for seq, (verb, what) in enumerate(steps, 1):
            if verb == "clock":
                now_us = START + what * QUARTER_US
            writer = played(connection, writer, verb, what, seq, now_us)
            for first, length, hours in [(-4, WEEK, 24), *ranges]:
                asked = (START + first * QUARTER_US, START + (first + length) * QUARTER_US, hours * HOUR_US)
                for device, field in product((1, 2), "tu"):
                    expected = reads.buckets(connection, device, field, *asked)
                    assert rolled.buckets(connection, device, field, *asked) == expected


def played(connection: sqlite3.Connection, writer: Writer, verb: str, what: object, seq: int, now_us: int) -> Writer:
    """Do a step; the writer to go on with."""
    if verb == "write":
        writer.write(Rows.of(measured(*row, seq=seq) for row in what), None, now_us)  # type: ignore[attr-defined]
    elif verb == "remove":
        removed = [Removal(device, field, START + at * QUARTER_US, seq) for device, field, at in what]  # type: ignore
        writer.write(Rows(), None, now_us, removed)
    elif verb == "expire":
        expire(connection, writer, START + what * QUARTER_US, now_us)  # type: ignore[operator]
    elif verb == "roll":
        for _ in range(what):  # type: ignore[call-overload]
            writer.roll_up(now_us)
    elif verb == "fail":
        connection.execute("ALTER TABLE position RENAME TO elsewhere")
        rows = Rows.of(measured(*row, seq=seq) for row in what[1])  # type: ignore[index]
        with pytest.raises(sqlite3.OperationalError):
            writer.write(rows, 1, now_us)
        connection.execute("ALTER TABLE elsewhere RENAME TO position")
    elif verb == "restart":
        return Writer(connection, None)
    return writer


def all_rolled(writer: Writer, now_us: int) -> None:
    while writer.roll_up(now_us):
        pass


@settings(max_examples=100, deadline=None)
@given(
    values=st.dictionaries(
        st.integers(0, WEEK), st.floats(-1e6, 1e6) | st.floats(-1e291, 1e291), min_size=1, max_size=60
    ),
    hours=st.sampled_from([1, 24, 168]),
)
@example({0: 1e308, 100: 1e308, 101: -1e308}, 168)  # within reach in one order of addition only
def test_sums_of_any_numbers_differ_by_rounding_only(values, hours):
    with written() as (connection, writer):
        now_us = START + 2 * WEEK * QUARTER_US
        writer.write(Rows.of(measured(*item) for item in values.items()), None, now_us)
        all_rolled(writer, now_us)
        asked = (START, START + 2 * WEEK * QUARTER_US, hours * HOUR_US)
        expected = reads.buckets(connection, 1, "t", *asked)
        found = rolled.buckets(connection, 1, "t", *asked)
        assert [(b.start_us, b.count, b.min, b.max, b.first, b.last) for b in found] == [
            (b.start_us, b.count, b.min, b.max, b.first, b.last) for b in expected
        ]
        for one, other in zip(found, expected, strict=True):
            assert (one.sum is None) == (other.sum is None)
            if one.sum is not None:
                size = sum(abs(v) for at, v in values.items() if in_bucket(at, one, hours))
                assert one.sum == pytest.approx(other.sum, rel=0, abs=size * 1e-12)
                assert one.avg == pytest.approx(other.avg, rel=0, abs=size * 1e-12)


def in_bucket(at: int, bucket: Bucket, hours: int) -> bool:
    return bucket.start_us <= START + at * QUARTER_US < bucket.start_us + hours * HOUR_US


HOUR = (0, 2, 1, 1.5, 1.5, 1.5, "x" * 4096, 0)


def test_a_packed_day_comes_back_with_its_types():
    hours = [HOUR, (23, 1, 0, None, None, None, 1, 1), (5, 1, 1, 2.0, 2.0, 2.0, 2.0, 2.0)]
    found = list(rolled.unpack(rolled.pack(hours)))
    assert found == hours
    assert [list(map(type, hour)) for hour in found] == [list(map(type, hour)) for hour in hours]


def test_what_is_no_packed_day_is_refused():
    for packed in (b"not packed", zlib.compress(b"\x91\x01")):
        with pytest.raises(StoreError, match=r"^a roll-up of measurements is damaged: "):
            rolled.unpack(packed)


async def test_whole_days_come_from_the_rollups_and_changed_ones_from_the_rows(tmp_path):
    path, clock = tmp_path / "series.db", Clock()
    clock.now_us = START + 10 * DAY_US
    async with running(SqliteSeries(path, clock)) as store:
        assert isinstance(store, SqliteSeries)
        await store.write(Rows.of(measured(96 * day, float(day)) for day in range(10)), None)
        await store.roll_up()
        run_sql(path, "UPDATE rollup SET hours = (SELECT hours FROM rollup WHERE day = 20707)")
        await store.write(Rows.of([measured(96 * 4, 44.0, seq=2)]), None)
        from_us, to_us = START + HOUR_US, START + 10 * DAY_US
        found = await store.buckets(1, "t", from_us, to_us, DAY_US)
        assert [b.sum for b in found] == [7.0, 7.0, 7.0, 44.0, 7.0, 7.0, 7.0, 7.0, 9.0]
        by_quarter = await store.buckets(1, "t", from_us, to_us, QUARTER_US)
        assert [b.sum for b in by_quarter] == [1.0, 2.0, 3.0, 44.0, 5.0, 6.0, 7.0, 8.0, 9.0]


def test_a_range_of_one_uncommon_field_name_is_empty():
    with written() as (connection, writer):
        all_rolled(writer, START)
        assert rolled.buckets(connection, 1, "none", 0, START, DAY_US) == []


def test_an_answer_is_of_one_moment(tmp_path):
    path, now_us = tmp_path / "series.db", START + 10 * DAY_US
    with closing(sqlite3.connect(path, isolation_level=None)) as opened, closing(sqlite3.connect(path)) as reader:
        reader.isolation_level = None
        writer = Writer(opened, path)
        writer.write(Rows.of(measured(96 * day, 1.0) for day in range(9)), None, now_us)
        all_rolled(writer, now_us)
        statements = []

        def change(statement: str) -> None:
            statements.append(statement)
            batch = [measured(96 * day, float(len(statements)), seq=9 + len(statements)) for day in range(10)]
            writer.write(Rows.of(batch), None, now_us)

        reader.set_trace_callback(change)
        [bucket] = rolled.buckets(reader, 1, "t", START + HOUR_US, now_us, 1000 * DAY_US)
        assert len(statements) > 4
        assert (bucket.min, bucket.count) == (bucket.max, 9)
