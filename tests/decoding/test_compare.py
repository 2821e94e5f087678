"""Two readings of an uplink side by side."""

import msgspec
import pytest

from decoders.contract import Error
from lns.decoding.compare import MAX_SAMPLES, Comparison, Reading
from tests.decoding.build import one

AT = one(1).received_at_us
FAILED = Reading(error=Error("exception", "no"))


@pytest.mark.parametrize(
    ("before", "after", "counts", "shown"),
    [
        # same, added, lost, changed
        ([("t", 1.0, "°C", None)], [("t", 1.0, "°C", None)], (1, 0, 0, 0), None),
        ([("t", 1.0, None, None)], [("t", 1.0, None, AT)], (1, 0, 0, 0), None),  # the uplink's time, named or not
        ([("t", 1.0, None, None)], [("t", 2.0, None, None)], (0, 0, 0, 1), (1.0, 2.0)),
        ([("t", 1.0, None, None)], [("t", True, None, None)], (0, 0, 0, 1), (1.0, True)),
        ([("t", 1.0, "°C", None)], [("t", 1.0, None, None)], (0, 0, 0, 1), ("1 °C", "1")),
        ([("t", 1.0, None, None)], [], (0, 0, 1, 0), (1.0, None)),
        ([], [("t", "x", "u", None)], (0, 1, 0, 0), (None, "x")),
        ([("t", 1.0, None, AT + 1)], [("t", 1.0, None, None)], (0, 1, 1, 0), (1.0, None)),  # another time
    ],
)
def test_a_field_is_the_same_added_lost_or_changed(before, after, counts, shown):
    found = Comparison()
    found.add(1, one(1), Reading(before), Reading(after))
    field = found.fields["t"]
    assert (field.same, field.added, field.lost, field.changed) == counts
    assert [(s.before, s.after) for s in field.samples[:1]] == ([shown] if shown else [])
    assert (found.same, found.different) == ((1, 0) if shown is None else (0, 1))


def test_failures_are_new_fixed_or_still_there():
    found = Comparison()
    for before, after in ((Reading(), FAILED), (FAILED, Reading()), (FAILED, FAILED), (Reading(), Reading())):
        found.add(1, one(1), before, after)
    kinds = (found.new_failures, found.fixed_failures, found.still_failing)
    assert [kind.count for kind in kinds] == [1, 1, 1]
    assert (found.uplinks, found.same, found.fields) == (4, 1, {})


def test_samples_are_few_and_durations_are_means():
    found = Comparison()
    for n in range(1, 31):
        found.add(
            n, one(n), Reading([("t", 1.0, None, None)], None, 10), Reading([("t", float(n + 1), None, None)], None, n)
        )
    field = found.fields["t"]
    assert (field.changed, len(field.samples)) == (30, MAX_SAMPLES)
    assert (found.before_us, found.after_us) == pytest.approx((10.0, 15.5))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found
