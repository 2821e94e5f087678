"""A whole server on free loopback ports, and a client with its admin key."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from lns.config import Api, Config, Udp
from lns.server import Server


class Running:
    """A server that answers, and clients for it."""

    def __init__(self, server: Server, data_dir: Path) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.api_port}"
        self.admin_key = (data_dir / "admin.key").read_text("ascii").strip()

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        headers = {} if key == "" else {"Authorization": f"Bearer {key or self.admin_key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    data_dir = tmp_path_factory.mktemp("data")
    config = Config(data_dir=str(data_dir), udp=Udp(host="127.0.0.1", port=0), api=Api(port=0))
    server = Server(config)
    ready = asyncio.Event()
    serving = asyncio.get_running_loop().create_task(server.serve(lambda _: ready.set()))
    waiting = asyncio.get_running_loop().create_task(ready.wait())
    await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()
    yield Running(server, data_dir)
    server.stop()
    await serving


@pytest_asyncio.fixture(loop_scope="module")
async def api(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with running.client() as client:
        yield client
