"""What the receivers of outlets got, in the order in which they got it, read from real brokers while they serve."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import paho.mqtt.client as mqtt
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from confluent_kafka import Consumer, TopicPartition
from paho.mqtt.enums import CallbackAPIVersion

from tests.outlets.receiver import Act, Receiver, Request, answer, receiving

EXCHANGE, TOPIC = "inflight", "everything"
_AGAIN_S, _CONNECT_S = 0.1, 10.0

Told = tuple[int, str, str, Any]
"""Seq, id of the uplink, event, and what the message says."""


class Inbox:
    """Messages of one outlet by device, each once, in the order in which they first came."""

    def __init__(self) -> None:
        self.by_device: dict[str, dict[int, Told]] = {}
        self.seqs: set[int] = set()
        self.taken = 0
        self.odd: list[str] = []
        """Messages under a wrong id, or that came again and were not the same."""

    def take(self, message_id: str | None, body: bytes) -> None:
        """A message; `message_id` None where the protocol has none."""
        told = told_of(json.loads(body))
        seq, uplink_id, event, _ = told
        device = self.by_device.setdefault(json.loads(body)["device"]["dev_eui"], {})
        self.taken += 1
        self.seqs.add(seq)
        if message_id not in (None, f"{event}_{uplink_id}"):
            self.odd.append(f"seq {seq} has the id {message_id}, its uplink {uplink_id}")
        if device.setdefault(seq, told) != told:
            self.odd.append(f"seq {seq} came as {device[seq]} and as {told}")


def told_of(body: dict[str, Any]) -> Told:
    """A message's seq, uplink id, event and content."""
    event = body["schema"].split(".")[1]
    if event == "uplink":
        return body["seq"], body["id"], event, (body["fcnt_up"], body["payload"])
    found = [(one["field"], one["value"], one.get("unit")) for one in body["measurements"]]
    return body["seq"], body["id"], event, (body["fcnt_up"], sorted(found))


@asynccontextmanager
async def webhook(inbox: Inbox, mood: Callable[[], Act | None] | None = None) -> AsyncIterator[Receiver]:
    """A receiver whose accepted requests are in the inbox; `mood` says what it does with a request instead."""
    async with receiving() as receiver:

        async def take(request: Request, writer: asyncio.StreamWriter) -> None:
            instead = mood() if mood is not None else None
            if instead is None:
                inbox.take(request.id, request.body)
            await (instead or answer())(request, writer)

        receiver.then = take
        yield receiver


@asynccontextmanager
async def mqtt_reader(port: int, inbox: Inbox) -> AsyncIterator[None]:
    """A subscriber whose session the broker keeps; it connects again whenever it has to."""
    loop, subscribed = asyncio.get_running_loop(), asyncio.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "reader", clean_session=False)
    client.reconnect_delay_set(_AGAIN_S, 2 * _AGAIN_S)  # type: ignore[arg-type]

    def connected(*_: Any) -> None:
        client.subscribe("inflight/#", 1)

    def is_subscribed(*_: Any) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    def came(_: Any, __: Any, message: mqtt.MQTTMessage) -> None:
        loop.call_soon_threadsafe(inbox.take, None, bytes(message.payload))

    client.on_connect, client.on_subscribe, client.on_message = connected, is_subscribed, came
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        async with asyncio.timeout(20):
            await subscribed.wait()
        yield
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


@asynccontextmanager
async def amqp_reader(port: int, inbox: Inbox) -> AsyncIterator[None]:
    """A reader of a durable queue, which acknowledges what it has read; it connects again whenever it has to."""
    ready = asyncio.Event()

    async def read() -> None:
        while True:
            try:
                await _consume(port, inbox, ready)
            except (AMQPError, ChannelInvalidStateError, OSError, TimeoutError):
                pass
            await asyncio.sleep(_AGAIN_S)

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        async with asyncio.timeout(60):
            await ready.wait()
        try:
            yield
        finally:
            reading.cancel()


async def _consume(port: int, inbox: Inbox, ready: asyncio.Event) -> None:
    ended = asyncio.Event()

    async def take(message: AbstractIncomingMessage) -> None:
        inbox.take(message.message_id, message.body)
        try:
            await message.ack()
        except (AMQPError, ChannelInvalidStateError, OSError):
            pass  # the connection has ended: it comes again

    async with asyncio.timeout(_CONNECT_S):
        _, probe = await asyncio.open_connection("127.0.0.1", port)  # a connection that aio-pika failed to make leaks
        probe.close()
        connection = await aio_pika.connect(f"amqp://guest:guest@127.0.0.1:{port}/")
    async with connection:
        connection.close_callbacks.add(lambda *_: ended.set())
        async with asyncio.timeout(_CONNECT_S):
            channel = await connection.channel()
            exchange = await channel.declare_exchange(EXCHANGE, "topic", durable=True)
            queue = await channel.declare_queue("all", durable=True)
            await queue.bind(exchange, "#")
            await queue.consume(take)
        ready.set()
        await ended.wait()


@asynccontextmanager
async def kafka_reader(address: str, inbox: Inbox) -> AsyncIterator[None]:
    """Reads the topic's one partition from its beginning, and goes on whenever the broker does."""
    loop, done = asyncio.get_running_loop(), threading.Event()

    def read() -> None:
        quiet = {"log_level": 0, "reconnect.backoff.max.ms": 500, "topic.metadata.refresh.interval.ms": 500}
        settings = {"bootstrap.servers": address, "group.id": "reader", "enable.auto.commit": False}
        consumer: Any = Consumer(settings | quiet | {"broker.address.family": "v4"})
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        while not done.is_set():
            for message in consumer.consume(1000, 0.1):
                if message.error() is None:
                    headers: dict[str, bytes] = dict(message.headers())
                    loop.call_soon_threadsafe(inbox.take, headers["id"].decode(), message.value())
        consumer.close()

    thread = threading.Thread(target=read, name="kafka reader")
    thread.start()
    try:
        yield
    finally:
        done.set()
        await asyncio.to_thread(thread.join)
