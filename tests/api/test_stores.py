import asyncio
from pathlib import Path

import httpx
import pytest

from lns.config import Influx, Postgres, SeriesSqlite
from tests.api.answers import ok, problem
from tests.api.conftest import Running, started
from tests.api.radio import Gateway, frame
from tests.api.test_latest import device_with_codec, read
from tests.influx import InfluxServer
from tests.postgres import Postgres as PostgresServer

pytestmark = pytest.mark.asyncio(loop_scope="package")

GATEWAY = "a84041ffff9b0001"


async def store_shown(api: httpx.AsyncClient, name: str) -> dict[str, object]:
    return next(item for item in ok(await api.get("/series/stores"))["items"] if item["name"] == name)


async def until_caught_up(api: httpx.AsyncClient, name: str) -> None:
    async with asyncio.timeout(60):
        while (await store_shown(api, name))["lag"] != 0 or not (await store_shown(api, name))["open"]:
            await asyncio.sleep(0.05)


async def test_servers_that_are_away_at_the_start_lag_and_catch_up_and_cost_no_other_store(tmp_path: Path) -> None:
    postgres, influx = PostgresServer(), InfluxServer(tmp_path / "influx")
    sections = {
        "postgres": Postgres(enabled=True, dsn=postgres.dsn),
        "influxdb": Influx(enabled=True, url=influx.url),
    }
    try:
        async with started(tmp_path / "data", **sections) as running, running.client(running.admin_key) as api:
            api.base_url = f"{running.url}/api/v1"
            ok(await api.post(f"/gateways/{GATEWAY}/accept"))
            eui, dev_addr = await device_with_codec(api, 0x101)
            with Gateway(running.server, GATEWAY) as gateway:
                gateway.hears(frame(dev_addr, 0, 1, b"\x05"))
                await read(api, eui, 5.0)
            await until_caught_up(api, "sqlite")
            await value_is_stored(running, eui, "sqlite")
            for name in ("postgres", "influxdb"):
                shown = await store_shown(api, name)
                assert (shown["open"], shown["state"]) == (False, "retrying")
                assert shown["lag"] != 0
                asked = ok(await api.get(f"/series/stores/{name}"))
                assert (asked["answers"], asked["latency_ms"]) == (False, None)
                assert asked["problem"] in str(shown["last_error"])
            postgres.start()
            influx.start()
            for name in ("postgres", "influxdb"):
                await until_caught_up(api, name)
                await value_is_stored(running, eui, name)
                assert ok(await api.get(f"/series/stores/{name}"))["answers"]
    finally:
        postgres.stop()
        influx.stop()


async def value_is_stored(running: Running, eui: str, name: str) -> None:
    device_id = running.server.registry.devices.id(eui)
    (level,) = [i for i in await running.server.stores.all[name].latest(device_id) if i.field == "level"]
    assert level.last_value == 5.0


async def test_reads_of_a_store_that_is_away_are_503_and_say_which(tmp_path: Path) -> None:
    postgres = PostgresServer()
    sections = {"postgres": Postgres(enabled=True, dsn=postgres.dsn), "series": SeriesSqlite(enabled=False)}
    try:
        async with started(tmp_path / "data", **sections) as running, running.client(running.admin_key) as api:
            api.base_url = f"{running.url}/api/v1"
            eui, _ = await device_with_codec(api, 0x102)
            status, code, text = problem(await api.get(f"/devices/{eui}/series"))
            assert (status, code, "postgres" in text) == (503, "store", True)
            postgres.start()
            await until_caught_up(api, "postgres")
            assert ok(await api.get(f"/devices/{eui}/series")) == {"fields": []}
    finally:
        postgres.stop()


async def test_one_of_ids_code_and_all_is_needed(api: httpx.AsyncClient) -> None:
    text = "give one of ids, code and all"
    for body in ({}, {"ids": [1], "all": True}, {"code": "x", "all": True}):
        assert problem(await api.post("/series/rejected/retry", json=body)) == (422, "invalid", text)
