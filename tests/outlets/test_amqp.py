"""Outlets of the kind amqp against a real RabbitMQ."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from lns.delivery.outcome import Verdict
from lns.exchange.records import Stored
from lns.outlets.definition import Outlet
from lns.outlets.formats.chirpstack import ChirpStack
from tests.brokers_debian import Rabbit, make_rabbit, rabbit
from tests.outlets.gate import Authority
from tests.outlets.samples import AT_US, decoded, dev_eui, uplink
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
from tests.process import free_port

__all__ = ["rabbit"]


def settings(server: Rabbit, form: str = "inflight", **changes: Any) -> Outlet:
    fields = {"port": server.port, "delivery_timeout_s": 10.0, "exchange": f"lns-{uuid4().hex[:8]}"}
    return outlet("amqp", {**fields, **changes}, form)


@asynccontextmanager
async def channel(server: Rabbit) -> AsyncIterator[Any]:
    connection = await aio_pika.connect(host="127.0.0.1", port=server.port)
    async with connection:
        yield await connection.channel()


async def nothing() -> None:
    pass


async def bind(server: Rabbit, config: Outlet, queue: str, routing_key: str) -> None:
    """A durable queue behind the outlet's exchange."""
    async with channel(server) as opened_channel:
        exchange = await opened_channel.declare_exchange(
            config.settings["exchange"], aio_pika.ExchangeType.TOPIC, durable=True
        )
        bound = await opened_channel.declare_queue(queue, durable=True)
        await bound.bind(exchange, routing_key)


async def bind_for_good(server: Rabbit, config: Outlet, queue: str, routing_key: str) -> None:
    """The same, known also after a kill -9.

    RabbitMQ 3.10 writes down what is declared and bound up to 2 s later. Killed before that, it comes back with the
    queue and its messages but without the binding: what is published then is confirmed and dropped. An orderly end
    writes everything.
    """
    await bind(server, config, queue, routing_key)
    await asyncio.to_thread(server.restart)


async def read(server: Rabbit, queue: str, count: int) -> list[AbstractIncomingMessage]:
    """Everything in the queue, which is at least `count` different messages."""
    found: list[AbstractIncomingMessage] = []
    async with channel(server) as opened_channel:
        bound = await opened_channel.get_queue(queue)
        while (message := await bound.get(no_ack=True, fail=False)) is not None:
            found.append(message)
    assert len({message.body for message in found}) >= count
    return found


def seqs_by_device(found: Sequence[AbstractIncomingMessage]) -> dict[str, list[int]]:
    """Seqs by device in the order of their first arrival."""
    by_device: dict[str, dict[int, None]] = {}
    for message in found:
        value = json.loads(message.body)
        by_device.setdefault(value["device"]["dev_eui"], {})[value["seq"]] = None
    return {device: list(seqs) for device, seqs in by_device.items()}


async def test_each_queue_behind_the_exchange_gets_what_it_is_bound_for_in_order(rabbit: Rabbit) -> None:
    config = settings(rabbit)
    exchange = config.settings["exchange"]
    everything, measurements = f"{exchange}-all", f"{exchange}-measurements"
    await bind(rabbit, config, everything, "inflight.#")
    await bind(rabbit, config, measurements, "inflight.greenhouse.*.measurements")
    async with opened(config) as destination:
        for start in range(0, 600, 200):
            await deliver(destination, sent(200, first=start))
        await deliver(destination, messages([Stored(601, "decoded", decoded(0))]))
    (only,) = await read(rabbit, measurements, 1)
    assert (only.routing_key, only.headers) == (f"inflight.greenhouse.{dev_eui(0)}.measurements", {"seq": 601})
    assert (only.delivery_mode, only.content_type) == (aio_pika.DeliveryMode.PERSISTENT, "application/json")
    assert only.timestamp is not None
    assert int(only.timestamp.timestamp()) == AT_US // 1_000_000
    found = await read(rabbit, everything, 601)
    assert seqs_by_device(found[:600]) == in_order(600)


async def test_chirpstacks_routing_key_is_used_on_the_brokers_own_exchange(rabbit: Rabbit) -> None:
    config, queue = settings(rabbit, "chirpstack", exchange="amq.topic", application_id="app1"), f"q-{uuid4().hex[:8]}"
    async with channel(rabbit) as opened_channel:
        bound = await opened_channel.declare_queue(queue, durable=True)
        await bound.bind("amq.topic", "application.app1.device.*.event.up")
    async with opened(config) as destination:
        await deliver(destination, ChirpStack(describe).messages(Stored(2, "decoded", decoded(0)), uplink(0)))
    (message,) = await read(rabbit, queue, 1)
    assert json.loads(message.body)["object"] == {"temperature": 21.5, "open": True}


