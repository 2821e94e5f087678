"""The checksum of a slice is one of its rows: the same on every store, and another one for any other rows."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import msgspec
import pytest

from lns.series import checksum as module
from lns.series.checksum import Checksum, checksum, checksums
from lns.series.sqlite import SqliteSeries
from lns.series.store import Removal, Row, Rows, SeriesStore
from tests.series.build import DAY_US, DEVICE, STORES, T0, Clock, row, rows, running

EVER = (T0 - DAY_US, T0 + DAY_US)
HOUR_US = 3_600_000_000

ROWS = [
    row(0, 21.5),
    row(1, -0.0),
    row(1, 5, field="u", unit=None),
    row(2, True),
    row(3, False, unit=""),
    row(3, "", field="°C"),
    row(4, "offen ✓", field="u", unit="°C"),
    row(HOUR_US, 1e-300, device=8, seq=4),
    row(-HOUR_US, 0.1 + 0.2, device=2**31 - 1),
]
# Worked out once: a store that gives another one holds other rows, and an algorithm that does is another algorithm.
EXPECTED = Checksum(9, 4504499930392335234, 18423511421907400602)


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SeriesStore]:
    async with running(STORES[request.param](tmp_path, Clock())) as opened:
        yield opened


async def of(*items: Row) -> Checksum:
    """Of these rows in a store of their own."""
    async with running(SqliteSeries(None, Clock())) as store:
        await store.write(Rows.of(items), None)
        return await checksum(store, *EVER)


@pytest.mark.parametrize("order", [1, 2])
async def test_every_store_gives_the_same_in_whatever_order_the_rows_came(store, order, monkeypatch):
    monkeypatch.setattr(module, "_PAGE_ROWS", order * 2)
    mixed = Random(order).sample(ROWS, len(ROWS))
    await store.write(Rows.of(mixed[:4]), 1)
    await store.write(Rows.of(mixed[4:]), 2)
    assert await checksum(store, *EVER) == EXPECTED


async def test_a_changed_a_missing_and_a_moved_row_are_each_seen_in_their_bucket(store):
    await store.write(Rows.of(ROWS), None)
    before = await checksums(store, *EVER, HOUR_US)
    seen = [before]
    await store.write(rows(row(2, False, seq=9)), None)
    seen.append(await checksums(store, *EVER, HOUR_US))
    await store.write(Rows(), None, [Removal(8, "t", T0 + HOUR_US, 9)])
    seen.append(await checksums(store, *EVER, HOUR_US))
    await store.write(rows(row(0, 21.5, field="moved", seq=9)), None, [Removal(DEVICE, "t", T0, 10)])
    seen.append(await checksums(store, *EVER, HOUR_US))
    hours = [start // HOUR_US * HOUR_US for start in (T0 - HOUR_US, T0, T0 + HOUR_US)]
    assert [list(found) for found in seen] == [hours, hours, hours[:2], hours[:2]]
    assert len({found[hours[1]] for found in seen}) == 3  # changed and moved
    assert len({found[hours[0]] for found in seen}) == 1


async def test_buckets_add_up_to_the_whole(store):
    await store.write(Rows.of(ROWS), None)
    parts = await checksums(store, T0, T0 + DAY_US, HOUR_US)
    assert sum(parts.values(), Checksum()) == await checksum(store, T0, T0 + DAY_US)
    assert await checksum(store, T0 + DAY_US, T0 + 2 * DAY_US) == Checksum()


async def test_what_a_later_record_wrote_can_be_left_out(store):
    await store.write(Rows.of(ROWS[:5]), None)
    before = await checksum(store, *EVER)
    await store.write(Rows.of(msgspec.structs.replace(r, seq=7) for r in ROWS[5:]), None)
    assert await checksum(store, *EVER, seq_le=6) == before
    assert (await checksum(store, *EVER, seq_le=7)) == EXPECTED
    assert sum((await checksums(store, *EVER, HOUR_US, seq_le=6)).values(), Checksum()) == before


DIFFERENT = {
    "value": row(0, 21.500000000000004),
    "device": row(0, 21.5, device=8),
    "field": row(0, 21.5, field="u"),
    "time": row(1, 21.5),
    "unit": row(0, 21.5, unit="K"),
    "no unit": row(0, 21.5, unit=None),
    "field and unit run together": row(0, 21.5, field="tC", unit=""),
    "type": row(0, "21.5"),
}


@pytest.mark.parametrize("what", DIFFERENT)
async def test_a_row_that_differs_in_anything_has_another_checksum(what):
    assert await of(DIFFERENT[what]) != await of(row(0, 21.5))


@pytest.mark.parametrize(
    ("one", "other"),
    [(1.0, True), (0.0, False), (1.0, "1.0"), (True, "\1"), ("", False)],
)
async def test_values_of_two_types_are_two_values(one, other):
    assert await of(row(0, one)) != await of(row(0, other))


@pytest.mark.parametrize(
    "same", [(row(0, 5), row(0, 5.0)), (row(0, -0.0), row(0, 0.0)), (row(0, 1.0, seq=3), row(0, 1.0, seq=4))]
)
async def test_what_no_store_tells_apart_counts_as_the_same(same):
    assert await of(same[0]) == await of(same[1])


async def test_swapped_values_and_equal_rows_do_not_cancel_out():
    swapped = await of(row(0, 1.0), row(1, 2.0))
    assert swapped != await of(row(0, 2.0), row(1, 1.0))
    assert await of() == Checksum()
    assert (await of(row(0, 1.0), row(0, 1.0, field="u"))).xor != 0


async def test_too_many_buckets_are_refused():
    async with running(SqliteSeries(None, Clock())) as store:
        with pytest.raises(ValueError, match=r"^the range has 2000000 buckets, at most 1000000 fit$"):
            await checksums(store, 0, 2_000_000, 1)
