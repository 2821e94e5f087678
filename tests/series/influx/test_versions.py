"""Refusals as the three versions word them; the texts are those of their documentation or, of version 1.6, seen."""

import pytest

from lns.config.stores import Influx
from lns.series.influx.versions import Fault, authorization, fault, write_params

LINES = ["m a=1 1", "m a=x 2", "m a=3 3"]

TYPE_CONFLICT = (
    b'{"error":"partial write: field type conflict: input field \\"a\\" on measurement \\"m\\" is type float, '
    b'already exists as type string dropped=1"}'
)
UNPARSED = b'{"error":"partial write: unable to parse \'m a=x 2\': invalid boolean dropped=0"}'
UNPARSED_2 = b'{"code":"invalid","message":"unable to parse \'m a=x 2\': invalid boolean"}'
BEYOND_2 = (
    b'{"code":"unprocessable entity","message":"failure writing points to database: partial write: '
    b'points beyond retention policy dropped=1"}'
)
PARTIAL_3 = (
    b'{"error":"partial write of line protocol occurred","data":'
    b'[{"original_line":"m a=x 2","line_number":2,"error_message":"invalid column type"}]}'
)


def test_a_type_conflict_counts_points_and_does_not_name_them():
    found = fault(400, TYPE_CONFLICT, LINES)
    assert (found.named, found.rest_stored) == ({}, False)


def test_points_that_are_all_dropped_need_not_be_named():
    found = fault(400, TYPE_CONFLICT, LINES[:1])
    assert list(found.named) == [0]


@pytest.mark.parametrize(
    ("status", "body", "named", "rest_stored"),
    [
        (400, UNPARSED, {1: "invalid boolean"}, True),
        (400, UNPARSED_2, {1: "invalid boolean"}, False),  # version 2 stores nothing then
        (422, BEYOND_2, {}, False),
        (400, PARTIAL_3, {1: "invalid column type"}, True),
    ],
)
def test_the_point_that_an_answer_names_is_found(status, body, named, rest_stored):
    found = fault(status, body, LINES)
    assert isinstance(found, Fault)
    assert (found.named, found.rest_stored) == (named, rest_stored)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b'{"error":"database not found: \\"x\\""}'),
        (401, b'{"code":"unauthorized","message":"unauthorized access"}'),
        (413, b'{"error":"Request Entity Too Large"}'),
        (400, b'{"error":"partial write: max-series-per-database limit exceeded: (1000000) dropped=1"}'),
        (503, b"<html>"),
    ],
)
def test_what_is_no_points_fault_is_none(status, body):
    assert fault(status, body, LINES) is None


def test_each_version_names_database_and_precision_in_its_way():
    found = [write_params(Influx(version=version, database="d", org="o")) for version in (1, 2, 3)]
    assert found == [
        {"db": "d", "precision": "u"},
        {"bucket": "d", "precision": "us", "org": "o"},
        {"db": "d", "precision": "microsecond"},
    ]


def test_each_version_logs_in_in_its_way():
    found = [authorization(Influx(version=version, username="u"), "s") for version in (1, 2, 3)]
    assert found == [{"Authorization": "Basic dTpz"}, {"Authorization": "Token s"}, {"Authorization": "Bearer s"}]
    assert authorization(Influx(), "") == {}
