"""A real Redis on a free loopback port, ended by its pid.

The server is Debian's package `redis-server`; it is installed where the tests run as root and it is missing.
"""

import socket
from pathlib import Path

from tests.process import Process, program


class RedisServer(Process):
    """One redis-server process that saves every write; the test is skipped where there is none."""

    def __init__(self, folder: Path) -> None:
        self._program = program("redis-server", "redis-server")
        super().__init__(folder)
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def argv(self) -> list[str]:
        listen = ["--port", str(self.port), "--bind", "127.0.0.1"]
        return [self._program, *listen, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]

    def answers(self) -> bool:
        """Whether it answers a ping, which it does not do while it loads what it had saved."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(100).startswith(b"+PONG")
        except OSError:
            return False
