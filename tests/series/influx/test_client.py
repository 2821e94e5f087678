"""What goes over the wire to each version, and what comes of its answers.

Version 1 is a real server; the answers of versions 2 and 3 are those of their documentation.
"""

import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lns.config.stores import Influx
from lns.errors import StoreError
from lns.series.influx.client import Client
from tests.influx import OwnDatabase, shared_server
from tests.process import free_port
from tests.series.build import T0, Clock
from tests.series.influx.answers import answering
from tests.series.influx.test_versions import PARTIAL_3, UNPARSED_2

LINES = ["m a=1 1", "m a=x 2", "m a=3 3"]
ENVIRON = {"SECRET": "s3cret"}


@asynccontextmanager
async def opened(settings: Influx) -> AsyncIterator[Client]:
    client = Client(settings, ENVIRON)
    await client.open()
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def database_of_version_1(batch_points: int = 5000) -> AsyncIterator[Client]:
    store = OwnDatabase(shared_server(), Clock())
    await store.open()
    settings = Influx(url=shared_server().url, database=store.database, batch_points=batch_points)
    async with opened(settings) as client:
        yield client
    await store.close()


async def held(client: Client) -> list[list[object]]:
    [found] = await client.query(["SELECT * FROM m"])
    return [values for series in found for values in series.values]


async def test_version_1_stores_the_rest_of_a_batch_with_a_line_it_cannot_parse():
    async with database_of_version_1() as client:
        refused = await client.write([f"m a=1 {T0}", f"m a=1x {T0 + 1}", f"m a=3 {T0 + 2}"])
        assert refused == {1: "invalid number"}
        assert await held(client) == [[T0, 1], [T0 + 2, 3]]


async def test_version_1_stores_the_rest_of_a_batch_with_type_conflicts():
    async with database_of_version_1() as client:
        await client.write([f"m a=1 {T0}"])
        lines = [f'm a="x" {T0 + i}' if i in (3, 17) else f"m a=2 {T0 + i}" for i in range(20)]
        refused = await client.write(lines)
        assert sorted(refused) == [3, 17]
        assert "field type conflict" in refused[3]
        assert len(await held(client)) == 18


