"""Imported libraries in the database."""

import msgspec
import pytest

from lns.library.item import Item
from lns.registry.errors import RegistryError
from lns.registry.registry import Registry
from lns.registry.rows import LibraryCodec, LibraryEntry

TANK = Item(
    id="ttn:acme/tank",
    origin="ttn",
    vendor="ACME",
    name="Tank 100%",
    description="Level of a tank_x",
    models=["tank"],
    template={"lorawan_version": "1.0.3", "network": {"device_class": "C"}},
    codec_sha256="a" * 64,
    source="https://acme.example",
)
LPP = Item(id="ours:acme/lpp", origin="ours", vendor="ACME", name="LPP", built_in="cayenne-lpp")
PLAIN = Item(id="ttn:acme/plain", origin="ttn", vendor="ACME", name="Plain")
CODEC = LibraryCodec("a" * 64, "source", "ts013", [{"type": "uplink"}], 3, 1, None)


@pytest.fixture
def stored(registry: Registry) -> Registry:
    registry.library.put([(TANK, "d1"), (LPP, "d2"), (PLAIN, "d3")], [CODEC])
    return registry


def test_an_item_comes_back_as_it_was_stored(stored: Registry) -> None:
    assert [stored.library.get(item.id) for item in (TANK, LPP, PLAIN)] == [TANK, LPP, PLAIN]
    assert stored.library.codecs(["a" * 64, "b" * 64]) == {"a" * 64: CODEC}
    with pytest.raises(RegistryError, match="the template library has no 'ttn:acme/none': see 'lns template search'"):
        stored.library.get("ttn:acme/none")


def test_what_is_stored_again_is_replaced(stored: Registry) -> None:
    newer, codec = msgspec.structs.replace(TANK, name="Tank 2"), msgspec.structs.replace(CODEC, passed=4, failed=0)
    stored.library.put([(newer, "d4")], [codec])
    assert stored.library.search("tank") == [LibraryEntry(newer, 4, 0)]
    assert stored.library.known(["d1", "d4"]) == {"d4"}
    assert stored.library.counts() == {"ours": 1, "ttn": 2}


def test_known_contents_and_ids_are_told_from_any_number(stored: Registry) -> None:
    assert stored.library.known([f"x{n}" for n in range(2000)] + ["d3"]) == {"d3"}
    assert stored.library.ids([f"x{n}" for n in range(2000)] + [TANK.id]) == {TANK.id}
    assert stored.library.known([]) == set()
    stored.library.put([], [])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", ["ours:acme/lpp", "ttn:acme/plain", "ttn:acme/tank"]),
        ("ACME tank", ["ttn:acme/tank"]),
        ("100%", ["ttn:acme/tank"]),
        ("%", ["ttn:acme/tank"]),
        ("tank_x", ["ttn:acme/tank"]),
        ("tankyx", []),
        ("'; drop table library_item; --", []),
    ],
)
def test_a_search_finds_words_and_takes_signs_as_they_are(stored: Registry, wanted: str, found: list[str]) -> None:
    assert [entry.item.id for entry in stored.library.search(wanted)] == found


def test_a_search_goes_on_after_an_id(stored: Registry) -> None:
    assert [e.item.id for e in stored.library.search("", after="ours:acme/lpp", limit=1)] == ["ttn:acme/plain"]


def test_an_entry_has_the_counts_of_its_codec(stored: Registry) -> None:
    assert stored.library.search("tank") == [LibraryEntry(TANK, 3, 1)]
    assert stored.library.search("lpp") == [LibraryEntry(LPP, 0, 0)]


def test_a_forgotten_library_takes_the_codecs_that_no_other_needs(stored: Registry) -> None:
    shared = msgspec.structs.replace(TANK, id="ours:acme/tank", origin="ours")
    other = msgspec.structs.replace(CODEC, sha256="b" * 64)
    alone = msgspec.structs.replace(TANK, id="ttn:acme/alone", codec_sha256=other.sha256)
    stored.library.put([(shared, "d5"), (alone, "d6")], [other])
    assert stored.library.forget("ttn") == 3
    assert stored.library.codecs([CODEC.sha256, other.sha256]) == {CODEC.sha256: CODEC}
    assert stored.library.counts() == {"ours": 2}
    assert stored.library.forget("ttn") == 0
