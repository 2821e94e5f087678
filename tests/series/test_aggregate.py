"""Aggregates of points."""

from lns.series.aggregate import aggregate
from lns.series.store import Bucket, Point


def test_numbers_are_aggregated_and_the_rest_is_counted():
    points = [Point(1, "warm", None), Point(3, 4.0, None), Point(9, 6.0, None), Point(10, True, None)]
    assert aggregate(points, 10) == [
        Bucket(0, 3, 5.0, 4.0, 6.0, 10.0, "warm", 6.0),
        Bucket(10, 1, None, None, None, None, True, True),
    ]


def test_a_sum_that_overflows_is_none():
    [bucket] = aggregate([Point(0, 1.7e308, None), Point(1, 1.7e308, None)], 10)
    assert (bucket.sum, bucket.avg, bucket.max) == (None, None, 1.7e308)
