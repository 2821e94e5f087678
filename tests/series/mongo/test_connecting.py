"""What a person is told when MongoDB cannot be used, and the secrets they are not told."""

import pytest

pytest.importorskip("pymongo", reason="the mongodb store needs: pip install 'inflight-lns[mongo]'")

from pymongo.errors import BulkWriteError, NetworkTimeout, OperationFailure

from lns.config.stores import Mongo
from lns.errors import StoreError
from lns.series.mongo.connecting import place, sentence
from lns.series.mongo.store import MongoSeries
from tests.mongo import shared_server
from tests.process import free_port
from tests.series.build import Clock, rows
from tests.series.mongo.leaks import LEAKS_A_SOCKET, collected_here
from tests.series.mongo.test_writes import NOT_SPREAD

__all__ = ["collected_here"]

pytestmark = LEAKS_A_SOCKET


def store(url: str, environ: dict[str, str] | None = None, **changes: object) -> MongoSeries:
    return MongoSeries(Mongo(**{"url": url, "timeout_s": 1.0, **changes}), Clock(), environ or {})


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mongodb://127.0.0.1:27017", "127.0.0.1:27017"),
        ("mongodb://user:se@cret@a:1,b:2/other?replicaSet=rs0", "a:1,b:2"),
        ("mongodb+srv://user:secret@cluster.example.com", "cluster.example.com"),
        ("nonsense", ""),
    ],
)
def test_a_place_is_named_without_user_and_password(url, told):
    assert place(url) == told


async def test_a_server_that_is_not_there_is_named():
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(StoreError, match=rf"^mongodb at {address}/inflight cannot be reached: .+"):
        await store(f"mongodb://user:secret@{address}").open()


async def test_a_connection_string_that_is_none_is_said_to_be_none():
    with pytest.raises(StoreError, match=r"^mongodb\.url cannot be used: Invalid URI scheme"):
        await store("http://127.0.0.1").open()


async def test_a_secret_that_is_not_set_is_named():
    with pytest.raises(StoreError, match=r"^mongodb\.secret_env names the environment variable DB_WORD, which"):
        await store("mongodb://user@127.0.0.1", secret_env="DB_WORD").open()


async def test_the_password_comes_from_the_environment():
    url = shared_server().url.replace("//", "//user@")  # a server without users, which refuses every login
    with pytest.raises(StoreError, match=r"^mongodb at 127.0.0.1:\d+/inflight refuses: .*\(\d+\)$") as raised:
        await store(url, {"DB_WORD": "secret"}, secret_env="DB_WORD", timeout_s=5.0).open()
    assert "secret" not in str(raised.value)


async def test_a_store_that_is_not_open_says_so():
    with pytest.raises(StoreError, match="the time-series store is not open"):
        await store("mongodb://127.0.0.1").write(rows(), 1)


def test_errors_of_the_driver_become_sentences():
    concern = BulkWriteError({"writeErrors": [], "writeConcernErrors": [NOT_SPREAD]})
    refused = OperationFailure("long text", 13, {"errmsg": "not authorized on inflight", "code": 13})
    assert [sentence("h:1/db", 2.0, error) for error in (NetworkTimeout("h:1: timed out"), refused, concern)] == [
        "mongodb at h:1/db did not answer in 2 s",
        "mongodb at h:1/db refuses: not authorized on inflight (13)",
        "mongodb at h:1/db refuses: waiting for replication timed out (64)",
    ]
