"""Manifests, names and the chain that files make."""

import hashlib

import msgspec
import pytest

from lns.archive import manifest
from lns.archive.manifest import Gap, Manifest, Place
from lns.errors import StoreError
from tests.archive.build import D0, DAY_US, at


def link(after, first, last):
    return Manifest(f"{first}", after, first, last, 1, 0, 0, 0, "")


def test_a_manifest_describes_its_file():
    part = [(5, at(1, D0 + 2)), (9, at(2, D0 + 1))]
    name = "uplink/day=2023-11-15/0000000000000000005.parquet"
    described = manifest.describe(part, b"abc", 3)
    assert described == Manifest(name, 3, 5, 9, 2, D0 + 1, D0 + 2, 3, hashlib.sha256(b"abc").hexdigest())
    assert manifest.decode("x", manifest.encode(described)) == described
    assert manifest.manifest_name(name) == "uplink/day=2023-11-15/0000000000000000005.json"


def test_names_are_read_back():
    name = manifest.file_name("2023-11-15", 5)
    assert manifest.place(name) == Place("2023-11-15", 5, False)
    assert manifest.place(manifest.manifest_name(name)) == Place("2023-11-15", 5, True)
    assert manifest.place("uplink/notes.json") is None


def test_a_later_day_begins_a_file_and_stragglers_go_along():
    times = [D0 - 2, D0 - 1, D0, D0 - 1, D0 + 1, D0 + 3 * DAY_US]
    parts = manifest.split([(seq, at(seq, at_us)) for seq, at_us in enumerate(times, 1)])
    assert [[seq for seq, _ in part] for part in parts] == [[1, 2], [3, 4, 5], [6]]
    assert manifest.split([]) == []


@pytest.mark.parametrize(
    ("links", "gaps"),
    [
        ([], []),
        ([link(0, 5, 9)], []),  # what was before the archive is no gap
        ([link(0, 5, 9), link(9, 20, 30)], []),  # records that are no uplinks stand between
        ([link(9, 20, 30), link(0, 5, 9)], []),  # in any order
        ([link(0, 5, 9), link(30, 40, 50)], [Gap(10, 30)]),  # the file between is missing
        ([link(0, 5, 9), link(15, 20, 30)], [Gap(10, 15)]),  # the log had dropped records before they were archived
        ([link(0, 5, 50), link(4, 10, 20), link(50, 51, 52)], []),  # one file inside another
    ],
)
def test_a_broken_chain_is_a_gap(links, gaps):
    assert manifest.gaps(links) == gaps


def test_overlaps_are_pairs_of_files():
    assert manifest.overlaps([link(0, 5, 9), link(8, 9, 12), link(12, 13, 13)]) == [("5", "9")]


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b'{"name": 1}'])
def test_a_damaged_manifest_is_named(text):
    with pytest.raises(StoreError, match=r"^the archive's manifest m\.json is damaged: "):
        manifest.decode("m.json", text)


def test_an_unknown_key_is_damage():
    text = msgspec.json.encode({**msgspec.to_builtins(link(0, 1, 2)), "more": 1})
    with pytest.raises(StoreError, match="unknown field"):
        manifest.decode("m.json", text)
