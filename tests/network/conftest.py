"""Every test of this folder runs in a loop of virtual time."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.network.virtual_time import VirtualTimeLoop

pytest.register_assert_rewrite("tests.network.agreement", "tests.network.pair")


@pytest.hookimpl
def pytest_asyncio_loop_factories(config: Any, item: Any) -> dict[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual": VirtualTimeLoop}
