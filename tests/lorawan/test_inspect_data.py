"""Data frames of 1.1 and frames that carry more than an application's octets; test_inspect.py has the rest."""

import json

import pytest

from lns.lorawan.crypto import DOWN, UP, DataMic, PayloadCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.inspect import inspect
from lns.lorawan.inspect_data import Keys, Known
from lns.lorawan.phy import MType, build_data
from tests.lorawan import vectors

DATA_1_1 = vectors.of("data", lorawan="1.1") + vectors.of("data_1_1_pre_errata")
NWK_S_KEY, APP_S_KEY = bytes(range(16)), bytes(range(16, 32))
ADDRESS = "26011f22"


def _keys(vector: dict, *without: str) -> Keys:
    keys = vectors.keys(vector)
    names = {
        "FNwkSIntKey": "f_nwk_s_int_key",
        "SNwkSIntKey": "s_nwk_s_int_key",
        "NwkSEncKey": "nwk_s_enc_key",
        "AppSKey": "app_s_key",
    }
    return Keys(**{names[name]: key for name, key in keys.items() if name not in without})


def _known(vector: dict, **changed: int | None) -> Known:
    values = {name: vector.get(name) for name in ("conf_fcnt", "tx_dr", "tx_ch")} | changed
    return Known(fcnt_msb=vector["fcnt"] >> 16, **values)


def _shown(vector: dict, keys: Keys, known: Known) -> dict:
    shown = inspect(bytes.fromhex(vector["phy_payload"]), keys, known)
    assert json.loads(json.dumps(shown)) == shown
    return shown


def _mic(vector: dict, keys: Keys, known: Known) -> tuple[bool | None, str | None]:
    shown = _shown(vector, keys, known)
    return shown["mic_ok"], shown.get("mic_hint")


def _one(description: str) -> dict:
    (vector,) = [v for v in DATA_1_1 if description in v["description"]]
    return vector


@pytest.mark.parametrize("vector", DATA_1_1, ids=vectors.name)
def test_frame_is_shown_decrypted_and_checked(vector: dict) -> None:
    shown = _shown(vector, _keys(vector), _known(vector))
    names = ("fcnt", "fport", "frm_payload", "mic")
    assert {name: shown[name] for name in names} == {name: vector[name] for name in names}
    assert (shown["mic_ok"], shown["decrypted"]) == (True, True)
    assert "fopts_problem" not in shown
    assert bool(shown["fopts"]) == bool(vector["fopts_plain"])


@pytest.mark.parametrize("vector", [v for v in DATA_1_1 if v["direction"] == "up"], ids=vectors.name)
def test_data_rate_and_channel_of_an_uplink_are_found(vector: dict) -> None:
    shown = _shown(vector, _keys(vector), _known(vector, tx_dr=None, tx_ch=None))
    assert shown["mic_ok"] is True
    assert {"tx_dr": vector["tx_dr"], "tx_ch": vector["tx_ch"]} in shown["sent_with"]


@pytest.mark.parametrize("vector", vectors.of("data_1_1_pre_errata"), ids=vectors.name)
def test_fopts_that_read_only_in_the_form_before_the_erratum_are_hinted_at(vector: dict) -> None:
    shown = _shown(vector, _keys(vector), _known(vector))
    assert shown["fopts_hint"] == "encrypted as before the erratum of 1.1, by a 1.1.0 device"
    cids = [command["cid"] for command in shown["fopts"]]
    assert cids[0] == int(vector["fopts_plain"][:2], 16)


def test_fopts_stay_closed_without_their_key() -> None:
    vector = _one("1.1 uplink encrypted FOpts, no FPort")
    shown = _shown(vector, _keys(vector, "NwkSEncKey"), _known(vector))
    assert (shown["fopts"], shown["fopts_problem"]) == ([], f"{vector['fopts_wire']} is encrypted with NwkSEncKey")
    assert "fopts_problem" in inspect(bytes.fromhex(vector["phy_payload"]))  # taken for a frame of 1.0


def test_fopts_that_read_in_neither_form_are_shown_with_their_problem() -> None:
    vector = _one("1.1 uplink 15 octets encrypted FOpts")
    keys = Keys(nwk_s_enc_key=bytes(16))
    shown = _shown(vector, keys, _known(vector))
    assert ("fopts_problem" in shown, "fopts_hint" in shown) == (True, False)


UPLINK = _one("1.1 uplink MIC depends on TxDr=4 TxCh=64")
ACKED = _one("1.1 uplink ACK of confirmed downlink FCnt 65535")
DOWNLINK = _one("1.1 pure ACK downlink")


