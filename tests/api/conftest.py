"""A whole server on free loopback ports, shared by the tests of this folder, and clients for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from lns.config import Api, Config, Udp
from lns.server import Server


class Running:
    """A server that answers."""

    def __init__(self, server: Server, data_dir: Path) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.api_port}"
        self.admin_key = (data_dir / "admin.key").read_text("ascii").strip()

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        """A client with `key`, or without one."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)


@asynccontextmanager
async def started(data_dir: Path, **sections: Any) -> AsyncIterator[Running]:
    """A server with the given sections of the configuration, on free ports."""
    server = Server(Config(data_dir=str(data_dir), udp=Udp(host="127.0.0.1", port=0), api=Api(port=0), **sections))
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    serving, waiting = loop.create_task(server.serve(lambda _: ready.set())), loop.create_task(ready.wait())
    await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()
    yield Running(server, data_dir)
    server.stop()
    await serving


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with started(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="package")
async def api(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the admin key, at the API's prefix."""
    async with running.client(running.admin_key) as client:
        client.base_url = f"{running.url}/api/v1"
        yield client
