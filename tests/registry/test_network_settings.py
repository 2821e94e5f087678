from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.mac.settings import DEFAULT, AdrSettings, MacSettings
from lns.registry.errors import RegistryError
from lns.registry.network_settings import changed, effective


def test_fields_of_the_device_lie_over_those_of_the_template() -> None:
    template = '{"device_class": "C", "rx2_dr": 3, "adr": {"margin_db": 12, "max_dr": 5}}'
    own = '{"rx2_dr": 0, "adr": {"max_dr": 2}}'
    expected = MacSettings(device_class="C", rx2_dr=0, adr=AdrSettings(margin_db=12.0, max_dr=2))
    assert effective(template, own) == expected
    assert effective(template, own) is effective(template, own)
    assert effective("{}", "{}") is DEFAULT


@pytest.mark.parametrize(
    ("old", "change", "new"),
    [
        ({}, {"rx1_delay_s": 5}, {"rx1_delay_s": 5}),
        # a field is changed, its neighbours stay
        ({"rx1_delay_s": 5, "rx2_dr": 3}, {"rx2_dr": 0}, {"rx1_delay_s": 5, "rx2_dr": 0}),
        # null goes back to the default
        ({"rx1_delay_s": 5, "rx2_dr": 3}, {"rx2_dr": None}, {"rx1_delay_s": 5}),
        ({}, {"rx2_dr": None}, {}),
        # the same inside of adr, which goes when it is empty
        ({"adr": {"min_dr": 1, "mobile": True}}, {"adr": {"min_dr": None}}, {"adr": {"mobile": True}}),
        ({"adr": {"min_dr": 1}}, {"adr": {"min_dr": None}}, {}),
        ({"adr": {"min_dr": 1}}, {"adr": None}, {}),
        # numbers have the type of their field
        ({}, {"adr": {"margin_db": 8}}, {"adr": {"margin_db": 8.0}}),
    ],
)
def test_change_is_merged(old: dict[str, Any], change: dict[str, Any], new: dict[str, Any]) -> None:
    assert changed(old, change) == new


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"rx2": 1}, "network has no field 'rx2'"),
        ({"adr": {"dr": 1}}, "network.adr has no field 'dr'"),
        ({"adr": {"max_dr": 16}}, "network.adr.max_dr is 16, expected int <= 15"),
        ({"device_class": "D"}, "network.device_class is 'D', expected one of 'A', 'B', 'C'"),
        ({"adr": {"algorithm": "best"}}, "network.adr.algorithm is 'best', expected one of 'margin', 'gateways', "),
        ({"factory_channels_hz": [868_500_000, 1]}, "network.factory_channels_hz[1] is 1, expected int >= 1000000"),
        ({"rx1_delay_s": "5"}, "network.rx1_delay_s is '5', expected int | null, got str"),
        ({"rx2_dr": {"dr": 1}}, "network.rx2_dr: expected int | null, got object"),
        ({"adr": 5}, "network.adr is 5, expected object, got int"),
        ({"adr": {"min_dr": 3, "max_dr": 2}}, "network.adr.min_dr is 3, at most the max_dr 2 is allowed"),
    ],
)
def test_wrong_value_is_named_with_its_limit(change: dict[str, Any], text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        changed({"rx2_dr": 3}, change)
    assert caught.value.code == "invalid"
    assert str(caught.value).startswith(text)


NAMES = st.sampled_from([*MacSettings.__struct_fields__, *AdrSettings.__struct_fields__, "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 20) | st.sampled_from(["A", "margin", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(change=st.dictionaries(NAMES, JSON, max_size=4))
def test_any_object_is_merged_or_refused(change: dict[str, Any]) -> None:
    try:
        new = changed({"adr": {"mobile": True}}, change)
    except RegistryError as error:
        refused = str(error)
        assert refused.startswith("network")
    else:
        assert changed({}, new) == new
