"""Rows as documents and back."""

import math

import pytest

from lns.series.mongo.documents import Document, after, decode, encode, ends, int64, newest, point, unfit
from lns.series.store import Key, Point, Rejected, Row
from tests.series.build import DEVICE, T0, row, rows

FAR = 2**63


def one(single: Row) -> Document:
    [document] = encode(rows(single), [0])
    return document


def test_a_document_has_its_key_as_id():
    assert one(row(0, 21.5)) == {"_id": {"d": DEVICE, "t": T0, "f": "t"}, "v": 21.5, "u": "C", "s": 1}


def test_only_the_rows_asked_for_become_documents():
    table = rows(row(0), row(1), row(2, unit=None))
    assert encode(table, [2, 1]) == [one(row(2, unit=None)), one(row(1))]


def test_a_row_without_a_unit_has_no_unit_in_its_document():
    assert one(row(0, unit=None)).keys() == {"_id", "v", "s"}


@pytest.mark.parametrize("value", [21.5, True, False, "open", ""])
@pytest.mark.parametrize("unit", [None, "C"])
def test_a_row_comes_back(value, unit):
    assert decode(one(row(3, value, unit=unit, seq=9))) == row(3, value, unit=unit, seq=9)
    assert point(one(row(3, value, unit=unit))) == Point(T0 + 3, value, unit)


def test_numbers_are_floats_and_zero_has_no_sign():
    assert [type(one(row(0, value))["v"]) for value in (3, 3.0, True)] == [float, float, bool]
    assert math.copysign(1, one(row(0, -0.0))["v"]) == 1


def test_the_key_of_a_document_is_in_the_order_of_device_time_and_field():
    assert list(one(row(0))["_id"]) == ["d", "t", "f"]


def test_of_one_key_the_highest_seq_is_sent_and_the_first_of_equals():
    table = rows(row(0, seq=1), row(1, seq=5), row(0, seq=3), row(0, 2.0, seq=3), row(0, field="u", seq=1))
    assert newest(table, range(5)) == [2, 1, 4]
    assert newest(table, [0, 3]) == [3]


def test_integers_that_bson_cannot_hold_are_rejected():
    table = rows(row(0), row(0, device=FAR), row(0, seq=FAR), row(0, device=-FAR))
    assert unfit(table, range(4)) == [
        Rejected(1, "constraint", f"device id is {FAR}, at most {FAR - 1} fits"),
        Rejected(2, "constraint", f"seq is {FAR}, at most {FAR - 1} fits"),
    ]
    assert unfit(table, [0, 3]) == []


def test_a_bound_beyond_64_bits_is_the_nearest_that_fits():
    assert [int64(n) for n in (-FAR - 1, 5, FAR)] == [-FAR, 5, FAR - 1]
    assert ends(1, -FAR * 2, FAR * 2) == {"$gte": {"d": 1, "t": -FAR}, "$lt": {"d": 1, "t": FAR - 1}}


def test_a_page_begins_after_its_key_but_not_before_its_range():
    assert after(Key(1, "t", 7), 5, 9) == {"$gt": {"d": 1, "t": 7, "f": "t"}, "$lt": {"d": 1, "t": 9}}
    assert after(Key(1, "t", 4), 5, 9) == {"$gte": {"d": 1, "t": 5}, "$lt": {"d": 1, "t": 9}}
