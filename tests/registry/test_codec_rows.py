"""Who put which version in use, and what that replaced."""

import msgspec

from lns.registry import codec_rows
from lns.registry.codecs import Tested
from lns.registry.registry import Registry
from tests.registry.samples import refusal

ONE, TWO, THREE = (f"function decodeUplink() {{ return {n} }}" for n in (1, 2, 3))


def states(registry: Registry) -> list[str]:
    return [v.state for v in registry.codecs.versions("a")]


def history(registry: Registry) -> list[tuple[object, ...]]:
    return [msgspec.structs.astuple(activation)[:-1] for activation in registry.codecs.activations("a")]


def test_activations_are_kept_with_author_and_reason(registry: Registry) -> None:
    registry.codecs.add("a", ONE, "ts013", author="ada")
    registry.codecs.add_version("a", TWO, "ts013", author="bob", tested=Tested(failed=1))
    assert states(registry) == ["active", "draft"]
    registry.codecs.activate("a", 2, "cy", "the example is wrong")
    registry.codecs.activate("a", 2, "cy")
    assert [v.author for v in registry.codecs.versions("a")] == ["ada", "bob"]
    assert states(registry) == ["retired", "active"]
    assert history(registry) == [(2, 1, False, "cy", "the example is wrong"), (1, None, False, "ada", None)]


def test_rollback_uses_what_the_active_one_has_replaced(registry: Registry) -> None:
    registry.codecs.add("a", ONE, "ts013")
    for source in (TWO, THREE):
        registry.codecs.add_version("a", source, "ts013")
    assert [registry.codecs.rollback("a", "ada").number for _ in range(2)] == [2, 1]
    text = "codec 'a' has no version that was in use before version 1"
    assert refusal(registry.codecs.rollback, "a") == ("conflict", text)
    registry.codecs.activate("a", 3)
    assert registry.codecs.rollback("a").number == 1
    with registry._database.read() as connection:
        assert codec_rows.replaced_by_active(connection, registry.codecs.get("a")) is None


def test_versions_are_found_by_number_and_state(registry: Registry) -> None:
    registry.codecs.add("a", ONE, "ts013")
    text = "codec 'a' has no draft version"
    assert refusal(registry.codecs.version, "a", "draft") == ("not_found", text)
    for source in (TWO, THREE):
        registry.codecs.add_version("a", source, "ts013", activate=False)
    found = [registry.codecs.version("a", which).number for which in ("active", "draft", "2", 2)]
    assert found == [1, 3, 2, 2]
    assert refusal(registry.codecs.version, "a", "9") == ("not_found", "codec 'a' has no version 9, it has 1 to 3")


def test_retired_version_comes_back_when_it_is_activated(registry: Registry) -> None:
    registry.codecs.add("a", ONE, "ts013")
    registry.codecs.add_version("a", TWO, "ts013", activate=False)
    text = "version 1 of codec 'a' is in use: activate another one first"
    assert refusal(registry.codecs.retire, "a", 1) == ("conflict", text)
    assert registry.codecs.retire("a", 2).state == "retired"
    assert registry.codecs.activate("a", 2).state == "active"
    assert states(registry) == ["retired", "active"]


def test_examples_are_replaced_with_how_they_went(registry: Registry) -> None:
    registry.codecs.add("a", ONE, "ts013")
    entry = {"type": "uplink", "input": {"bytes": [1], "fPort": 2}, "output": {"data": {}}}
    kept = registry.codecs.put_examples("a", 1, Tested([entry], passed=1))
    assert (kept.examples, kept.passed, kept.failed) == ([entry], 1, 0)
    assert registry.codecs.version("a", 1) == kept
    many = Tested([entry] * 501)
    text = "there are 501 examples, at most 500 fit"
    assert refusal(registry.codecs.put_examples, "a", 1, many) == ("invalid", text)
