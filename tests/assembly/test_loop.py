"""Everything that connects by a name does so without holding up others."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lns.assembly.loop import Loop
from tests.outlets.receiver import certify


def run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main)


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.readline())
    writer.close()


async def echoed(port: int, host: str = "localhost", **how: Any) -> bytes:
    reader, writer = await asyncio.open_connection(host, port, **how)
    assert writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    writer.write(b"hello\n")
    found = await reader.read()
    writer.close()
    return found


async def trouble(call: Awaitable[Any]) -> str:
    try:
        return f"nothing, but {await call}"
    except OSError as error:
        return str(error)


def test_a_connection_is_made_by_name_and_by_address() -> None:
    async def main() -> None:
        server = await asyncio.start_server(answers, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert [await echoed(port, host) for host in ("localhost", "127.0.0.1")] == [b"hello\n"] * 2
        server.close()
        await server.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            await echoed(port)
        with pytest.raises(socket.gaierror):
            await echoed(port, "nothing.invalid")

    run(main())


def test_a_certificate_is_checked_against_the_name(tmp_path: Path) -> None:
    async def main() -> None:
        server = await asyncio.start_server(answers, "127.0.0.1", 0, ssl=certify("127.0.0.1", tmp_path))
        port = server.sockets[0].getsockname()[1]
        trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        assert await echoed(port, "127.0.0.1", ssl=trusting) == b"hello\n"
        assert await echoed(port, ssl=trusting, server_hostname="127.0.0.1") == b"hello\n"
        with pytest.raises(ssl.SSLCertVerificationError):
            await echoed(port, ssl=trusting)
        server.close()

    run(main())


def test_names_that_are_not_answered_for_hold_up_no_other_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    real, there = socket.getaddrinfo, threading.Event()

    def find(host: Any, *how: Any, **more: Any) -> Any:
        if "dead" in str(host):
            there.wait(30)
            raise socket.gaierror("no such name")
        return real(host, *how, **more)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(answers, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        names = [f"dead{n}.invalid" for n in range(20)]
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            dead = [tasks.create_task(trouble(asyncio.open_connection(name, port))) for name in names]
            dead += [tasks.create_task(trouble(loop.getaddrinfo(name, port))) for name in names]
            assert await echoed(port) == b"hello\n"
            assert await asyncio.to_thread(lambda: 1) == 1
            assert not any(one.done() for one in dead)
            there.set()
        assert {one.result() for one in dead} == {"no such name"}
        server.close()

    monkeypatch.setattr(socket, "getaddrinfo", find)
    run(main())
