"""The outlet against real brokers over real sockets; what only a durable broker can show runs on noida-db."""

import asyncio
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from lns import metrics
from lns.config import ConfigError, Kafka
from lns.exchange.records import Stored
from lns.outlets.delivery import OutletError, Refused
from lns.outlets.formats.inflight import DeviceInfo
from lns.outlets.formats.inflight_protobuf import MESSAGES
from lns.outlets.kafka import KafkaOutlet
from tests.brokers import Broker, Reader, Seen
from tests.outlets.samples import DEVICES, check_schema, decoded, dev_eui, event, failed, mixed, uplink, uplinks
from tests.process import free_port

TOPICS = ("test.uplinks", "test.measurements", "test.events")


def settings(address: str, **changes: object) -> Kafka:
    fields: dict[str, object] = {
        "enabled": True,
        "bootstrap_servers": address,
        "uplink_topic": TOPICS[0],
        "measurement_topic": TOPICS[1],
        "event_topic": TOPICS[2],
        "delivery_timeout_s": 10.0,
    }
    return Kafka(**fields | changes)  # type: ignore[arg-type]


class Aside(list[Refused]):
    async def __call__(self, refused: Refused) -> None:
        self.append(refused)


@asynccontextmanager
async def opened(config: Kafka, aside: Aside | None = None) -> AsyncIterator[KafkaOutlet]:
    outlet = KafkaOutlet(config, lambda n: DeviceInfo(f"sensor {n}", "default"), Aside() if aside is None else aside)
    await outlet.open()
    try:
        yield outlet
    finally:
        await outlet.close()


@contextmanager
def fresh_topics(address: str) -> Iterator[tuple[str, str, str]]:
    """Names that nobody has used on a cluster that may be somebody's, and that are deleted in the end."""
    prefix = f"lns-test-{uuid4().hex[:8]}"
    names = (f"{prefix}.uplinks", f"{prefix}.measurements", f"{prefix}.events")
    yield names
    admin = AdminClient({"bootstrap.servers": address})  # its futures end with it
    for future in admin.delete_topics(list(names)).values():
        future.result(10)


def batches(stored: Sequence[Stored], size: int) -> Iterable[Sequence[Stored]]:
    return (stored[i : i + size] for i in range(0, len(stored), size))


