"""Networks that are slow, refuse, or cut answers off between the server and what it writes to: nothing is lost by it.

A cut comes after the other side has done what was asked and before its answer arrives: it has to be asked again, and
must not count twice.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from lns.config.stores import Influx, Postgres
from lns.series.influx.store import InfluxSeries
from lns.series.postgres.store import PostgresSeries
from lns.series.sqlite import SqliteSeries
from tests import influx, postgres
from tests.acceptance.faults import inbox
from tests.acceptance.faults.plant import OUTAGE_RECORDS, PATIENT, QUICK, RADIO, Plant, broker_settings, planted
from tests.acceptance.proxy import Proxy, proxying
from tests.acceptance.servers import running_fleet
from tests.brokers import make_broker
from tests.brokers_debian import make_mosquitto, make_rabbit
from tests.outlets.receiver import Act, answer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.kill, pytest.mark.timeout(300)]

FLEET = (*RADIO, *PATIENT, "--devices", "10", "--gateways", "1", "--rate", "25")
BEHIND = ("series.postgres", "series.influxdb", "hook", "mqtt", "amqp", "kafka")
"""Consumers and outlets that have a proxy before them; another webhook and the other consumers have none."""
SLOW_BYTES_PER_S = 400


def asks_to_keep(name: str) -> Callable[[bytes], bool]:
    """Whether bytes on the wire ask for something to be kept, by the protocol of a consumer."""
    return {
        "series.postgres": lambda data: b"COMMIT" in data,
        "series.influxdb": lambda data: data.startswith(b"POST /write"),
        "hook": lambda data: data.startswith(b"POST"),
        "mqtt": lambda data: data[0] >> 4 == 3,  # PUBLISH
        "amqp": lambda data: b"\x00\x3c\x00\x28" in data,  # basic.publish
        "kafka": lambda data: data[4:6] == b"\x00\x00",  # Produce
    }[name]


class Line(Plant):
    """A plant whose engines are behind proxies; `mood` is what the webhook's receiver does instead of accepting."""

    proxies: dict[str, Proxy]
    mood: Act | None = None
    asked = 0

    def instead(self) -> Act | None:
        """Said for each request."""
        if self.mood is not None:
            self.asked += 1
        return self.mood


