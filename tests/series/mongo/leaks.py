"""One socket that pymongo 4 does not close: that of a monitor which is cancelled while it connects to a dead server."""

import gc
from collections.abc import Iterator

import pytest

LEAKS_A_SOCKET = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """So that it is not found in a later test, which would fail."""
    yield
    gc.collect()
