"""What a library holds of a kind of device."""

import msgspec
import pytest

from lns.library.item import (
    MAX_EXAMPLES_BYTES,
    CodecSource,
    Found,
    Item,
    by_source,
    named,
    slug,
    template_name,
    with_examples,
)

ITEM = Item("ttn:acme/tank", "ttn", "ACME", "Tank", "Level", ["TS1"], codec_sha256="0" * 64)


def test_the_digest_follows_every_part_of_the_content() -> None:
    found = Found(ITEM, CodecSource("source"))
    others = [
        Found(msgspec.structs.replace(ITEM, name="Other"), found.codec),
        Found(msgspec.structs.replace(ITEM, template={"fields": {"level": {"unit": "%"}}}), found.codec),
        Found(ITEM, CodecSource("other source")),
        Found(ITEM, CodecSource("source", [{"type": "uplink"}])),
        Found(ITEM),
    ]
    assert found.digest == Found(ITEM, CodecSource("source")).digest
    assert len({one.digest for one in (found, *others)}) == 6


def test_a_search_looks_through_id_vendor_name_models_and_description() -> None:
    assert ITEM.words() == "ttn:acme/tank acme tank ts1 level"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EM300-TH", "em300-th"),
        ("A & B", "a-b"),
        ("v1.2", "v1.2"),
        ("../..", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_a_slug_has_no_character_that_means_something_in_a_path(text: str, expected: str) -> None:
    assert slug(text) == expected


@pytest.mark.parametrize(
    ("item_id", "expected"),
    [
        ("milesight/em300-th", "milesight-em300-th"),
        ("ttn:dragino/lht65", "dragino-lht65"),
        (f"ttn:{'v' * 60}/{'d' * 60}", "v" * 60 + "-ddd"),
        (f"ttn:{'v' * 63}/d", "v" * 63),
    ],
)
def test_a_template_is_called_as_the_item(item_id: str, expected: str) -> None:
    assert template_name(item_id) == expected


def test_an_item_of_a_library_with_a_name_begins_with_it() -> None:
    found = Found(msgspec.structs.replace(ITEM, id="acme/tank", origin="inflight"))
    assert (named(found, "ours").item.id, named(found, "ours").item.origin) == ("ours:acme/tank", "ours")
    assert named(named(found, "ours"), "theirs").item.id == "theirs:acme/tank"


def test_examples_of_several_files_are_put_together_and_what_cannot_be_read_is_told() -> None:
    assert with_examples("s", [[{"a": 1}], "b.json: bad", [{"c": 1}], "d.json: bad"]) == CodecSource(
        "s", [{"a": 1}, {"c": 1}], "b.json: bad; d.json: bad"
    )
    many = with_examples("s", [[{"text": "x" * MAX_EXAMPLES_BYTES}]])
    assert many == CodecSource("s", [], f"the examples have {MAX_EXAMPLES_BYTES + 13} octets, at most 4194304 fit")


def test_codecs_of_one_source_become_one_with_all_examples() -> None:
    first, other = CodecSource("s", [{"a": 1}]), CodecSource("t")
    second = CodecSource("s", [{"a": 1}, {"b": 1}], "bad")
    assert by_source([first, other, second, first]) == {
        first.sha256: CodecSource("s", [{"a": 1}, {"b": 1}], "bad"),
        other.sha256: other,
    }
