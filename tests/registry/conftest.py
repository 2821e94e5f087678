"""A registry on a real file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lns.registry.registry import FILE_NAME, Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    found = Registry(tmp_path / FILE_NAME)
    found.open()
    yield found
    found.close()
