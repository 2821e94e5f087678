"""What every time-series engine must do with bad rows of each kind, under change while it is read, and when closed."""

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from random import Random

import pytest

from lns.errors import StoreError
from lns.exchange.records import Value
from lns.series.checks import EARLIEST_US, MAX_AHEAD_US
from lns.series.checksum import Checksum, checksum
from lns.series.store import Key, Removal, Row, Rows, SeriesStore, WriteResult
from tests.series.build import DAY_US, DEVICE, STORES, T0, Clock, row, rows, running

EVER = (EARLIEST_US, T0 + 2 * DAY_US)
HOUR_US = 3_600_000_000
DAY0_US = T0 // DAY_US * DAY_US


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[SeriesStore]:
    async with running(STORES[request.param](tmp_path, clock)) as opened:
        yield opened


async def everything(store: SeriesStore) -> list[Row]:
    return sorted(await store.scan(*EVER, 10_000), key=by_key)


def by_key(r: Row) -> tuple[int, str, int]:
    return r.device_id, r.field, r.time_us


# What a row can have wrong, and the code to count it by.
POISON = [
    (row(0, math.nan), "not_finite"),
    (row(1, math.inf), "not_finite"),
    (row(2, -math.inf), "not_finite"),
    (row(3, 10**400), "not_finite"),
    (row(4, None), "wrong_type"),  # type: ignore[arg-type]
    (row(5, b"x"), "wrong_type"),  # type: ignore[arg-type]
    (row(6, {"a": 1}), "wrong_type"),  # type: ignore[arg-type]
    (row(7, "é" * 2049), "text_too_long"),
    (row(8, "\udc00"), "not_unicode"),
    (row(9, field=""), "field_empty"),
    (row(10, field="é" * 129), "field_too_long"),
    (row(11, field="\ud800"), "not_unicode"),
    (row(12, field=3), "wrong_type"),  # type: ignore[arg-type]
    (row(13, field=["t"]), "wrong_type"),  # type: ignore[arg-type]
    (row(14, unit="é" * 33), "unit_too_long"),
    (row(15, unit="\udfff"), "not_unicode"),
    (row(16, unit=b"C"), "wrong_type"),  # type: ignore[arg-type]
    (row(0.5), "wrong_type"),  # type: ignore[arg-type]
    (row(EARLIEST_US - T0 - 1), "time_out_of_range"),
    (row(-(2**70)), "time_out_of_range"),
    (row(2**70), "time_out_of_range"),
    (row(MAX_AHEAD_US), "time_in_future"),
]

# The last that fits of each limit.
FITS = [
    row(EARLIEST_US - T0),
    row(MAX_AHEAD_US - 1),
    row(20, "é" * 2048),
    row(21, field="é" * 128),
    row(22, unit="é" * 32),
    row(23, 1.7976931348623157e308),
    row(24, float(2**53 + 1)),
    row(25, field="a b,c=d\\"),
    row(26, field="\"q\" 's' %20", unit='"\\'),
    row(27, "line\nbreak\ttab \\n", field="new\nline"),
]


async def test_each_kind_of_bad_row_is_set_aside_with_its_code_and_costs_no_other(store):
    batch = [r for bad, _ in POISON for r in (bad, row(by_place(bad), 2.0, field="good"))]
    result = await store.write(Rows.of(batch), 3)
    codes = [code for _, code in POISON]
    assert (result.accepted, result.superseded, await store.cursor()) == (len(POISON), 0, 3)
    assert [(r.index, r.code) for r in result.rejected] == [(2 * n, code) for n, code in enumerate(codes)]
    assert [(kept.code, kept.state) for kept in await store.rejected(100)] == [(code, "open") for code in codes]
    assert all(r.reason for r in result.rejected)
    assert [(r.field, r.value) for r in await everything(store)] == [("good", 2.0)] * len(POISON)


def by_place(bad: Row) -> int:
    return 100 + next(n for n, (r, _) in enumerate(POISON) if r is bad)


async def test_what_just_fits_is_stored_as_it_is(store):
    assert await store.write(Rows.of(FITS), None) == WriteResult(len(FITS), 0)
    assert await everything(store) == sorted(FITS, key=by_key)
    assert await store.fields(DEVICE) == sorted({r.field for r in FITS})


async def test_a_batch_of_bad_rows_only_moves_the_position(store):
    result = await store.write(rows(row(0, math.nan), row(1, math.nan)), 8)
    assert (result.accepted, len(result.rejected), await store.cursor()) == (0, 2, 8)
    assert await everything(store) == []


async def test_a_retried_row_does_not_win_over_what_came_after_it(store, clock):
    await store.write(rows(row(2 * DAY_US - 1, 1.0, seq=1), row(2 * DAY_US, 1.0, seq=1)), 1)
    early = [kept.id for kept in await store.rejected(9)]
    clock.now_us += 2 * DAY_US
    await store.write(rows(row(2 * DAY_US - 1, 2.0, seq=2)), 2)
    assert await store.retry(early) == WriteResult(1, 1)
    found = await store.range(DEVICE, "t", T0, T0 + 3 * DAY_US, 9)
    assert [p.value for p in found] == [2.0, 1.0]


async def test_rows_written_again_in_any_order_of_batches_leave_the_same(store):
    batches = [
        Rows.of(row(at, float(seq), device=device, seq=seq) for at in range(5) for device in (1, 2))
        for seq in (1, 2, 3, 4)
    ]
    for chance in (Random(1), Random(2)):
        for batch in chance.sample(batches * 2, 8):
            await store.write(batch, None)
        newest = [row(at, 4.0, device=device, seq=4) for device in (1, 2) for at in range(5)]
        assert await everything(store) == newest


