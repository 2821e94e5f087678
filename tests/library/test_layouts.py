"""Which layout a folder has."""

from pathlib import Path

import msgspec
import pytest

from lns.library.files import LibraryError
from lns.library.layouts import LAYOUTS, layout_of, read_library
from tests.library.trees import CHIRPSTACK, MILESIGHT, OWN, SCRIPT, TS013, TTN, write

TREES = {"inflight": OWN, "ttn": TTN, "chirpstack": CHIRPSTACK, "ts013": TS013, "milesight": MILESIGHT}


def test_there_is_a_tree_of_each_layout() -> None:
    assert TREES.keys() == LAYOUTS.keys()


@pytest.mark.parametrize("layout", TREES)
def test_a_layout_is_recognised_from_its_files(tmp_path: Path, layout: str) -> None:
    root = write(tmp_path, TREES[layout])
    assert layout_of(root) == layout
    (found,) = read_library(root)
    assert (found.item.origin, found.item.problem, found.codec is not None) == (layout, None, True)


@pytest.mark.parametrize("layout", TREES)
def test_a_library_may_have_another_name(tmp_path: Path, layout: str) -> None:
    (found,) = read_library(write(tmp_path, TREES[layout]), layout, "ours")
    assert (found.item.origin, found.item.id.partition(":")[0]) == ("ours", "ours")


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="has none of the layouts inflight, ttn, chirpstack, ts013, milesight"):
        layout_of(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="file is not a folder"):
        layout_of(tmp_path / "file")


def test_of_items_with_one_id_the_first_is_used_and_a_repeated_one_is_one(tmp_path: Path) -> None:
    other = {"a/em500-xyz/em500-xyz-decoder.js": SCRIPT + "// other", "a/em500-xyz/README.md": "# Other"}
    first, second = read_library(write(tmp_path, MILESIGHT, other))
    assert first.item.id == second.item.id
    assert (first.item.problem, second.codec) == (None, None)
    assert second.item.problem == "another item of the folder has the same id"
    index = {"vendor/acme/index.yaml": "endDevices: [tank, tank]"}
    (once,) = read_library(write(tmp_path / "ttn", TTN, index))
    assert once.item.problem is None


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    root = write(tmp_path, TTN)
    first, second = ([msgspec.json.encode(found) for found in read_library(root)] for _ in range(2))
    assert first == second
