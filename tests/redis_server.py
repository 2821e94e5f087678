"""A real Redis on a free loopback port, ended by its pid.

The server is Debian's package `redis-server`; it is installed where the tests run as root and it is missing.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from functools import cache
from pathlib import Path

import pytest

from tests.brokers import free_port

START_S = 20.0
MISSING = "no Redis to start: apt-get install redis-server"


class RedisServer:
    """One redis-server process that saves every write; it can be killed and started again on the same port."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary, self._folder = binary, folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until the server answers."""
        listen = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        with (self._folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen([self._binary, *listen, *durable], stdout=output, stderr=output)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
        text = (self._folder / "output.txt").read_text("utf-8", "replace")[-2000:]
        self.kill()
        raise RuntimeError(f"redis does not answer on {self.url}: {text}")

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(100).startswith(b"+PONG")
        except OSError:
            time.sleep(0.01)
            return False


def make_redis(folder: Path) -> RedisServer:
    """A server that is not started yet; the test is skipped where there is none."""
    binary = _binary()
    if binary is None:
        pytest.skip(MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    return RedisServer(binary, folder)


@cache
def _binary() -> str | None:
    found = shutil.which("redis-server")
    if found or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return found
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "install", "-y", "-q", "redis-server"]
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # only the program is wanted
    subprocess.run(command, env=environ, capture_output=True, check=False)
    return shutil.which("redis-server")
