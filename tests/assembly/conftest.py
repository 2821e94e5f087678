"""One server for the tests of a module; each takes applications and devices of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.assembly.serving import World, serving
from tests.brokers import noida
from tests.brokers_debian import mosquitto, rabbit

__all__ = ["mosquitto", "noida", "rabbit"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with serving(tmp_path_factory.mktemp("data")) as found:
        yield found
