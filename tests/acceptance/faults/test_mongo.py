"""A MongoDB that is killed and frozen under load: nobody else notices, and nothing is lost."""

import asyncio
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lns.config.stores import Mongo
from lns.series.mongo.store import MongoSeries
from lns.series.sqlite import SqliteSeries
from tests import mongo
from tests.acceptance.faults.plant import PATIENT, RADIO, Plant, planted
from tests.acceptance.servers import running_fleet

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]

FLEET = (*RADIO, *PATIENT, "--devices", "3", "--gateways", "1", "--rate", "3")
"""What the stand-in for MongoDB keeps up with: it reads whole collections to find a document."""
RECORDS = 16


@pytest.fixture
def server() -> Iterator[mongo.MongoServer]:
    with mongo.MongoServer() as server:
        yield server


async def test_mongodb_killed_and_frozen(tmp_path: Path, server: mongo.MongoServer) -> None:
    settings = Mongo(url=server.url, database=f"faults_{os.getpid()}", batch_rows=mongo.BATCH_ROWS, timeout_s=5)
    more = f"""
        [mongodb]
        enabled = true
        url = "{settings.url}"
        database = "{settings.database}"
        batch_rows = {settings.batch_rows}
        timeout_s = {settings.timeout_s}
        [measurements]
        link = false
    """
    async with planted(Plant, tmp_path / "server", more) as plant:
        plant.stores = {
            "sqlite": lambda: SqliteSeries(plant.server.data / "series.db"),
            "mongodb": lambda: MongoSeries(settings),
        }
        async with running_fleet(plant.server, tmp_path / "ledger.jsonl", *FLEET):
            await plant.passed(await plant.grown(RECORDS))
            for begin, end in ((server.kill, server.start), (server.freeze, server.thaw)):
                steps = partial(asyncio.to_thread, begin), partial(asyncio.to_thread, end)
                await plant.outage(*steps, "series.mongodb", records=RECORDS)
