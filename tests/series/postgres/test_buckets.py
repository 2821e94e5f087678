"""Buckets from roll-ups are those of the measurements, whatever was written late, removed, dropped or rolled up."""

import asyncio
import math
from collections import defaultdict
from itertools import product

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lns.clock import DAY_US
from lns.exchange.records import Value
from lns.series.postgres.buckets import Part, joined, level_of
from lns.series.postgres.rollup_sql import DAY, HOUR, HOUR_US, MINUTE
from lns.series.postgres.store import PostgresSeries
from lns.series.store import Bucket, Removal, Row, Rows, SeriesStore
from tests.postgres import config, roll, shared
from tests.series.build import DEVICE, T0, Clock, row, rows, running

START = T0 // DAY_US * DAY_US - T0  # of the day, as `row` counts
MINUTE_US = HOUR_US // 60


def bucketed(held: list[Row], from_us: int, to_us: int, width_us: int) -> list[Bucket]:
    """The buckets of rows, by hand."""
    groups: dict[int, list[Row]] = defaultdict(list)
    for one in sorted(held, key=lambda r: r.time_us):
        if from_us <= one.time_us < to_us:
            groups[one.time_us // width_us * width_us].append(one)
    found = []
    for start, some in sorted(groups.items()):
        values: list[Value] = [one.value for one in some]
        numbers = [value for value in values if type(value) is float]
        total = math.fsum(numbers) if numbers else None
        ends = (min(numbers), max(numbers)) if numbers else (None, None)
        average = None if total is None else total / len(numbers)
        found.append(Bucket(start, len(some), average, *ends, total, values[0], values[-1]))
    return found


async def check(store: SeriesStore) -> None:
    """All charts of two devices' fields agree with the rows."""
    held = list(await store.scan(T0 - 9 * DAY_US, T0 + 9 * DAY_US, 10_000))
    widths = (MINUTE_US, HOUR_US, 6 * HOUR_US, DAY_US, 2 * DAY_US)
    ranges = ((-9 * DAY_US, 9 * DAY_US), (START - DAY_US + 1, START + DAY_US + HOUR_US // 2))
    for device, width_us, (start, end) in product((1, 2), widths, ranges):
        mine = [one for one in held if one.device_id == device]
        found = await store.buckets(device, "t", T0 + start, T0 + end, width_us)
        assert found == bucketed(mine, T0 + start, T0 + end, width_us)


MOMENT = st.integers(-200, 200).map(lambda step: START + step * HOUR_US // 3 + 7_000_000 * step)
# Sums of halves are exact, in whatever order they are added up.
VALUE = st.integers(-8, 8).map(lambda n: n / 2) | st.booleans() | st.sampled_from(["", "open"])
WRITE = st.lists(st.tuples(st.integers(1, 2), MOMENT, VALUE), min_size=1, max_size=8)
STEP = st.one_of(
    WRITE.map(lambda written: ("write", written)),
    WRITE.map(lambda written: ("remove", written)),
    MOMENT.map(lambda at: ("expire", at)),
    st.just(("refresh", None)),
    st.just(("one piece", None)),
    st.integers(1, 30).map(lambda hours: ("wait", hours)),
)


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEP, max_size=10))
def test_buckets_agree_with_the_rows_whatever_came_before(steps):
    async def play() -> None:
        clock = Clock()
        clock.now_us += START
        async with running(PostgresSeries(config(shared().dsn), clock)) as store:
            for seq, (step, what) in enumerate(steps, 1):
                match step:
                    case "write":
                        await store.write(Rows.of(row(at, v, device=d, seq=seq) for d, at, v in what), seq)
                    case "remove":
                        await store.write(Rows(), seq, [Removal(d, "t", T0 + at, seq) for d, at, _ in what])
                    case "expire":
                        await store.expire(T0 + what)
                    case "refresh":
                        await roll(store)
                    case "one piece":
                        await store.refresh()
                    case "wait":
                        clock.now_us += what * HOUR_US
            await check(store)
            await roll(store)
            await check(store)

    asyncio.run(play())


async def chart(store: SeriesStore, width_us: int) -> list[Bucket]:
    return await store.buckets(DEVICE, "t", T0 + START, T0 + START + 2 * DAY_US, width_us)


@pytest.mark.parametrize("level", [MINUTE, HOUR, DAY])
async def test_buckets_come_from_the_roll_ups_and_stale_hours_from_the_measurements(level):
    settings, clock = config(shared().dsn), Clock()
    at = START + 5 * HOUR_US
    async with running(PostgresSeries(settings, clock)) as store:
        await store.write(rows(row(at, 1.0), row(at + 1, 3.0)), 1)
        clock.now_us += START + DAY_US + HOUR_US
        await roll(store)
        shared().run_sql(f"UPDATE {settings.schema}.rolled_{level.name} SET max = 99")
        [told] = await chart(store, level.width_us)
        assert (told.count, told.sum, told.max) == (2, 4.0, 99.0)
        await store.write(rows(row(at + 2, 2.0, seq=2)), 2)
        [exact] = await chart(store, level.width_us)
        assert (exact.count, exact.sum, exact.max) == (3, 6.0, 3.0)
        await roll(store)
        assert await chart(store, level.width_us) == [exact]


async def test_a_sum_that_does_not_fit_is_left_out_of_the_roll_up_and_right_in_the_answer():
    settings, clock = config(shared().dsn), Clock()
    async with running(PostgresSeries(settings, clock)) as store:
        await store.write(rows(*(row(START + n, 1.7e308) for n in range(3)), row(START + 9, 1.0)), 1)
        before = await chart(store, HOUR_US)
        clock.now_us += DAY_US
        await roll(store)
        assert await chart(store, HOUR_US) == before
        assert [(b.count, b.sum, b.max) for b in before] == [(4, None, 1.7e308)]
        with psycopg.connect(shared().dsn) as connection:
            query = f"SELECT count, numbers, huge, sum, avg FROM {settings.schema}.rollup_hour"
            assert connection.execute(query).fetchall() == [(4, 4, 3, 1.0, 1.0)]


async def test_many_stale_hours_cost_one_look_at_the_measurements():
    clock = Clock()
    async with running(PostgresSeries(config(shared().dsn), clock)) as store:
        hours = [START - n * HOUR_US for n in range(96)]
        await store.write(rows(*(row(at) for at in hours)), 1)
        clock.now_us += DAY_US
        await roll(store)
        await store.write(rows(*(row(at + 1, seq=2) for at in hours[::2])), 2)
        found = await store.buckets(DEVICE, "t", T0 - 9 * DAY_US, T0 + DAY_US, HOUR_US)
        assert [bucket.count for bucket in reversed(found)] == [2, 1] * 48


@pytest.mark.parametrize(
    ("width_us", "level"),
    [(7_000_000, None), (MINUTE_US, MINUTE), (90 * MINUTE_US, MINUTE), (2 * HOUR_US, HOUR), (7 * DAY_US, DAY)],
)
def test_the_widest_roll_ups_that_fit_are_taken(width_us, level):
    assert level_of(width_us) == level


def test_parts_of_a_bucket_are_joined_in_the_order_of_time():
    numbers = Part(0, 2, 2, 1.0, 3.0, 4.0, 1.0, 3.0)
    text = Part(0, 1, 0, None, None, 0.0, "open", "open")
    other = Part(10, 1, 1, 5.0, 5.0, math.inf, 5.0, 5.0)
    assert [part.bucket() for part in joined([numbers, text, other])] == [
        Bucket(0, 3, 2.0, 1.0, 3.0, 4.0, 1.0, "open"),
        Bucket(10, 1, None, 5.0, 5.0, None, 5.0, 5.0),
    ]
    assert joined([text])[0].bucket() == Bucket(0, 1, None, None, None, None, "open", "open")
