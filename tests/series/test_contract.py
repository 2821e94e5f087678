"""What every time-series engine must do. A new engine is added to `STORES` and is done when this passes."""

import asyncio
import math
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lns.series.store import Bucket, FieldInfo, Key, Point, Rejected, Row, Rows, SeriesStore, WriteResult
from tests.series.build import DAY_US, DEVICE, STORES, T0, Clock, row, rows, running

EVER = (T0 - DAY_US, T0 + DAY_US)

engines = pytest.mark.parametrize("engine", STORES)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[SeriesStore]:
    async with running(STORES[request.param](tmp_path, clock)) as opened:
        yield opened


async def everything(store: SeriesStore, page: int = 1000) -> list[Row]:
    """All rows of a store, page by page."""
    found: list[Row] = []
    after = None
    while True:
        some = list(await store.scan(*EVER, page, after))
        found += some
        if len(some) < page:
            return found
        after = Key(some[-1].device_id, some[-1].field, some[-1].time_us)


async def test_numbers_booleans_and_text_come_back_as_they_went_in(store):
    values = [21.5, 0.0, 1.0, -1e308, 5e-324, True, False, "", "open", "°C\0x", 3]
    result = await store.write(rows(*(row(i, value) for i, value in enumerate(values))), None)
    points = await store.range(DEVICE, "t", *EVER, 100)
    assert result == WriteResult(len(values), 0)
    assert points == [Point(T0 + i, value, "C") for i, value in enumerate(values)]
    assert [type(p.value) for p in points] == [float] * 5 + [bool] * 2 + [str] * 3 + [float]


async def test_negative_zero_is_stored_as_zero(store):
    await store.write(rows(row(0, -0.0), row(1, "x")), None)
    await store.write(rows(row(2, -0.0)), None)
    points = await store.range(DEVICE, "t", *EVER, 100)
    assert [math.copysign(1, p.value) for p in points if p.value == 0] == [1, 1]


async def test_a_newer_seq_wins_whatever_the_order(store):
    assert await store.write(rows(row(0, 2.0, seq=2)), None) == WriteResult(1, 0)
    assert await store.write(rows(row(0, 1.0, seq=1)), None) == WriteResult(0, 1)
    assert await store.write(rows(row(0, 2.5, seq=2)), None) == WriteResult(0, 1)
    assert await store.write(rows(row(0, True, unit="on", seq=3)), None) == WriteResult(1, 0)
    assert await everything(store) == [row(0, True, unit="on", seq=3)]


async def test_the_position_moves_with_the_rows_and_never_back(store):
    seen = [await store.cursor()]
    for cursor in (5, None, 3, 9):
        await store.write(rows(row(0)), cursor)
        seen.append(await store.cursor())
    await store.write(Rows(), 12)
    assert [*seen, await store.cursor()] == [0, 5, 5, 5, 9, 12]


async def test_the_log_that_the_position_is_of_is_kept_beside_it(store):
    seen = [await store.log()]
    await store.write(rows(row(0)), 7)
    for log_id in ("a" * 32, "b" * 32):
        await store.follow(log_id)
        seen.append(await store.log())
    assert (seen, await store.cursor()) == (["", "a" * 32, "b" * 32], 7)


async def test_bad_rows_are_set_aside_and_cost_nobody_else(store):
    batch = rows(
        row(0, 1.0),
        row(1, math.nan),
        row(2, "x" * 4097),
        row(3, 1.0, field=""),
        row(4, True),
        row(DAY_US, 1.0),
        row(6, [1]),  # type: ignore[arg-type]
        row(7, "half \ud800"),
    )
    result = await store.write(batch, 4)
    kept = await store.rejected(100)
    assert (result.accepted, result.superseded, await store.cursor()) == (2, 0, 4)
    assert result.rejected == (
        Rejected(1, "not_finite", "value is not a finite float64"),
        Rejected(2, "text_too_long", "text is 4097 bytes, at most 4096 fit"),
        Rejected(3, "field_empty", "field name is empty"),
        Rejected(5, "time_in_future", "time is 86400 s ahead, at most 86400 s fit"),
        Rejected(6, "wrong_type", "value is list, it must be a number, a boolean or text"),
        Rejected(7, "not_unicode", "value holds half a surrogate pair"),
    )
    assert [(k.code, k.reason, k.at_us, k.state) for k in kept] == [
        (r.code, r.reason, T0, "open") for r in result.rejected
    ]
    assert kept[0].row == f'[7, "t", {T0 + 1}, NaN, "C", 1]'
    assert await everything(store) == [row(0, 1.0), row(4, True)]