async def test_points_beyond_the_retention_are_refused_in_few_requests():
    async with database_of_version_1() as client:
        database = client.settings.database
        await client.query([f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION 52w'])
        old = T0 - 3 * 365 * 86_400_000_000
        now_us = time.time_ns() // 1000
        lines = [f"m a={i} {old + i if i % 3 == 0 else now_us - i}" for i in range(300)]
        refused = await client.write(lines)
        assert sorted(refused) == list(range(0, 300, 3))
        assert "beyond retention policy" in refused[0]
        assert len(await held(client)) == 200


async def test_a_long_batch_goes_in_pieces():
    async with database_of_version_1(batch_points=3) as client:
        assert await client.write([f"m a={i} {T0 + i}" for i in range(10)]) == {}
        assert len(await held(client)) == 10


async def test_version_1_deletes_what_carries_the_tags_in_a_range():
    async with database_of_version_1() as client:
        await client.write([f"m,k=it's a=1 {T0}", f"m,k=it's a=2 {T0 + 1}", f"m,k=o a=3 {T0}"])
        await client.delete("m", T0, T0 + 1, {"k": "it's"})
        assert await held(client) == [[T0, 3, "o"], [T0 + 1, 2, "it's"]]


async def test_version_2_stores_nothing_of_a_batch_with_a_bad_line_so_the_rest_goes_again():
    async with answering((400, UNPARSED_2), (204, b"")) as server:
        settings = Influx(url=server.url, version=2, database="b", org="o", secret_env="SECRET")
        async with opened(settings) as client:
            assert await client.write(LINES) == {1: "invalid boolean"}
    assert [(a.method, a.path, a.query, a.authorization) for a in server.asked] == [
        ("POST", "/api/v2/write", {"bucket": "b", "org": "o", "precision": "us"}, "Token s3cret")
    ] * 2
    assert [a.body for a in server.asked] == ["m a=1 1\nm a=x 2\nm a=3 3", "m a=1 1\nm a=3 3"]


async def test_version_2_deletes_by_a_predicate():
    async with answering((204, b"")) as server:
        async with opened(Influx(url=server.url, version=2, database="b", org="o")) as client:
            await client.delete("m", T0, T0 + 1, {"device": "7", "field": 'a"b'})
    [asked] = server.asked
    assert (asked.path, asked.query) == ("/api/v2/delete", {"org": "o", "bucket": "b"})
    assert asked.body == (
        '{"start":"2026-09-21T14:13:20.000000000Z","stop":"2026-09-21T14:13:20.000000999Z",'
        '"predicate":"_measurement=\\"m\\" AND device=\\"7\\" AND field=\\"a\\\\\\"b\\""}'
    )


async def test_version_3_names_the_bad_lines_and_keeps_the_others():
    async with answering((409, b"{}"), (400, PARTIAL_3)) as server:
        async with opened(Influx(url=server.url, version=3, database="b", secret_env="SECRET")) as client:
            assert await client.write(LINES) == {1: "invalid column type"}
    created, asked = server.asked
    assert (created.path, created.body) == ("/api/v3/configure/database", '{"db":"b"}')
    assert (asked.path, asked.query) == ("/api/v3/write_lp", {"db": "b", "precision": "microsecond"})
    assert asked.authorization == "Bearer s3cret"


async def test_version_3_is_asked_one_statement_at_a_time_and_others_many():
    answer = b'{"results":[{"series":[{"columns":["n"],"values":[[1]]}]}]}'
    async with answering((200, b"{}"), (200, answer)) as server:
        async with opened(Influx(url=server.url, version=3, database="b")) as client:
            found = await client.query(["SELECT 1", "SELECT 2"])
    assert [part.values for [part] in found] == [[[1]], [[1]]]
    assert ["q=SELECT+1" in a.body or "q=SELECT+2" in a.body for a in server.asked[1:]] == [True, True]
    twice = b'{"results":[{"series":[]},{"series":[]}]}'
    async with answering((200, twice)) as server, opened(Influx(url=server.url, version=2)) as client:
        assert await client.query(["SELECT 1", "SELECT 2"]) == [[], []]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (401, b'{"error":"authorization failed"}', "answered 401: authorization failed"),
        (503, gzip.compress(b"x", mtime=0), "answered 503: "),
        (500, b'{"error":"timeout"}', "answered 500: timeout"),
    ],
)
async def test_what_is_the_servers_fault_is_an_error_for_the_whole_batch(status, body, text):
    async with answering((status, body)) as server, opened(Influx(url=server.url, version=2)) as client:
        with pytest.raises(StoreError) as error:
            await client.write(LINES)
        assert text in str(error.value)


async def test_a_server_that_is_away_is_named():
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StoreError, match=f"cannot reach influxdb at {url}"):
        await Client(Influx(url=url), {}).open()


async def test_a_secret_that_is_not_set_is_named():
    with pytest.raises(StoreError) as error:
        await Client(Influx(secret_env="NONE"), {}).open()
    assert str(error.value) == "influxdb.secret_env names the environment variable NONE, which is not set"


async def test_a_cut_answer_is_not_taken_for_a_whole_one():
    async with answering((200, b'{"results":[{"series":[],"partial":true}]}')) as server:
        async with opened(Influx(url=server.url, version=2)) as client:
            with pytest.raises(StoreError, match="cut its answer"):
                await client.query(["SELECT 1"])


@pytest.mark.parametrize("url", ["127.0.0.1:8086", "localhost:8086", "influx://127.0.0.1:8086", "http://", ""])
def test_a_url_that_can_never_work_is_refused_at_once(url):
    with pytest.raises(StoreError) as error:
        Client(Influx(url=url), {})
    assert str(error.value).startswith(f"influxdb.url is {url!r}: ")
