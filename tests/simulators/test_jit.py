"""The transmission queue refuses what the Semtech forwarder refuses (margins of sx1302_hal)."""

import pytest

from simulators.jit import GUARD_US, MAX_LEAD_US, MAX_QUEUED, MIN_LEAD_US, JitQueue

AIRTIME_US = 50_000


@pytest.mark.parametrize(
    ("lead_us", "error"),
    [
        (0, "TOO_LATE"),
        (MIN_LEAD_US, "TOO_LATE"),
        (MIN_LEAD_US + 1, None),
        (1_000_000, None),
        (MAX_LEAD_US, None),
        (MAX_LEAD_US + 1, "TOO_EARLY"),
        (-1 & 0xFFFF_FFFF, "TOO_EARLY"),  # just past: the forwarder's difference is unsigned
    ],
)
def test_lead_time(lead_us, error):
    assert JitQueue().offer(5_000_000, 5_000_000 + lead_us, AIRTIME_US) == error


@pytest.mark.parametrize(
    ("shift_us", "error"),
    [
        (0, "COLLISION_PACKET"),
        (AIRTIME_US + GUARD_US - 1, "COLLISION_PACKET"),
        (AIRTIME_US + GUARD_US, None),
        (-AIRTIME_US - GUARD_US + 1, "COLLISION_PACKET"),
        (-AIRTIME_US - GUARD_US, None),
    ],
)
def test_transmissions_do_not_overlap(shift_us, error):
    queue = JitQueue()
    assert queue.offer(0, 1_000_000, AIRTIME_US) is None
    assert queue.offer(0, 1_000_000 + shift_us, AIRTIME_US) == error


def test_a_full_queue_is_a_collision_until_something_has_been_sent():
    queue = JitQueue()
    starts = [1_000_000 + n * 100_000 for n in range(MAX_QUEUED + 1)]
    assert [queue.offer(0, start, AIRTIME_US) for start in starts] == [None] * MAX_QUEUED + ["COLLISION_PACKET"]
    assert queue.offer(starts[0] + AIRTIME_US, starts[-1], AIRTIME_US) is None


@pytest.mark.parametrize(("transmitters", "accepted"), [(1, 1), (2, 2), (0, 100)])
def test_more_transmitters_send_more_at_a_time(transmitters, accepted):
    queue = JitQueue(transmitters)
    assert [queue.offer(0, 1_000_000, AIRTIME_US) for _ in range(100)].count(None) == accepted
