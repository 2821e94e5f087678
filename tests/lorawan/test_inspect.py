import json

import pytest

from lns.lorawan.errors import FrameError
from lns.lorawan.inspect import inspect, inspect_beacon
from lns.lorawan.inspect_data import Keys, Known
from lns.lorawan.joining import js_int_key, rejoin_mic
from lns.lorawan.phy import build_rejoin
from tests.lorawan import vectors


def _shown(vector: dict, keys: Keys = Keys(), known: Known = Known()) -> dict:
    shown = inspect(bytes.fromhex(vector["phy_payload"]), keys, known)
    assert json.loads(json.dumps(shown)) == shown
    return shown


@pytest.mark.parametrize("vector", vectors.of("data", lorawan="1.0.x"), ids=vectors.name)
def test_data_frame_is_shown_decrypted_and_checked(vector: dict) -> None:
    keys = vectors.keys(vector)
    at_hand = Keys(nwk_s_key=keys["NwkSKey"], app_s_key=keys["AppSKey"])
    shown = _shown(vector, at_hand, Known(fcnt_msb=vector["fcnt"] >> 16))
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
    shown = _shown(vector, Keys(nwk_s_key=vectors.keys(vector)["NwkSKey"]))
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
    assert _shown(vector, Keys(nwk_s_key=vectors.keys(vector)["NwkSKey"]))["mic_ok"] is False


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
    assert _shown(vector, Keys(app_key=vectors.keys(vector)["AppKey_or_NwkKey"])) == expected | {"mic_ok": True}
    assert _shown(vector, Keys(nwk_key=vectors.keys(vector)["AppKey_or_NwkKey"])) == expected | {"mic_ok": True}
    assert _shown(vector, Keys(app_key=bytes(16))) == expected | {"mic_ok": False}


@pytest.mark.parametrize("vector", vectors.of("join_accept", lorawan="1.0.x"), ids=vectors.name)
def test_join_accept_is_shown_with_the_key_and_left_closed_without(vector: dict) -> None:
    mhdr = {"mtype": "join_accept", "major": 0}
    closed = {"mhdr": mhdr, "encrypted": vector["phy_payload"][2:]}
    assert _shown(vector) == closed | {"mic_ok": None}
    assert _shown(vector, Keys(app_key=bytes(16))) == closed | {"mic_ok": False}
    cflist = vector["cflist"] and {"frequencies_hz": None, "ch_masks": None} | vector["cflist"]
    assert _shown(vector, Keys(app_key=bytes.fromhex(vector["root_keys"]["AppKey"]))) == {
        "mhdr": mhdr,
        "join_nonce": vector["join_nonce"],
        "net_id": vector["home_net_id"],
        "dev_addr": vector["dev_addr"],
        "dl_settings": vector["dl_settings"],
        "rx_delay": vector["rx_delay"],
        "cflist": cflist,
        "mic_ok": True,
    }


@pytest.mark.parametrize("vector", vectors.of("join_accept", lorawan="1.1"), ids=vectors.name)
def test_join_accept_of_1_1_is_shown_with_the_request_it_answers(vector: dict) -> None:
    keys = Keys(nwk_key=bytes.fromhex(vector["root_keys"]["NwkKey"]))
    request = vector["request"]
    known = Known(
        join_eui=request["join_eui"],
        dev_eui=request["dev_eui"],
        dev_nonce=request["dev_nonce_or_rjcount"],
        join_req_type=vector["join_req_type"],
    )
    mhdr = {"mtype": "join_accept", "major": 0}
    closed = {"mhdr": mhdr, "encrypted": vector["phy_payload"][2:]}
    assert _shown(vector, keys) == closed | {
        "mic_ok": None,
        "mic_hint": "a join-accept of 1.1 is checked with join_eui, dev_eui and dev_nonce of the request, too",
    }
    assert _shown(vector, Keys(nwk_key=bytes(16)), known) == closed | {"mic_ok": False}
    shown = _shown(vector, keys, known)
    assert (shown["dev_addr"], shown["dl_settings"], shown["mic_ok"]) == (
        vector["dev_addr"],
        vector["dl_settings"],
        True,
    )


def test_join_accept_of_a_1_0_network_is_shown_to_a_1_1_device() -> None:
    vector = vectors.of("join_accept", lorawan="1.0.x")[0]
    keys = Keys(nwk_key=bytes.fromhex(vector["root_keys"]["AppKey"]))
    assert (_shown(vector, keys)["dev_addr"], _shown(vector, keys)["mic_ok"]) == (vector["dev_addr"], True)


@pytest.mark.parametrize("vector", vectors.of("rejoin_request"), ids=vectors.name)
def test_rejoin_request_is_shown(vector: dict) -> None:
    expected = {
        "mhdr": {"mtype": "rejoin_request", "major": 0},
        "rejoin_type": vector["rejoin_type"],
        "net_id": vector.get("net_id"),
        "join_eui": vector.get("join_eui"),
        "dev_eui": vector["dev_eui"],
        "rj_count": vector["rj_count"],
        "mic": vector["mic"],
    }
    assert _shown(vector) == expected | {"mic_ok": None}
    if vector["rejoin_type"] != 1:
        keys = Keys(s_nwk_s_int_key=vectors.keys(vector)["SNwkSIntKey"])
        assert _shown(vector, keys) == expected | {"mic_ok": True}
        assert _shown(vector, Keys(s_nwk_s_int_key=bytes(16))) == expected | {"mic_ok": False}


def test_rejoin_request_1_is_checked_with_the_root_key() -> None:
    nwk_key, dev_eui = bytes(range(16)), "70b3d57ed0000001"
    msg = build_rejoin(1, "70b3d57ed0000002", dev_eui, 7)
    octets = msg + rejoin_mic(js_int_key(nwk_key, dev_eui), msg)
    assert inspect(octets, Keys(nwk_key=nwk_key))["mic_ok"] is True
    assert inspect(octets, Keys(nwk_key=bytes(16)))["mic_ok"] is False


def test_beacon_is_shown() -> None:
    vector = next(v for v in vectors.of("beacon") if v["layout"]["size"] == 23)
    shown = inspect_beacon(bytes.fromhex(vector["payload"]))
    assert shown == {
        "time_gps_s": 1374545024,
        "time": "2023-07-28T02:03:26+00:00",
        "param": 3,
        "gw_specific": vector["gw_specific"],
        "info_desc": 1,
        "position_deg": {"latitude": pytest.approx(59.8856, abs=1e-4), "longitude": pytest.approx(160.7127, abs=1e-4)},
    }


def test_collided_beacon_is_shown_without_its_gateway() -> None:
    octets = bytearray.fromhex(vectors.of("beacon")[0]["payload"])
    octets[-1] ^= 1
    shown = inspect_beacon(bytes(octets))
    assert (shown["time_gps_s"], shown["gw_specific"], shown["info_desc"], shown["position_deg"]) == (
        vectors.of("beacon")[0]["time_gps"],
        None,
        None,
        None,
    )


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
