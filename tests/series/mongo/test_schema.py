"""What `open` makes, what it leaves alone, and what it refuses."""

import pytest

pytest.importorskip("pymongo", reason="the mongodb store needs: pip install 'inflight-lns[mongo]'")

from pymongo import AsyncMongoClient

from lns.config.stores import Mongo
from lns.errors import StoreError
from lns.series.mongo.store import MongoSeries
from tests.mongo import shared_server
from tests.series.build import DAY_US, DEVICE, T0, Clock, row, rows, running
from tests.series.mongo.own import OwnDatabase

EVER = (T0 - DAY_US, T0 + DAY_US)
SETUP = """\
db.getCollection("measurements").createIndex({"_id.d": 1, "_id.f": 1, "_id.t": 1}, {name: "series"});
db.getCollection("measurements_rejected").createIndex({"digest": 1}, {name: "digest", unique: true});
db.getCollection("measurements_rejected").createIndex({"state": 1, "_id": 1}, {name: "state"});
"""


def again(first: OwnDatabase) -> MongoSeries:
    return MongoSeries(Mongo(url=first.url, database=first.database), Clock(), {})


async def test_the_setup_is_shown_until_it_is_done():
    store = OwnDatabase(shared_server().url, Clock())
    assert await store.setup_sql() == SETUP
    async with running(store):
        assert await store.setup_sql() == ""


async def test_opening_makes_missing_indexes_and_keeps_the_data():
    first = OwnDatabase(shared_server().url, Clock())
    async with running(first):
        await first.write(rows(row(0)), 5)
        async with AsyncMongoClient(first.url) as client:
            await client[first.database]["measurements"].drop_index("series")
        assert await first.setup_sql() == SETUP.splitlines(keepends=True)[0]
        async with running(again(first)) as second:
            assert await second.setup_sql() == ""
            assert (list(await second.scan(*EVER, 9)), await second.cursor()) == ([row(0)], 5)


async def test_documents_of_a_newer_version_are_left_alone():
    first = OwnDatabase(shared_server().url, Clock())
    async with running(first):
        async with AsyncMongoClient(first.url) as client:
            await client[first.database]["measurements_state"].update_one({"_id": "schema"}, {"$set": {"version": 2}})
        where = first.url.removeprefix("mongodb://") + "/" + first.database
        with pytest.raises(StoreError) as raised:
            await again(first).open()
    assert str(raised.value) == (
        f"the collections at {where} were written by a newer version (schema 2, this version knows up to 1): "
        "start the newer version, or restore a backup from before the upgrade"
    )


async def test_what_is_stored_is_what_the_manual_says():
    store = OwnDatabase(shared_server().url, Clock(), collection="values")
    async with running(store):
        await store.write(rows(row(0, 21.5, seq=3), row(0, "open", field="door", unit=None, seq=3)), 3)
        async with AsyncMongoClient(store.url) as client:
            database = client[store.database]
            found = await database["values"].find().sort("_id", 1).to_list()
            position = await database["values_state"].find_one({"_id": "position"})
    assert found == [
        {"_id": {"d": DEVICE, "t": T0, "f": "door"}, "v": "open", "s": 3},
        {"_id": {"d": DEVICE, "t": T0, "f": "t"}, "v": 21.5, "s": 3, "u": "C"},
    ]
    assert position == {"_id": "position", "seq": 3}