async def test_a_repeated_batch_sets_its_bad_rows_aside_once(store):
    for _ in range(3):
        result = await store.write(rows(row(0, math.inf), row(1)), 1)
        assert len(result.rejected) == 1
    assert len(await store.rejected(100)) == 1


async def test_rejected_rows_are_paged_by_id(store):
    await store.write(rows(*(row(i, math.nan) for i in range(5))), None)
    first = await store.rejected(2)
    rest = await store.rejected(100, after_id=first[-1].id)
    assert [k.row for k in first + rest] == [f'[7, "t", {T0 + i}, NaN, "C", 1]' for i in range(5)]


async def test_a_retry_stores_what_has_become_right_and_keeps_the_rest(store, clock):
    await store.write(rows(row(2 * DAY_US, 5.0), row(0, math.nan)), 1)
    early, bad = await store.rejected(100)
    clock.now_us += 2 * DAY_US
    result = await store.retry([early.id, bad.id, 999])
    assert result == WriteResult(1, 0, (Rejected(1, "not_finite", "value is not a finite float64"),))
    assert await store.rejected(100) == [bad]
    assert [k.id for k in await store.rejected(100, state="retried")] == [early.id]
    assert await store.retry([early.id]) == WriteResult(0, 0)
    assert await store.range(DEVICE, "t", T0, T0 + 3 * DAY_US, 9) == [Point(T0 + 2 * DAY_US, 5.0, "C")]


async def test_an_unknown_device_or_field_is_empty(store):
    await store.write(rows(row(0)), None)
    assert await store.fields(1) == []
    assert await store.latest(1) == []
    assert await store.range(DEVICE, "none", *EVER, 9) == []
    assert await store.buckets(DEVICE, "none", *EVER, 1000) == []
    assert list(await store.scan(0, T0, 9)) == []


async def test_latest_is_the_newest_value_of_each_field(store):
    await store.write(
        rows(
            row(5, 2.0, field="t"),
            row(3, 1.0, field="t"),
            row(1, "open", field="door", unit=None),
            row(9, 0.5, field="t", device=DEVICE + 1),
        ),
        None,
    )
    assert await store.fields(DEVICE) == ["door", "t"]
    assert await store.latest(DEVICE) == [FieldInfo("door", None, "open", T0 + 1), FieldInfo("t", "C", 2.0, T0 + 5)]


async def test_latest_looks_past_days_and_late_or_early_clocks(store):
    fields = {"daily": -3 * DAY_US, "late": -400 * DAY_US, "early": DAY_US - 1}
    for seq, (field, at) in enumerate(fields.items(), 1):
        await store.write(rows(row(at - 5, 0.0, field=field), row(at, 1.0, field=field)), seq)
        await store.write(rows(row(-500 * DAY_US, 2.0, field=field)), seq)
    await store.write(rows(row(0, 3.0, field="daily")), 9)
    assert await store.latest(DEVICE) == [
        FieldInfo("daily", "C", 3.0, T0),
        FieldInfo("early", "C", 1.0, T0 + DAY_US - 1),
        FieldInfo("late", "C", 1.0, T0 - 400 * DAY_US),
    ]


async def test_a_field_whose_rows_have_all_expired_is_gone_until_it_comes_back(store):
    await store.write(rows(row(-2 * DAY_US, field="old"), row(-1, field="older today"), row(0, field="new")), None)
    await store.expire(T0)
    assert await store.fields(DEVICE) == ["new"]
    await store.write(rows(row(-1, field="old"), row(1, field="new")), None)
    assert await store.fields(DEVICE) == ["new", "old"]
    assert [info.last_at_us - T0 for info in await store.latest(DEVICE)] == [1, -1]


async def test_a_range_holds_its_start_and_not_its_end_and_pages_by_time(store):
    await store.write(rows(*(row(i, float(i)) for i in range(10))), None)
    pages, start = [], T0 + 2
    while page := await store.range(DEVICE, "t", start, T0 + 8, 4):
        pages.append([p.value for p in page])
        start = page[-1].time_us + 1
    assert pages == [[2.0, 3.0, 4.0, 5.0], [6.0, 7.0]]


