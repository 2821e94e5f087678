"""Link measurements that a store lacks are those that store-on-change had kept."""

import pytest

from lns.archive.link_rows import LinkRows
from lns.config import Measurements as MeasurementsConfig
from lns.decoding.corrections import Report
from lns.decoding.page import Selection
from lns.series.store import Removal, Rows
from tests.archive.test_backfill import heard, rows_of, values
from tests.decoding.build import MINUTE_US, T0, scene

ALL = Selection(None, frozenset(), None, None)


@pytest.mark.parametrize("rules", [{}, {"link.rssi": {"max_per_hour": 4}, "link.snr": {"min_interval_s": 600}}])
async def test_what_was_kept_comes_back_however_often_a_page_is_read(tmp_path, rules):
    async with scene(tmp_path, MeasurementsConfig(link=True), rules=rules) as s:
        await s.put(*(heard(n, 1 + n % 2, b"") for n in range(1, 61)))  # no payload: nothing but link measurements
        await s.decoded(60)
        await s.rows()
        before = await rows_of(s.series)
        gone = [row for row in before if row.time_us >= T0 + 20 * MINUTE_US]
        await s.series.write(Rows(), None, [Removal(r.device_id, r.field, r.time_us, 10**9) for r in gone])
        stored = (await s.exchange.read(0, frozenset({"uplink"}), 100))[0]
        link_rows, report, found = LinkRows(s.parts.codecs, s.series, ALL), Report(), []
        for page in (stored[:25], stored[25:]):
            await link_rows.read(page)  # as if what follows had failed
            rows = link_rows.rows(await link_rows.read(page), [], report)
            await s.series.write(Rows.of(rows), None)
            found += rows
        assert values(sorted(found, key=lambda r: (r.device_id, r.field, r.time_us))) == values(gone)
        assert (report.added, report.changed, report.removed) == (len(gone), 0, 0)
        assert {row.seq for row in found} <= {one.seq for one in stored}


async def test_a_job_that_begins_later_builds_on_what_is_stored(tmp_path):
    async with scene(tmp_path, MeasurementsConfig(link=True)) as s:
        await s.put(*(heard(n, 1, b"") for n in range(1, 41)))
        await s.decoded(40)
        await s.rows()
        stored = (await s.exchange.read(0, frozenset({"uplink"}), 100))[0]
        since = LinkRows(s.parts.codecs, s.series, Selection(None, frozenset(), T0 + 20 * MINUTE_US, None))
        heard_now = await since.read(stored)
        assert len(heard_now.uplinks) == 21
        assert since.rows(heard_now, [], Report()) == []
