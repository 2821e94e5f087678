"""Engines are killed, frozen or full while the server runs under load: nobody else notices, and nothing is lost."""

import asyncio
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis

from lns.archive import manifest
from lns.archive.files import UplinkFile
from lns.archive.s3 import Access, Bucket
from lns.config.stores import Influx
from lns.config.stores import Postgres as PostgresSettings
from lns.exchange.records import Decoded, Stored
from lns.series.consumer import rows_of
from lns.series.influx.store import InfluxSeries
from lns.series.postgres.store import PostgresSeries
from lns.series.sqlite import SqliteSeries
from simulators.stored import SqliteFiles
from simulators.verify import read_ledger, verify
from tests.acceptance.faults import inbox
from tests.acceptance.faults.plant import PATIENT, QUICK, RADIO, Plant, Step, broker_settings, planted
from tests.acceptance.servers import running_fleet, summary
from tests.archive import seaweed
from tests.brokers import make_broker
from tests.brokers_debian import make_mosquitto, make_rabbit
from tests.influx import InfluxServer
from tests.postgres import Postgres
from tests.redis_server import RedisServer

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.kill,
    pytest.mark.timeout(300),
    # readers that try to connect to a broker which is just starting leave transports to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

FLEET = (*RADIO, *PATIENT, "--devices", "10", "--gateways", "1", "--rate", "25")
SMALL_MB = 160


class Engines:
    """Real servers on ports of loopback; those that are missing here skip the whole file and say so."""

    def __init__(self, folder: Path) -> None:
        self.influx = InfluxServer(folder / "influx")
        self.redis = RedisServer(folder / "redis")
        self.s3 = seaweed.Seaweed(folder / "s3")
        self.mosquitto = make_mosquitto(folder / "mosquitto", "allow_anonymous true", "max_inflight_messages 0")
        self.rabbit = make_rabbit(folder / "rabbit")
        self.kafka = make_broker("kafka" if os.environ.get("LNS_TEST_KAFKA_JARS") else "noida", folder / "kafka")
        self.postgres = Postgres()  # last: nothing after it can be missing and skip, with its disk left mounted
        self.small = shrink(self.postgres)

    def start(self) -> None:
        for one in (self.postgres, self.influx, self.redis, self.s3, self.mosquitto, self.rabbit, self.kafka):
            one.start()

    def end(self) -> None:
        """End what was started, whatever state it is in, and also where one of them cannot be ended."""
        with ExitStack() as stack:
            stack.callback(self.postgres.stop)
            if self.small is not None:  # lazily: its processes are about to end
                stack.callback(subprocess.run, ["umount", "--lazy", str(self.small)], check=True)
            stack.callback(self.postgres.kill)
            for one in (self.influx, self.redis, self.s3, self.mosquitto, self.rabbit, self.kafka):
                stack.callback(one.stop)

    @property
    def config(self) -> str:
        """The sections of the server's configuration."""
        return f"""
            [postgres]
            enabled = true
            dsn = "{self.postgres.dsn}"
            [influxdb]
            enabled = true
            url = "{self.influx.url}"
            timeout_s = 5
            [archive]
            enabled = true
            bucket = "{seaweed.BUCKET}"
            endpoint = "{self.s3.url}"
            access_key_env = "LNS_TEST_S3"
            secret_key_env = "LNS_TEST_S3"
            file_age_s = 1
            [latest]
            redis_url = "{self.redis.url}"
        """


def shrink(postgres: Postgres) -> Path | None:
    """Move its data to a small disk of its own; None where that is not allowed."""
    small, data = postgres.folder / "small", postgres.folder / "data"
    if os.geteuid() != 0:
        return None
    small.mkdir()
    size = f"size={SMALL_MB}m"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(small)], check=False).returncode != 0:
        return None
    owner = data.stat()
    os.chown(small, owner.st_uid, owner.st_gid)
    subprocess.run(["cp", "-a", str(data), str(small / "data")], check=True)
    shutil.rmtree(data)
    data.symlink_to(small / "data")
    return small


