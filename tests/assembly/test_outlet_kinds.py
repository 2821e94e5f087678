"""From a frame on the air to real brokers, by outlets that are made while the server runs; and their commands back."""

import asyncio
import json
import re
from typing import Any

import aio_pika
import pytest
from aiomqtt import Client

from tests.api.answers import ok
from tests.assembly.serving import World, shown
from tests.brokers import Broker, Reader
from tests.brokers_debian import Rabbit, Server

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def made(world: World, application: str, kind: str, settings: dict[str, Any], **more: Any) -> None:
    await world.application(application)
    body = {"name": kind, "kind": kind, "settings": settings, **more}
    ok(await world.api.post(f"/applications/{application}/outlets", json=body), 201)


async def test_mqtt_speaks_chirpstack_and_takes_its_commands(world: World, mosquitto: Server) -> None:
    settings = {"host": "127.0.0.1", "port": mosquitto.port, "commands": True}
    await made(world, "mqtt-app", "mqtt", settings, format="chirpstack")
    dev_eui = await world.device(21, "mqtt-app")
    async with Client("127.0.0.1", mosquitto.port) as client:
        await client.subscribe(f"application/+/device/{dev_eui}/event/up", qos=1)
        await world.uplinks(2, 21)
        async with asyncio.timeout(20):
            found = []
            async for message in client.messages:
                found.append((str(message.topic), json.loads(message.payload)))  # type: ignore[arg-type]
                if len(found) == 2:
                    break
        assert [(told["fCnt"], told["deviceInfo"]["devEui"]) for _, told in found] == [(0, dev_eui), (1, dev_eui)]
        command = found[0][0].replace("event/up", "command/down")
        body = {"devEui": dev_eui, "confirmed": True, "fPort": 7, "data": "AQI="}
        queue: list[dict[str, Any]] = []
        async with asyncio.timeout(20):
            while not queue:  # its commands are subscribed to when they are
                await client.publish(command, json.dumps(body), qos=1)
                queue = (await world.get(f"/devices/{dev_eui}/downlinks"))["items"]
        assert (queue[0]["fport"], queue[0]["payload"], queue[0]["confirmed"]) == (7, "0102", True)


async def test_amqp_reaches_every_queue_that_is_bound(world: World, rabbit: Rabbit) -> None:
    await made(world, "amqp-app", "amqp", {"host": "127.0.0.1", "port": rabbit.port, "exchange": "from-outlets"})
    await world.device(22, "amqp-app")
    connection = await aio_pika.connect(f"amqp://guest:guest@127.0.0.1:{rabbit.port}/")
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange("from-outlets", "topic", durable=True)
        queues = [await channel.declare_queue(name) for name in ("one", "two")]
        for queue in queues:
            await queue.bind(exchange, "inflight.#.uplink")
        await world.uplinks(2, 22)
        for queue in queues:
            found = []
            async with asyncio.timeout(20), queue.iterator() as messages:
                async for message in messages:
                    await message.ack()
                    found.append(json.loads(message.body)["fcnt_up"])
                    if len(found) == 2:
                        break
            assert found == [0, 1]


async def test_kafka_keeps_the_order_of_a_device(world: World, noida: Broker) -> None:
    topics = {"uplink": "outlet.uplinks", "*": "outlet.rest"}
    await made(world, "kafka-app", "kafka", {"bootstrap_servers": noida.address, "topics": topics})
    dev_eui = await world.device(23, "kafka-app")
    await world.uplinks(3, 23)
    wanted = {"application": "kafka-app", "event": "uplink", "status": "delivered"}
    await shown(world, "/deliveries", lambda log: len(log["items"]) == 3, **wanted)
    reader = Reader(noida.address, ["outlet.uplinks"])
    found = await asyncio.to_thread(reader.read, lambda seen: len(seen) >= 3)
    assert [(one.key, json.loads(one.value)["fcnt_up"]) for one in found] == [(dev_eui, n) for n in range(3)]


async def test_an_outlet_whose_broker_is_away_says_so_and_catches_up(world: World, mosquitto: Server) -> None:
    mosquitto.kill()
    sending = {"schedule": {"waits_s": [0.1] * 100}, "breaker": {"row": 2, "open_s": 0.1, "open_most_s": 0.2}}
    await made(world, "away-app", "mqtt", {"host": "127.0.0.1", "port": mosquitto.port}, sending=sending)
    await world.device(24, "away-app")
    await world.uplinks(2, 24)
    where = "/applications/away-app/outlets/mqtt"
    told = await shown(world, where, lambda one: one["breaker"] != "closed" and one["last_error"])
    assert told["open"] >= 2
    assert told["last_error_at"] is not None
    alerts = (await world.get("/status"))["alerts"]
    (alert,) = [one["text"] for one in alerts if (one["application"], one["kind"]) == ("away-app", "breaker")]
    tried = r"nothing is tried until \d\d:\d\d:\d\d UTC|one delivery at a time is tried"
    assert re.match(rf"({tried}), \d+ deliveries wait: .+", alert), alert
    await asyncio.to_thread(mosquitto.start)
    await shown(world, where, lambda one: one["open"] == 0 and one["breaker"] == "closed")
    log = await world.get("/deliveries", application="away-app", event="uplink")
    assert [one["status"] for one in log["items"]] == ["delivered"] * 2