@pytest.mark.parametrize(
    ("vector", "keys", "known", "mic_ok", "hint"),
    [
        (
            UPLINK,
            _keys(UPLINK, "SNwkSIntKey"),
            {},
            None,
            "the half under FNwkSIntKey is right, SNwkSIntKey checks the other",
        ),
        (UPLINK, _keys(UPLINK, "FNwkSIntKey"), {}, None, "a 1.1 uplink is checked with FNwkSIntKey and SNwkSIntKey"),
        (
            UPLINK,
            Keys(f_nwk_s_int_key=bytes(16)),
            {},
            False,
            "the half under FNwkSIntKey is wrong: its key, the counter or the octets",
        ),
        (UPLINK, _keys(UPLINK), {"tx_dr": 3}, False, "the mic is right for tx_dr 4 with tx_ch 64"),
        (UPLINK, _keys(UPLINK), {"tx_ch": 0}, False, "the mic is right for tx_dr 4 with tx_ch 64"),
        (
            ACKED,
            _keys(ACKED),
            {"conf_fcnt": None},
            None,
            "the frame acknowledges a confirmed downlink: its counter, conf_fcnt, is in the mic",
        ),
        (
            ACKED,
            _keys(ACKED),
            {"conf_fcnt": 1},
            False,
            "the half under FNwkSIntKey is right: SNwkSIntKey or conf_fcnt is wrong",
        ),
        (DOWNLINK, _keys(DOWNLINK, "SNwkSIntKey"), {}, None, "a 1.1 downlink is checked with SNwkSIntKey"),
        (
            DOWNLINK,
            _keys(DOWNLINK),
            {"conf_fcnt": None},
            None,
            "the frame acknowledges a confirmed uplink: its counter, conf_fcnt, is in the mic",
        ),
        (DOWNLINK, _keys(DOWNLINK), {"conf_fcnt": 7}, False, None),
    ],
)
def test_mic_that_is_wrong_or_cannot_be_told_says_why(
    vector: dict, keys: Keys, known: dict, mic_ok: bool | None, hint: str | None
) -> None:
    assert _mic(vector, keys, _known(vector, **known)) == (mic_ok, hint)


def test_wrong_serving_key_is_told_from_a_wrong_data_rate() -> None:
    keys = Keys(f_nwk_s_int_key=vectors.keys(UPLINK)["FNwkSIntKey"], s_nwk_s_int_key=bytes(16))
    known = _known(UPLINK, tx_dr=4, tx_ch=64)
    assert _mic(UPLINK, keys, known) == (False, "the half under FNwkSIntKey is right: SNwkSIntKey is wrong")


@pytest.mark.parametrize("field", ["tx_dr", "tx_ch"])
def test_frame_sent_with_another_data_rate_or_channel_is_explained(field: str) -> None:
    (vector,) = [v for v in vectors.of("negative", expect="mic_error") if f"{field}_correct" in v]
    mic_ok, hint = _mic(vector, _keys(vector), _known(vector))
    right = {name: vector[name] for name in ("tx_dr", "tx_ch")} | {field: vector[f"{field}_correct"]}
    assert mic_ok is False
    assert f"tx_dr {right['tx_dr']} with tx_ch {right['tx_ch']}" in (hint or "")


@pytest.mark.parametrize("vector", vectors.of("relay_forward_uplink"), ids=vectors.name)
def test_relayed_uplink_is_shown_with_what_the_relay_heard(vector: dict) -> None:
    shown = _shown(vector, Keys(nwk_s_key=vectors.keys(vector)["NwkSKey"]), Known(fcnt_msb=vector["fcnt"] >> 16))
    metadata = vector["metadata"]
    assert (shown["mic_ok"], shown["relayed"]) == (
        True,
        {
            "wor_channel": metadata["wor_channel"],
            "rssi_dbm": metadata["rssi_dbm"],
            "snr_db": metadata["snr_db"],
            "dr": metadata["data_rate"],
            "freq_hz": vector["freq_hz"],
            "phy_payload": vector["inner_phy_payload"],
        },
    )
    assert "relayed" not in _shown(vector, Keys(), Known())


@pytest.mark.parametrize("vector", vectors.of("multicast_frame"), ids=vectors.name)
def test_multicast_frame_is_shown_with_the_keys_of_its_group(vector: dict) -> None:
    keys = vectors.keys(vector)
    at_hand = Keys(nwk_s_key=keys["McNwkSKey"], app_s_key=keys["McAppSKey"])
    shown = _shown(vector, at_hand, Known(fcnt_msb=vector["fcnt"] >> 16))
    assert (shown["dev_addr"], shown["frm_payload"], shown["mic_ok"]) == (vector["McAddr"], vector["frm_payload"], True)


def _sent(fport: int, payload: str, direction: int = UP) -> dict:
    """A frame of 1.0 with `payload` encrypted, as it is shown."""
    key = NWK_S_KEY if fport == 226 else APP_S_KEY
    addr = dev_addr_le(ADDRESS)
    encrypted = PayloadCipher(key).apply(bytes.fromhex(payload), addr, 5, direction)
    mtype = MType.UNCONFIRMED_UP if direction == UP else MType.UNCONFIRMED_DOWN
    msg = build_data(mtype, ADDRESS, 0, 5, b"", fport, encrypted)
    octets = msg + DataMic(NWK_S_KEY).mic(msg, addr, 5, direction)
    return inspect(octets, Keys(nwk_s_key=NWK_S_KEY, app_s_key=APP_S_KEY))


def test_downlink_to_a_relay_carries_a_bare_frame() -> None:
    assert _sent(226, "e001", DOWN)["relayed"] == {"phy_payload": "e001"}


def test_relayed_uplink_that_is_too_short_is_a_problem() -> None:
    assert _sent(226, "e001")["relayed"] == {"problem": "forwarded uplink is 2 octets, at least 7 are needed"}


@pytest.mark.parametrize("vector", vectors.of("app_layer"), ids=vectors.name)
def test_commands_of_packages_are_shown(vector: dict) -> None:
    shown = _sent(vector["fport"], vector["encoded"], UP if vector["direction"] == "up" else DOWN)
    assert [command["name"] for command in shown["package_commands"]] == [vector["name"]]


def test_second_version_of_a_package_is_recognised_by_its_length() -> None:
    shown = _sent(201, "02310004800d4001020304800001020304", DOWN)
    assert [command["fields"]["session_cnt"] for command in shown["package_commands"]] == [128]


def test_payload_on_the_port_of_a_package_may_be_an_application_s_own() -> None:
    assert "package_commands" not in _sent(202, "ff")
    assert "package_commands" not in _sent(1, "00")
