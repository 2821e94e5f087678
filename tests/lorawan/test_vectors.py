"""Which vectors the frame layer is tested with, so that none is passed over in silence."""

from collections import Counter

from tests.lorawan import vectors


def _group(vector: dict) -> str:
    kind = vector["kind"]
    if kind in ("data", "join_accept"):
        return f"{kind} {vector['lorawan']}"
    if kind == "negative":
        return f"negative {vector['expect']}" + (" 1.1" if "FNwkSIntKey" in vector.get("keys", {}) else "")
    return kind


COVERED = {
    "data 1.0.x": 55,  # test_phy, test_crypto, test_inspect
    "data 1.1": 40,  # fields and payload, not the MIC nor the encrypted FOpts
    "data_1_1_pre_errata": 2,  # as data 1.1
    "join_accept 1.0.x": 7,  # test_crypto, test_inspect
    "join_accept 1.1": 7,  # the fields in clear
    "join_request": 6,
    "rejoin_request": 6,  # fields, not the MIC
    "mac_command": 76,
    "mac_sequence": 5,
    "multicast_frame": 3,
    "relay_forward_uplink": 3,  # the frame that carries another, not what it carries
    "netid": 8,
    "time_on_air": 16,
    "gps_time": 6,
    "negative mic_error": 7,
    "negative mic_error 1.1": 4,  # refused by the 1.0 rule, whatever the 1.1 rule would say
    "negative malformed": 12,
    "negative unsupported_major": 3,
    "negative unexpected_direction": 1,
    "negative fopts_with_fport0": 1,
    "negative payload_too_long": 1,
    "negative payload_too_long_for_dr": 1,  # the limit; whether it is enforced is the network's business
    "negative proprietary": 1,
    "negative fcnt_replay_or_mic_error": 1,
    "negative fcnt_gap_lt_1_0_4": 1,  # the counter and the limit
}

NOT_COVERED = {
    "app_layer": 35,
    "beacon": 6,
    "fragmentation_mic": 1,
    "fragmentation_parity": 4,
    "link_adr_device": 17,
    "multicast_keys": 3,
    "negative dev_nonce_replay": 1,  # needs the network's memory
    "ping_slot": 9,
    "ping_slot_channel": 3,
    "relay_keys": 3,
}


def test_every_vector_is_covered_or_listed_as_not_covered() -> None:
    assert Counter(_group(vector) for vector in vectors.ALL) == COVERED | NOT_COVERED
