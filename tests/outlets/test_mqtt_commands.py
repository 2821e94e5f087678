"""Commands for devices that come over a real Mosquitto."""

import asyncio
import json
import logging
from typing import Any

import pytest
from aiomqtt import Client

from lns import metrics
from lns.outlets import kinds
from lns.outlets.formats.commands import Command, Downlink
from lns.outlets.mqtt_commands import MqttCommands
from tests.brokers import free_port
from tests.brokers_debian import Server, mosquitto
from tests.outlets.sending import outlet
from tests.outlets.test_mqtt import settings

__all__ = ["mosquitto"]


class Queue(list[Command]):
    """Stands for the network: takes commands, refuses those for a device it does not know."""

    def __init__(self, count: int) -> None:
        self._count, self.full = count, asyncio.Event()

    async def __call__(self, command: Command) -> None:
        if command.device_id == "nobody":
            raise ValueError("no device is called nobody")
        self.append(command)
        if len(self) == self._count:
            self.full.set()


async def send(server: Server, *commands: tuple[str, dict[str, Any]]) -> None:
    async with Client("127.0.0.1", server.port) as client:
        for topic, value in commands:
            await client.publish(topic, json.dumps(value), 1)


async def test_commands_are_taken_and_wrong_ones_stop_nothing(mosquitto: Server) -> None:
    queue = Queue(2)
    listener = kinds.commands(settings(mosquitto, "tts", commands=True), queue)
    assert listener is not None
    push = {"downlinks": [{"f_port": 15, "frm_payload": "vu8="}]}
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(listener.run())
        await listener.subscribed.wait()
        await send(
            mosquitto,
            ("v3/app1/devices/dev1/down/push", push),
            ("v3/app1/devices/nobody/down/push", push),
            ("v3/app1/devices/dev1/down/push", {"downlinks": [{"f_port": 0}]}),
            ("v3/app1/devices/dev1/down/sent", push),  # an event
            ("v3/app1/devices/dev2/down/replace", push),
        )
        await queue.full.wait()
        running.cancel()
    downlinks = (Downlink(payload=b"\xbe\xef", fport=15),)
    assert queue == [Command(downlinks, device_id="dev1"), Command(downlinks, True, device_id="dev2")]


async def test_a_command_sent_while_the_server_is_away_is_taken_when_it_is_back(mosquitto: Server) -> None:
    definition, queue = settings(mosquitto, "chirpstack", commands=True, application_id="app1"), Queue(1)
    eui = "0101010101010101"
    for away in (True, False):
        listener = kinds.commands(definition, queue)
        assert listener is not None
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            running = group.create_task(listener.run())
            await (listener.subscribed if away else queue.full).wait()
            running.cancel()
        if away:
            value = {"devEui": eui, "fPort": 10, "data": "AQID"}
            await send(
                mosquitto,
                (f"application/other/device/{eui}/command/down", value),
                (f"application/app1/device/{eui}/command/down", value),
            )
    assert queue == [Command((Downlink(payload=b"\1\2\3", fport=10),), dev_eui=eui)]


async def test_our_own_commands_are_heard_of_one_application_only(mosquitto: Server) -> None:
    queue, eui = Queue(1), "0101010101010101"
    listener = kinds.commands(settings(mosquitto, commands=True), queue, "greenhouse")
    assert listener is not None
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(listener.run())
        await listener.subscribed.wait()
        await send(
            mosquitto,
            (f"inflight/barn/{eui}/command/push", {"fport": 9, "payload": "09"}),
            (f"inflight/greenhouse/{eui}/command/replace", {"fport": 10, "payload": "010203"}),
        )
        await queue.full.wait()
        running.cancel()
    assert queue == [Command((Downlink(payload=b"\1\2\3", fport=10),), True, dev_eui=eui)]


async def test_a_refused_command_is_counted(mosquitto: Server) -> None:
    queue = Queue(1)
    listener = kinds.commands(settings(mosquitto, "tts", commands=True), queue)
    assert isinstance(listener, MqttCommands)
    before = metrics.outlet_errors.values.get(("1/x", "command"), 0)
    push = {"downlinks": [{"f_port": 15, "frm_payload": "vu8="}]}
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(listener.run())
        await listener.subscribed.wait()
        await send(mosquitto, ("v3/a/devices/nobody/down/push", push), ("v3/a/devices/dev1/down/push", push))
        await queue.full.wait()
        running.cancel()
    assert metrics.outlet_errors.values["1/x", "command"] == before + 1


async def test_a_broker_that_is_away_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    listener = kinds.commands(outlet("mqtt", {"port": free_port(), "commands": True}, "tts"), Queue(1))
    assert listener is not None
    caplog.set_level(logging.DEBUG, "lns.outlets.mqtt_commands")
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(listener.run())
        while len(caplog.records) < 3:
            await asyncio.sleep(0.02)
        running.cancel()
    assert [record.levelname for record in caplog.records[:3]] == ["WARNING", "DEBUG", "DEBUG"]
    assert caplog.messages[0].startswith("commands of outlet 1/x are away, trying again: ")
