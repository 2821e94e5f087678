"""Rules of what is kept, checked as templates and devices take them."""

from typing import Any

import pytest

from lns.registry.errors import RegistryError
from lns.registry.registry import Registry
from lns.registry.rules import check_per_hour, check_rules
from tests.registry.samples import otaa

EUI = "70b3d57ed0000001"
RULES = {"t": {"on_change": False, "min_interval_s": 60, "max_per_hour": 6}, "u": {"deadband_abs": 0.5}}
NEVER = "but on_change is false: it would never count"
WRONG = [
    ({"t": {"min_interval_s": -1}}, "rules.t: min_interval_s is -1.0, 0 (no limit) to 2592000 is allowed"),
    ({"t": {"max_per_hour": 1_000_001}}, "rules.t: max_per_hour is 1000001, 0 (no limit) to 1000000 is allowed"),
    ({"t": {"max_per_hour": 1.5}}, "rules.t.max_per_hour is 1.5, expected int, got float"),
    ({"t": {"on_change": 1}}, "rules.t.on_change is 1, expected bool, got int"),
    ({"t": {"deadband_abs": 1, "on_change": False}}, f"rules.t: deadband_abs is 1.0, {NEVER}"),
    ({"t": 1}, "rules.t: Expected `object`, got `int`"),
    ({"": {}}, "rules has the name '': 1 to 200 characters are needed"),
    ({"t" * 201: {}}, f"rules has the name '{'t' * 40}': 1 to 200 characters are needed"),
    ({f"t{n}": {} for n in range(513)}, "rules has 513 entries, at most 512 fit"),
]


@pytest.mark.parametrize(("rules", "text"), WRONG)
def test_a_wrong_rule_is_refused_with_its_value_and_the_limit(registry: Registry, rules: dict, text: str) -> None:
    registry.devices.add(otaa(1))
    for change, name in ((registry.templates.change, "default"), (registry.devices.change, EUI)):
        with pytest.raises(RegistryError) as refused:
            change(name, {"rules": rules})
        assert (refused.value.code, str(refused.value)) == ("invalid", text)


def test_good_rules_stay_as_they_are_given() -> None:
    assert check_rules(RULES) == RULES


@pytest.mark.parametrize("most", [None, 0, 1_000_000])
def test_the_limit_of_a_device_may_be_left_to_the_template_or_lifted(most: int | None) -> None:
    assert check_per_hour(most) == most


@pytest.mark.parametrize("most", [-1, 1_000_001])
def test_a_limit_out_of_range_is_refused(registry: Registry, most: int) -> None:
    registry.devices.add(otaa(1))
    text = f"max_measurements_per_hour is {most}, 0 to 1000000 is allowed"
    changes: list[tuple[Any, str]] = [(registry.templates.change, "default"), (registry.devices.change, EUI)]
    for change, name in changes:
        with pytest.raises(RegistryError) as refused:
            change(name, {"max_measurements_per_hour": most})
        assert str(refused.value) == text


def test_template_and_device_hand_their_rules_to_the_decoder(registry: Registry) -> None:
    registry.templates.add({"name": "t", "rules": RULES, "max_measurements_per_hour": 99})
    registry.devices.add(otaa(1, template="t", rules={"u": {}}, max_measurements_per_hour=0))
    registry.devices.add(otaa(2, template="t"))
    found = registry.load_network()
    template = next(row for row in found.templates.values() if row.rules)
    assert (template.rules, template.max_measurements_per_hour) == (RULES, 99)
    assert [(d.rules, d.max_measurements_per_hour) for d in found.devices] == [({"u": {}}, 0), ({}, None)]
    changed = registry.devices.change(EUI, {"rules": {}, "max_measurements_per_hour": None})
    assert (changed.rules, changed.max_measurements_per_hour) == ({}, None)
    assert registry.devices.change(EUI, {"rules": RULES}).rules == RULES
    assert registry.templates.change("t", {"max_measurements_per_hour": None}).max_measurements_per_hour is None
