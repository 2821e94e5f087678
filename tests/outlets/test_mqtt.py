"""Outlets of the kind mqtt against a real Mosquitto."""

import asyncio
import base64
import gc
import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiomqtt import Client, Message

from lns.delivery.outcome import Verdict
from lns.exchange.records import Stored
from lns.outlets.definition import Outlet
from lns.outlets.formats.chirpstack import ChirpStack
from tests.brokers_debian import Server, make_mosquitto, mosquitto
from tests.outlets.gate import Authority
from tests.outlets.samples import DEVICES, decoded, dev_eui, uplink
from tests.outlets.sending import (
    deliver,
    describe,
    failure_of,
    in_order,
    messages,
    opened,
    outlet,
    sent,
    through_delivery,
    until_taken,
)

__all__ = ["mosquitto"]


def settings(server: Server, form: str = "inflight", **changes: Any) -> Outlet:
    return outlet("mqtt", {"port": server.port, "delivery_timeout_s": 10.0, **changes}, form)


class Reader:
    """A subscriber whose session the broker keeps, so that it misses nothing, even of what is sent while away."""

    def __init__(self, server: Server, topic: str) -> None:
        self._server, self._topic = server, topic
        self.seen: list[Message] = []

    def _client(self) -> Client:
        return Client("127.0.0.1", self._server.port, identifier=f"reader of {self._topic}", clean_session=False)

    async def subscribe(self) -> None:
        async with self._client() as client:
            await client.subscribe(self._topic, 1)

    async def read(self, count: int) -> list[Message]:
        """All that came so far, once there are `count` different ones, else AssertionError."""
        try:
            async with asyncio.timeout(20), self._client() as client:
                await client.subscribe(self._topic, 1)
                async for message in client.messages:
                    self.seen.append(message)
                    if len({m.payload for m in self.seen}) >= count:
                        return self.seen
        except TimeoutError:
            pass
        raise AssertionError(f"{len(self.seen)} messages arrived, expected {count}")


def seqs_by_device(found: Sequence[Message]) -> dict[str, list[int]]:
    """Seqs by device in the order of their first arrival."""
    by_device: dict[str, dict[int, None]] = {}
    for message in found:
        value = json.loads(bytes(message.payload))
        by_device.setdefault(value["device"]["dev_eui"], {})[value["seq"]] = None
    return {device: list(seqs) for device, seqs in by_device.items()}


async def test_every_message_arrives_in_order_of_its_device(mosquitto: Server) -> None:
    reader = Reader(mosquitto, "inflight/greenhouse/+/uplink")
    await reader.subscribe()
    async with opened(settings(mosquitto)) as destination:
        for start in range(0, 1000, 200):
            await deliver(destination, sent(200, first=start))
    assert seqs_by_device(await reader.read(1000)) == in_order(1000)


async def test_chirpstacks_messages_arrive_on_chirpstacks_topics(mosquitto: Server) -> None:
    reader = Reader(mosquitto, "application/app1/device/+/event/up")
    await reader.subscribe()
    async with opened(settings(mosquitto, "chirpstack", application_id="app1")) as destination:
        await deliver(destination, ChirpStack(describe).messages(Stored(4, "decoded", decoded(1)), uplink(1)))
    (found,) = await reader.read(1)
    assert str(found.topic).split("/")[3] == dev_eui(1)
    assert json.loads(bytes(found.payload))["object"] == {"temperature": 21.5, "open": True}


async def test_the_newest_message_of_a_device_is_retained_on_its_state_topic(mosquitto: Server) -> None:
    first, second = messages([Stored(1, "uplink", uplink(0)), Stored(2, "uplink", uplink(DEVICES))])
    async with opened(settings(mosquitto, state_topic="state/{dev_eui}", status_topic="status")) as destination:
        for batch in ([first], [second], [first]):  # the first is sent again
            await deliver(destination, batch)
        (online,) = await Reader(mosquitto, "status").read(1)
    (state,) = await Reader(mosquitto, "state/+").read(1)
    assert json.loads(bytes(state.payload))["seq"] == 2
    offline = (await Reader(mosquitto, "status").read(1))[-1]
    assert (online.payload, offline.payload) == (b"online", b"offline")


async def test_a_broker_that_is_away_at_the_start_only_delays(tmp_path: Path) -> None:
    server = make_mosquitto(tmp_path / "mosquitto")
    async with opened(settings(server)) as destination:
        away = await failure_of(destination, sent(50))
        assert away.verdict is Verdict.RETRY
        assert away.error.startswith(f"connect: no connection to 127.0.0.1:{server.port}: ")
        server.start()
        reader = Reader(server, "inflight/#")
        await reader.subscribe()
        await until_taken(destination, sent(50))
        assert seqs_by_device(await reader.read(50)) == in_order(50)
    server.kill()


