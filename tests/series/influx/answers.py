"""A real HTTP server that answers as a documentation says a server does, and keeps what it was asked."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import msgspec


class Asked(msgspec.Struct, frozen=True):
    """A request as it came, its body unpacked."""

    method: str
    path: str
    query: dict[str, str]
    authorization: str
    body: str


class Answers:
    """Gives `answers`, status and body, one after another; the last one for ever."""

    def __init__(self, answers: Sequence[tuple[int, bytes]]) -> None:
        self._answers = list(answers)
        self.asked: list[Asked] = []
        self.url = ""
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self._connections[writer] = asyncio.current_task()
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                status, body = await self._answer(head.decode(), reader)
                text = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(text.encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def end(self) -> None:
        """Close what is open."""
        for writer in self._connections:
            writer.close()
        await asyncio.gather(*(task for task in self._connections.values() if task))

    async def _answer(self, head: str, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        method, target, _ = first.split()
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        self.asked.append(Asked(method, parts.path, query, headers.get("authorization", ""), body.decode()))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@asynccontextmanager
async def answering(*answers: tuple[int, bytes]) -> AsyncIterator[Answers]:
    """The server, on a free port of 127.0.0.1."""
    kept = Answers(answers)
    server = await asyncio.start_server(kept.serve, "127.0.0.1", 0)
    kept.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield kept
    finally:
        server.close()
        await kept.end()
