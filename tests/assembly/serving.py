"""A whole server in this process with a device that is heard, and outlets made over its API."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.api.answers import ok
from tests.api.conftest import Running, started
from tests.api.radio import Gateway, abp_session, frame

GATEWAY = "a84041ffff1e8f2c"
DEV_EUI = "70b3d57ed0000001"
QUICK = {"schedule": {"waits_s": [0.05] * 40}, "breaker": {"open_s": 0.05, "open_most_s": 0.2}}
"""Sending that a test need not wait for."""


class World:
    """Server, API client, and a gateway that hears devices by number."""

    def __init__(self, running: Running, api: httpx.AsyncClient, gateway: Gateway) -> None:
        self.running, self.api, self.gateway = running, api, gateway
        self.fcnts: dict[int, int] = {}

    async def device(self, number: int = 1, application: str = "default", **more: Any) -> str:
        """A device whose frames are heard by `uplinks`."""
        dev_eui = f"70b3d57ed{number:07x}"
        body = {"dev_eui": dev_eui, "application": application, "abp": abp_session(f"{number:08x}"), **more}
        ok(await self.api.post("/devices", json=body), 201)
        return dev_eui

    async def application(self, name: str) -> None:
        ok(await self.api.post("/applications", json={"name": name}), 201)

    async def uplinks(self, count: int = 1, number: int = 1) -> None:
        """Frames of a device, and until the log holds them with what was decoded."""
        before = self.running.server.exchange.head_seq
        for _ in range(count):
            fcnt = self.fcnts[number] = self.fcnts.get(number, -1) + 1
            self.gateway.hears(frame(f"{number:08x}", fcnt, 2, b"\x01\x67\x00\xd2"))
        await until(lambda: self.running.server.exchange.head_seq >= before + 2 * count)

    async def outlet(self, name: str, url: str, application: str = "default", **more: Any) -> dict[str, Any]:
        """A webhook outlet."""
        settings = {"url": url, "allow_private": True, **more.pop("settings", {})}
        body = {"name": name, "kind": "webhook", "settings": settings, "sending": QUICK, **more}
        made: dict[str, Any] = ok(await self.api.post(f"/applications/{application}/outlets", json=body), 201)
        return made

    async def get(self, where: str, **params: Any) -> Any:
        return ok(await self.api.get(where, params=params))

    async def post(self, where: str, body: Any = None, status: int = 200) -> Any:
        return ok(await self.api.post(where, json=body), status)


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def shown(world: World, where: str, wanted: Callable[[Any], bool], seconds: float = 20.0, **params: Any) -> Any:
    """Ask until the answer is as wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(answer := await world.get(where, **params)):
            await asyncio.sleep(0.01)
    return answer


@asynccontextmanager
async def serving(folder: Path, **sections: Any) -> AsyncIterator[World]:
    """A server with an accepted gateway."""
    async with started(folder, **sections) as running, running.client(running.admin_key) as api:
        api.base_url = httpx.URL(f"{running.url}/api/v1")
        ok(await api.post(f"/gateways/{GATEWAY}/accept"))
        with Gateway(running.server, GATEWAY) as gateway:
            await gateway.keep_alive()
            yield World(running, api, gateway)
