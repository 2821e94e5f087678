from typing import Any

import pytest

from lns.registry.device_input import AbpSession, NewDevice, missing_keys, parse_device
from lns.registry.errors import RegistryError
from lns.registry.key_blobs import DeviceKeys
from tests.registry.samples import APP_KEY, APP_S_KEY, KEYS_1_1, NWK_KEY, NWK_S_KEY

EUI = "70b3d57ed0000001"
SESSION = {"dev_addr": "26:0B:1F:22", "nwk_s_key": NWK_S_KEY, "app_s_key": APP_S_KEY}


def test_identifiers_are_read_in_every_spelling() -> None:
    new = parse_device({"dev_eui": "70-B3-D5-7E-D0-00-00-01", "app_key": APP_KEY.upper(), "join_eui": EUI.upper()})
    assert new == NewDevice(
        dev_eui=EUI,
        name=EUI,
        activation="otaa",
        keys=DeviceKeys(app_key=bytes.fromhex(APP_KEY)),
        join_eui="70b3d57ed0000001",
    )


def test_session_makes_a_device_abp() -> None:
    new = parse_device({"dev_eui": EUI, "abp": {**SESSION, "fcnt_up": None}})
    session = AbpSession("260b1f22", bytes.fromhex(NWK_S_KEY + APP_S_KEY), -1, 0, 0)
    assert (new.activation, new.abp) == ("abp", session)


def test_four_keys_make_a_session_of_lorawan_1_1() -> None:
    counters = {"fcnt_up": 5, "fcnt_down": 6, "afcnt_down": 7}
    new = parse_device({"dev_eui": EUI, "abp": {"dev_addr": "260b1f22", **KEYS_1_1, **counters}})
    assert new.abp == AbpSession("260b1f22", bytes.fromhex("0f" * 16 + "05" * 16 + "0e" * 16 + APP_S_KEY), 5, 6, 7)


@pytest.mark.parametrize(
    ("version", "values", "missing"),
    [
        ("1.0.4", {"app_key": APP_KEY}, None),
        ("1.0.4", {"app_key": APP_KEY, "nwk_key": NWK_KEY, "gen_app_key": APP_KEY}, None),
        ("1.1", {"app_key": APP_KEY, "nwk_key": NWK_KEY}, None),
        (
            "1.1",
            {"app_key": APP_KEY},
            "nwk_key is missing: an otaa device of lorawan 1.1 joins with nwk_key and app_key",
        ),
        ("1.0.0", {"abp": SESSION}, None),
        ("1.1", {"abp": {"dev_addr": "260b1f22", **KEYS_1_1}}, None),
        (
            "1.1",
            {"abp": SESSION},
            "the session has keys of another version: an abp device of lorawan 1.1 needs dev_addr, f_nwk_s_int_key, "
            "s_nwk_s_int_key, nwk_s_enc_key and app_s_key",
        ),
        (
            "1.0.3",
            {"abp": {"dev_addr": "260b1f22", **KEYS_1_1}},
            "the session has keys of another version: an abp device of lorawan 1.0.3 needs dev_addr, nwk_s_key and "
            "app_s_key",
        ),
    ],
)
def test_version_decides_which_keys_are_needed(version: str, values: dict[str, Any], missing: str | None) -> None:
    new = parse_device({"dev_eui": EUI, **values})
    assert missing_keys(version, new.keys, None if new.abp is None else new.abp.keys) == missing


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
        (
            {"dev_eui": EUI, "nwk_key": NWK_KEY},
            "app_key is missing: what other servers call the nwk_key of a lorawan 1.0 device is its app_key",
        ),
        (
            {"dev_eui": EUI, "abp": {**SESSION, **KEYS_1_1}},
            "nwk_s_key is given beside f_nwk_s_int_key: an abp device needs dev_addr, f_nwk_s_int_key, "
            "s_nwk_s_int_key, nwk_s_enc_key and app_s_key",
        ),
        (
            {"dev_eui": EUI, "abp": {"dev_addr": "260b1f22", "nwk_s_enc_key": NWK_KEY, "app_s_key": APP_KEY}},
            "f_nwk_s_int_key is missing: an abp device needs dev_addr, f_nwk_s_int_key, s_nwk_s_int_key, "
            "nwk_s_enc_key and app_s_key",
        ),
        (
            {"dev_eui": EUI, "abp": {**SESSION, "afcnt_down": 3}},
            "afcnt_down is 3, only a session with the keys of lorawan 1.1 has one",
        ),
        (
            {"dev_eui": EUI, "app_key": APP_KEY, "network": {"rx2": 1}},
            "network has no field 'rx2'; did you mean rx2_dr",
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