async def test_buckets_of_numbers(store):
    await store.write(rows(*(row(i, float(i)) for i in (0, 1, 2, 25, 27))), None)
    assert T0 % 10 == 0
    assert await store.buckets(DEVICE, "t", T0 + 1, T0 + 27, 10) == [
        Bucket(T0, 2, 1.5, 1.0, 2.0, 3.0, 1.0, 2.0),
        Bucket(T0 + 20, 1, 25.0, 25.0, 25.0, 25.0, 25.0, 25.0),
    ]


async def test_buckets_of_booleans_and_text_count_and_keep_first_and_last(store):
    await store.write(rows(row(0, True), row(1, "x"), row(2, False)), None)
    assert await store.buckets(DEVICE, "t", *EVER, 10) == [Bucket(T0, 3, None, None, None, None, True, False)]


async def test_buckets_of_a_field_that_changed_its_type_aggregate_the_numbers(store):
    await store.write(rows(row(0, "warm"), row(1, 4.0), row(2, 6.0), row(3, True)), None)
    assert await store.buckets(DEVICE, "t", *EVER, 10) == [Bucket(T0, 4, 5.0, 4.0, 6.0, 10.0, "warm", True)]


async def test_an_aggregate_that_overflows_is_none(store):
    await store.write(rows(row(0, 1.7e308), row(1, 1.7e308)), None)
    [bucket] = await store.buckets(DEVICE, "t", *EVER, 10)
    assert (bucket.sum, bucket.max, bucket.count) == (None, 1.7e308, 2)


@pytest.mark.parametrize("page", [1, 3, 7, 1000])
async def test_a_scan_pages_over_all_devices_without_gap_or_repeat(store, page):
    wanted = [row(at, device=device, field=field) for device in (1, 2, 9) for field in "ab" for at in range(4)]
    await store.write(rows(*reversed(wanted)), None)
    found = await everything(store, page)
    assert sorted(found, key=lambda r: (r.device_id, r.field, r.time_us)) == wanted
    assert [device for device, _ in groupby(r.device_id for r in found)] == [1, 2, 9]


async def test_a_scan_keeps_to_its_range_and_to_seq_le(store):
    await store.write(rows(*(row(i, seq=i, field=f) for i in range(1, 9) for f in "ab")), None)
    found = await store.scan(T0 + 3, T0 + 7, 100, seq_le=5)
    assert sorted(set(found.times_us)) == [T0 + 3, T0 + 4, T0 + 5]
    assert len(found) == 6


async def test_expiry_drops_what_is_older_and_nothing_else(store):
    old = [row(i - 10_000, device=d, field=f) for d in range(3) for f in "ab" for i in range(1500)]
    new = [row(i, device=d, field=f) for d in range(3) for f in "ab" for i in range(3)]
    await store.write(rows(*old, *new), 3)
    assert await store.expire(T0) == len(old)
    assert sorted(await everything(store), key=repr) == sorted(new, key=repr)
    assert await store.expire(T0) == 0
    assert await store.cursor() == 3


async def test_expiry_forgets_what_was_set_aside_before(store, clock):
    await store.write(rows(row(0, math.nan)), None)
    clock.now_us += 10
    await store.write(rows(row(1, math.nan)), None)
    await store.expire(T0 + 10)
    assert [k.at_us for k in await store.rejected(9)] == [T0 + 10]


async def test_reads_and_writes_at_once_see_whole_batches(store):
    async def write() -> None:
        for n in range(1, 30):
            await store.write(rows(*(row(i, float(n), seq=n) for i in range(100))), n)

    async def read() -> None:
        while await store.cursor() < 29:
            assert len({p.value for p in await store.range(DEVICE, "t", *EVER, 1000)}) <= 1

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        tasks.create_task(read())
        tasks.create_task(read())


FIELDS = st.sampled_from(["t", "u", "", "x" * 129])
VALUES = st.one_of(st.floats(width=64), st.booleans(), st.sampled_from(["", "open", "y" * 5000]))
ROWS = st.builds(
    Row,
    st.integers(1, 2),
    FIELDS,
    st.integers(T0, T0 + 3),
    VALUES,
    st.sampled_from([None, "C"]),
    st.integers(1, 6),
)


