from typing import Any

import msgspec
import pytest

from lns.registry.device_input import parse_device
from lns.registry.registry import Registry
from tests.registry.samples import KEYS_1_1, NWK_KEY, otaa, refusal

ABP_1_1 = {"dev_addr": "00000003", **KEYS_1_1}


def test_template_has_defaults_and_takes_all_fields(registry: Registry) -> None:
    plain = msgspec.to_builtins(registry.templates.add({"name": "plain"}))
    assert {name: plain[name] for name in plain if name not in ("id", "created_at_us")} == {
        "name": "plain",
        "region": None,
        "lorawan_version": "1.0.3",
        "supports_join": True,
        "codec": None,
        "fcnt_reset_allowed": False,
        "uplink_interval_s": None,
        "rules": {},
        "network": {},
        "devices": 0,
        "codec_version": None,
        "description": "",
        "fields": {},
        "library_item": None,
        "max_measurements_per_hour": None,
    }
    full = {
        "name": "full",
        "region": "US915",
        "lorawan_version": "1.0.4",
        "supports_join": False,
        "codec": "cayenne-lpp",
        "codec_version": 1,
        "description": "a box with a lid",
        "fields": {"temperature": {"label": "air", "unit": "°C", "min": -40.0, "max": 85.0}},
        "fcnt_reset_allowed": True,
        "uplink_interval_s": 600,
        "rules": {"temperature": {"deadband_abs": 0.2, "heartbeat_s": 60, "min_interval_s": 30, "max_per_hour": 9}},
        "max_measurements_per_hour": 60,
        "network": {"device_class": "C", "factory_channels_hz": [923_300_000]},
    }
    made = msgspec.to_builtins(registry.templates.add(full))
    assert {name: made[name] for name in full} == full
    assert [t.name for t in registry.templates.all()] == ["default", "full", "plain"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"lorawan_version": "1.2"}, "lorawan_version is '1.2', known are 1.0.0, 1.0.1, 1.0.2, 1.0.3, 1.0.4, 1.1"),
        ({"network": {"adr": {"max_dr": 16}}}, "network.adr.max_dr is 16, expected int <= 15"),
        ({"uplink_interval_s": 0}, "uplink_interval_s is 0, 1 to 31536000 is allowed"),
        ({"codec": "none"}, "codec 'none' does not exist"),
        ({"fields": {"t": {"colour": 1}}}, "fields.t: Object contains unknown field `colour`"),
        ({"fields": {"": {}}}, "fields has the name '': 1 to 200 characters are needed"),
        ({"fields": {"t": {"name": "warmth"}}}, "fields.t.name is 'warmth', which is no name of the vocabulary"),
        ({"fields": {"t": {"min": 5, "max": 4}}}, "fields.t.min is 5, at most the max 4 is allowed"),
        ({"rules": {"t": {"band": 1}}}, "rules.t: Object contains unknown field `band`"),
        ({"rules": {"t": {"deadband_abs": -1}}}, "rules.t: deadband_abs is -1.0, it has to be 0 or more"),
    ],
)
def test_wrong_value_is_named(registry: Registry, values: dict[str, Any], text: str) -> None:
    assert refusal(registry.templates.add, {"name": "a", **values}) == ("invalid", text)
    assert refusal(registry.templates.change, "default", values) == ("invalid", text)


def test_change_touches_only_what_is_given(registry: Registry) -> None:
    registry.templates.add({"name": "a", "codec": "cayenne-lpp", "uplink_interval_s": 60})
    changed = registry.templates.change("a", {"name": "b", "uplink_interval_s": None})
    assert (changed.name, changed.codec, changed.uplink_interval_s) == ("b", "cayenne-lpp", None)
    assert registry.templates.change("b", {"codec": None}).codec is None
    assert registry.templates.change("b", {}).name == "b"


def test_version_across_the_line_of_1_1_needs_the_keys_of_every_device(registry: Registry) -> None:
    registry.templates.add({"name": "a", "network": {"rx2_dr": 3}})
    registry.devices.add_many([otaa(1, template="a", nwk_key=NWK_KEY), otaa(2, template="a")])
    text = "device 70b3d57ed0000002 follows device template 'a': nwk_key is missing: an otaa device of lorawan 1.1 "
    code, told = refusal(registry.templates.change, "a", {"lorawan_version": "1.1"})
    assert (code, told[: len(text)]) == ("conflict", text)
    registry.devices.change("70b3d57ed0000002", {"nwk_key": NWK_KEY})
    changed = registry.templates.change("a", {"lorawan_version": "1.1.0", "network": {"device_class": "B"}})
    assert (changed.lorawan_version, changed.network) == ("1.1", {"rx2_dr": 3, "device_class": "B"})
    registry.devices.add(parse_device({"dev_eui": "70b3d57ed0000003", "template": "a", "abp": ABP_1_1}))
    code, told = refusal(registry.templates.change, "a", {"lorawan_version": "1.0.4"})
    assert (code, told[:40]) == ("conflict", "device 70b3d57ed0000003 follows device t")


def test_default_stays_and_used_ones_are_not_deleted(registry: Registry) -> None:
    assert refusal(registry.templates.delete, "default")[1].endswith("it cannot be deleted")
    assert refusal(registry.templates.change, "default", {"name": "x"})[1].endswith("it keeps its name")
    registry.templates.add({"name": "a"})
    assert refusal(registry.templates.add, {"name": "a"}) == ("conflict", "device template 'a' exists already")
    assert refusal(registry.templates.change, "a", {"name": "default"})[0] == "conflict"
    registry.devices.add(otaa(template="a"))
    assert refusal(registry.templates.delete, "a") == (
        "conflict",
        "device template 'a' has 1 device(s): delete or move them first",
    )
    registry.devices.change("70b3d57ed0000001", {"template": "default"})
    registry.templates.delete("a")
    assert refusal(registry.templates.get, "a") == ("not_found", "device template 'a' does not exist")


def test_settings_that_a_region_does_not_have_are_refused(registry: Registry) -> None:
    text = "network.rx2_dr is 8, EU868 has downlink data rates 0, 1, 2, 3, 4, 5, 6, 7"
    assert refusal(registry.templates.add, {"name": "a", "network": {"rx2_dr": 8}}) == ("invalid", text)
    registry.templates.add({"name": "a", "region": "US915", "network": {"rx2_dr": 8}})
    assert refusal(registry.templates.change, "a", {"region": None}) == ("invalid", text)
    assert refusal(registry.templates.change, "a", {"network": {"rx2_dr": 3}}) == (
        "invalid",
        "network.rx2_dr is 3, US915 has downlink data rates 8, 9, 10, 11, 12, 13",
    )
    changed = registry.templates.change("a", {"region": "EU868", "network": {"rx2_dr": 3}})
    assert (changed.region, changed.network) == ("EU868", {"rx2_dr": 3})


def test_a_template_does_not_move_to_a_region_that_lacks_what_its_device_has(registry: Registry) -> None:
    registry.templates.add({"name": "a"})
    registry.devices.add(otaa(1, template="a", network={"rx2_dr": 3}))
    assert refusal(registry.templates.change, "a", {"region": "US915"}) == (
        "conflict",
        f"device {otaa(1).dev_eui} follows device template 'a': "
        "network.rx2_dr is 3, US915 has downlink data rates 8, 9, 10, 11, 12, 13",
    )