class Ends:
    """The real servers behind the proxies, and their ports by the name of what they serve."""

    def __init__(self, folder: Path) -> None:
        self.mosquitto = make_mosquitto(folder / "mosquitto", "allow_anonymous true", "max_inflight_messages 0")
        self.rabbit = make_rabbit(folder / "rabbit")
        self.kafka = make_broker("tansu", folder / "tansu")
        self.postgres, self.influx = postgres.shared(), influx.shared_server()
        self.schema, self.database = f"network_{os.getpid()}", f"network_{os.getpid()}"

    def ports(self, hook: int) -> dict[str, int]:
        servers = (self.postgres, self.influx, self.mosquitto, self.rabbit, self.kafka)
        found = [server.port for server in servers]
        return dict(zip(BEHIND, [*found[:2], hook, *found[2:]], strict=True))

    def start(self, kafka_at: int) -> None:
        """Kafka's clients go where the broker tells them to: to the proxy."""
        self.kafka.advertised = f"127.0.0.1:{kafka_at}"
        for server in (self.mosquitto, self.rabbit, self.kafka):
            server.start()

    def end(self) -> None:
        for server in (self.mosquitto, self.rabbit, self.kafka):
            server.stop()

    def settings(self, postgres_port: int) -> Postgres:
        """Of the store, as it is reached at a port."""
        return Postgres(dsn=f"postgresql://inflight@127.0.0.1:{postgres_port}/postgres", schema=self.schema, pool=1)

    def config(self, proxies: dict[str, Proxy]) -> str:
        """The sections of the server's configuration."""
        return f"""
            [postgres]
            enabled = true
            dsn = "{self.settings(proxies["series.postgres"].port).dsn}"
            schema = "{self.schema}"
            [influxdb]
            enabled = true
            url = "http://127.0.0.1:{proxies["series.influxdb"].port}"
            database = "{self.database}"
            timeout_s = 3
        """


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def line(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    folder = tmp_path_factory.mktemp("line")
    async with AsyncExitStack() as stack:
        ends = Ends(folder)
        stack.callback(ends.end)
        box, lines = inbox.Inbox(), list[Line]()
        receiver = await stack.enter_async_context(inbox.webhook(box, lambda: lines[0].instead()))
        ports = ends.ports(int(receiver.url.rpartition(":")[2]))
        proxies = {name: await stack.enter_async_context(proxying(port)) for name, port in ports.items()}
        await asyncio.to_thread(ends.start, proxies["kafka"].port)
        line = await stack.enter_async_context(planted(Line, folder / "server", ends.config(proxies)))
        line.proxies = proxies
        lines.append(line)
        line.stores = {
            "sqlite": lambda: SqliteSeries(line.server.data / "series.db"),
            "postgres": lambda: PostgresSeries(ends.settings(ends.postgres.port)),
            "influxdb": lambda: InfluxSeries(Influx(url=ends.influx.url, database=ends.database), {}),
        }
        await attach(line, stack, box)
        await stack.enter_async_context(inbox.mqtt_reader(ends.mosquitto.port, line.inboxes["mqtt"]))
        await stack.enter_async_context(inbox.amqp_reader(ends.rabbit.port, line.inboxes["amqp"]))
        await stack.enter_async_context(inbox.kafka_reader(ends.kafka.address, line.inboxes["kafka"]))
        await stack.enter_async_context(running_fleet(line.server, folder / "ledger.jsonl", *FLEET))
        await line.passed(await line.grown(50))
        yield line


async def attach(line: Line, stack: AsyncExitStack, box: inbox.Inbox) -> None:
    """A webhook and an outlet of each kind of broker behind proxies, and a webhook that is not."""
    await line.webhook("hook", f"http://127.0.0.1:{line.proxies['hook'].port}")
    line.inboxes["hook"] = box
    other = inbox.Inbox()
    receiver = await stack.enter_async_context(inbox.webhook(other))
    await line.webhook("other", receiver.url)
    line.inboxes["other"] = other
    for kind in ("mqtt", "amqp", "kafka"):
        settings = broker_settings(kind, line.proxies[kind].port)
        await line.outlet(kind, kind, settings, {**QUICK, "at_once": 1, "batch": 200})


async def test_a_slow_network_delays_only_those_behind_it(line: Line) -> None:
    async def slow() -> None:
        for proxy in line.proxies.values():
            proxy.bytes_per_s = SLOW_BYTES_PER_S

    async def fast() -> None:
        for proxy in line.proxies.values():
            proxy.bytes_per_s = 0

    await line.outage(slow, fast, *BEHIND)


async def test_connections_that_are_reset_and_refused(line: Line) -> None:
    async def refuse() -> None:
        for proxy in line.proxies.values():
            await proxy.refuse()

    async def listen() -> None:
        for proxy in line.proxies.values():
            await proxy.listen()

    await line.outage(refuse, listen, *BEHIND)


async def test_answers_that_are_cut_off_after_the_work_was_done(line: Line) -> None:
    async def cut() -> None:
        for name, proxy in line.proxies.items():
            proxy.cut, proxy.cuts = 0, asks_to_keep(name)

    async def spare() -> None:
        for proxy in line.proxies.values():
            proxy.cuts = None

    await line.outage(cut, spare, *BEHIND)
    assert [name for name, proxy in line.proxies.items() if not proxy.cut] == []
    for name in ("hook", "mqtt", "amqp"):  # the same came again: what was not acknowledged has to
        assert line.inboxes[name].taken > len(line.inboxes[name].seqs)


async def test_a_receiver_that_answers_429_is_left_alone_for_as_long_as_it_asks(line: Line) -> None:
    asked_at: list[float] = []

    async def hold() -> None:
        line.asked, line.mood = 0, answer(429, headers="retry-after: 2\r\n")
        asked_at.append(time.monotonic())

    async def let_go() -> None:
        asked_at.append(time.monotonic())
        line.mood = None

    await line.outage(hold, let_go, "hook")
    pauses = (asked_at[1] - asked_at[0]) // 2 + 1
    assert 1 <= line.asked <= 4 * pauses  # four at once


async def test_a_receiver_that_answers_500_gets_everything_later(line: Line) -> None:
    async def fail() -> None:
        line.asked, line.mood = 0, answer(500, b"no")

    async def recover() -> None:
        line.mood = None

    await line.outage(fail, recover, "hook")
    assert line.asked >= 2
    log = (await line.api("GET", "/deliveries?outlet=hook&status=delivered&limit=1000"))["items"]
    assert len(log) > OUTAGE_RECORDS