def fits(candidate: Row) -> bool:
    number_fits = not isinstance(candidate.value, float) or math.isfinite(candidate.value)
    return candidate.field in ("t", "u") and number_fits and candidate.value != "y" * 5000


@engines
@settings(max_examples=60, deadline=None)
@given(batches=st.lists(st.lists(ROWS, max_size=12), max_size=5), data=st.data())
def test_any_order_and_repetition_leaves_the_highest_seq(engine, batches, data):
    # A seq is one record: the same key and seq always carry the same row.
    one_of: dict[tuple[int, str, int, int], Row] = {}
    batches = [[one_of.setdefault((r.device_id, r.field, r.time_us, r.seq), r) for r in batch] for batch in batches]
    played = data.draw(st.permutations(batches + data.draw(st.lists(st.sampled_from(batches or [[]]), max_size=3))))
    newest: dict[tuple[int, str, int], Row] = {}
    for r in one_of.values():
        key = (r.device_id, r.field, r.time_us)
        if fits(r) and (key not in newest or newest[key].seq < r.seq):
            newest[key] = r

    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with running(STORES[engine](Path(folder), Clock())) as store:
                for batch in played:
                    result = await store.write(Rows.of(batch), None)
                    bad = [i for i, r in enumerate(batch) if not fits(r)]
                    assert result.accepted + result.superseded + len(result.rejected) == len(batch)
                    assert [r.index for r in result.rejected] == bad
                found = {(r.device_id, r.field, r.time_us): r for r in await everything(store, page=5)}
                assert found == newest
                assert len(await store.rejected(1000)) == len({repr(r) for r in one_of.values() if not fits(r)})

    asyncio.run(play())


AT = st.integers(-3, 3).map(lambda third: third * DAY_US // 3 + third)
WRITE = st.lists(st.builds(Key, st.integers(1, 2), st.sampled_from("tu"), AT), min_size=1, max_size=6)
EXPIRE = AT


@engines
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(WRITE | EXPIRE, max_size=8))
def test_fields_and_latest_agree_with_the_rows(engine, steps):
    held: set[Key] = set()

    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with running(STORES[engine](Path(folder), Clock())) as store:
                for step in steps:
                    if isinstance(step, int):
                        gone = {key for key in held if key.time_us < step}
                        assert await store.expire(T0 + step) == len(gone)
                        held.difference_update(gone)
                    else:
                        await store.write(Rows.of(row(at, device=d, field=f) for d, f, at in step), None)
                        held.update(key for key in step if key.time_us < DAY_US)
                    for device in (1, 2):
                        newest = {
                            f: max(k.time_us for k in held if k[:2] == (device, f)) for d, f, _ in held if d == device
                        }
                        found = await store.latest(device)
                        assert {info.field: info.last_at_us - T0 for info in found} == newest
                        assert await store.fields(device) == sorted(newest)

    asyncio.run(play())


@engines
@settings(max_examples=40, deadline=None)
@given(
    values=st.dictionaries(st.integers(0, 200), st.floats(-1e6, 1e6) | st.booleans(), min_size=1, max_size=40),
    width=st.integers(1, 100),
)
def test_buckets_agree_with_the_points(engine, values, width):
    grouped: dict[int, list[tuple[int, float | bool]]] = defaultdict(list)
    for at, value in sorted(values.items()):
        grouped[(T0 + at) // width * width].append((at, value))

    async def ask() -> list[Bucket]:
        with tempfile.TemporaryDirectory() as folder:
            async with running(STORES[engine](Path(folder), Clock())) as store:
                await store.write(Rows.of(row(at, value) for at, value in values.items()), None)
                return await store.buckets(DEVICE, "t", *EVER, width)

    found = asyncio.run(ask())
    assert [b.start_us for b in found] == sorted(grouped)
    for bucket in found:
        members = [value for _, value in grouped[bucket.start_us]]
        numbers = [value for value in members if type(value) is float]
        assert (bucket.count, bucket.first, bucket.last) == (len(members), members[0], members[-1])
        assert bucket.sum == (pytest.approx(math.fsum(numbers), rel=1e-9, abs=1e-6) if numbers else None)
        assert bucket.avg == (pytest.approx(fmean(numbers), rel=1e-9, abs=1e-6) if numbers else None)
        assert (bucket.min, bucket.max) == ((min(numbers), max(numbers)) if numbers else (None, None))
