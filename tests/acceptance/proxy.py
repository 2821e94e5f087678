"""A TCP proxy on loopback between a server and an engine, which is slow, refuses, or cuts connections as it is told."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_CHUNK = 65_536
_SLICES_PER_S = 20
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: close sends a reset

Wire = tuple[asyncio.StreamWriter, asyncio.StreamWriter]


class Proxy:
    """Passes bytes on to `target`, a port of 127.0.0.1, from `port`.

    `bytes_per_s` limits each direction of a connection, 0 does not. The answer to a request that `cuts` picks by its
    bytes is waited for and thrown away, and the connection reset: what was asked has happened, and nobody is told.
    """

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self.bytes_per_s = 0
        self.cuts: Callable[[bytes], bool] | None = None
        self.passed = self.cut = self.refused = 0
        self.connections: set[Wire] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Reset all connections, and let nobody connect before `listen`."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for wire in list(self.connections):
            self._end(wire)

    async def close(self) -> None:
        """End everything."""
        await self.refuse()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            self.refused += 1
            writer.transport.abort()
            self._tasks.discard(task)
            return
        wire = (writer, upstream[1])
        self.connections.add(wire)
        conversation = _Conversation(self, wire)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(conversation.ask(reader))
                both.create_task(conversation.answer(upstream[0]))
        finally:
            self._end(wire)
            self._tasks.discard(task)

    def _end(self, wire: Wire) -> None:
        self.connections.discard(wire)
        for writer in wire:
            if not writer.transport.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class _Conversation:
    """One connection: what the client asks, what the engine answers."""

    def __init__(self, proxy: Proxy, wire: Wire) -> None:
        self._proxy, self._wire = proxy, wire
        self._doomed = False

    async def ask(self, reader: asyncio.StreamReader) -> None:
        while data := await self._next(reader):
            if self._proxy.cuts is not None and self._proxy.cuts(data):
                self._doomed = True
            await self._pass(data, self._wire[1])
        self._proxy._end(self._wire)

    async def answer(self, reader: asyncio.StreamReader) -> None:
        while data := await self._next(reader):
            if self._doomed:
                self._proxy.cut += 1
                break
            await self._pass(data, self._wire[0])
        self._proxy._end(self._wire)

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        size = max(1, self._proxy.bytes_per_s // _SLICES_PER_S) if self._proxy.bytes_per_s else _CHUNK
        try:
            return await reader.read(size)
        except OSError:
            return b""

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._proxy.bytes_per_s:
            await asyncio.sleep(len(data) / self._proxy.bytes_per_s)
        self._proxy.passed += len(data)
        try:
            writer.write(data)
            await writer.drain()
        except OSError:
            pass  # it has ended: the other half sees it too


@asynccontextmanager
async def proxying(target: int) -> AsyncIterator[Proxy]:
    """A proxy that listens."""
    proxy = Proxy(target)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()
