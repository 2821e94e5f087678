from typing import Any

import msgspec
import pytest

from lns.registry.registry import Registry
from tests.registry.samples import NO_REGION, refusal

EUI = "a84041ffff1e8f2c"


def test_gateway_is_added_changed_and_forgotten(registry: Registry) -> None:
    place = {"latitude": 52.5, "longitude": 13.4, "altitude_m": 34.0, "tags": {"site": "roof"}, "region": "EU868"}
    made = registry.gateways.add({"eui": EUI.upper(), **place})
    assert (made.eui, made.name, made.accepted, made.first_seen_at_us) == (EUI, EUI, True, None)
    assert {name: msgspec.to_builtins(made)[name] for name in place} == place
    changed = registry.gateways.change(EUI, {"name": "roof", "accepted": False, "region": None})
    assert changed == msgspec.structs.replace(made, name="roof", accepted=False, region=None)
    assert registry.gateways.change(EUI, {}) == changed
    assert registry.gateways.change(EUI, {"name": ""}).name == EUI
    assert registry.gateways.all() == [registry.gateways.get(EUI)]
    registry.gateways.delete(EUI)
    assert refusal(registry.gateways.get, EUI) == ("not_found", f"gateway {EUI} does not exist")
    assert refusal(registry.gateways.delete, EUI) == ("not_found", f"gateway {EUI} does not exist")


def test_accepting_makes_an_unknown_gateway_known(registry: Registry) -> None:
    assert registry.gateways.accept(EUI).accepted
    registry.gateways.change(EUI, {"name": "roof", "accepted": False})
    assert (registry.gateways.accept(EUI).name, registry.gateways.get(EUI).accepted) == ("roof", True)


def test_only_known_gateways_are_noted_as_seen(registry: Registry) -> None:
    registry.gateways.accept(EUI)
    registry.gateways.seen({EUI: 1000, "0000000000000001": 1000})
    registry.gateways.seen({EUI: 2000})
    registry.gateways.seen({})
    assert [(g.eui, g.first_seen_at_us, g.last_seen_at_us) for g in registry.gateways.all()] == [(EUI, 1000, 2000)]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"eui": "x"}, "eui: 'x' is not an EUI: 16 hex digits are needed"),
        ({"eui": EUI, "latitude": 90.1}, "latitude is 90.1, -90 to 90 is allowed"),
        ({"eui": EUI, "longitude": float("nan")}, "longitude is nan, -180 to 180 is allowed"),
        ({"eui": EUI, "region": "XX"}, f"region: {NO_REGION}"),
    ],
)
def test_wrong_value_is_named(registry: Registry, values: dict[str, Any], text: str) -> None:
    assert refusal(registry.gateways.add, values) == ("invalid", text)


def test_eui_is_given_once(registry: Registry) -> None:
    registry.gateways.add({"eui": EUI})
    assert refusal(registry.gateways.add, {"eui": EUI}) == ("conflict", f"gateway {EUI} exists already")