@contextmanager
def started(folder: Path) -> Iterator[Engines]:
    engines = Engines(folder)
    try:
        engines.start()
        yield engines
    finally:
        engines.end()


class Works(Plant):
    """A plant with engines, and the ledger that its fleet writes at the end."""

    engines: Engines
    ledger: Path
    fleet: asyncio.subprocess.Process


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def works(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Works]:
    folder = tmp_path_factory.mktemp("works")
    with pytest.MonkeyPatch.context() as environ, started(folder) as engines:
        environ.setenv("LNS_TEST_S3", "any")
        async with AsyncExitStack() as stack:
            works = await stack.enter_async_context(planted(Works, folder / "server", engines.config))
            works.engines, works.ledger = engines, folder / "ledger.jsonl"
            await attach(works, stack)
            await asyncio.to_thread(engines.rabbit.restart)  # a kill -9 forgets what was bound just before it
            fleet = running_fleet(works.server, works.ledger, *FLEET)
            works.fleet = await stack.enter_async_context(fleet)
            await works.passed(await works.grown(50))
            yield works


async def attach(works: Works, stack: AsyncExitStack) -> None:
    """Three stores, and an outlet of each kind with its receiver."""
    engines, data = works.engines, works.server.data
    works.stores = {
        "sqlite": lambda: SqliteSeries(data / "series.db"),
        "postgres": lambda: PostgresSeries(PostgresSettings(dsn=engines.postgres.dsn, pool=1)),
        "influxdb": lambda: InfluxSeries(Influx(url=engines.influx.url), {}),
    }
    hook = inbox.Inbox()
    receiver = await stack.enter_async_context(inbox.webhook(hook))
    await works.webhook("hook", receiver.url)
    works.inboxes["hook"] = hook
    batch = {**QUICK, "at_once": 1, "batch": 200}
    ports = {"mqtt": engines.mosquitto.port, "amqp": engines.rabbit.port, "kafka": engines.kafka.port}
    for kind, port in ports.items():
        await works.outlet(kind, kind, broker_settings(kind, port), batch)
    await stack.enter_async_context(inbox.mqtt_reader(engines.mosquitto.port, works.inboxes["mqtt"]))
    await stack.enter_async_context(inbox.amqp_reader(engines.rabbit.port, works.inboxes["amqp"]))
    await stack.enter_async_context(inbox.kafka_reader(engines.kafka.address, works.inboxes["kafka"]))


def killing(server: Any) -> tuple[Step, Step]:
    return partial(asyncio.to_thread, server.kill), partial(asyncio.to_thread, server.start)


def freezing(server: Any) -> tuple[Step, Step]:
    return partial(asyncio.to_thread, server.freeze), partial(asyncio.to_thread, server.thaw)


@pytest.mark.parametrize("how", [killing, freezing])
async def test_postgresql_killed_or_frozen(works: Works, how: Any) -> None:
    await works.outage(*how(works.engines.postgres), "series.postgres")


async def test_postgresql_on_a_full_disk(works: Works) -> None:
    small, postgres = works.engines.small, works.engines.postgres
    if small is None:
        pytest.skip("no small disk for PostgreSQL: only root may mount a tmpfs")
    ballast = small / "ballast"

    async def fill() -> None:
        await asyncio.to_thread(ballast.write_bytes, b"")
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))

    async def make_room() -> None:
        assert shutil.disk_usage(small).free < 1 << 16
        ballast.unlink()
        await asyncio.to_thread(postgres.kill)  # without room for its own log it may have given up
        await asyncio.to_thread(postgres.start)

    await works.outage(fill, make_room, "series.postgres")


@pytest.mark.parametrize("how", [killing, freezing])
async def test_influxdb_killed_or_frozen(works: Works, how: Any) -> None:
    await works.outage(*how(works.engines.influx), "series.influxdb")


