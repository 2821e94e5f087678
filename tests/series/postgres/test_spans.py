"""Spans of time behave as the sets of moments they stand for."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lns.series.postgres.spans import Span, merged, widened, within, without

SPAN = st.tuples(st.integers(-20, 20), st.integers(-20, 20))
SPANS = st.lists(SPAN, max_size=6)


def moments(spans: list[Span]) -> set[int]:
    return {moment for start, end in spans for moment in range(start, end)}


def fewest(spans: list[Span]) -> bool:
    return all(a < b for a, b in spans) and all(a[1] < b[0] for a, b in pairwise(spans))


@settings(deadline=None)
@given(SPANS)
def test_merging_keeps_the_moments_in_the_fewest_spans(spans):
    assert moments(merged(spans)) == moments(spans)
    assert fewest(merged(spans))


@settings(deadline=None)
@given(SPANS, st.integers(1, 7))
def test_widening_takes_in_whole_multiples(spans, width):
    touched = {moment // width for moment in moments(spans)}
    assert moments(widened(merged(spans), width)) == {number * width + n for number in touched for n in range(width)}


@settings(deadline=None)
@given(SPANS, SPAN)
def test_within_and_without_part_the_moments(spans, span):
    inside = set(range(*span))
    assert moments(within(spans, *span)) == moments(spans) & inside
    assert moments(without(span, spans)) == inside - moments(spans)
    assert fewest(within(spans, *span))
    assert fewest(without(span, spans))
