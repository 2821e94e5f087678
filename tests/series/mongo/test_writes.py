"""What is sent of a batch, and whose fault it is that a part of it was refused."""

import math

import pytest

pytest.importorskip("pymongo", reason="the mongodb store needs: pip install 'inflight-lns[mongo]'")

from pymongo.errors import BulkWriteError

from lns.series.mongo.writes import prepare, write_errors
from lns.series.store import Rejected
from tests.series.build import T0, row, rows

# As MongoDB 7 answers: mongodb.com/docs/manual/core/schema-validation/handle-invalid-documents.
INVALID = {"index": 1, "code": 121, "errmsg": "Document failed validation", "errInfo": {"failingDocumentId": 1}}
DUPLICATE = {
    "index": 0,
    "code": 11000,
    "errmsg": "E11000 duplicate key error collection: inflight.measurements index: _id_ dup key: { _id: 1 }",
    "keyPattern": {"_id": 1},
    "keyValue": {"_id": 1},
}
NOT_PRIMARY = {"index": 2, "code": 10107, "errmsg": "not primary"}
NOT_SPREAD = {"code": 64, "errmsg": "waiting for replication timed out", "errInfo": {"wtimeout": True}}


def failure(*errors: dict[str, object], concern: dict[str, object] | None = None) -> BulkWriteError:
    return BulkWriteError({"writeErrors": list(errors), "writeConcernErrors": [concern] if concern else []})


def test_bad_rows_and_all_but_the_newest_of_a_key_are_not_sent():
    batch = prepare(rows(row(0, 1.0, seq=1), row(1, math.nan), row(0, 2.0, seq=2), row(2, seq=2**63)), T0)
    assert batch.indexes == [2]
    assert [document["v"] for document in batch.documents] == [2.0]
    assert batch.good == 2
    assert batch.rejected == [
        Rejected(1, "not_finite", "value is not a finite float64"),
        Rejected(3, "constraint", f"seq is {2**63}, at most {2**63 - 1} fits"),
    ]


def test_known_keys_and_refused_rows_are_told_apart():
    assert write_errors(failure(DUPLICATE, INVALID)) == [
        (0, 11000, DUPLICATE["errmsg"]),
        (1, 121, "Document failed validation"),
    ]


@pytest.mark.parametrize("error", [failure(DUPLICATE, NOT_PRIMARY), failure(DUPLICATE, concern=NOT_SPREAD)])
def test_what_is_the_engines_fault_is_no_rows_fault(error):
    with pytest.raises(BulkWriteError) as raised:
        write_errors(error)
    assert raised.value is error