async def until_taken(outlet: KafkaOutlet, batch: Sequence[Stored], errors: list[str] | None = None) -> None:
    """What the consumer loop does: the same batch again after each failure, which `errors` collects."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await outlet.handle(batch)
            except OutletError as error:
                if errors is not None:
                    errors.append(str(error))


async def read(address: str, count: int, topics: Sequence[str] = TOPICS) -> list[Seen]:
    return await asyncio.to_thread(Reader(address, topics).read, lambda seen: len(seen) >= count)


async def read_distinct(address: str, seqs: set[int], topics: Sequence[str]) -> list[Seen]:
    return await asyncio.to_thread(
        Reader(address, topics).read, lambda seen: len(seen) >= len(seqs) and {s.seq for s in seen} >= seqs
    )


def seqs_by_key(seen: Iterable[Seen]) -> dict[tuple[str, str], list[int]]:
    by_key = defaultdict(list)
    for message in seen:
        by_key[message.topic, message.key].append(message.seq)
    return dict(by_key)


def first_arrivals(seqs: Sequence[int]) -> list[int]:
    """What a reader keeps who drops each `seq` it has seen before."""
    return list(dict.fromkeys(seqs))


async def test_every_record_arrives_once_in_order_of_its_device_and_fits_its_schema(kafka_address: str) -> None:
    stored = mixed(3000)
    with fresh_topics(kafka_address) as names:
        uplinks_to, measurements_to, events_to = names
        config = settings(
            kafka_address, uplink_topic=uplinks_to, measurement_topic=measurements_to, event_topic=events_to
        )
        async with opened(config) as outlet:
            for batch in batches(stored, 700):
                await outlet.handle(batch)
        seen = await read(kafka_address, 3000, names)
    assert sorted(message.seq for message in seen) == [record.seq for record in stored]
    expected = defaultdict(list)
    for record in stored:
        topic = names[("uplink", "decoded", "event").index(record.topic)]
        expected[topic, str(record.record.dev_eui)].append(record.seq)
    assert seqs_by_key(seen) == expected
    for message in seen:
        value = check_schema(message.value)
        assert message.headers == {"seq": str(value["seq"]), "id": value["id"], "schema": value["schema"]}
        assert (message.at_ms, message.key) == (1_795_258_489_131, value["device"]["dev_eui"])


async def test_protobuf_is_the_same_messages_in_another_encoding(noida: Broker) -> None:
    async with opened(settings(noida.address, format="protobuf")) as outlet:
        await outlet.handle(mixed(30))
    seen = await read(noida.address, 30)
    topic_of = dict(zip(("Uplink", "Measurements", "Event"), TOPICS, strict=True))
    for message in seen:
        package, name = message.headers["schema"].rsplit(".", 1)
        value = MESSAGES[name].FromString(message.value)
        assert (package, topic_of[name]) == ("inflight.v1", message.topic)
        assert (value.seq, value.id.hex()) == (message.seq, message.headers["id"])
        assert value.device.dev_eui == message.key


async def test_one_device_is_on_one_partition_and_devices_spread(kafka_address: str) -> None:
    with fresh_topics(kafka_address) as names:
        config = settings(
            kafka_address, uplink_topic=names[0], measurement_topic=names[1], event_topic=names[2], partitions=4
        )
        async with opened(config) as outlet:
            await outlet.handle(uplinks(400))
        seen = await read(kafka_address, 400, names[:1])
    partitions = defaultdict(set)
    for message in seen:
        partitions[message.key].add(message.partition)
    assert [len(partitions[dev_eui(n)]) for n in range(DEVICES)] == [1] * DEVICES
    assert set.union(*partitions.values()) == {0, 1, 2, 3}


async def test_a_topic_that_exists_keeps_its_partitions(noida: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": noida.address})
    admin.create_topics([NewTopic(TOPICS[0], 2)])[TOPICS[0]].result(10)
    async with opened(settings(noida.address, partitions=6)) as outlet:
        await outlet.handle(uplinks(10))
    topics = admin.list_topics(timeout=10).topics
    assert {name: len(topics[name].partitions) for name in TOPICS} == dict(zip(TOPICS, (2, 6, 6), strict=True))


async def test_a_kind_without_a_topic_is_not_sent(noida: Broker) -> None:
    config = settings(noida.address, uplink_topic="", event_topic="")
    async with opened(config) as outlet:
        assert outlet.topics == {"decoded"}
        await outlet.handle([Stored(1, "decoded", decoded(1)), Stored(2, "decoded", failed(2))])
    assert [message.seq for message in await read(noida.address, 1, TOPICS[1:2])] == [1]
    async with opened(settings(noida.address, measurement_topic="")) as outlet:
        assert outlet.topics == {"uplink", "decoded", "event"}  # failed decodes are events


async def test_delivered_messages_are_counted_by_topic(noida: Broker) -> None:
    async with opened(settings(noida.address, uplink_topic="counted")) as outlet:
        await outlet.handle(uplinks(30))
    assert metrics.outlet_delivered.values["kafka", "counted"] == 30


async def test_a_broker_that_is_away_at_the_start_only_delays(tansu: Broker) -> None:
    config = settings(tansu.address, delivery_timeout_s=1.0)
    async with opened(config) as outlet:
        with pytest.raises(OutletError, match=r"^no broker answers: .*Connection refused"):
            await outlet.handle(uplinks(50))
        await asyncio.to_thread(tansu.start)
        await until_taken(outlet, uplinks(50))
    await assert_all_in_order(tansu.address, 50)


async def test_kill_9_of_the_broker_with_a_batch_under_way_loses_nothing_and_keeps_the_order(noida: Broker) -> None:
    stored = uplinks(6000)
    async with opened(settings(noida.address, delivery_timeout_s=0.5)) as outlet:
        for start in (0, 2000, 4000):
            await until_taken(outlet, stored[start : start + 1000])
            await asyncio.to_thread(noida.wait_until_saved)
            noida.freeze()
            with pytest.raises(OutletError, match="1000 messages are not acknowledged"):
                await outlet.handle(stored[start + 1000 : start + 2000])
            noida.kill()
            with pytest.raises(OutletError, match="1000 messages are not acknowledged"):
                await outlet.handle(stored[start + 1000 : start + 2000])
            await asyncio.to_thread(noida.start)
            await until_taken(outlet, stored[start + 1000 : start + 2000])
    await assert_all_in_order(noida.address, 6000)


@pytest.mark.timeout(300)
async def test_kill_9_of_apache_kafka_at_any_moment_loses_nothing_and_keeps_the_order(kafka: Broker) -> None:
    stored = uplinks(60_000)
    delivered = [0]
    errors: list[str] = []

    async def deliver(outlet: KafkaOutlet) -> None:
        for batch in batches(stored, 300):
            await until_taken(outlet, batch, errors)
            delivered.append(batch[-1].seq)

    async with opened(settings(kafka.address, delivery_timeout_s=0.5)) as outlet, asyncio.TaskGroup() as group:
        group.create_task(deliver(outlet))
        for mark in range(10_000, 60_000, 10_000):
            while delivered[-1] < mark:
                await asyncio.sleep(0)
            kafka.kill()
            failed_before = len(errors)
            while len(errors) == failed_before:
                await asyncio.sleep(0.01)
            assert delivered[-1] < 60_000
            await asyncio.to_thread(kafka.start)
    await assert_all_in_order(kafka.address, 60_000)


async def assert_all_in_order(address: str, count: int) -> None:
    seen = await read_distinct(address, set(range(1, count + 1)), TOPICS[:1])
    arrivals = {key: first_arrivals(seqs) for (_, key), seqs in seqs_by_key(seen).items()}
    assert arrivals == {dev_eui(n): [s for s in range(1, count + 1) if (s - 1) % DEVICES == n] for n in range(DEVICES)}


async def test_a_broker_that_hangs_is_waited_for_without_sending_twice(noida: Broker) -> None:
    async with opened(settings(noida.address, delivery_timeout_s=0.3)) as outlet:
        await until_taken(outlet, uplinks(100))
        noida.freeze()
        for _ in range(2):
            with pytest.raises(OutletError, match=r"100 messages are not acknowledged after 0\.3 s") as late:
                await outlet.handle(uplinks(100, first=100))
        assert late.value.reason == "timeout"
        noida.thaw()
        await until_taken(outlet, uplinks(100, first=100))
        await until_taken(outlet, uplinks(100, first=200))
    seen = await read(noida.address, 300, TOPICS[:1])
    assert sorted(message.seq for message in seen) == list(range(1, 301))


async def test_another_batch_than_the_one_that_waits_starts_over(noida: Broker) -> None:
    async with opened(settings(noida.address, delivery_timeout_s=0.3)) as outlet:
        await until_taken(outlet, uplinks(10))
        noida.freeze()
        with pytest.raises(OutletError):
            await outlet.handle(uplinks(100, first=10))
        noida.thaw()
        await until_taken(outlet, uplinks(200, first=10))
    await assert_all_in_order(noida.address, 210)


async def test_a_broker_that_forgot_everything_is_written_to_again(tansu: Broker) -> None:
    tansu.start()
    async with opened(settings(tansu.address, delivery_timeout_s=0.5)) as outlet:
        await outlet.handle(uplinks(100))
        tansu.kill()
        await asyncio.to_thread(tansu.start)  # it knows neither the topics nor the producer's id
        await until_taken(outlet, uplinks(100, first=100))
        await until_taken(outlet, uplinks(100, first=200))
    seen = await read_distinct(tansu.address, set(range(101, 301)), TOPICS[:1])
    assert min(message.seq for message in seen) == 101


async def test_a_message_too_large_for_kafka_is_set_aside_and_its_neighbours_arrive(noida: Broker) -> None:
    aside = Aside()
    large = event(7, data={"text": "x" * 1_000_001})
    batch = [Stored(1, "uplink", uplink(6)), Stored(2, "event", large), Stored(3, "uplink", uplink(8))]
    async with opened(settings(noida.address), aside) as outlet:
        await outlet.handle(batch)
    assert [message.seq for message in await read(noida.address, 2)] in ([1, 3], [3, 1])
    (refused,) = aside
    assert refused == Refused("kafka", 2, "event", large.id, 7, dev_eui(7), "message_too_large", refused.text)
    assert refused.text == "event message is 1000264 bytes, at most 1000000 fit"


async def test_a_message_the_broker_refuses_is_found_and_set_aside(noida: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": noida.address})
    admin.create_topics([NewTopic(TOPICS[0], 1, config={"max.message.bytes": "20000"})])[TOPICS[0]].result(10)
    aside = Aside()
    batch = uplinks(40)
    batch[17] = Stored(18, "uplink", uplink(17, region="x" * 30_000))
    async with opened(settings(noida.address, compression="none"), aside) as outlet:
        await outlet.handle(batch)
    assert [(refused.seq, refused.reason) for refused in aside] == [(18, "message_too_large")]
    assert aside[0].text == "Broker: Message size too large"
    seen = await read_distinct(noida.address, set(range(1, 41)) - {18}, TOPICS[:1])
    for (_, key), seqs in seqs_by_key(seen).items():
        assert first_arrivals(seqs) == [s for s in range(1, 41) if dev_eui((s - 1) % DEVICES) == key and s != 18]


async def test_a_record_that_json_cannot_hold_is_set_aside(noida: Broker) -> None:
    aside = Aside()
    batch = [Stored(1, "event", event(1, at_us=2**62)), Stored(2, "event", event(2))]
    async with opened(settings(noida.address), aside) as outlet:
        await outlet.handle(batch)
    assert [(refused.seq, refused.reason) for refused in aside] == [(1, "unencodable")]
    assert [message.seq for message in await read(noida.address, 1, TOPICS[2:])] == [2]


async def test_a_refusal_that_cannot_be_recorded_makes_the_batch_wait(noida: Broker) -> None:
    class Full(Aside):
        async def __call__(self, refused: Refused) -> None:
            if not self:
                self.append(refused)
                raise OSError("disk full")
            await super().__call__(refused)

    aside = Full()
    batch = [Stored(1, "uplink", uplink(1)), Stored(2, "event", event(1, at_us=2**62))]
    async with opened(settings(noida.address), aside) as outlet:
        with pytest.raises(OSError, match="disk full"):
            await outlet.handle(batch)
        await outlet.handle(batch)
    assert [refused.seq for refused in aside] == [2, 2]
    assert {message.seq for message in await read(noida.address, 1, TOPICS[:1])} == {1}


async def test_names_follow_a_rename(noida: Broker) -> None:
    name = "old"
    outlet = KafkaOutlet(settings(noida.address), lambda _: DeviceInfo(name, "default"), Aside())
    await outlet.open()
    await outlet.handle(uplinks(1))
    name = "new"
    outlet.forget()
    await outlet.handle(uplinks(1, first=DEVICES))
    await outlet.close()
    seen = await read(noida.address, 2, TOPICS[:1])
    assert [check_schema(message.value)["device"]["name"] for message in seen] == ["old", "new"]


async def test_closing_with_the_broker_away_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    config = settings(f"127.0.0.1:{free_port()}", partitions=0, delivery_timeout_s=0.1)
    async with asyncio.timeout(15):
        async with opened(config) as outlet:
            with pytest.raises(OutletError, match="20 messages are not acknowledged"):
                await outlet.handle(uplinks(20))
    assert "kafka closes with 20 messages unacknowledged: sent again later" in caplog.text


async def test_a_broker_that_is_away_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    config = settings(f"127.0.0.1:{free_port()}", partitions=0, delivery_timeout_s=1.0)
    async with opened(config) as outlet:
        for _ in range(3):
            with pytest.raises(OutletError):
                await outlet.handle(uplinks(1))
    assert [line.message.split()[0] for line in caplog.records] == ["FAIL", "kafka"]  # the latter from close()


async def test_the_event_loop_goes_on_while_a_batch_waits(noida: Broker) -> None:
    async with opened(settings(noida.address, delivery_timeout_s=1.0)) as outlet:
        await until_taken(outlet, uplinks(10))
        noida.freeze()
        task = asyncio.ensure_future(outlet.handle(uplinks(1000, first=10)))  # noqa: TID251
        loop = asyncio.get_running_loop()
        longest_s, last = 0.0, loop.time()
        while not task.done():
            await asyncio.sleep(0)
            now = loop.time()
            longest_s, last = max(longest_s, now - last), now
        noida.thaw()
        assert isinstance(task.exception(), OutletError)
    assert longest_s < 0.2


async def test_a_setting_that_librdkafka_refuses_is_a_config_error() -> None:
    outlet = KafkaOutlet(settings("127.0.0.1:1", compression="brotli"), lambda _: None, Aside())
    with pytest.raises(ConfigError, match=r'^\[kafka\] Invalid value "brotli" for configuration property'):
        await outlet.open()


def test_the_missing_extra_is_named() -> None:
    script = (
        "import sys; sys.modules['confluent_kafka'] = None\n"
        "from lns.config import ConfigError\n"
        "try:\n    import lns.outlets.kafka\n"
        "except ConfigError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "the kafka outlet needs the extra: pip install 'inflight-lns[kafka]'\n"
