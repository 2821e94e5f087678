"""A real InfluxDB 1 on free loopback ports, started once for all tests of a process and ended by its pid.

The server is Debian's package `influxdb`; it is installed where the tests run as root and it is missing.
"""

import os
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
from tests.process import Process, free_port, program, until_exit


class InfluxServer(Process):
    """One influxd process; the test is skipped where there is none."""

    def __init__(self, folder: Path | None = None) -> None:
        self._program = program("influxd", "influxdb")
        super().__init__(folder)
        self.url = f"http://127.0.0.1:{self.port}"
        (self.folder / "influxdb.conf").write_text(
            f"""
            reporting-disabled = true
            bind-address = "127.0.0.1:{free_port()}"
            [meta]
            dir = "{self.folder}/meta"
            [data]
            dir = "{self.folder}/data"
            wal-dir = "{self.folder}/wal"
            query-log-enabled = false
            [monitor]
            store-enabled = false
            [http]
            bind-address = "127.0.0.1:{self.port}"
            log-enabled = false
            """
        )

    def argv(self) -> list[str]:
        return [self._program, "-config", "influxdb.conf"]

    def answers(self) -> bool:
        """Whether it answers a ping."""
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=1):
                return True
        except OSError:
            return False


@cache
def shared_server() -> InfluxServer:
    """A started server for tests that take a database each."""
    return until_exit(InfluxServer())


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
