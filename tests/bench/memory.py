"""Resident memory of the server process per session: 100,000 loaded at the start, and 10,000 added to a running one.

The sessions are idle. The keyed ciphers of those that talk weigh more, and the server keeps them for a limited number.
"""

import time

import httpx

from tests.bench import processes
from tests.bench.figure import Figure
from tests.bench.registered import body, register
from tests.bench.server import Server, serving, temporary_folder

LOADED = 100_000
ADDED = 10_000
_PER_CALL = 1000
_SETTLE_S = 1.0


def run() -> list[Figure]:
    """Bytes per session."""
    with temporary_folder() as folder:
        with serving(folder) as server:
            empty = _settled(server)
            _add(server, 0, ADDED)
            added = _settled(server)
        register(folder, ADDED, LOADED - ADDED)
        with serving(folder) as server:
            loaded = _settled(server)
    return [
        Figure("memory.bytes_per_session", round((loaded - empty) / LOADED), "B"),
        Figure("memory.bytes_per_session.10k_added", round((added - empty) / ADDED), "B"),
        Figure("memory.server_mb.empty", round(empty / 1e6, 1), "MB"),
        Figure("memory.server_mb.100k_sessions", round(loaded / 1e6, 1), "MB"),
    ]


def _settled(server: Server) -> int:
    time.sleep(_SETTLE_S)
    return processes.rss_bytes(server.pid)


def _add(server: Server, first: int, count: int) -> None:
    headers = {"Authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60.0) as http:
        for start in range(first, first + count, _PER_CALL):
            devices = [body(number) for number in range(start, start + _PER_CALL)]
            reply = http.post("/devices/bulk", json={"devices": devices}).raise_for_status().json()
            if reply["failed"]:
                raise RuntimeError(f"{reply['failed']} devices were refused: {reply['rows'][0]}")
