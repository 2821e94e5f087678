"""What changes in a store: pure."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.change import Rule
from lns.decoding.corrections import Change, Difference, FieldCount, Report, correct
from lns.exchange.records import Measurement

AT = 1_700_000_000_000_000


def always(_sample, _is_held):
    return True


@pytest.mark.parametrize(
    ("samples", "held", "former", "written", "removed"),
    [
        ([("t", 1.0, None, None)], {}, [], [Measurement("t", AT, 1.0)], []),
        ([("t", 1.0, None, None)], {AT: {"t": (1.0, None)}}, [], [], []),
        ([("t", 1.0, "K", None)], {AT: {"t": (1.0, None)}}, [], [Measurement("t", AT, 1.0, "K")], []),
        ([("t", 1.0, None, None)], {AT: {"t": (True, None)}}, [], [Measurement("t", AT, 1.0)], []),
        ([("t", 1.0, None, AT - 5)], {AT: {"t": (1.0, None)}}, [], [Measurement("t", AT - 5, 1.0)], []),
        ([], {AT: {"t": (1.0, None)}}, [], [], []),
        ([], {AT: {"t": (1.0, None)}}, [("t", AT)], [], [("t", AT)]),
        ([("t", 1.0, None, None)], {AT: {"t": (1.0, None)}}, [("t", AT)], [], []),
        ([], {}, [("t", AT)], [], []),  # gone already
    ],
)
def test_only_what_differs_is_written_or_removed(samples, held, former, written, removed):
    found = correct(samples, held, AT, former, always)
    assert (found.measurements, found.removed) == (written, removed)
    assert len(found.differences) == len(written) + len(removed)
    again = correct(samples, held, AT, former, always)
    assert (again.measurements, again.removed, again.differences) == ([], [], [])


FIELDS = st.sampled_from(["a", "b", "c"])
VALUES = st.floats(0, 3).map(round).map(float) | st.booleans()
UPLINKS = st.lists(st.dictionaries(FIELDS, VALUES), min_size=1, max_size=8)
RULES = {"a": Rule(deadband_abs=2.0, heartbeat_s=0), "b": Rule(heartbeat_s=3.0)}


@given(UPLINKS, UPLINKS)
def test_correcting_twice_changes_nothing_and_leaves_no_wrong_value(old, new):
    held = {}
    for samples in (old, new):
        run(samples, held)
    before = {time: dict(fields) for time, fields in held.items()}
    assert run(new, held) == 0
    assert held == before
    for n, values in enumerate(new):
        for field, (value, _) in held.get(AT + n * 1_000_000, {}).items():
            assert (type(values[field]), values[field]) == (type(value), value)
        assert "c" not in values or "c" in held[AT + n * 1_000_000]  # a field without a rule is kept whole


def run(uplinks, held) -> int:
    change, differences = Change(), 0
    change.seed(1, [])
    for n, values in enumerate(uplinks):
        at_us = AT + n * 1_000_000

        def keeps(sample, is_held, at_us=at_us):
            if is_held:
                change.stored(1, sample, at_us)
                return True
            return change.keeps(1, RULES, sample, at_us)

        former = [(field, at_us) for field in held.get(at_us, {})]
        samples = [(field, value, None, None) for field, value in values.items()]
        differences += len(correct(samples, held, at_us, former, keeps).differences)
    return differences


def test_what_is_stored_before_counts_for_store_on_change():
    change = Change()
    assert change.is_new(1)
    change.seed(1, [("a", 1.0, AT - 10), ("a", 5.0, AT - 5)])
    assert not change.is_new(1)
    assert not change.keeps(1, RULES, ("a", 6.0, None, None), AT)
    assert change.keeps(1, RULES, ("a", 7.0, None, None), AT)


def test_a_report_counts_by_field_and_its_copy_goes_its_own_way():
    report = Report()
    for before, after in ((None, 1.0), (1.0, 2.0), (2.0, None)):
        report.count(Difference("t", AT, before, after))
    report.fail("timeout")
    copy = report.copy()
    assert copy == report
    copy.fail("timeout")
    copy.count(Difference("t", AT, None, 1.0))
    assert report.fields == {"t": FieldCount(1, 1, 1)}
    assert (report.failed, copy.failed) == ({"timeout": 1}, {"timeout": 2})
    assert (report.added, report.changed, report.removed) == (1, 1, 1)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
