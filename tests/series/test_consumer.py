"""The consumer between the exchange and a store."""

import math
from collections.abc import Sequence

import pytest

from lns import metrics
from lns.exchange.records import Decoded, Failure, Measurement, Stored
from lns.series.consumer import SeriesConsumer
from lns.series.sqlite import SqliteSeries
from lns.series.store import Row
from tests.series.build import T0, Clock, running


def decoded(seq: int, device_id: int, *measurements: Measurement, failure: Failure | None = None) -> Stored:
    return Stored(
        seq,
        "decoded",
        Decoded(
            id=seq.to_bytes(16, "big"),
            uplink_seq=seq - 1,
            device_id=device_id,
            application_id=1,
            dev_eui="a84041000181c061",
            fcnt_up=seq,
            fport=2,
            received_at_us=T0,
            codec_version_id=1,
            data_json=b"{}",
            measurements=measurements,
            failure=failure,
        ),
    )


BATCH: Sequence[Stored] = [
    decoded(4, 1, Measurement("t", T0, 20.5, "C"), Measurement("door", T0, True)),
    decoded(6, 2, failure=Failure("thrown", "boom")),
    decoded(9, 2, Measurement("t", T0 + 1, 21.5, "C"), Measurement("t", T0 + 2, math.nan)),
]
HELD = [Row(1, "t", T0, 20.5, "C", 4), Row(1, "door", T0, True, None, 4), Row(2, "t", T0 + 1, 21.5, "C", 9)]


@pytest.fixture
async def store(tmp_path):
    async with running(SqliteSeries(tmp_path / "series.db", Clock())) as opened:
        yield opened


async def test_a_new_store_starts_before_the_first_record(store):
    consumer = SeriesConsumer(store)
    assert (consumer.name, consumer.topics, await consumer.position()) == ("series.sqlite", {"decoded"}, 0)


async def test_a_batch_becomes_rows_and_the_position_moves_with_them(store):
    consumer = SeriesConsumer(store)
    await consumer.handle(BATCH)
    assert sorted(await store.scan(T0, T0 + 10, 100), key=repr) == sorted(HELD, key=repr)
    assert await consumer.position() == 9


async def test_a_batch_seen_again_changes_nothing(store):
    consumer = SeriesConsumer(store)
    for batch in (BATCH, BATCH, BATCH[:2]):
        await consumer.handle(batch)
    assert sorted(await store.scan(T0, T0 + 10, 100), key=repr) == sorted(HELD, key=repr)
    assert len(await store.rejected(10)) == 1
    assert await consumer.position() == 9


async def test_a_batch_of_failures_moves_the_position(store):
    consumer = SeriesConsumer(store)
    await consumer.handle([decoded(3, 1, failure=Failure("thrown", "boom"))])
    assert await consumer.position() == 3


async def test_stored_and_rejected_are_counted(store):
    stored, rejected = metrics.measurements_stored.values, metrics.measurements_rejected.values
    before = stored.get(("sqlite",), 0), rejected.get(("sqlite", "not_finite"), 0)
    await SeriesConsumer(store).handle(BATCH)
    await SeriesConsumer(store).handle(BATCH[:1])
    assert (stored["sqlite",] - before[0], rejected["sqlite", "not_finite"] - before[1]) == (3, 1)
