"""Taking back what a replay has found wrong, and reading what is stored at given moments; for every engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from lns.exchange.records import Replay
from lns.series.consumer import SeriesConsumer, removals_of
from lns.series.store import Removal, Row, Rows, SeriesStore
from tests.series.build import DAY_US, DEVICE, STORES, T0, Clock, row, rows, running
from tests.series.test_consumer import decoded

EVER = (T0 - 30 * DAY_US, T0 + DAY_US)


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SeriesStore]:
    async with running(STORES[request.param](tmp_path, Clock())) as opened:
        yield opened


async def held(store: SeriesStore) -> list[Row]:
    return sorted(await store.scan(*EVER, 1000), key=lambda r: (r.device_id, r.field, r.time_us))


def gone(at: int, field: str = "t", device: int = DEVICE, seq: int = 9) -> Removal:
    return Removal(device, field, T0 + at, seq)


async def test_rows_are_removed_by_device_field_and_time(store):
    others = [row(0, field="u"), row(1), row(0, device=8)]
    await store.write(rows(row(0), *others), None)
    await store.write(Rows(), 4, [gone(0), gone(5), gone(0, "never"), gone(0, device=99)])
    assert (await held(store), await store.cursor()) == ([row(1), row(0, field="u"), row(0, device=8)], 4)


async def test_what_a_later_record_wrote_stays(store):
    await store.write(rows(row(0, 1.0, seq=9), row(1, 1.0, seq=10), row(2, 1.0, seq=8)), None)
    await store.write(rows(row(3, 2.0, seq=12)), None, [gone(0), gone(1), gone(2), gone(3)])
    assert await held(store) == [row(0, 1.0, seq=9), row(1, 1.0, seq=10), row(3, 2.0, seq=12)]


async def test_a_field_without_rows_is_listed_no_more_and_comes_back_with_a_new_one(store):
    await store.write(rows(row(0), row(-2 * DAY_US), row(0, field="u")), None)
    await store.write(Rows(), None, [gone(0)])
    assert await store.fields(DEVICE) == ["t", "u"]
    newest = {info.field: info.last_at_us for info in await store.latest(DEVICE)}
    assert newest == {"t": T0 - 2 * DAY_US, "u": T0}
    await store.write(Rows(), None, [gone(-2 * DAY_US)])
    assert await store.fields(DEVICE) == ["u"]
    await store.write(rows(row(3, 5.0, seq=20)), None)
    assert await store.fields(DEVICE) == ["t", "u"]


async def test_all_that_is_stored_at_given_moments_is_read_at_once(store):
    wanted = [row(0), row(0, "x", field="u", unit=None), row(5, True, device=8)]
    await store.write(rows(*wanted, row(1), row(0, device=8)), None)
    found = list(await store.at([(DEVICE, T0), (8, T0 + 5), (DEVICE, T0 + 77), (99, T0)]))
    assert sorted(found, key=repr) == sorted(wanted, key=repr)
    assert list(await store.at([])) == []


async def test_the_consumer_hands_on_what_a_replay_removes(store):
    await store.write(rows(row(0, device=1), row(1, device=1)), None)
    replay = Replay("job", outlets=False, removed=(("t", T0),))
    correction = decoded(4, 1)
    correction = msgspec.structs.replace(correction, record=msgspec.structs.replace(correction.record, replay=replay))
    assert removals_of([decoded(3, 1), correction]) == [Removal(1, "t", T0, 4)]
    await SeriesConsumer(store).handle([correction])
    assert (await held(store), await store.cursor()) == ([row(1, device=1)], 4)
