"""Packages of TS013, Actility's drivers among them."""

from pathlib import Path

import pytest

from lns.library import ts013
from lns.library.files import Folder
from lns.library.item import Found, Item
from tests.library.trees import EXAMPLES, SCRIPT, TS013, write

TANK = "ts013:acme/tank"


def read(root: Path) -> dict[str, Found]:
    return {found.item.id: found for found in ts013.items(Folder(root))}


def test_a_package_is_a_codec_with_examples(tmp_path: Path) -> None:
    found = read(write(tmp_path, TS013))[TANK]
    assert found.codec is not None
    assert found.item == Item(
        id=TANK,
        origin="ts013",
        vendor="acme",
        name="tank-codec",
        description="Level of a tank",
        models=["tank"],
        codec_sha256=found.codec.sha256,
    )
    assert (found.codec.source, len(found.codec.examples)) == (SCRIPT, 1)


def test_a_driver_with_a_bundle_and_split_examples(tmp_path: Path) -> None:
    tree = {
        "acme/tank/examples.json": None,
        "acme/tank/metadata.json": '{"name": "Tank sensor", "description": "by Actility"}',
        "acme/tank/dist/index.js": "// bundle\n" + SCRIPT,
        "acme/tank/examples/a.examples.json": EXAMPLES,
        "acme/tank/examples/b.examples.json": EXAMPLES,
        "acme/tank/node_modules/other/package.json": "{}",
        "acme/tank/node_modules/other/examples.json": "[]",
    }
    (found,) = read(write(tmp_path, TS013, tree)).values()
    assert found.codec is not None
    assert (found.item.name, found.item.description) == ("Tank sensor", "by Actility")
    assert found.codec.source.startswith("// bundle")
    assert len(found.codec.examples) == 2


def test_a_folder_may_be_one_package(tmp_path: Path) -> None:
    root = write(tmp_path, TS013) / "acme/tank"
    assert ts013.recognise(root)
    assert list(read(root)) == ["ts013:tank/tank"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"acme/tank/package.json": "{"}, "acme/tank/package.json is not JSON: "),
        ({"acme/tank/package.json": "[" * 100_000}, "acme/tank/package.json is not JSON: "),
        ({"acme/tank/package.json": '{"name": "\\ud800"}'}, "acme/tank/package.json is not JSON: "),
        ({"acme/tank/package.json": "[]"}, "acme/tank/package.json: expected `object`, got `array`"),
        ({"acme/tank/package.json": '{"main": 1}'}, "acme/tank has no script: neither dist/index.js nor index.js"),
        ({"acme/tank/package.json": '{"main": "../../../x.js"}'}, "acme/tank has no script"),
        ({"acme/tank/src/tank.js": b"\x00\xff"}, "acme/tank/src/tank.js is not UTF-8 text"),
    ],
)
def test_a_package_that_cannot_be_read_says_why(
    tmp_path: Path, changed: dict[str, str | bytes | None], problem: str
) -> None:
    item = read(write(tmp_path, TS013, changed))[TANK].item
    assert str(item.problem).startswith(problem)
