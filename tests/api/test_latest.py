import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lns.config import Latest
from tests.api.answers import ok, problem
from tests.api.conftest import Running, started
from tests.api.radio import Gateway, abp_session, frame
from tests.redis_server import RedisServer

pytestmark = pytest.mark.asyncio(loop_scope="package")

GATEWAY = "a84041ffff9a0001"
CODEC = "function decodeUplink(i) { return {data: {level: i.bytes[0]}}; }"


async def device_with_codec(api: httpx.AsyncClient, number: int) -> tuple[str, str]:
    eui, dev_addr = f"70b3d57eda9a{number:04x}", f"009a{number:04x}"
    ok(await api.post("/codecs", json={"name": f"level{number}", "source": CODEC}), 201)
    body = {"dev_eui": eui, "abp": abp_session(dev_addr), "codec": f"level{number}"}
    ok(await api.post("/devices", json=body), 201)
    return eui, dev_addr


async def read(api: httpx.AsyncClient, eui: str, value: float) -> dict[str, object]:
    """The latest values once `level` is `value`."""
    async with asyncio.timeout(10):
        while True:
            latest = ok(await api.get(f"/devices/{eui}/latest"))
            if latest["values"].get("level", {}).get("value") == value:
                return latest
            await asyncio.sleep(0.02)


async def test_latest_values_and_health_are_there_after_an_uplink(running: Running, api: httpx.AsyncClient) -> None:
    ok(await api.post(f"/gateways/{GATEWAY}/accept"))
    eui, dev_addr = await device_with_codec(api, 1)
    assert ok(await api.get(f"/devices/{eui}/latest")) == {"dev_eui": eui, "health": None, "values": {}}
    assert ok(await api.get(f"/devices/{eui}"))["health"] is None
    with Gateway(running.server, GATEWAY) as gateway:
        await gateway.causes(frame(dev_addr, 0, 1, b"\x07"), "decoded")
        await gateway.causes(frame(dev_addr, 1, 1, b"\x08"), "decoded")
    latest = await read(api, eui, 8.0)
    health = latest["health"]
    assert isinstance(health, dict)
    assert (health["state"], health["uptime"], health["outages"]) == ("online", 1.0, 0)
    shown = ok(await api.get(f"/devices/{eui}"))["health"]
    assert (shown["state"], shown["last_seen_at"]) == ("online", health["last_seen_at"])
    assert ok(await api.get(f"/gateways/{GATEWAY}"))["health"]["state"] == "online"
    assert ok(await api.get("/status"))["health"]["device"]["online"] >= 1


async def test_a_deleted_device_or_gateway_leaves_nothing_behind(running: Running, api: httpx.AsyncClient) -> None:
    other = "a84041ffff9a0002"
    ok(await api.post(f"/gateways/{other}/accept"))
    eui, dev_addr = await device_with_codec(api, 2)
    device_id = running.server.registry.devices.id(eui)
    with Gateway(running.server, other) as gateway:
        await gateway.causes(frame(dev_addr, 0, 1, b"\x07"), "decoded")
    await read(api, eui, 7.0)
    ok(await api.patch(f"/devices/{eui}", json={"name": "renamed"}))
    await read(api, eui, 7.0)
    ok(await api.delete(f"/devices/{eui}"), 204)
    ok(await api.delete(f"/gateways/{other}"), 204)
    assert problem(await api.get(f"/devices/{eui}/latest"))[0] == 404
    async with asyncio.timeout(10):
        while await running.server.latest.store.values(device_id):
            await asyncio.sleep(0.02)
    assert all(subject.id not in (str(device_id), other) for subject in await running.server.latest.store.healths())


async def test_latest_values_answer_while_every_series_store_is_closed(tmp_path: Path) -> None:
    async with started(tmp_path) as running, running.client(running.admin_key) as api:
        api.base_url = f"{running.url}/api/v1"
        ok(await api.post(f"/gateways/{GATEWAY}/accept"))
        eui, dev_addr = await device_with_codec(api, 3)
        await running.server.stores.all["sqlite"].close()
        with Gateway(running.server, GATEWAY) as gateway:
            gateway.hears(frame(dev_addr, 0, 1, b"\x05"))
            await read(api, eui, 5.0)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


async def test_values_in_redis_outlive_the_process_and_redis_being_away_costs_nothing_else(
    tmp_path: Path, redis: RedisServer
) -> None:
    settings = Latest(redis_url=redis.url)
    async with started(tmp_path / "data", latest=settings) as running, running.client(running.admin_key) as api:
        api.base_url = f"{running.url}/api/v1"
        ok(await api.post(f"/gateways/{GATEWAY}/accept"))
        eui, dev_addr = await device_with_codec(api, 4)
        with Gateway(running.server, GATEWAY) as gateway:
            gateway.hears(frame(dev_addr, 0, 1, b"\x01"))
            await read(api, eui, 1.0)
            redis.kill()
            gateway.hears(frame(dev_addr, 1, 1, b"\x02"))
            async with asyncio.timeout(10):
                while ok(await api.get(f"/devices/{eui}/series"))["fields"][0]["last_value"] != 2.0:
                    await asyncio.sleep(0.02)
            assert problem(await api.get(f"/devices/{eui}/latest"))[:2] == (503, "store")
            assert ok(await api.get(f"/devices/{eui}"))["health"]["state"] == "online"
            redis.start()
            await read(api, eui, 2.0)
    async with started(tmp_path / "data", latest=settings) as running, running.client(running.admin_key) as api:
        api.base_url = f"{running.url}/api/v1"
        await read(api, eui, 2.0)
