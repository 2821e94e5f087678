"""Opening, losing and finding the server again, and the plain sentences of what goes wrong."""

import asyncio
import logging

import psycopg
import pytest

from lns.errors import StoreError
from lns.series.postgres import store as module
from lns.series.postgres.store import PostgresSeries
from lns.series.store import SeriesStore, WriteResult
from tests.postgres import Postgres, config, fresh_store, shared
from tests.series.build import DEVICE, T0, Clock, row, rows, running


async def test_a_server_that_is_not_there_is_named():
    store = PostgresSeries(config("postgresql://127.0.0.1:1/nowhere"), Clock())
    with pytest.raises(StoreError, match=r"^postgresql at 127\.0\.0\.1:1/nowhere cannot be reached: "):
        await store.open()


async def test_a_server_that_comes_later_is_found_by_the_next_opening():
    with Postgres() as server:
        store = fresh_store(Clock(), server.dsn)
        server.kill()
        with pytest.raises(StoreError, match=r"cannot be reached: "):
            await store.open()
        server.start()
        async with running(store):
            assert (await store.write(rows(row()), 1)).accepted == 1


def test_a_dsn_that_is_none_is_refused():
    with pytest.raises(StoreError, match=r"^postgres\.dsn is neither a URI nor a libpq connection string$"):
        PostgresSeries(config("mysql at home"), Clock())


async def test_a_password_comes_from_the_environment():
    settings = config(shared().dsn, password_env="LNS_PASSWORD")
    with pytest.raises(StoreError, match=r"names the environment variable LNS_PASSWORD, which is not set$"):
        await PostgresSeries(settings, Clock(), {}).open()
    async with running(PostgresSeries(settings, Clock(), {"LNS_PASSWORD": "secret"})) as store:
        assert await store.cursor() == 0


async def test_a_store_that_is_not_open_says_so():
    store = fresh_store(Clock())
    for call in (store.write(rows(row()), 1), store.cursor(), store.expire(T0)):
        with pytest.raises(StoreError, match=r"^the time-series store is not open$"):
            await call
    await store.close()


async def test_a_schema_opened_again_goes_on_where_it_was():
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())) as store:
        await store.write(rows(row(0, unit="C"), row(1, "x", field="u", unit=None)), 5)
    async with running(PostgresSeries(settings, Clock())) as store:
        assert await store.write(rows(row(0, seq=1), row(2, unit="C")), 6) == WriteResult(1, 1)
        assert (await store.fields(DEVICE), await store.cursor()) == (["t", "u"], 6)


async def test_a_server_killed_and_started_again_is_found_again_with_everything():
    with Postgres() as server:
        async with running(fresh_store(Clock(), server.dsn)) as store:
            await store.write(rows(row(0, field="kept")), 1)
            server.kill()
            for call in (store.write(rows(row(1)), 2), store.cursor()):
                with pytest.raises(StoreError, match=r"cannot be reached: "):
                    await call
            server.start()
            assert await store.cursor() == 1
            assert await store.write(rows(row(1), row(2, field="new")), 2) == WriteResult(2, 0)
            assert await store.fields(DEVICE) == ["kept", "new", "t"]


async def test_a_connection_that_was_ended_is_replaced_unseen():
    with Postgres() as server:
        async with running(fresh_store(Clock(), server.dsn)) as store:
            await store.write(rows(row(0)), 1)
            await store.cursor()
            server.run_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'inflight'")
            assert await store.write(rows(row(1)), 2) == WriteResult(1, 0)
            assert await store.cursor() == 2


async def test_a_frozen_server_holds_up_nobody_for_longer_than_the_limit(monkeypatch):
    monkeypatch.setattr(module, "WRITE_LIMIT_S", 0.3)
    monkeypatch.setattr("lns.series.postgres.connecting.CONNECT_S", 2)
    with Postgres() as server:
        async with running(fresh_store(Clock(), server.dsn)) as store:
            await store.write(rows(row(0)), 1)
            server.freeze()
            try:
                with pytest.raises(StoreError, match=r"^postgresql at 127\.0\.0\.1:"):
                    async with asyncio.timeout(20):
                        await store.write(rows(row(1)), 2)
            finally:
                server.thaw()
            monkeypatch.setattr(module, "WRITE_LIMIT_S", 60.0)
            assert (await store.write(rows(row(1)), 2)).rejected == ()
            assert await store.cursor() == 2


async def test_a_statement_that_waits_for_too_long_is_ended_by_the_server_and_the_next_one_runs(monkeypatch):
    monkeypatch.setattr(module, "WRITE_LIMIT_S", 0.5)
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())) as store:
        await store.write(rows(row(0)), 1)
        with psycopg.connect(settings.dsn) as holding:
            holding.execute(f"LOCK TABLE {settings.schema}.position")
            with pytest.raises(StoreError, match=r"refuses: canceling statement due to statement timeout \(57014\)$"):
                await store.write(rows(row(1)), 2)
        assert await store.write(rows(row(1)), 2) == WriteResult(1, 0)


async def test_a_store_closes_though_its_server_is_frozen(monkeypatch):
    monkeypatch.setattr(module, "CLOSE_LIMIT_S", 0.2)
    monkeypatch.setattr("lns.series.postgres.connecting.CONNECT_S", 2)
    with Postgres() as server:
        store = fresh_store(Clock(), server.dsn)
        await store.open()
        await store.write(rows(row(0)), 1)
        server.freeze()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(failure(store))
            await asyncio.sleep(0)  # lets the write begin
            await store.close()
        assert writing.result().startswith("postgresql at 127.0.0.1:")
        server.thaw()


async def failure(store: SeriesStore) -> str:
    with pytest.raises(StoreError) as caught:
        await store.write(rows(row(1)), 2)
    return str(caught.value)


async def test_where_measurements_lie_is_said_in_the_log(caplog):
    settings = config(shared().dsn, schema="told", chunk_days=7)
    shared().run_sql("DROP SCHEMA IF EXISTS told CASCADE")
    with caplog.at_level(logging.INFO, "lns.series.postgres"):
        async with running(PostgresSeries(settings, Clock())):
            pass
        async with running(PostgresSeries(config(shared().dsn, schema="told"), Clock())):
            pass
    assert caplog.messages == [
        "measurements lie in native partitions, as timescaledb is not there, 7 days each: schema told",
        "measurements lie in native partitions, as timescaledb is not there, 7 days each: schema told",
        "postgres.chunk_days is 1, and stays 7 in the schema told, which was made so",
    ]
