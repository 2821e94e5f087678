"""Each folder of the library is whole, and describes every measurement of its codec."""

import msgspec
import pytest

from decoders.change import Rule
from decoders.vocabulary import ENTRIES
from tests.codecs.families import FAMILIES, ROOT, Family

BUILT_IN = "cayenne-lpp"
REQUIRED = {
    "name", "vendor", "family", "models", "description", "lorawan_version", "supports_join", "class", "codec", "source",
}  # fmt: skip
SHARED_PART = "\n// ---- "

each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def test_there_are_more_than_twenty_families() -> None:
    assert len(FAMILIES) > 20
    names = [family.template["name"] for family in FAMILIES]
    assert len(set(names)) == len(names)


@each_family
def test_a_folder_is_whole(family: Family) -> None:
    assert family.tables == {"template", "fields"}
    assert set(family.template) - {"uplink_interval_s"} == REQUIRED
    assert family.template["name"] == family.name.replace("/", "-")
    assert family.template["codec"] == ("codec.js" if family.source else BUILT_IN)
    assert family.template["class"] in ("A", "B", "C")
    assert family.template["models"]
    assert family.template["source"], "where the payload format is documented"


@each_family
def test_its_examples_show_values_and_a_failure(family: Family) -> None:
    uplinks = family.of("uplink")
    assert len(uplinks) >= 3
    assert any(example.expected.errors for example in uplinks)
    descriptions = [example.description for example in family.examples]
    assert len(set(descriptions)) == len(descriptions)


@each_family
def test_a_codec_that_encodes_has_examples_of_both_ways(family: Family) -> None:
    assert ("function encodeDownlink" in family.source) == bool(family.of("downlink-encode"))
    assert ("function decodeDownlink" in family.source) == bool(family.of("downlink-decode"))


@each_family
def test_a_field_has_a_label_a_sane_range_and_a_rule_that_can_be_read(family: Family) -> None:
    for name, field in family.fields.items():
        assert set(field) <= {"unit", "label", "min", "max", "rule"}, name
        assert field["label"][:1].isupper(), name
        if "min" in field or "max" in field:
            assert field["min"] < field["max"], name
            assert "unit" in field, name
        msgspec.convert(field.get("rule", {}), Rule)


@each_family
def test_names_of_the_vocabulary_have_its_unit_and_lie_in_its_range(family: Family) -> None:
    for name, field in family.fields.items():
        entry = ENTRIES.get(name)
        if entry is None:
            continue
        assert (field.get("unit") or None) == entry.unit, name
        assert (entry.kind == "number") == ("unit" in field), name
        if entry.low is not None and entry.high is not None:
            assert entry.low <= field["min"] < field["max"] <= entry.high, name


def test_the_codecs_of_a_vendor_share_their_reader_word_for_word() -> None:
    shared: dict[str, set[str]] = {}
    for family in FAMILIES:
        if SHARED_PART in family.source:
            shared.setdefault(family.vendor, set()).add(family.source.partition(SHARED_PART)[2])
    assert {vendor: len(texts) for vendor, texts in shared.items()} == {"dragino": 1, "mclimate": 1, "milesight": 1}


def test_the_readme_lists_every_family() -> None:
    listed = [line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("| [")]
    rows = [(f"[{f.name}]({f.name})", ", ".join(f.template["models"]), f.template["description"]) for f in FAMILIES]
    assert "\n".join(listed) == "\n".join(f"| {' | '.join(row)} |" for row in rows)