async def test_kill_9_of_the_broker_loses_nothing_and_keeps_the_order(mosquitto: Server) -> None:
    reader = Reader(mosquitto, "inflight/#")
    await reader.subscribe()
    async with opened(settings(mosquitto, delivery_timeout_s=1.0)) as destination:
        for start in range(0, 600, 200):
            await deliver(destination, sent(100, first=start))
            await reader.read(start + 100)  # what nobody has read yet, a killed Mosquitto may not have saved
            mosquitto.freeze()
            late = await failure_of(destination, sent(100, first=start + 100))
            assert late.error == "timeout: not acknowledged after 1 s"
            mosquitto.kill()
            mosquitto.start()
            await reader.subscribe()
            await until_taken(destination, sent(100, first=start + 100))
            assert seqs_by_device(await reader.read(start + 200)) == in_order(start + 200)


async def test_through_the_delivery_log_nothing_is_lost_when_the_broker_is_killed(
    mosquitto: Server, tmp_path: Path
) -> None:
    reader = Reader(mosquitto, "inflight/#")
    await reader.subscribe()
    await through_delivery(tmp_path, settings(mosquitto, delivery_timeout_s=2.0), mosquitto, lambda: reader.read(100))
    assert seqs_by_device(await reader.read(200)) == in_order(200)


async def test_a_broker_that_dies_under_way_is_noticed_at_once(mosquitto: Server) -> None:
    async with opened(settings(mosquitto, delivery_timeout_s=60.0)) as destination:
        await deliver(destination, sent(10))
        mosquitto.freeze()
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            delivery = group.create_task(failure_of(destination, sent(10, first=10)))
            await asyncio.wait([delivery], timeout=0.2)
            mosquitto.kill()
            assert (await delivery).error.startswith("connection: ")


async def test_a_connection_that_ends_between_deliveries_leaves_no_error_behind(
    mosquitto: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lns.outlets.mqtt")
    async with opened(settings(mosquitto)) as destination:
        await deliver(destination, sent(1))
        mosquitto.kill()
        async with asyncio.timeout(10):
            while (await failure_of(destination, sent(1))).error.startswith("timeout"):
                pass
        mosquitto.start()
        await until_taken(destination, sent(1))
        mosquitto.kill()
        await asyncio.wait_for(asyncio.to_thread(gone, mosquitto), 10)
    gc.collect()  # asyncio tells of a reason that nobody has read when it is thrown away
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


def gone(server: Server) -> None:
    while server.answers():
        pass


async def test_a_message_that_is_too_large_is_refused_and_the_next_goes_on(mosquitto: Server) -> None:
    reader = Reader(mosquitto, "inflight/#")
    await reader.subscribe()
    batch = messages([Stored(1, "uplink", uplink(0, data=bytes(2000))), Stored(2, "uplink", uplink(1))])
    async with opened(settings(mosquitto, max_message_bytes=2000)) as destination:
        large, other = await destination.deliver(batch)
    assert seqs_by_device(await reader.read(1)) == {dev_eui(1): [2]}
    assert (large.verdict, other.verdict) == (Verdict.REFUSED, Verdict.DELIVERED)
    assert large.error.startswith("message_too_large: uplink message is ")
    assert large.error.endswith("bytes, at most 2000 fit")


# the client library leaves a socket whose handshake failed to be closed by the garbage collector
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_tls_and_a_password_are_asked_for_and_given(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.issue("broker")
    passwords = tmp_path / "passwords"
    passwords.write_text("lns:" + mosquitto_hash("secret") + "\n")
    server = make_mosquitto(
        tmp_path / "mosquitto",
        f"certfile {certificate}",
        f"keyfile {key}",
        f"password_file {passwords}",
        "allow_anonymous false",
    )
    server.start()
    trust = {"tls": True, "tls_ca_location": str(authority.pem)}
    async with opened(settings(server, **trust, username="lns", password="secret")) as destination:
        await deliver(destination, sent(10))
    async with opened(settings(server, **trust)) as destination:
        assert "Not authorized" in (await failure_of(destination, sent(10))).error
    async with opened(settings(server, tls=True)) as destination:
        assert "certificate verify failed" in (await failure_of(destination, sent(10))).error
    server.kill()


def mosquitto_hash(password: str) -> str:
    """Type 6 of mosquitto_passwd: SHA-512 of password and salt."""
    salt = b"0123456789ab"
    digest = hashlib.sha512(password.encode() + salt).digest()
    return f"$6${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
