"""Commands for devices that come over a real Mosquitto."""

import asyncio
import gc
import json
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiomqtt import Client

from lns import metrics
from lns.errors import StoreError
from lns.outlets import kinds, mqtt_commands
from lns.outlets.build import Take
from lns.outlets.formats.commands import Command, Downlink
from lns.outlets.mqtt_commands import MqttCommands
from tests.brokers_debian import Server, make_mosquitto, mosquitto
from tests.outlets.sending import outlet
from tests.outlets.test_mqtt import settings
from tests.process import free_port

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


PUSH = {"downlinks": [{"f_port": 15, "frm_payload": "vu8="}]}


def pushes(names: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"v3/app1/devices/{name}/down/push", PUSH) for name in names]


@asynccontextmanager
async def listening(server: Server, take: Take) -> AsyncIterator[MqttCommands]:
    """A listener that is stopped as by a change of its outlet."""
    listener = kinds.commands(settings(server, "tts", commands=True), take)
    assert listener is not None
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        running = group.create_task(listener.run())
        await listener.subscribed.wait()
        yield listener
        running.cancel()


class Ids(list[str]):
    """Stands for the network: takes commands one by one, each in a moment; `failures` come first."""

    def __init__(self, *failures: Exception) -> None:
        self._failures, self.grew = list(failures), asyncio.Event()

    async def __call__(self, command: Command) -> None:
        await asyncio.sleep(0)
        if self._failures:
            raise self._failures.pop(0)
        assert command.device_id is not None
        self.append(command.device_id)
        self.grew.set()

    async def until(self, count: int) -> None:
        while len(set(self)) < count:
            self.grew.clear()
            await self.grew.wait()


async def test_what_waits_when_the_server_stops_in_a_burst_is_taken_when_it_is_back(mosquitto: Server) -> None:
    names, taken = [f"dev{n}" for n in range(60)], Ids()
    for least in (0, 20, 40, 60):  # the first only subscribes
        async with listening(mosquitto, taken):
            await taken.until(least)
        if not least:
            await send(mosquitto, *pushes(names))
    assert taken == names  # once each, for none was under way when it stopped


async def test_a_command_that_is_under_way_when_the_server_stops_comes_again(mosquitto: Server) -> None:
    under_way, taken = asyncio.Event(), Ids()

    async def never(_: Command) -> None:
        under_way.set()
        await asyncio.Event().wait()

    async with listening(mosquitto, never):
        await send(mosquitto, *pushes(["a", "b"]))
        await under_way.wait()
    async with listening(mosquitto, taken):
        await taken.until(2)
    assert taken == ["a", "b"]


@pytest.mark.parametrize("window", ["20", "0"])  # 0: the broker sends all at once
async def test_a_burst_is_taken_whole_and_in_order(tmp_path: Path, window: str) -> None:
    names, taken = [f"dev{n}" for n in range(4000)], Ids()
    lines = ("allow_anonymous true", f"max_inflight_messages {window}")
    with make_mosquitto(tmp_path / "mosquitto", *lines) as server:
        async with listening(server, taken):
            await send(server, *pushes(names))
            await taken.until(4000)
    assert taken == names


async def test_kill_9_of_the_broker_loses_no_command(tmp_path: Path) -> None:
    names, taken = [f"dev{n}" for n in range(100)], Ids()
    lines = ("allow_anonymous true", "autosave_interval 1")  # it forgets nothing that it has taken
    with make_mosquitto(tmp_path / "mosquitto", *lines) as server:
        async with listening(server, taken):
            await send(server, *pushes(names[:50]))
            await taken.until(10)
        await send(server, *pushes(names[50:]))  # which wait at the broker
        async with listening(server, taken):
            await taken.until(60)
            server.kill()
            await asyncio.to_thread(server.start)
            await taken.until(100)
    assert list(dict.fromkeys(taken)) == names  # what it had not read of acknowledgements comes again


@pytest.mark.parametrize(
    ("failure", "reason", "level"),
    [
        (KeyError("the device was removed"), "command", "WARNING"),
        (ValueError("the queue is full"), "command", "WARNING"),
        (ZeroDivisionError("ours"), "command_failed", "ERROR"),
    ],
)
async def test_a_command_that_fails_is_counted_and_said_and_the_next_goes_on(
    mosquitto: Server, caplog: pytest.LogCaptureFixture, failure: Exception, reason: str, level: str
) -> None:
    before, taken = metrics.outlet_errors.values.get(("1/x", reason), 0), Ids(failure)
    async with listening(mosquitto, taken):
        await send(mosquitto, *pushes(["a", "b"]))
        await taken.until(1)
    assert taken == ["b"]
    assert metrics.outlet_errors.values["1/x", reason] == before + 1
    assert [record.levelname for record in caplog.records] == [level]
    assert caplog.messages[0].startswith("command on v3/app1/devices/a/down/push of outlet 1/x ")


async def test_a_command_waits_for_a_store_that_is_away_and_those_behind_it_too(
    mosquitto: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_commands, "FIRST_RETRY_S", 0.01)
    before = metrics.outlet_errors.values.get(("1/x", "command_waits"), 0)
    taken = Ids(StoreError("the disk is full"), OSError("no answer"))
    async with listening(mosquitto, taken):
        await send(mosquitto, *pushes(["a", "b"]))
        await taken.until(2)
    assert taken == ["a", "b"]
    assert metrics.outlet_errors.values["1/x", "command_waits"] == before + 2
    assert caplog.messages == ["a command of outlet 1/x waits: the disk is full"]


async def test_commands_at_qos_0_that_are_lost_are_counted(mosquitto: Server) -> None:
    under_way, before = asyncio.Event(), metrics.outlet_errors.values.get(("1/x", "command_lost"), 0)

    async def never(_: Command) -> None:
        under_way.set()
        await asyncio.Event().wait()

    async with listening(mosquitto, never):
        async with Client("127.0.0.1", mosquitto.port) as client:
            for topic, value in pushes(["a", "b", "c"]):
                await client.publish(topic, json.dumps(value), 0)
            await client.publish("another/topic", b"", 1)
        await under_way.wait()
    assert metrics.outlet_errors.values["1/x", "command_lost"] == before + 2


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


async def test_a_broker_that_dies_leaves_no_error_behind(caplog: pytest.LogCaptureFixture) -> None:
    """It accepts and is gone, so that the client learns of the end before it takes itself for connected."""
    lives = 0

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal lives
        await reader.read(1000)
        writer.write(b"\x20\x02\x00\x00")
        writer.close()
        lives += 1

    broker = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = broker.sockets[0].getsockname()[1]
    listener = kinds.commands(outlet("mqtt", {"port": port, "commands": True}, "tts"), Queue(1))
    assert listener is not None
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(listener.run())
        while lives < 2:
            await asyncio.sleep(0.02)
        running.cancel()
    broker.close()
    del listener, running
    gc.collect()  # asyncio tells of a reason that nobody has read when it is thrown away
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []
