from decoders.contract import BUILTIN_CAYENNE_LPP, MAX_SOURCE_BYTES
from lns.registry.registry import Registry
from tests.registry.samples import refusal

ONE, TWO = "function decodeUplink() { return 1 }", "function decodeUplink() { return 2 }"


def test_versions_are_added_and_switched(registry: Registry) -> None:
    first = registry.codecs.add("lht65", ONE, "ts013", "first")
    second = registry.codecs.add_version("lht65", TWO, "ts013")
    assert [(v.number, v.source, v.note, v.convention) for v in registry.codecs.versions("lht65")] == [
        (1, ONE, "first", "ts013"),
        (2, TWO, "", "ts013"),
    ]
    assert registry.codecs.get("lht65").active_version == 2
    assert registry.codecs.activate("lht65", 1) == first
    assert first.sha256 != second.sha256
    assert registry.codecs.add_version("lht65", ONE + TWO, "ts013", activate=False).number == 3
    assert [(v.codec, v.number) for v in registry.codecs.active()] == [("cayenne-lpp", 1), ("lht65", 1)]
    assert [(c.name, c.active_version, c.versions) for c in registry.codecs.all()] == [
        ("cayenne-lpp", 1, 1),
        ("lht65", 1, 3),
    ]


def test_cayenne_lpp_is_built_in(registry: Registry) -> None:
    (version,) = registry.codecs.versions("cayenne-lpp")
    assert (version.sha256, version.source, version.convention) == (BUILTIN_CAYENNE_LPP, "", "builtin")
    assert refusal(registry.codecs.add_version, "cayenne-lpp", ONE, "ts013") == (
        "conflict",
        "codec 'cayenne-lpp' is built in: give yours another name",
    )


def test_refusals(registry: Registry) -> None:
    registry.codecs.add("a", ONE, "ts013")
    exists = ("conflict", "codec 'a' exists already: add a version to it")
    assert refusal(registry.codecs.add, "a", TWO, "ts013") == exists
    same = ("conflict", "codec 'a' has this source already, as version 1: activate that")
    assert refusal(registry.codecs.add_version, "a", ONE, "ts013") == same
    assert refusal(registry.codecs.activate, "a", 2) == ("not_found", "codec 'a' has no version 2, it has 1 to 1")
    assert refusal(registry.codecs.get, "b") == ("not_found", "codec 'b' does not exist")
    assert refusal(registry.codecs.add, "b", " ", "ts013") == ("invalid", "source is empty")
    long = "x" * (MAX_SOURCE_BYTES + 1)
    text = f"source has {MAX_SOURCE_BYTES + 1} octets, at most {MAX_SOURCE_BYTES} fit"
    assert refusal(registry.codecs.add, "b", long, "ts013") == ("invalid", text)