async def test_redis_killed(works: Works) -> None:
    await works.outage(*killing(works.engines.redis), "latest")


async def test_s3_killed(works: Works) -> None:
    await works.outage(*killing(works.engines.s3), "archive")
    await check_archive(works, await works.head())


@pytest.mark.parametrize("how", [killing, freezing])
async def test_mosquitto_killed_or_frozen(works: Works, how: Any) -> None:
    await works.outage(*how(works.engines.mosquitto), "mqtt")


@pytest.mark.parametrize("how", [killing, freezing])
async def test_rabbitmq_killed_or_frozen(works: Works, how: Any) -> None:
    await works.outage(*how(works.engines.rabbit), "amqp")


async def test_kafka_frozen(works: Works) -> None:
    await works.outage(*freezing(works.engines.kafka), "kafka")


async def test_kafka_killed(works: Works) -> None:
    where = "/applications/simulated/outlets/kafka"
    kafka = works.engines.kafka
    forgets = kafka.name == "noida"  # what it acknowledged in its last second
    if forgets:
        await works.api("POST", f"{where}/pause")
        await asyncio.to_thread(kafka.wait_until_saved)
    await asyncio.to_thread(kafka.kill)
    if forgets:
        await works.api("POST", f"{where}/resume")
    await works.outlived(partial(asyncio.to_thread, kafka.start), "kafka")


async def test_at_the_end_everything_agrees_with_what_the_devices_sent(works: Works) -> None:
    works.fleet.terminate()
    told = await summary(works.fleet)
    assert (told["sent"], told["unacked_datagrams"]) == (told["acked_datagrams"], 0)  # through every outage
    await works.server.caught_up()
    head = await works.head()
    await works.passed(head)
    await works.check_equal(head)
    await check_archive(works, head)
    check_redis(works, works.book().upto(head))
    with closing(SqliteFiles(works.server.data / "series.db")) as files:
        verdict = await verify(read_ledger(works.ledger)[0], files)
    assert verdict.exact
    assert verdict.stored == told["sent"]
    outlets = (await works.api("GET", "/outlets"))["items"]
    assert [(one["name"], one["open"], one["dead"]) for one in outlets if one["open"] or one["dead"]] == []


async def check_archive(works: Works, upto: int) -> None:
    """Every uplink up to a seq that is archived is in it once, as it is in the log."""
    await works.passed(upto)
    storage = Bucket(Access(seaweed.BUCKET, "", works.engines.s3.url, "us-east-1", "any", "any"))
    names = await storage.names(manifest.FOLDER)
    places = {name: place for name in names if (place := manifest.place(name)) is not None}
    found: list[Stored] = []
    for name, place in places.items():
        if not place.is_manifest and manifest.manifest_name(name) in places:
            data = await storage.get(name)
            assert data is not None
            found += UplinkFile(name, data).after(0, 10_000_000)
    got = sorted((stored for stored in found if stored.seq <= upto), key=lambda stored: stored.seq)
    assert got == [stored for stored in works.book().upto(upto) if stored.topic == "uplink"]


def check_redis(works: Works, records: list[Stored]) -> None:
    """The newest value of each field of each device, and no other."""
    newest: dict[tuple[int, str], list[Any]] = {}
    for row in rows_of([stored for stored in records if isinstance(stored.record, Decoded)]):
        newest[row.device_id, row.field] = [row.value, row.unit, row.time_us, row.seq]
    client: Any = redis.Redis.from_url(works.engines.redis.url, decode_responses=True)
    with closing(client):
        held = {
            (int(key.rpartition(":")[2]), field): json.loads(text)
            for key in client.keys("inflight:device:*")
            for field, text in client.hgetall(key).items()
        }
    assert held == newest
    assert Counter(device for device, _ in held).keys() == {stored.record.device_id for stored in records} - {None}
