"""What 100,000 devices cost: resident memory of the server process per session, and the time of a start.

A start lasts from the start of the process until the server takes traffic. The sessions are idle; the keyed ciphers of
those that talk weigh more, and the server keeps them for a limited number.
"""

import time
from pathlib import Path
from statistics import median

import httpx
import msgspec

from tests.bench import processes
from tests.bench.figure import Figure, repeated
from tests.bench.registered import body, register
from tests.bench.server import Server, serving, temporary_folder

LOADED = 100_000
ADDED = 10_000
ROUNDS = 3
_PER_CALL = 1000
_SETTLE_S = 1.0


class Start(msgspec.Struct, frozen=True):
    """One start, and resident memory after it."""

    seconds: float
    rss_bytes: int


def run() -> list[Figure]:
    """Empty, then with all devices, then with some more."""
    with temporary_folder() as folder:
        empty = [_start(folder) for _ in range(ROUNDS)]
        register(folder, LOADED)
        full = [_start(folder) for _ in range(ROUNDS)]
        grown_bytes = _grow(folder)
    idle = median(start.rss_bytes for start in empty)
    return [
        repeated("memory.bytes_per_session", "B", [(start.rss_bytes - idle) / LOADED for start in full], 0),
        Figure("memory.bytes_per_session.10k_added", round(grown_bytes / ADDED), "B"),
        repeated("memory.server_mb.empty", "MB", [start.rss_bytes / 1e6 for start in empty]),
        repeated("memory.server_mb.100k_devices", "MB", [start.rss_bytes / 1e6 for start in full]),
        repeated("startup.s.empty", "s", [start.seconds for start in empty], 2),
        repeated("startup.s.100k_devices", "s", [start.seconds for start in full], 2),
    ]


def _start(folder: Path) -> Start:
    with serving(folder) as server:
        return Start(server.ready_s, _settled(server))


def _grow(folder: Path) -> int:
    """Bytes by which a running server grows with the devices that are added to it."""
    with serving(folder) as server:
        before = _settled(server)
        _add(server, LOADED, ADDED)
        return _settled(server) - before


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
