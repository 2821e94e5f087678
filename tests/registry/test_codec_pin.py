import pytest

from lns.registry import codec_pin
from lns.registry.codecs import Tested
from lns.registry.errors import RegistryError
from lns.registry.registry import Registry
from tests.registry.samples import refusal

ONE, TWO = "function decodeUplink() { return 1 }", "function decodeUplink() { return 2 }"


def test_template_stays_with_a_version_whatever_is_active(registry: Registry) -> None:
    registry.codecs.add("a", ONE, "ts013")
    registry.codecs.add_version("a", TWO, "ts013", activate=False)
    assert registry.templates.add({"name": "t", "codec": "a", "codec_version": 2}).codec_version == 2
    assert [(v.codec, v.number) for v in registry.codecs.in_use()] == [("cayenne-lpp", 1), ("a", 1), ("a", 2)]
    registry.codecs.activate("a", 2)
    registry.codecs.activate("a", 1)
    assert registry.templates.get("t").codec_version == 2
    text = "device template 't' is pinned to version 2 of codec 'a'"
    assert refusal(registry.codecs.retire, "a", 2) == ("conflict", text)
    assert registry.templates.change("t", {"codec_version": None}).codec_version is None
    assert registry.codecs.retire("a", 2).state == "retired"


def test_pin_goes_with_the_codec_it_was_for(registry: Registry) -> None:
    for name in ("a", "b"):
        registry.codecs.add(name, ONE, "ts013")
    registry.templates.add({"name": "t", "codec": "a", "codec_version": 1})
    assert registry.templates.change("t", {"description": "x"}).codec_version == 1
    assert registry.templates.change("t", {"codec": "a"}).codec_version == 1
    assert registry.templates.change("t", {"codec": "b"}).codec_version is None
    assert registry.templates.change("t", {"codec": None}).codec_version is None


def test_version_that_cannot_be_used_is_refused(registry: Registry) -> None:
    registry.codecs.add("a", ONE, "ts013", tested=Tested(failed=2))
    add = registry.templates.add
    text = "codec_version is 1: 2 example(s) of that draft fail"
    assert refusal(add, {"name": "t", "codec": "a", "codec_version": 1}) == ("conflict", text)
    text = "codec_version is 7: the codec has no such version"
    assert refusal(add, {"name": "t", "codec": "a", "codec_version": 7}) == ("invalid", text)
    text = "codec_version is 1, but no codec is named"
    assert refusal(add, {"name": "t", "codec_version": 1}) == ("invalid", text)
    with registry._database.read() as connection, pytest.raises(RegistryError):
        codec_pin.pinned(connection, None, 1)
