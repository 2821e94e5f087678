"""kill -9 of the server at random moments, with three stores and five outlets that send: nothing is lost anywhere."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from lns.config.stores import Influx
from lns.series.influx.store import InfluxSeries
from lns.series.postgres.store import PostgresSeries
from lns.series.sqlite import SqliteSeries
from simulators.stored import SqliteFiles
from simulators.verify import Difference, read_ledger, verify
from tests import influx, postgres
from tests.acceptance.faults import inbox
from tests.acceptance.faults.plant import QUICK, RADIO, Plant, broker_settings, planted
from tests.acceptance.servers import ServerProcess, running_fleet, summary
from tests.brokers import Broker, noida
from tests.brokers_debian import Rabbit, Server, mosquitto, rabbit
from tests.outlets.receiver import Act, Request, answer

__all__ = ["mosquitto", "noida", "rabbit"]

KILLS = int(os.environ.get("LNS_TEST_FAULT_ROUNDS", "50"))
LONGEST_S = 0.5  # between readiness and kill
SHARE_AT_START = 0.3  # of kills that may come before readiness
FLEET = (*RADIO, "--ack-timeout", "0.5", "--window", "30000", "--devices", "12", "--gateways", "1", "--rate", "60")
UNWRITTEN_S = 0.2 + 0.005 + 0.5
"""What a kill may cost: the deduplication window, the commit interval, and a slow moment of a busy machine."""
LATE_US = 200_000
"""How long before the fleet reads it an acknowledgement may have been sent: the fleet has other things to do."""


class Moody:
    """A receiver that accepts most requests, and otherwise fails, asks for less, is silent, or drops the line."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.failures = 0

    def act(self) -> Act | None:
        """What to do instead of accepting."""
        kind = self._chance.choices(["", "500", "429", "silent", "cut", "late"], [70, 12, 8, 2, 4, 4])[0]
        if not kind:
            return None
        self.failures += 1
        if kind == "silent":
            return silent
        if kind == "late":
            return late
        if kind == "cut":
            return cut
        return answer(int(kind), headers="retry-after: 0\r\n" if kind == "429" else "")


async def silent(_: Request, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def cut(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def late(request: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.2)  # an answer that takes its time
    await answer(503)(request, writer)


@pytest.fixture
async def plant(tmp_path: Path, mosquitto: Server, rabbit: Rabbit, noida: Broker) -> AsyncIterator[Plant]:
    """The server with its stores and outlets."""
    settings, flux = postgres.config(postgres.shared().dsn), influx.shared_server()
    database = f"kills_{os.getpid()}"
    more = f"""
        [postgres]
        enabled = true
        dsn = "{settings.dsn}"
        schema = "{settings.schema}"
        [influxdb]
        enabled = true
        url = "{flux.url}"
        database = "{database}"
    """
    async with planted(Plant, tmp_path / "server", more) as plant, AsyncExitStack() as stack:
        plant.stores = {
            "sqlite": lambda: SqliteSeries(plant.server.data / "series.db"),
            "postgres": lambda: PostgresSeries(settings),
            "influxdb": lambda: InfluxSeries(Influx(url=flux.url, database=database), {}),
        }
        await attach(plant, stack, {"mqtt": mosquitto.port, "amqp": rabbit.port, "kafka": noida.port})
        yield plant


async def attach(plant: Plant, stack: AsyncExitStack, ports: dict[str, int]) -> None:
    """Two webhooks, one of them moody, and an outlet of each kind of broker."""
    for name, moody in (("hook", None), ("moody", Moody(random.Random(11)))):
        box = inbox.Inbox()
        receiver = await stack.enter_async_context(inbox.webhook(box, moody.act if moody else None))
        await plant.webhook(name, receiver.url, {**QUICK, "at_once": 12}, timeout_s=0.3)
        plant.inboxes[name] = box
    for kind, port in ports.items():
        await plant.outlet(kind, kind, broker_settings(kind, port), {**QUICK, "at_once": 1, "batch": 200})
    await stack.enter_async_context(inbox.mqtt_reader(ports["mqtt"], plant.inboxes["mqtt"]))
    await stack.enter_async_context(inbox.amqp_reader(ports["amqp"], plant.inboxes["amqp"]))
    await stack.enter_async_context(inbox.kafka_reader(f"127.0.0.1:{ports['kafka']}", plant.inboxes["kafka"]))


@pytest.mark.kill
@pytest.mark.timeout(120 + 10 * KILLS)
async def test_kill_9_at_random_moments_leaves_every_store_and_every_receiver_equal(
    plant: Plant, tmp_path: Path
) -> None:
    chance, ledger, server = random.Random(5), tmp_path / "ledger.jsonl", plant.server
    kills_us: list[int] = []
    async with running_fleet(server, ledger, *FLEET) as fleet:
        await plant.grown(60)
        for number in range(KILLS):
            await asyncio.sleep(chance.uniform(0.0, LONGEST_S))  # the random moment is the test
            await server.stop(signal.SIGKILL)
            kills_us.append(now_us())
            if chance.random() < SHARE_AT_START and number < KILLS - 1:
                await cut_off(server, chance.uniform(0.2, 1.5))
            else:
                await server.start()
        fleet.terminate()
        told = await summary(fleet)
    await server.caught_up()
    head = await plant.head()
    await plant.passed(head, seconds=120)
    await plant.check_equal(head)
    outlets = (await plant.api("GET", "/outlets"))["items"]
    assert [(one["name"], one["open"], one["dead"]) for one in outlets if one["open"] or one["dead"]] == []
    assert told["duplicate_fcnt_down"] == 0
    await check_ledger(plant, ledger, kills_us)


async def cut_off(server: ServerProcess, seconds: float) -> None:
    """Start, and wait no longer than this until it is ready: the next kill comes on the way."""
    former = server.process
    async with asyncio.TaskGroup() as tasks:
        starting = tasks.create_task(server.start())
        while server.process is former:
            await asyncio.sleep(0.01)
        await asyncio.wait([starting], timeout=seconds)
        starting.cancel()


async def check_ledger(plant: Plant, ledger: Path, kills_us: list[int]) -> None:
    """What the devices were told is received is stored, but for what a kill came before."""
    with closing(SqliteFiles(plant.server.data / "series.db")) as files:
        verdict = await verify(read_ledger(ledger)[0], files)
    assert (verdict.doubled, verdict.unexpected, verdict.wrong) == ((), (), ())
    assert [why for lost in verdict.missing if (why := unexplained(lost, kills_us))] == []
    assert verdict.stored > 5 * KILLS


def unexplained(lost: Difference, kills_us: list[int]) -> str:
    """Empty where a kill came so soon after the acknowledgement that the frame need not have been written."""
    at_us = lost.acknowledged_at_us
    assert at_us is not None
    waits_s = [(killed_us - at_us) / 1e6 for killed_us in kills_us if killed_us >= at_us - LATE_US]
    if not waits_s:
        return f"{lost.dev_eui} {lost.counter:g} was acknowledged after the last kill"
    if waits_s[0] > UNWRITTEN_S:
        return f"{lost.dev_eui} {lost.counter:g} was acknowledged {waits_s[0]:.3f} s before the next kill"
    return ""


def now_us() -> int:
    return time.time_ns() // 1000
