"""A real HTTP server on loopback that answers as it is told: with failures, too late, in drops, or never."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Request(msgspec.Struct, frozen=True):
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Act = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int = 200, body: bytes = b"", headers: str = "") -> Act:
    async def act(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body)
        await writer.drain()

    return act


class Receiver:
    """Takes the next of `acts` for each request, then `then` for ever."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.acts: list[Act] = []
        self.then: Act = answer()
        self.url = ""
        self.connections = 0
        self.serving: set[asyncio.Task[None]] = set()
        self._more = asyncio.Condition()

    @property
    def ids(self) -> list[str]:
        return [request.id for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        try:
            while True:
                request = await _read(reader)
                self.requests.append(request)
                async with self._more:
                    self._more.notify_all()
                await (self.acts.pop(0) if self.acts else self.then)(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.serving.discard(task)
            writer.close()

    async def got(self, count: int, seconds: float = 20.0) -> None:
        """Wait for so many requests."""
        async with asyncio.timeout(seconds), self._more:
            await self._more.wait_for(lambda: len(self.requests) >= count)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(head[0].split()[1], headers, body)


def certify(address: str, folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate of its own for `address`, which is `certificate.pem` in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


@asynccontextmanager
async def receiving(secured: ssl.SSLContext | None = None):
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=secured)
    receiver.url = f"{'https' if secured else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.close()
        serving = set(receiver.serving)
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)
