"""The contract of stores on TimescaleDB, without its searches over many random stores: those run on the others."""

import inspect
from collections.abc import AsyncIterator

import pytest

from lns.series.store import SeriesStore
from tests.postgres import timescale_store
from tests.series import test_contract, test_removal
from tests.series.build import Clock, running
from tests.series.test_contract import clock as clock  # a fixture

for module in (test_contract, test_removal):
    for name, test in vars(module).items():
        if name.startswith("test_") and "store" in inspect.signature(test).parameters:
            globals()[name] = test


@pytest.fixture
async def store(clock: Clock) -> AsyncIterator[SeriesStore]:
    async with running(timescale_store(clock)) as opened:
        yield opened
