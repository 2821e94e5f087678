from typing import Any

import pytest

from lns.registry.device_input import AbpSession, NewDevice, parse_device
from lns.registry.errors import RegistryError
from tests.registry.samples import APP_KEY, APP_S_KEY, NWK_S_KEY

EUI = "70b3d57ed0000001"
SESSION = {"dev_addr": "26:0B:1F:22", "nwk_s_key": NWK_S_KEY, "app_s_key": APP_S_KEY}


def test_identifiers_are_read_in_every_spelling() -> None:
    new = parse_device({"dev_eui": "70-B3-D5-7E-D0-00-00-01", "app_key": APP_KEY.upper(), "join_eui": EUI.upper()})
    assert new == NewDevice(
        dev_eui=EUI, name=EUI, activation="otaa", app_key=bytes.fromhex(APP_KEY), join_eui="70b3d57ed0000001"
    )


def test_session_makes_a_device_abp() -> None:
    new = parse_device({"dev_eui": EUI, "abp": {**SESSION, "fcnt_up": None}})
    session = AbpSession("260b1f22", bytes.fromhex(NWK_S_KEY), bytes.fromhex(APP_S_KEY), -1, 0)
    assert (new.activation, new.abp) == ("abp", session)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "dev_eui is missing: 16 hex digits are needed"),
        ({"dev_eui": "70b3"}, "dev_eui: '70b3' is not an EUI: 16 hex digits are needed"),
        ({"dev_eui": EUI}, "app_key is missing: an otaa device joins with it (abp: give dev_addr and session keys)"),
        (
            {"dev_eui": EUI, "activation": "abp"},
            "dev_addr is missing: an abp device needs dev_addr, nwk_s_key and app_s_key",
        ),
        ({"dev_eui": EUI, "activation": "wifi"}, "activation is 'wifi', otaa and abp are known"),
        (
            {"dev_eui": EUI, "activation": "otaa", "abp": SESSION},
            "activation is 'otaa' but a session is given: leave it out, or say 'abp'",
        ),
        (
            {"dev_eui": EUI, "abp": SESSION, "app_key": APP_KEY},
            "activation is 'abp' but an app_key is given: leave it out, or say 'otaa'",
        ),
        ({"dev_eui": EUI, "app_key": "2b7e"}, "app_key: the key has 4 characters: 32 hex digits are needed"),
        ({"dev_eui": EUI, "join_eui": "x"}, "join_eui: 'x' is not an EUI: 16 hex digits are needed"),
        ({"dev_eui": EUI, "name": "x" * 129}, "name has 129 characters, at most 128 fit"),
        ({"dev_eui": EUI, "name": "a\tb"}, "name is 'a\\tb': no control character may be in it"),
        ({"dev_eui": EUI, "tags": {str(i): "" for i in range(33)}}, "tags has 33 entries, at most 32 fit"),
        ({"dev_eui": EUI, "tags": {"": "1"}}, "tags has the name '': 1 to 64 characters are needed"),
        ({"dev_eui": EUI, "variables": {"k": "x" * 257}}, "variables.k has 257 characters, at most 256 fit"),
        (
            {"dev_eui": EUI, "abp": {**SESSION, "dev_addr": "26"}},
            "dev_addr: '26' is not a DevAddr: 8 hex digits are needed",
        ),
        (
            {"dev_eui": EUI, "abp": {**SESSION, "app_s_key": ""}},
            "app_s_key is missing: an abp device needs dev_addr, nwk_s_key and app_s_key",
        ),
        (
            {"dev_eui": EUI, "abp": {**SESSION, "fcnt_up": 1 << 32}},
            "fcnt_up is 4294967296, -1 to 4294967295 is allowed",
        ),
        ({"dev_eui": EUI, "abp": {**SESSION, "fcnt_down": -1}}, "fcnt_down is -1, 0 to 4294967295 is allowed"),
    ],
)
def test_refusal_names_field_value_and_limit(values: dict[str, Any], text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        parse_device(values)
    assert (caught.value.code, str(caught.value)) == ("invalid", text)
