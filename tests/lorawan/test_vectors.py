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
    "data 1.1": 40,  # test_phy, test_crypto (payload), test_crypto11, test_inspect_data
    "data_1_1_pre_errata": 2,  # as data 1.1
    "join_accept 1.0.x": 7,  # test_crypto, test_joining, test_inspect
    "join_accept 1.1": 7,  # test_joinaccept (in clear), test_joining, test_inspect
    "join_request": 6,
    "rejoin_request": 6,  # test_phy, test_joining, test_inspect
    "mac_command": 76,
    "mac_sequence": 5,
    "multicast_frame": 3,
    "multicast_keys": 3,
    "relay_forward_uplink": 3,  # test_crypto the frame, test_relay what it carries
    "relay_keys": 3,
    "app_layer": 35,  # packages/test_tables
    "fragmentation_parity": 4,
    "fragmentation_mic": 1,
    "beacon": 6,
    "ping_slot": 9,
    "ping_slot_channel": 3,
    "netid": 8,
    "time_on_air": 16,
    "gps_time": 6,
    "link_adr_device": 17,  # test_chmask
    "negative mic_error": 7,
    "negative mic_error 1.1": 4,  # test_crypto by the 1.0 rule, test_crypto11 by the 1.1 rule
    "negative malformed": 12,
    "negative unsupported_major": 3,
    "negative unexpected_direction": 1,
    "negative fopts_with_fport0": 1,
    "negative payload_too_long": 1,
    "negative payload_too_long_for_dr": 1,  # the limit; whether it is enforced is the network's business
    "negative proprietary": 1,
    "negative fcnt_replay_or_mic_error": 1,
    "negative fcnt_gap_lt_1_0_4": 1,  # the counter and the limit
    "negative dev_nonce_replay": 1,  # tests/mac/test_join
}


def test_every_vector_is_covered() -> None:
    assert Counter(_group(vector) for vector in vectors.ALL) == COVERED
