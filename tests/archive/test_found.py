"""What a backfill has found is counted by field, by device and by time, in memory that is bounded."""

from lns.archive.found import APART_US, MAX_DEVICES, MAX_RANGES, Found, Gained

HOUR_US = 3_600_000_000


def test_missing_measurements_are_counted_by_field_device_and_range():
    found = Found()
    found.miss([("b", "t", 3), ("a", "t", 1), ("a", "u", 2 + APART_US), ("a", "u", 4 + 3 * APART_US)])
    assert (found.missing, found.rows) == (4, 4)
    assert found.fields == {"t": Gained(2, 1, 3), "u": Gained(2, 2 + APART_US, 4 + 3 * APART_US)}
    assert found.devices == {"a": Gained(3, 1, 4 + 3 * APART_US), "b": Gained(1, 3, 3)}
    late = 4 + 3 * APART_US
    assert found.ranges == [Gained(3, 1, 2 + APART_US), Gained(1, late, late)]


def test_pages_add_up_and_are_not_shared():
    page = Found(uplinks=2, skipped=1, present=3, differing=1, rejected=1, otherwise=1, failed={"exception": 1})
    page.miss([("a", "t", 5)])
    whole = Found()
    whole.add(page)
    whole.add(page)
    assert (whole.uplinks, whole.skipped, whole.present, whole.differing) == (4, 2, 6, 2)
    assert (whole.rejected, whole.otherwise, whole.missing, whole.failed) == (2, 2, 2, {"exception": 2})
    assert whole.fields == {"t": Gained(2, 5, 5)}
    assert page.fields == {"t": Gained(1, 5, 5)}


def test_devices_and_ranges_beyond_the_limit_are_counted_together():
    found = Found()
    found.miss([(f"{n:05}", "t", n * 2 * APART_US) for n in range(MAX_DEVICES + 7)])
    assert (len(found.devices), found.devices[""].count) == (MAX_DEVICES + 1, 7)
    assert (len(found.ranges), sum(one.count for one in found.ranges)) == (MAX_RANGES, MAX_DEVICES + 7)
