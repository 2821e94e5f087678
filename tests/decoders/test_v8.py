"""V8 through mini-racer's C interface: the interface is looked at before it is used."""

import re
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from py_mini_racer import init_mini_racer

from decoders import v8
from decoders.contract import DecoderError

WANTED = "install mini-racer>=0.14.1,<0.15"


def test_the_installed_library_has_the_interface() -> None:
    v8.require_interface(init_mini_racer(ignore_duplicate_init=True))
    assert version("mini-racer").startswith("0.14.")


def test_the_dependency_is_the_version_that_the_error_names() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    found = re.search(r'"(mini-racer[^"]*)"', project.read_text("utf-8"))
    assert found is not None
    assert f"install {found[1]}" == WANTED


@pytest.mark.parametrize("parts", [{}, {"mr_init_context": SimpleNamespace(argtypes=[1, 2])}])
def test_another_interface_is_refused_with_what_to_do(parts: dict[str, SimpleNamespace]) -> None:
    with pytest.raises(DecoderError) as refused:
        v8.require_interface(SimpleNamespace(**parts))
    assert str(refused.value) == f"mini-racer's mr_init_context is not that of version 0.14: {WANTED}"
