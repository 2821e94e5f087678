"""Time from the start of the process until the server takes traffic, empty and with 100,000 devices."""

from pathlib import Path

from tests.bench.figure import Figure, repeated
from tests.bench.registered import register
from tests.bench.server import serving, temporary_folder

DEVICES = 100_000
ROUNDS = 3


def run() -> list[Figure]:
    """Seconds."""
    with temporary_folder() as folder:
        empty = [_start(folder) for _ in range(ROUNDS)]
        register(folder, 0, DEVICES)
        full = [_start(folder) for _ in range(ROUNDS)]
    return [repeated("startup.s.empty", "s", empty, 2), repeated("startup.s.100k_devices", "s", full, 2)]


def _start(folder: Path) -> float:
    with serving(folder) as server:
        return server.ready_s
