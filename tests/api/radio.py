"""A gateway with a real socket and the frames of ABP devices it hears."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from lns.gateways import semtech
from lns.lorawan.crypto import UP, DataMic, PayloadCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import MType, build_data
from lns.server import Server

T = TypeVar("T")

NWK_S_KEY = "00112233445566778899aabbccddeeff"
APP_S_KEY = "ffeeddccbbaa99887766554433221100"


def abp_session(dev_addr: str) -> dict[str, Any]:
    """The session of a device whose frames `frame` makes."""
    return {"dev_addr": dev_addr, "nwk_s_key": NWK_S_KEY, "app_s_key": APP_S_KEY}


def frame(dev_addr: str, fcnt: int, fport: int, payload: bytes) -> bytes:
    """An unconfirmed uplink."""
    address = dev_addr_le(dev_addr)
    encrypted = PayloadCipher(bytes.fromhex(APP_S_KEY)).apply(payload, address, fcnt, UP)
    message = build_data(MType.UNCONFIRMED_UP, dev_addr, 0, fcnt, b"", fport, encrypted)
    return message + DataMic(bytes.fromhex(NWK_S_KEY)).mic(message, address, fcnt, UP)


class Gateway:
    """Sends datagrams to a server and waits for what they cause."""

    def __init__(self, server: Server, eui: str) -> None:
        self._server, self.eui = server, eui
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._address = ("127.0.0.1", server.udp_port)

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def keep_alive(self) -> None:
        """PULL_DATA and its PULL_ACK."""
        self._socket.setblocking(False)
        self._socket.sendto(semtech.build_pull_data(secrets.token_bytes(2), self.eui), self._address)
        async with asyncio.timeout(5):
            await asyncio.get_running_loop().sock_recv(self._socket, 100)

    def hears(self, phy_payload: bytes) -> None:
        """PUSH_DATA with one frame."""
        rxpk = {
            "tmst": 1_000_000,
            "freq": 868.1,
            "stat": 1,
            "modu": "LORA",
            "datr": "SF7BW125",
            "codr": "4/5",
            "rssi": -70,
            "lsnr": 7.5,
            "size": len(phy_payload),
            "data": phy_payload,
        }
        datagram = semtech.build_push_data(secrets.token_bytes(2), self.eui, [rxpk])
        self._socket.sendto(datagram, self._address)

    async def causes(self, phy_payload: bytes, kind: str) -> dict[str, Any]:
        """Hear a frame and wait for the event it leads to, and until every consumer has it."""
        with self._server.live.watch() as events:
            self.hears(phy_payload)
            async with asyncio.timeout(10):
                while (event := await events.get())["kind"] != kind:
                    pass
        await self._server.exchange.committed()
        async with asyncio.timeout(10):
            await self._server.exchange.caught_up()
        return event


async def first(stream: AsyncIterator[T], wanted: Callable[[T], bool]) -> T:
    """The first element that fits; the stream can be read on."""
    async with asyncio.timeout(10):
        while not wanted(element := await anext(stream)):
            pass
    return element
