"""A small UDP server on a real socket: acknowledges like a network server, keeps what came, sends what it is told."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from lns.gateways import semtech
from lns.gateways.semtech import PullData, PushData, TxAck
from lns.mac.frames import Transmission, TxOutcome


class Server(asyncio.DatagramProtocol):
    """`deaf` lists the types of datagrams that it does not acknowledge; `on_push` sees each PUSH_DATA."""

    def __init__(self) -> None:
        self.pushes: list[PushData] = []
        self.pulls: list[PullData] = []
        self.outcomes: list[tuple[bytes, TxOutcome | None]] = []
        self.deaf: set[type] = set()
        self.held: list[tuple[bytes, tuple[str, int]]] = []
        self.on_push: Callable[[PushData], None] = lambda _: None
        self._pull_address: dict[str, tuple[str, int]] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.port: int = transport.get_extra_info("sockname")[1]
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = semtech.parse(data, received_at_us=0)
        reply = semtech.reply(message)
        if reply is not None:
            if type(message) in self.deaf:
                self.held.append((reply, addr))
            else:
                self.transport.sendto(reply, addr)
        if isinstance(message, PushData):
            self.pushes.append(message)
            self.on_push(message)
        elif isinstance(message, PullData):
            self.pulls.append(message)
            self._pull_address[message.gateway_eui] = addr
        elif isinstance(message, TxAck):
            self.outcomes.append((message.token, message.outcome))

    def release(self) -> None:
        """Send the acknowledgements that were held back."""
        for reply, addr in self.held:
            self.transport.sendto(reply, addr)
        self.held.clear()

    def send(self, transmission: Transmission, token: bytes = b"\x00\x01") -> None:
        """A PULL_RESP to a gateway."""
        self.raw(transmission.gateway_eui, semtech.build_pull_resp(2, token, transmission))

    def raw(self, gateway_eui: str, datagram: bytes) -> None:
        """Any datagram to where a gateway's PULL_DATA came from."""
        self.transport.sendto(datagram, self._pull_address[gateway_eui])


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """A server on a free port of the loopback interface."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)
