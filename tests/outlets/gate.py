"""A guarded door in front of a broker: ends TLS, asks for SASL PLAIN, and passes on what may pass.

No packaged broker speaks TLS and SASL, so the door does, on a real socket and with the wire format of the Kafka
protocol's SaslHandshake (key 17) and SaslAuthenticate (key 36). What it saw is kept for the test to look at.
"""

import asyncio
import datetime
import ipaddress
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

SASL_HANDSHAKE, SASL_AUTHENTICATE = 17, 36
UNSUPPORTED_MECHANISM, AUTHENTICATION_FAILED = 33, 58


class Authority:
    """A certificate authority of the test; `pem` is the file a client trusts."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign(self._name, self._key, [x509.BasicConstraints(ca=True, path_length=None)])
        self.pem = folder / f"{name}.pem"
        self.pem.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def issue(self, name: str, address: str = "127.0.0.1", password: str = "") -> tuple[Path, Path]:
        """Files of a certificate for `name` at an IP `address` and of its key, encrypted where a password is given."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        where = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate_path, key_path = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate_path.write_bytes(self._sign(subject, key, [where]).public_bytes(Encoding.PEM))
        encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        return certificate_path, key_path

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extensions: list[x509.ExtensionType]
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


class Gate:
    """The door; `clients` are the certificate names, `logins` the (mechanism, user) pairs that came."""

    def __init__(self, backend_port: int, users: dict[str, str]) -> None:
        self._backend_port, self._users = backend_port, users
        self.clients: list[str | None] = []
        self.logins: list[tuple[str, str]] = []
        self.mechanisms: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.clients.append(_common_name(writer.get_extra_info("peercert")))
        inside, outside = await asyncio.open_connection("127.0.0.1", self._backend_port)
        try:
            async with asyncio.TaskGroup() as group:
                answers = group.create_task(_copy(inside, writer))
                await self._let_pass(reader, writer, outside)
                answers.cancel()
        except* (OSError, EOFError, ssl.SSLError):
            pass  # a side went away, as in the tests that refuse somebody
        finally:
            outside.close()
            writer.close()

    async def _let_pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, outside: asyncio.StreamWriter
    ) -> None:
        allowed = not self._users
        mechanism = ""
        while True:
            request = await reader.readexactly(struct.unpack(">i", await reader.readexactly(4))[0])
            key, version, correlation, client_length = struct.unpack_from(">hhih", request)
            body = request[10 + max(client_length, 0) :]
            if key == SASL_HANDSHAKE:
                mechanism = body[2:].decode()
                self.mechanisms.append(mechanism)
                error = 0 if mechanism == "PLAIN" else UNSUPPORTED_MECHANISM
                _answer(writer, correlation, struct.pack(">hih5s", error, 1, 5, b"PLAIN"))
            elif key == SASL_AUTHENTICATE:
                _, user, password = body[4:].decode().split("\0")
                self.logins.append((mechanism, user))
                allowed = self._users.get(user) == password
                said = b"" if allowed else b"who are you"
                text = struct.pack(f">hh{len(said)}si", 0 if allowed else AUTHENTICATION_FAILED, len(said), said, 0)
                _answer(writer, correlation, text + (struct.pack(">q", 0) if version else b""))
            elif allowed or key == 18:  # ApiVersions is asked before the login
                outside.write(struct.pack(">i", len(request)) + request)
            else:
                return


def _answer(writer: asyncio.StreamWriter, correlation: int, body: bytes) -> None:
    writer.write(struct.pack(">ii", 4 + len(body), correlation) + body)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
        await target.drain()


def _common_name(certificate: dict[str, tuple[tuple[tuple[str, str], ...], ...]] | None) -> str | None:
    if not certificate:
        return None
    return next(value for part in certificate["subject"] for name, value in part if name == "commonName")


@asynccontextmanager
async def guarded(gate: Gate, port: int, context: ssl.SSLContext | None) -> AsyncIterator[Gate]:
    """The gate, open on `port` of 127.0.0.1."""
    server = await asyncio.start_server(gate.serve, "127.0.0.1", port, ssl=context)
    try:
        yield gate
    finally:
        server.close()