async def pages(store: SeriesStore, limit: int, seq_le: int | None = None) -> AsyncIterator[list[Row]]:
    after = None
    while page := list(await store.scan(*EVER, limit, after, seq_le)):
        yield page
        after = Key(page[-1].device_id, page[-1].field, page[-1].time_us)


async def test_a_scan_meets_every_row_once_while_others_are_written(store):
    before = [row(at * 10, device=d, field=f) for d in (2, 4, 6) for f in "bd" for at in range(8)]
    await store.write(Rows.of(before), 1)
    found: list[Row] = []
    chance = Random(5)
    number = 1
    async for page in pages(store, 5):
        found += page
        number += 1
        added = [row(chance.randrange(90), 2.0, device=chance.randrange(1, 8), field=f, seq=number) for f in "abcde"]
        await store.write(
            Rows.of(
                [
                    *added,
                    *(
                        row(r.time_us - T0, 3.0, device=r.device_id, field=r.field, seq=number)
                        for r in chance.sample(before, 5)
                    ),
                ]
            ),
            number,
        )
    keys = Counter(map(by_key, found))
    assert set(keys.values()) == {1}
    assert set(map(by_key, before)) <= set(keys)
    devices = [device for device, _ in groupby(r.device_id for r in found)]
    assert devices == sorted(set(devices))


async def test_a_scan_goes_on_after_a_key_that_has_been_removed(store):
    wanted = [row(at, device=d, field=f) for d in (1, 2) for f in "ab" for at in range(3)]
    await store.write(Rows.of(wanted), 1)
    found: list[Row] = []
    async for page in pages(store, 2):
        found += page
        last = page[-1]
        await store.write(Rows(), None, [Removal(last.device_id, last.field, last.time_us, 9)])
    assert sorted(found, key=by_key) == wanted


async def test_a_scan_up_to_a_seq_is_exact_while_later_records_are_written(store):
    await store.write(Rows.of(row(at, device=d, seq=1) for d in (1, 2, 3) for at in range(6)), 1)
    whole = await checksum(store, *EVER, seq_le=1)
    found: list[Row] = []
    async for page in pages(store, 4, seq_le=1):
        found += page
        await store.write(Rows.of(row(at + 100, device=d, seq=2) for d in range(5) for at in range(6)), 2)
    assert len(found) == whole.count == 18
    assert await checksum(store, *EVER, seq_le=1) == whole
    assert (await checksum(store, *EVER)).count == 18 + 30


async def test_expiry_leaves_new_rows_alone_while_they_are_written(store):
    await store.write(Rows.of(row(at - DAY_US, device=d) for d in range(4) for at in range(800)), 1)

    async def write() -> None:
        for seq in range(2, 12):
            await store.write(Rows.of(row(seq * 100 + n, device=n % 4, seq=seq) for n in range(40)), seq)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        expiring = tasks.create_task(store.expire(T0))
    assert expiring.result() == 3200
    assert len(await everything(store)) == 400
    assert await store.cursor() == 11


async def test_what_has_expired_may_be_written_again(store):
    old = row(-DAY_US, 1.0)
    await store.write(rows(old), 1)
    assert await store.expire(T0) == 1
    assert await everything(store) == []
    await store.write(rows(old), 1)
    assert await everything(store) == [old]


async def test_buckets_of_days_follow_late_rows_corrections_removals_and_expiry(store):
    async def agree() -> None:
        for width_us in (HOUR_US, DAY_US, 36 * HOUR_US):
            found = await store.buckets(DEVICE, "t", DAY0_US - 9 * DAY_US, DAY0_US, width_us)
            points = await store.range(DEVICE, "t", DAY0_US - 9 * DAY_US, DAY0_US, 1000)
            groups: dict[int, list[Value]] = defaultdict(list)
            for point in points:
                groups[point.time_us // width_us * width_us].append(point.value)
            assert [(b.start_us, b.count, b.sum, b.first, b.last) for b in found] == [
                (start, len(values), sum(values), values[0], values[-1]) for start, values in groups.items()
            ]

    first = DAY0_US - 8 * DAY_US - T0
    await store.write(Rows.of(row(first + n * 7 * HOUR_US, float(n)) for n in range(25)), 1)
    await agree()
    await store.write(rows(row(first + HOUR_US, 0.5, seq=2), row(first + 70 * HOUR_US, -8.0, seq=2)), 2)
    await agree()
    await store.write(Rows(), 3, [Removal(DEVICE, "t", T0 + first + 77 * HOUR_US, 3)])
    await agree()
    await store.expire(DAY0_US - 6 * DAY_US - 5 * HOUR_US)
    await agree()
    assert len(await store.buckets(DEVICE, "t", DAY0_US - 9 * DAY_US, DAY0_US, DAY_US)) in (6, 7)


async def test_an_empty_range_is_empty(store):
    await store.write(rows(row(0)), None)
    for from_us, to_us in ((T0 + 1, T0 + 1), (T0 + 5, T0), (T0 + 1, T0 + 9)):
        assert await store.range(DEVICE, "t", from_us, to_us, 9) == []
        assert await store.buckets(DEVICE, "t", from_us, to_us, HOUR_US) == []
        assert list(await store.scan(from_us, to_us, 9)) == []
        assert await checksum(store, from_us, to_us) == Checksum()


@pytest.mark.parametrize("engine", STORES)
async def test_a_closed_store_says_so(engine, tmp_path, clock):
    store = STORES[engine](tmp_path, clock)
    async with running(store):
        await store.write(rows(row(0)), 4)
    for call in (
        lambda: store.write(rows(row(1)), 5),
        store.cursor,
        lambda: store.latest(DEVICE),
        lambda: store.scan(*EVER, 9),
        lambda: store.expire(T0),
        lambda: store.rejected(9),
    ):
        with pytest.raises(StoreError):
            await call()