async def test_kill_9_of_the_broker_loses_nothing_and_keeps_the_order(rabbit: Rabbit) -> None:
    config = settings(rabbit, delivery_timeout_s=2.0)
    queue = config.settings["exchange"]
    await bind_for_good(rabbit, config, queue, "inflight.#")
    async with opened(config) as destination:
        await until_taken(destination, sent(100))
        rabbit.freeze()
        assert (await failure_of(destination, sent(100, first=100))).error == "timeout: not confirmed after 2 s"
        rabbit.kill()
        away = (await failure_of(destination, sent(100, first=100))).error
        assert away.startswith(f"connect: no connection to 127.0.0.1:{rabbit.port}: ")
        await asyncio.to_thread(rabbit.start)
        await until_taken(destination, sent(100, first=100))
    assert seqs_by_device(await read(rabbit, queue, 200)) == in_order(200)


async def test_through_the_delivery_log_nothing_is_lost_when_the_broker_is_killed(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    config = settings(rabbit, delivery_timeout_s=2.0)
    queue = config.settings["exchange"]
    await bind_for_good(rabbit, config, queue, "inflight.#")
    await through_delivery(tmp_path, config, rabbit, nothing)  # a confirm says that it is kept
    assert seqs_by_device(await read(rabbit, queue, 200)) == in_order(200)


async def test_mandatory_messages_wait_until_a_queue_is_bound(rabbit: Rabbit) -> None:
    config = settings(rabbit, mandatory=True)
    queue = config.settings["exchange"]
    async with opened(config) as destination:
        refused = await destination.deliver(sent(3))
        assert {one.verdict for one in refused} == {Verdict.RETRY}
        assert all(one.error.startswith("not_taken: the broker did not take it") for one in refused)
        await bind(rabbit, config, queue, "inflight.#")
        await until_taken(destination, sent(3))
    assert sorted(seqs_by_device(await read(rabbit, queue, 3)).values()) == [[1], [2], [3]]


async def test_a_wrong_password_is_said(rabbit: Rabbit) -> None:
    async with opened(settings(rabbit, username="lns", password="wrong")) as destination:
        assert "ACCESS_REFUSED" in (await failure_of(destination, sent(1))).error


async def test_what_the_protocol_cannot_carry_is_refused_and_the_next_goes_on(rabbit: Rabbit) -> None:
    config = settings(rabbit, max_message_bytes=2000, routing_key="{event}")
    queue = config.settings["exchange"]
    await bind(rabbit, config, queue, "#")
    large = messages([Stored(1, "uplink", uplink(0, data=bytes(2000)))])
    async with opened(config) as destination:
        refused, taken = await destination.deliver([*large, *sent(1, first=1)])
    async with opened(settings(rabbit, routing_key="{dev_eui}." + "x" * 250)) as destination:
        long = await failure_of(destination, sent(1))
    assert seqs_by_device(await read(rabbit, queue, 1)) == {dev_eui(1): [2]}
    assert [one.verdict for one in (refused, taken, long)] == [Verdict.REFUSED, Verdict.DELIVERED, Verdict.REFUSED]
    assert refused.error.startswith("message_too_large: ")
    assert long.error == "routing_key_too_long: the routing key is 267 octets, at most 255 fit"


async def test_a_broker_that_is_away_at_the_start_is_said() -> None:
    async with opened(outlet("amqp", {"port": free_port()})) as destination:
        assert (await failure_of(destination, sent(1))).error.startswith("connect: no connection to 127.0.0.1:")


async def test_tls_is_checked_and_a_client_shows_its_certificate(tmp_path: Path) -> None:
    """RabbitMQ asks for a certificate of the client and refuses who has none."""
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.issue("broker")
    client, client_key = authority.issue("client")
    server = make_rabbit(
        tmp_path / "rabbit",
        f"ssl_options.cacertfile = {authority.pem}",
        f"ssl_options.certfile = {certificate}",
        f"ssl_options.keyfile = {key}",
        "ssl_options.verify = verify_peer",
        "ssl_options.fail_if_no_peer_cert = true",
        tls=True,
    )
    await asyncio.to_thread(server.start)
    try:
        trust: dict[str, Any] = {"tls": True, "tls_ca_location": str(authority.pem)}
        own: dict[str, Any] = {"tls_certificate_location": str(client), "tls_key_location": str(client_key)}
        async with opened(settings(server, **trust, **own)) as destination:
            await until_taken(destination, sent(10))
        async with opened(settings(server, **trust)) as destination:
            assert (await failure_of(destination, sent(10))).verdict is Verdict.RETRY
        async with opened(settings(server, tls=True, **own)) as destination:
            assert "certificate verify failed" in (await failure_of(destination, sent(10))).error
    finally:
        server.stop()


async def test_a_broker_that_dies_under_way_is_noticed_at_once(rabbit: Rabbit) -> None:
    config = settings(rabbit, delivery_timeout_s=60.0)
    await bind(rabbit, config, config.settings["exchange"], "inflight.#")
    async with opened(config) as destination:
        await deliver(destination, sent(10))
        rabbit.freeze()
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            delivery = group.create_task(failure_of(destination, sent(10, first=10)))
            await asyncio.wait([delivery], timeout=0.2)
            rabbit.kill()
            assert (await delivery).error.startswith(
                "connection: "
            )  # the last test of this file: the broker stays dead
