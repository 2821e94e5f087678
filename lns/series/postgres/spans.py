"""Arithmetic on spans of time, [from, to) in microseconds. Pure."""

from collections.abc import Iterable

Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same times as the fewest spans, in order; empty ones are left out."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def widened(spans: Iterable[Span], width: int) -> list[Span]:
    """The whole multiples of a width that the spans touch."""
    return merged((start // width * width, -(-end // width) * width) for start, end in spans)


def within(spans: Iterable[Span], first: int, last: int) -> list[Span]:
    """What of the spans lies between two times."""
    return merged((max(start, first), min(end, last)) for start, end in spans)


def without(span: Span, gone: Iterable[Span]) -> list[Span]:
    """What is left of a span."""
    found = []
    start, end = span
    for gone_from, gone_to in merged(gone):
        if gone_from > start:
            found.append((start, min(gone_from, end)))
        start = max(start, gone_to)
    return merged([*found, (start, end)])
