"""Real servers and fleets as processes, for tests that start, stop and kill them."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
START_S = 30.0


def free_port(kind: socket.SocketKind) -> int:
    """A loopback port nobody listens on at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """`lns serve` on a folder of its own; the same ports at every start, as gateways expect."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.data = folder / "data"
        self.udp_port, self.api_port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
        self.config = folder / "inflight.toml"
        self.log = folder / "server.log"
        self.config.write_text(
            f'data_dir = "{self.data}"\n[udp]\nhost = "127.0.0.1"\nport = {self.udp_port}\n'
            f"accept_unknown_gateways = true\nmax_datagrams_per_s = 1000000\n[api]\nport = {self.api_port}\n{more}"
        )
        self.process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    async def __aenter__(self) -> "ServerProcess":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop(signal.SIGKILL)

    async def start(self) -> None:
        """Start and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "lns", "serve", "--config", str(self.config), cwd=ROOT, stdout=log, stderr=log
            )
        async with asyncio.timeout(START_S), httpx.AsyncClient() as http:
            while True:
                if self.process.returncode is not None:
                    raise AssertionError(f"the server ended: {self.log.read_text()[-2000:]}")
                try:
                    if (await http.get(f"{self.url}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.02)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            os.kill(self.process.pid, number)
        return await self.process.wait()

    async def get(self, path: str, **params: Any) -> Any:
        """An answer of the API."""
        key = (self.data / "admin.key").read_text().strip()
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http:
            answer = await http.get(f"{self.url}/api/v1{path}", params=params)
            answer.raise_for_status()
            return answer.json()

    async def caught_up(self, seconds: float = 60.0) -> None:
        """Wait until no consumer lags."""
        async with asyncio.timeout(seconds):
            while True:
                status = await self.get("/exchange")
                if not status["pending"] and all(c["lag"] == 0 for c in status["consumers"]):
                    return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running_fleet(
    server: ServerProcess, ledger: Path, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A simulated fleet that talks to the server."""
    places = ("--server", f"127.0.0.1:{server.udp_port}", "--api", server.url, "--data-dir", str(server.data))
    fleet = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators",
        "fleet",
        *places,
        "--ledger",
        str(ledger),
        "--json",
        *options,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield fleet
    finally:
        if fleet.returncode is None:
            fleet.kill()
            await fleet.communicate()


async def summary(fleet: asyncio.subprocess.Process) -> dict[str, Any]:
    """What a fleet says at its end."""
    out, err = await fleet.communicate()
    assert fleet.returncode == 0, err.decode()[-2000:]
    found: dict[str, Any] = json.loads(out)
    return found
