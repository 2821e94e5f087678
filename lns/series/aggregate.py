"""Aggregates of points: what the engine's own cannot give where a field holds more than numbers. Pure."""

from collections.abc import Iterable
from itertools import groupby
from math import isfinite

from lns.series.store import Bucket, Point


def aggregate(points: Iterable[Point], width_us: int) -> list[Bucket]:
    """Buckets of points that come in the order of time."""
    return [_bucket(start, list(some)) for start, some in groupby(points, lambda p: p.time_us // width_us * width_us)]


def _bucket(start_us: int, points: list[Point]) -> Bucket:
    numbers = [point.value for point in points if type(point.value) is float]
    first, last = points[0].value, points[-1].value
    if not numbers:
        return Bucket(start_us, len(points), None, None, None, None, first, last)
    total = sum(numbers)
    finite = total if isfinite(total) else None
    avg = None if finite is None else finite / len(numbers)
    return Bucket(start_us, len(points), avg, min(numbers), max(numbers), finite, first, last)
