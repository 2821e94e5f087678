"""The server's event loop: uvloop, but for names, which it would look up two at a time for the whole process.

Whatever connects by a name is served: webhooks, brokers, stores, Redis.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvloop

from lns.outlets import lookups

SHARED_THREADS = 32
"""Python's own number is six on two cores; an S3 server that is silent holds one, and the registry needs them too."""


class Loop(uvloop.Loop):
    """What is not a name is left to uvloop."""

    def __init__(self) -> None:
        super().__init__()
        self.set_default_executor(ThreadPoolExecutor(SHARED_THREADS, "shared"))

    async def getaddrinfo(self, host: Any, port: Any, **how: int) -> Any:
        """As the system knows it."""
        return await lookups.running()(host, port, **how)

    async def create_connection(
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], host: Any = None, port: Any = None, **how: Any
    ) -> Any:
        """Tries the host's addresses one after the other."""
        if host is None or how.get("sock") is not None or how.get("local_addr") is not None:
            return await super().create_connection(protocol_factory, host, port, **how)
        asked = {name: how.pop(name, 0) for name in ("family", "proto", "flags")}
        sock = await self._connected(await self.getaddrinfo(host, port, type=socket.SOCK_STREAM, **asked))
        if how.get("ssl") and how.get("server_hostname") is None:
            how["server_hostname"] = host
        try:
            return await super().create_connection(protocol_factory, sock=sock, **how)
        except BaseException:
            sock.close()
            raise

    async def _connected(self, found: lookups.Found) -> socket.socket:
        trouble: OSError = OSError("the host has no address")
        for family, kind, proto, _, address in found:
            sock = socket.socket(family, kind, proto)
            try:
                sock.setblocking(False)
                await self.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                trouble = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise trouble
