from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.commands import Command, encode_command, parse_commands
from tests.lorawan import vectors


@pytest.mark.parametrize("vector", vectors.of("mac_command"), ids=vectors.name)
def test_command_parses_and_is_encoded_again(vector: dict) -> None:
    uplink = vector["direction"] == "up"
    octets = bytes.fromhex(vector["encoded"])
    assert parse_commands(octets, uplink) == ([Command(vector["cid"], vector["name"], vector["fields"])], None)
    assert encode_command(vector["name"], uplink, **vector["fields"]) == octets
    assert len(octets) == 1 + vector["payload_len"]


@pytest.mark.parametrize(
    ("vector", "problem"),
    list(
        zip(
            vectors.of("mac_sequence"),
            [None, None, None, "cid 7f at octet 1 is not known", "LinkADRAns is cut off after 0 octets"],
            strict=True,
        )
    ),
    ids=[vectors.name(vector) for vector in vectors.of("mac_sequence")],
)
def test_run_of_commands_ends_at_the_first_that_cannot_be_read(vector: dict, problem: str | None) -> None:
    commands, seen_problem = parse_commands(bytes.fromhex(vector["encoded"]), vector["direction"] == "up")
    # The sequences spell RXParamSetupReq as RxParamSetupReq.
    assert [command.name.lower() for command in commands] == [name.lower() for name in vector["commands"]]
    assert seen_problem == problem


def test_no_octets_are_no_commands() -> None:
    assert parse_commands(b"", uplink=True) == ([], None)


def test_deprecated_beacon_timing_request_does_not_hide_what_follows() -> None:
    assert parse_commands(bytes.fromhex("1202"), uplink=True) == (
        [Command(0x12, "BeaconTimingReq", {}), Command(0x02, "LinkCheckReq", {})],
        None,
    )


def test_filter_list_request_is_cut_off_where_its_own_length_says() -> None:
    assert parse_commands(bytes.fromhex("42a8075a5110"), uplink=False) == (
        [],
        "FilterListReq is cut off after 5 octets",
    )


def test_rfu_bits_are_ignored() -> None:
    assert parse_commands(bytes.fromhex("03ff"), uplink=True) == parse_commands(bytes.fromhex("0307"), uplink=True)


@pytest.mark.parametrize(
    ("name", "uplink", "fields", "message"),
    [
        ("LinkADRAns", False, {}, "LinkADRAns is no downlink command"),
        ("LinkADRReq", True, {}, "LinkADRReq is no uplink command"),
        ("RXTimingSetupReq", False, {}, "RXTimingSetupReq needs the field delay"),
        ("RXTimingSetupReq", False, {"delay": 1, "rx1_delay": 1}, "RXTimingSetupReq has no field rx1_delay"),
        ("DevStatusReq", False, {"margin": 1}, "DevStatusReq has no field margin"),
    ],
)
def test_command_with_the_wrong_name_or_fields_is_refused(
    name: str, uplink: bool, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        encode_command(name, uplink, **fields)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("RXTimingSetupReq", {"delay": 16}),  # 4 bits
        ("RXTimingSetupReq", {"delay": -1}),
        ("BeaconFreqReq", {"frequency_hz": 869_525_050}),  # not a step of 100 Hz
        ("BeaconFreqReq", {"frequency_hz": 2_400_000_000}),  # 24 bits of 100 Hz
        ("TXParamSetupReq", {"downlink_dwell_400ms": 0, "uplink_dwell_400ms": 0, "max_eirp_dbm": 15}),
        ("DeviceTimeAns", {"gps_seconds": 2**32, "fraction_256": 0}),
        ("FilterListReq", {"filter_list_idx": 0, "filter_list_action": 0, "filter_list_eui": "00" * 32}),  # 5 bits
    ],
)
def test_value_that_does_not_fit_is_refused(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{name} cannot be built: "):
        encode_command(name, uplink=False, **fields)


@given(st.binary(max_size=60), st.booleans())
def test_commands_read_from_any_octets_are_encoded_to_octets_that_read_the_same(data: bytes, uplink: bool) -> None:
    commands, problem = parse_commands(data, uplink)
    encoded = b"".join(encode_command(command.name, uplink, **command.fields) for command in commands)
    assert parse_commands(encoded, uplink) == (commands, None)
    assert (len(encoded) == len(data)) == (problem is None)
