import json

import pytest

from lns.lorawan.errors import FrameError
from lns.lorawan.inspect import inspect
from tests.lorawan import vectors


def _shown(vector: dict, **keys: bytes | int) -> dict:
    shown = inspect(bytes.fromhex(vector["phy_payload"]), **keys)  # type: ignore[arg-type]
    assert json.loads(json.dumps(shown)) == shown
    return shown


@pytest.mark.parametrize("vector", vectors.of("data", lorawan="1.0.x"), ids=vectors.name)
def test_data_frame_is_shown_decrypted_and_checked(vector: dict) -> None:
    keys = vectors.keys(vector)
    shown = _shown(vector, nwk_s_key=keys["NwkSKey"], app_s_key=keys["AppSKey"], fcnt_msb=vector["fcnt"] >> 16)
    fctrl = {key: value for key, value in vector["fctrl"].items() if key != "fopts_len"}
    assert shown["mhdr"] == {"mtype": vector["mtype"], "major": 0}
    assert shown["fctrl"] == {
        "adr": fctrl["adr"],
        "adr_ack_req": fctrl.get("adr_ack_req", False),
        "ack": fctrl["ack"],
        "fpending": fctrl.get("f_pending", False),
        "class_b": fctrl.get("class_b", False),
    }
    names = ("dev_addr", "fcnt", "fport", "frm_payload", "mic")
    assert {name: shown[name] for name in names} == {name: vector[name] for name in names}
    assert (shown["mic_ok"], shown["decrypted"]) == (True, True)


def test_frame_with_commands_in_fopts_is_shown_whole() -> None:
    (vector,) = vectors.of("data", description="FOpts LinkADRAns + DevStatusAns, no FPort")
    assert _shown(vector) == {
        "mhdr": {"mtype": "unconfirmed_up", "major": 0},
        "dev_addr": vector["dev_addr"],
        "fctrl": {"adr": False, "adr_ack_req": False, "ack": False, "fpending": False, "class_b": False},
        "fcnt": vector["fcnt_16"],
        "fopts": [
            {
                "name": "LinkADRAns",
                "cid": 3,
                "fields": {"channel_mask_ack": True, "data_rate_ack": True, "power_ack": True},
            },
            {"name": "DevStatusAns", "cid": 6, "fields": {"battery": 6, "margin": -20}},
        ],
        "fport": None,
        "frm_payload": "",
        "decrypted": False,
        "mic": vector["mic"],
        "mic_ok": None,
    }


def test_commands_on_fport_0_are_shown_when_the_network_key_is_given() -> None:
    (vector,) = vectors.of("data", description="FPort 0: MAC commands in FRMPayload, NwkSKey")
    shown = _shown(vector, nwk_s_key=vectors.keys(vector)["NwkSKey"])
    assert (shown["fopts"], shown["frm_payload"], shown["mic_ok"]) == ([], "03070809020d", True)
    assert [command["name"] for command in shown["mac_commands"]] == [
        "LinkADRAns",
        "RXTimingSetupAns",
        "TXParamSetupAns",
        "LinkCheckReq",
        "DeviceTimeReq",
    ]
    assert "mac_commands" not in _shown(vector)


def test_wrong_keys_show_in_mic_ok() -> None:
    vector = next(v for v in vectors.of("negative", expect="mic_error") if "NwkSKey" in v["keys"])
    assert _shown(vector, nwk_s_key=vectors.keys(vector)["NwkSKey"])["mic_ok"] is False


def test_encrypted_fopts_of_1_1_are_shown_with_their_problem() -> None:
    shown = [_shown(vector) for vector in vectors.of("data", lorawan="1.1") if vector["fopts_wire"]]
    assert any("fopts_problem" in one for one in shown)


@pytest.mark.parametrize("vector", vectors.of("join_request"), ids=vectors.name)
def test_join_request_is_shown_and_checked(vector: dict) -> None:
    expected = {
        "mhdr": {"mtype": "join_request", "major": 0},
        "join_eui": vector["join_eui"],
        "dev_eui": vector["dev_eui"],
        "dev_nonce": vector["dev_nonce"],
        "mic": vector["mic"],
    }
    assert _shown(vector) == expected | {"mic_ok": None}
    assert _shown(vector, app_key=vectors.keys(vector)["AppKey_or_NwkKey"]) == expected | {"mic_ok": True}
    assert _shown(vector, app_key=bytes(16)) == expected | {"mic_ok": False}


@pytest.mark.parametrize("vector", vectors.of("join_accept", lorawan="1.0.x"), ids=vectors.name)
def test_join_accept_is_shown_with_the_key_and_left_closed_without(vector: dict) -> None:
    mhdr = {"mtype": "join_accept", "major": 0}
    closed = {"mhdr": mhdr, "encrypted": vector["phy_payload"][2:]}
    assert _shown(vector) == closed | {"mic_ok": None}
    assert _shown(vector, app_key=bytes(16)) == closed | {"mic_ok": False}
    cflist = vector["cflist"] and {"frequencies_hz": None, "ch_masks": None} | vector["cflist"]
    assert _shown(vector, app_key=bytes.fromhex(vector["root_keys"]["AppKey"])) == {
        "mhdr": mhdr,
        "join_nonce": vector["join_nonce"],
        "net_id": vector["home_net_id"],
        "dev_addr": vector["dev_addr"],
        "dl_settings": vector["dl_settings"],
        "rx_delay": vector["rx_delay"],
        "cflist": cflist,
        "mic_ok": True,
    }


@pytest.mark.parametrize("vector", vectors.of("rejoin_request"), ids=vectors.name)
def test_rejoin_request_is_shown(vector: dict) -> None:
    assert _shown(vector) == {
        "mhdr": {"mtype": "rejoin_request", "major": 0},
        "rejoin_type": vector["rejoin_type"],
        "net_id": vector.get("net_id"),
        "join_eui": vector.get("join_eui"),
        "dev_eui": vector["dev_eui"],
        "rj_count": vector["rj_count"],
        "mic": vector["mic"],
        "mic_ok": None,
    }


def test_proprietary_frame_is_shown() -> None:
    (vector,) = vectors.of("negative", expect="proprietary")
    assert _shown(vector) == {
        "mhdr": {"mtype": "proprietary", "major": 0},
        "payload": vector["phy_payload"][2:],
    }


def test_unusable_frame_is_refused_as_by_the_parser() -> None:
    with pytest.raises(FrameError) as caught:
        inspect(b"")
    assert str(caught.value) == "the frame is empty"
