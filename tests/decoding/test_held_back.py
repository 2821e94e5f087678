"""Counts of what was held back."""

from decoders.change import Reason
from lns import metrics
from lns.decoding.held_back import HeldBack

NOTHING = {reason.slug: 0 for reason in Reason}


def test_counts_are_by_device_and_reason_and_go_on_in_the_metrics():
    before = dict(metrics.measurements_suppressed.values)
    counts = HeldBack()
    counts.add(1, (2, 1))
    counts.add(1, [0, 1, 3, 0, 5])
    counts.add(2, (0, 1))
    counts.tell()
    assert counts.of(1) == {**NOTHING, "unchanged": 2, "dead_band": 2, "min_interval": 3, "device_max_per_hour": 5}
    assert counts.of(2) == {**NOTHING, "dead_band": 1}
    assert counts.of(3) == NOTHING
    grown = {key[0]: n - before.get(key, 0) for key, n in metrics.measurements_suppressed.values.items()}
    assert {slug: n for slug, n in grown.items() if n} == {
        "unchanged": 2,
        "dead_band": 3,
        "min_interval": 3,
        "device_max_per_hour": 5,
    }
    counts.forget(1)
    assert counts.of(1) == NOTHING
