"""A real InfluxDB 1 on free loopback ports, started once for all tests of a process and ended by its pid.

The server is Debian's package `influxdb`; it is installed where the tests run as root and it is missing.
"""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import httpx
import msgspec
import pytest

from lns.config.stores import Influx
from lns.series.influx.store import InfluxSeries
from lns.series.influx.versions import Deletes
from tests.brokers import free_port

START_S = 30.0
MISSING = "no InfluxDB 1 to start: apt-get install influxdb"


class InfluxServer:
    """One influxd process; it can be killed and started again on the same ports and folder."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary, self._folder = binary, folder
        self.port, self._backup_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until the server answers a ping."""
        config = self._folder / "influxdb.conf"
        config.write_text(
            f"""
            reporting-disabled = true
            bind-address = "127.0.0.1:{self._backup_port}"
            [meta]
            dir = "{self._folder}/meta"
            [data]
            dir = "{self._folder}/data"
            wal-dir = "{self._folder}/wal"
            query-log-enabled = false
            [monitor]
            store-enabled = false
            [http]
            bind-address = "127.0.0.1:{self.port}"
            log-enabled = false
            """
        )
        with (self._folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen([self._binary, "-config", str(config)], stdout=output, stderr=output)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
        text = (self._folder / "output.txt").read_text("utf-8", "replace")[-2000:]
        self.kill()
        raise RuntimeError(f"influxd does not answer on {self.url}: {text}")

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Keep the connections open and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
            return False


def make_server(folder: Path) -> InfluxServer:
    """A server that is not started yet; the test is skipped where there is none."""
    binary = _binary()
    if binary is None:
        pytest.skip(MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    return InfluxServer(binary, folder)


@cache
def shared_server() -> InfluxServer:
    """A started server for tests that take a database each."""
    folder = Path(tempfile.mkdtemp(prefix="influxd-"))
    server = make_server(folder)
    server.start()

    def end() -> None:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return server


@cache
def _binary() -> str | None:
    found = shutil.which("influxd")
    if found or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return found
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "install", "-y", "-q", "influxdb"]
    subprocess.run(command, env={**os.environ, **_NO_SERVICE}, capture_output=True, check=False)
    return shutil.which("influxd")


_NO_SERVICE = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # only the program is wanted


class OwnDatabase(InfluxSeries):
    """A store in a database of its own, which is dropped when the store is closed."""

    def __init__(self, server: InfluxServer, clock: Callable[[], int], hiding: bool = False) -> None:
        self.database = f"test_{uuid.uuid4().hex}"
        self._url = server.url
        super().__init__(Influx(url=server.url, database=self.database), {}, clock)
        if hiding:  # as version 3 does, which no packaged server is
            self._client.api = msgspec.structs.replace(self._client.api, deletes=Deletes.HIDING)

    async def close(self) -> None:
        await super().close()
        async with httpx.AsyncClient(base_url=self._url, timeout=30, trust_env=False) as client:
            answer = await client.post("/query", data={"q": f'DROP DATABASE "{self.database}"'})
        answer.raise_for_status()


def given(version: Literal[2, 3], clock: Callable[[], int]) -> InfluxSeries:
    """A store on the server that the environment names, with measurements of its own; skipped where it names none."""
    variable = f"LNS_TEST_INFLUXDB{version}"
    url = os.environ.get(variable)
    if not url:
        more = ("_DATABASE", "_SECRET", "_ORG")[: 5 - version]
        names = ", ".join(variable + name for name in more)
        pytest.skip(f"no InfluxDB {version} given: set {variable} to its address, and {names}")
    settings = Influx(
        url=url,
        version=version,
        database=os.environ.get(f"{variable}_DATABASE", "inflight"),
        org=os.environ.get(f"{variable}_ORG", ""),
        measurement=f"test_{uuid.uuid4().hex}",
        secret_env=f"{variable}_SECRET",
    )
    return InfluxSeries(settings, os.environ, clock)
