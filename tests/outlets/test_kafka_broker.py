"""Outlets of the kind kafka against real brokers over real sockets."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka.admin import AdminClient, NewTopic

from lns.delivery.outcome import Verdict
from lns.exchange.records import Stored
from lns.outlets import kinds
from lns.outlets.definition import Outlet
from lns.outlets.formats.chirpstack import ChirpStack
from lns.outlets.formats.inflight_protobuf import MESSAGES
from tests.brokers import Broker, Reader, Seen
from tests.outlets.gate import Authority, Gate, guarded
from tests.outlets.samples import AT_US, DEVICES, decoded, dev_eui, event, uplink
from tests.outlets.sending import (
    deliver,
    describe,
    failure_of,
    in_order,
    messages,
    no_record,
    opened,
    outlet,
    sent,
    through_delivery,
    until_taken,
)
from tests.outlets.test_kafka_security import server_context
from tests.process import free_port

TOPICS = {"uplink": "x.uplinks", "measurements": "x.measurements", "*": "x.events"}


def settings(address: str, form: str = "inflight", **changes: Any) -> Outlet:
    fields = {"bootstrap_servers": address, "delivery_timeout_s": 10.0, "topics": TOPICS}
    return outlet("kafka", {**fields, **changes}, form)


async def read(address: str, count: int, topics: Iterable[str]) -> list[Seen]:
    """All that is there, once it is `count` different messages."""
    reader = Reader(address, list(topics))
    return await asyncio.to_thread(reader.read, lambda seen: len({one.headers["id"] for one in seen}) >= count)


def first_arrivals(seen: Iterable[Seen]) -> dict[str, list[int]]:
    """Seqs by device, as a reader keeps them who drops an id that it has seen before."""
    by_key: dict[str, dict[int, None]] = defaultdict(dict)
    for message in seen:
        by_key[message.key][message.seq] = None
    return {key: list(seqs) for key, seqs in by_key.items()}


async def test_messages_arrive_on_the_topic_of_their_event_keyed_by_device(kafka_address: str) -> None:
    prefix = f"lns-test-{uuid4().hex[:8]}"
    topics = {event: f"{prefix}.{name}" for event, name in TOPICS.items()}
    batch = messages([Stored(1, "uplink", uplink(7)), Stored(2, "decoded", decoded(7)), Stored(3, "event", event(7))])
    async with opened(settings(kafka_address, topics=topics, partitions=3)) as destination:
        await deliver(destination, batch)
    found = {one.topic: one for one in await read(kafka_address, 3, topics.values())}
    assert [found[topics[name]].value for name in ("uplink", "measurements", "*")] == [one.body for one in batch]
    assert {(one.key, one.at_ms) for one in found.values()} == {(dev_eui(7), AT_US // 1000)}
    assert found[topics["*"]].headers == {"seq": "3", "id": batch[2].id, "event": "join"}
    admin = AdminClient({"bootstrap.servers": kafka_address})
    for future in admin.delete_topics(list(topics.values())).values():
        future.result(10)


async def test_chirpstacks_events_share_its_topic(noida: Broker) -> None:
    up = ChirpStack(describe).messages(Stored(2, "decoded", decoded(0)), uplink(0))
    async with opened(settings(noida.address, "chirpstack", topics={})) as destination:
        await deliver(destination, up)
    (found,) = await read(noida.address, 1, ["chirpstack"])
    assert (json.loads(found.value)["object"]["temperature"], found.headers["event"]) == (21.5, "up")


async def test_kill_9_of_the_broker_loses_nothing_and_keeps_the_order(noida: Broker) -> None:
    """With one message of a device under way, as lanes have it."""
    async with opened(settings(noida.address, delivery_timeout_s=1.0)) as destination:
        for n in range(7):
            await until_taken(destination, sent(DEVICES, first=n * DEVICES))
        await asyncio.to_thread(noida.wait_until_saved)
        noida.freeze()
        last = sent(DEVICES, first=7 * DEVICES)
        late = await failure_of(destination, last)
        assert late.verdict is Verdict.RETRY
        assert late.error.startswith("timeout: not acknowledged after 1 s: ")
        noida.kill()
        assert (await failure_of(destination, last)).verdict is Verdict.RETRY
        await asyncio.to_thread(noida.start)
        await until_taken(destination, last)
    assert first_arrivals(await read(noida.address, 8 * DEVICES, ["x.uplinks"])) == in_order(8 * DEVICES)


async def test_through_the_delivery_log_nothing_is_lost_when_the_broker_is_killed(
    noida: Broker, tmp_path: Path
) -> None:
    definition = settings(noida.address, delivery_timeout_s=1.0)
    await through_delivery(tmp_path, definition, noida, lambda: asyncio.to_thread(noida.wait_until_saved))
    assert first_arrivals(await read(noida.address, 200, ["x.uplinks"])) == in_order(200)


async def test_protobuf_messages_are_read_by_their_schema(noida: Broker) -> None:
    definition = settings(noida.address, encoding="protobuf")
    render = kinds.renderer(definition, describe, no_record, "000000")
    batch = await render(Stored(1, "uplink", uplink(7)))
    async with opened(definition) as destination:
        await deliver(destination, batch)
    (found,) = await read(noida.address, 1, ["x.uplinks"])
    told = MESSAGES["Uplink"].FromString(found.value)
    assert (told.seq, told.device.name, told.payload) == (1, "sensor-7", bytes.fromhex("00d70128"))


async def test_a_broker_that_is_away_at_the_start_only_delays(tansu: Broker) -> None:
    async with opened(settings(tansu.address, delivery_timeout_s=1.0)) as destination:
        away = await failure_of(destination, sent(50))
        assert away.error.startswith("connect: no broker answers: ")
        assert "Connection refused" in away.error
        await asyncio.to_thread(tansu.start)
        await until_taken(destination, sent(50))
    assert first_arrivals(await read(tansu.address, 50, ["x.uplinks"])) == in_order(50)


async def test_a_broker_that_forgot_everything_is_written_to_again(tansu: Broker) -> None:
    tansu.start()
    async with opened(settings(tansu.address, delivery_timeout_s=1.0)) as destination:
        await until_taken(destination, sent(20))
        tansu.kill()
        await asyncio.to_thread(tansu.start)  # it knows neither the topics nor the producer's id
        await until_taken(destination, sent(20, first=20))
    assert set(first_arrivals(await read(tansu.address, 20, ["x.uplinks"]))) == {dev_eui(n) for n in range(DEVICES)}


async def test_a_message_too_large_for_kafka_is_refused_and_its_neighbours_arrive(noida: Broker) -> None:
    large = messages([Stored(2, "uplink", uplink(1, data=bytes(600_000)))])
    async with opened(settings(noida.address)) as destination:
        before, refused, after = await destination.deliver([*sent(1), *large, *sent(1, first=2)])
    assert [one.verdict for one in (before, refused, after)] == [Verdict.DELIVERED, Verdict.REFUSED, Verdict.DELIVERED]
    assert refused.error == f"message_too_large: message is {len(large[0].body)} bytes, at most 1000000 fit"
    assert len(await read(noida.address, 2, ["x.uplinks"])) == 2


async def test_a_topic_that_exists_is_used_as_it_is(noida: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": noida.address})
    admin.create_topics([NewTopic("x.uplinks", 2)])["x.uplinks"].result(10)
    async with opened(settings(noida.address, partitions=4)) as destination:
        await deliver(destination, sent(10))
    topics = admin.list_topics(timeout=10).topics
    assert [len(topics[name].partitions) for name in ("x.uplinks", "x.events")] == [2, 4]


async def test_messages_go_through_tls_and_a_login(tansu: Broker, tmp_path: Path) -> None:
    authority, port = Authority(tmp_path, "authority"), free_port()
    tansu.advertised = f"127.0.0.1:{port}"
    await asyncio.to_thread(tansu.start)
    secured = {
        "security_protocol": "sasl_ssl",
        "sasl_mechanism": "PLAIN",
        "sasl_username": "lns",
        "ssl_ca_location": str(authority.pem),
        "delivery_timeout_s": 2.0,
    }
    async with guarded(Gate(tansu.port, {"lns": "secret"}), port, server_context(authority)) as gate:
        async with opened(settings(tansu.advertised, **secured, sasl_password="secret")) as destination:
            await until_taken(destination, sent(10))
        assert set(gate.logins) == {("PLAIN", "lns")}
        async with opened(settings(tansu.advertised, **secured, sasl_password="wrong")) as destination:
            assert "who are you" in (await failure_of(destination, sent(1))).error
