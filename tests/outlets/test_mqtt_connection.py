"""One connection, to a broker that does what a test tells it, and to a real one under the loop of the server."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from lns.outlets import mqtt_connection
from lns.outlets.broker import Message
from lns.outlets.mqtt_connection import IN_FLIGHT, Connection, Hello, MqttLost
from tests.brokers_debian import Server, mosquitto
from tests.outlets.sending import deliver, opened, outlet, sent
from tests.process import free_port

__all__ = ["mosquitto"]

CONNACK = b"\x20\x02\x00\x00"


class Scripted:
    """A broker that answers each packet as it is told; `seen` are all packets that came, by type and body."""

    def __init__(self, answer: Callable[[int, bytes], bytes]) -> None:
        self._answer = answer
        self.seen: list[tuple[int, bytes]] = []
        self.arrived, self.left = asyncio.Event(), asyncio.Event()
        self.writer: asyncio.StreamWriter | None = None
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        try:
            while True:
                kind, size = await reader.readexactly(2)  # every packet of these tests is shorter than 128 octets
                body = await reader.readexactly(size)
                self.seen.append((kind, body))
                writer.write(self._answer(kind, body))
                self.arrived.set()
        except (EOFError, OSError):
            writer.close()
            self.left.set()

    async def until(self, count: int) -> None:
        """Wait for so many packets."""
        async with asyncio.timeout(10):
            while len(self.seen) < count:
                self.arrived.clear()
                await self.arrived.wait()


@asynccontextmanager
async def scripted(answer: Callable[[int, bytes], bytes]) -> AsyncIterator[Scripted]:
    broker = Scripted(answer)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        if broker.writer is not None:
            broker.writer.transport.abort()


def acknowledging(kind: int, body: bytes) -> bytes:
    if kind == 0x10:
        return CONNACK
    if kind & 0xF0 != 0x30:
        return b"\xd0\x00" if kind == 0xC0 else b""
    length = int.from_bytes(body[:2], "big")
    return b"\x40\x02" + body[2 + length : 4 + length]


def silent(kind: int, _: bytes) -> bytes:
    return CONNACK if kind == 0x10 else b""


async def connect(broker: Scripted, keepalive_s: int = 60) -> Connection:
    connection = Connection(Hello("127.0.0.1", broker.port, "me", keepalive_s))
    await connection.open()
    return connection


def message(n: int) -> Message:
    return Message(f"t/{n}", b"%d" % n, "", n, "", "")


async def lost(connection: Connection, count: int, acknowledged: list[bool]) -> None:
    with pytest.raises(MqttLost, match="closed by the broker"):
        await connection.publish([message(n) for n in range(count)], acknowledged)


async def test_all_are_sent_in_order_however_many() -> None:
    async with scripted(acknowledging) as broker:
        connection = await connect(broker)
        for _ in range(2):
            acknowledged = [False] * 250
            await connection.publish([message(n) for n in range(250)], acknowledged)
            assert all(acknowledged)
        connection.close()
        await broker.until(502)
    topics = [body[2 : 2 + int.from_bytes(body[:2], "big")] for kind, body in broker.seen if kind == 0x32]
    assert topics == [b"t/%d" % n for n in range(250)] * 2
    assert broker.seen[-1] == (0xE0, b"")


async def test_no_more_are_ahead_of_their_acknowledgements_than_brokers_allow() -> None:
    async with scripted(silent) as broker:
        connection = await connect(broker)
        acknowledged = [False] * 250
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(lost(connection, 250, acknowledged))
            await broker.until(1 + IN_FLIGHT)
            assert broker.writer is not None
            broker.writer.write(b"\x40\x02\x00\x01")  # one of them
            await broker.until(2 + IN_FLIGHT)
            assert len(broker.seen) == 2 + IN_FLIGHT
            assert acknowledged == [True] + [False] * 249
            broker.writer.transport.abort()
        await lost(connection, 1, [False])
        connection.close()


async def test_a_call_that_was_cut_off_does_not_disturb_the_next() -> None:
    async with scripted(acknowledging) as broker:
        connection = await connect(broker)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await connection.publish([message(n) for n in range(250)], [False] * 250)
        acknowledged = [False]
        await connection.publish([message(1)], acknowledged)
        assert acknowledged == [True]
        connection.close()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"\x20\x02\x00\x05", "Not authorized"),
        (b"\x20\x02\x00\x63", "closed by the broker|Unspecified error"),  # a return code that is none
        (b"\x20\x80\x80\x80\x80\x01", "Protocol error"),  # a length of more than 4 octets
        (b"", "no answer within 0.2 s"),
    ],
)
async def test_a_broker_that_does_not_accept_is_said(answer: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not answer:
        monkeypatch.setattr(mqtt_connection, "CONNECT_S", 0.2)
    async with scripted(lambda *_: answer) as broker:
        connection = Connection(Hello("127.0.0.1", broker.port, "me", 60))
        with pytest.raises(MqttLost, match=why):
            await connection.open()
        connection.close()


async def test_nobody_there_is_said() -> None:
    connection = Connection(Hello("127.0.0.1", free_port(), "me", 60))
    with pytest.raises(MqttLost, match="Connection refused"):
        await connection.open()
    connection.close()


async def test_a_connection_that_comes_about_too_late_is_closed() -> None:
    async with scripted(silent) as broker:
        connection = Connection(Hello("127.0.0.1", broker.port, "me", 60))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await connection.open()
        connection.close()
        await asyncio.wait_for(broker.left.wait(), 10)
        with pytest.raises(MqttLost, match="the connection is closed"):
            await connection.subscribe(["a"])


async def test_a_broker_that_dies_leaves_no_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    for answer in (acknowledging, silent):
        async with scripted(answer) as broker:
            connection = await connect(broker)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await connection.publish([message(1)], [False])
            await broker.until(2)
            assert broker.writer is not None
            broker.writer.transport.abort()
            with pytest.raises(MqttLost):
                async with asyncio.timeout(10):
                    await connection.stay(10)
        del connection
    gc.collect()  # asyncio tells of an error that nobody has read when it is thrown away
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_quiet_connection_is_kept_alive() -> None:
    async with scripted(acknowledging) as broker:
        connection = await connect(broker, 1)
        await broker.until(3)
        assert [kind for kind, _ in broker.seen] == [0x10] + [0xC0] * 2
        assert not connection.lost
        connection.close()


async def test_a_silent_broker_is_given_up() -> None:
    async with scripted(silent) as broker:
        connection = await connect(broker, 1)
        async with asyncio.timeout(10):
            with pytest.raises(MqttLost, match="Keep alive timeout"):
                await connection.publish([message(1)], [False])
        connection.close()


async def test_a_subscription_that_is_refused_is_said() -> None:
    def refusing(kind: int, body: bytes) -> bytes:
        return b"\x90\x03" + body[:2] + b"\x80" if kind == 0x82 else silent(kind, body)

    async with scripted(refusing) as broker:
        connection = await connect(broker)
        with pytest.raises(MqttLost, match="the broker refuses the subscription"):
            await connection.subscribe(["a/#"])
        connection.close()


async def test_what_was_not_acknowledged_comes_again(mosquitto: Server) -> None:
    hello = Hello("127.0.0.1", mosquitto.port, "reader", 60, lasting=True)
    reader, writer = Connection(hello), Connection(Hello("127.0.0.1", mosquitto.port, "writer", 60))
    await reader.open()
    await reader.subscribe(["t/#"])
    await writer.open()
    await writer.publish([message(n) for n in range(5)], [False] * 5)
    for _ in range(2):
        reader.acknowledge(await reader.arrived())
    assert (await reader.arrived()).value == b"2"
    await reader.settle()
    reader.close()
    reader = Connection(hello)
    await reader.open()
    assert [(await reader.arrived()).value for _ in range(3)] == [b"2", b"3", b"4"]
    reader.close()
    writer.close()


def test_it_runs_under_the_loop_of_the_server(mosquitto: Server) -> None:
    async def run() -> None:
        async with opened(outlet("mqtt", {"port": mosquitto.port})) as destination:
            await deliver(destination, sent(300))

    uvloop.run(run())
