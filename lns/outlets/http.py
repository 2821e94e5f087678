"""HTTP/1.1 POSTs over connections that are kept: h11 on asyncio streams, for webhooks only.

No redirect is followed, no proxy asked, and no name connected to but at an address that the guard allows.
"""

import asyncio
import ssl
import time
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

import h11
import msgspec

from lns.outlets.private_addresses import Guard

KEPT_ALIVE_S = 15.0
_READ_BYTES = 65_536
_PORTS = {"http": 80, "https": 443}

Headers = list[tuple[str, str]]


class Head(msgspec.Struct, frozen=True):
    """The beginning of an answer."""

    status: int
    headers: Headers


class _Unanswered(OSError):
    """A connection ended before a byte of an answer."""


class Connection:
    """One connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT)
        self.idle_since = 0.0

    async def post(self, target: str, headers: Headers, body: bytes) -> Head:
        """Send a request and wait for the head of its answer; OSError or h11.ProtocolError: there is none."""
        request = h11.Request(method="POST", target=target, headers=headers)
        parts = (self._http.send(request), self._http.send(h11.Data(body)), self._http.send(h11.EndOfMessage()))
        # No waiting for the other side to read: it may answer, and refuse, before it has read all.
        self._writer.write(b"".join(part for part in parts if part))
        event = await self._event()
        while isinstance(event, h11.InformationalResponse):
            event = await self._event()
        if not isinstance(event, h11.Response):
            raise OSError("the connection ended before an answer")
        return Head(event.status_code, [(_text(name), _text(value)) for name, value in event.headers])

    async def read(self, kept: bytearray, most: int) -> bool:
        """Add the answer's body to `kept` until it is past `most` bytes; True when all of it is there."""
        while len(kept) <= most:
            event = await self._event()
            if isinstance(event, h11.Data):
                kept += event.data
            else:
                return isinstance(event, h11.EndOfMessage)
        return False

    def free(self) -> bool:
        """Whether another request can follow; if so, it is ready for it."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self.idle_since = time.monotonic()
        return True

    @property
    def stale(self) -> bool:
        """Whether the other side has closed it, or may be about to."""
        return self._reader.at_eof() or time.monotonic() - self.idle_since > KEPT_ALIVE_S

    def close(self) -> None:
        self._writer.transport.abort()

    async def closed(self) -> None:
        """Wait until the socket is given back."""
        with suppress(OSError):  # it was cut
            await self._writer.wait_closed()

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            try:
                data = await self._reader.read(_READ_BYTES)
            except OSError as error:
                raise self._ended(str(error) or "the connection was cut") from error
            if not data and self._http.their_state is h11.SEND_RESPONSE:
                raise self._ended("the connection was closed without an answer")
            self._http.receive_data(data)
        return event

    def _ended(self, text: str) -> OSError:
        unanswered = self._http.their_state is h11.SEND_RESPONSE and not self._http.trailing_data[0]
        return _Unanswered(text) if unanswered else OSError(text)


class Client:
    """Connections of one outlet: `post` gives one out, `keep` takes it back."""

    def __init__(self, guard: Guard, trust: ssl.SSLContext) -> None:
        self._guard, self._trust = guard, trust
        self._idle: dict[tuple[str, str], list[Connection]] = {}

    async def post(self, address: str, headers: Headers, body: bytes) -> tuple[Connection, Head]:
        """The head of an answer and the connection to read its body from; `keep` or close it afterwards."""
        url = urlsplit(address)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        ours = [("host", url.netloc), ("content-length", str(len(body))), *headers]
        idle = self._idle.get((url.scheme, url.netloc), [])
        while idle:
            connection = idle.pop()
            if connection.stale:
                connection.close()
                continue
            try:
                return connection, await self._on(connection, target, ours, body)
            except _Unanswered:  # closed while it was idle: a new one tells whether there is trouble
                break
        connection = await self._connect(url)
        return connection, await self._on(connection, target, ours, body)

    def keep(self, address: str, connection: Connection) -> None:
        """The answer was read, or given up."""
        if connection.free():
            url = urlsplit(address)
            self._idle.setdefault((url.scheme, url.netloc), []).append(connection)
        else:
            connection.close()

    async def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
                await connection.closed()
        self._idle.clear()

    async def _on(self, connection: Connection, target: str, headers: Headers, body: bytes) -> Head:
        try:
            return await connection.post(target, headers, body)
        except BaseException:  # given up in the middle of a request, by a time limit too
            connection.close()
            raise

    async def _connect(self, url: SplitResult) -> Connection:
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        *others, last = await self._guard.addresses(host, port)
        for address in others:
            try:
                return await self._connect_to(address, port, url)
            except OSError:
                continue
        return await self._connect_to(last, port, url)

    async def _connect_to(self, address: str, port: int, url: SplitResult) -> Connection:
        secure = url.scheme == "https"
        context, name = (self._trust, url.hostname) if secure else (None, None)
        return Connection(*await asyncio.open_connection(address, port, ssl=context, server_hostname=name))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
