"""Invariant: any octets, with any keys, give a value or FrameError; a run of commands gives a list and a text.

Octets come at random, and as cross-checked frames that were cut, lengthened or changed.
"""

import json
from collections.abc import Callable
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from lns.lorawan.class_b import parse_beacon
from lns.lorawan.commands import parse_commands
from lns.lorawan.crypto import decrypt_join_accept, encrypt_join_accept
from lns.lorawan.errors import FrameError
from lns.lorawan.inspect import inspect, inspect_beacon
from lns.lorawan.inspect_data import Keys, Known
from lns.lorawan.joinaccept import parse_join_accept_fields
from lns.lorawan.joining import JOIN, JoinContext, decrypt_join_accept_any
from lns.lorawan.layout import Command
from lns.lorawan.packages import clock_sync, firmware, fragmentation, multicast_setup
from lns.lorawan.phy import DataFrame, JoinRequest, RejoinRequest, parse, parse_uplink
from lns.lorawan.relay import parse_forwarded_uplink
from tests.lorawan import vectors

REASONS = {
    "malformed",
    "unsupported_major",
    "proprietary",
    "unexpected_direction",
    "fopts_with_fport0",
    "payload_too_long",
    "mic",
}

FRAMES = [bytes.fromhex(vector["phy_payload"]) for vector in vectors.ALL if vector.get("phy_payload")]
BEACONS = [bytes.fromhex(vector["payload"]) for vector in vectors.of("beacon")]
KEY = bytes(range(16))
EUI = "70b3d57ed0000001"
Parser = Callable[[bytes, bool], tuple[list[Command], str | None]]


@st.composite
def changed_frames(draw: st.DrawFn) -> bytes:
    octets = bytearray(draw(st.sampled_from(FRAMES)))
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(octets) - 1), st.integers(0, 255)), max_size=4)):
        octets[at] = value
    return bytes(octets[: draw(st.integers(0, len(octets)))]) + draw(st.binary(max_size=4))


OCTETS = st.binary(max_size=300) | changed_frames()


@given(OCTETS)
@example(b"")
@example(b"\xc0")
def test_any_octets_are_a_frame_or_a_frame_error(octets: bytes) -> None:
    reason = None
    try:
        frame = parse(octets)
        assert not isinstance(frame, DataFrame) or frame.mtype == octets[0] >> 5
    except FrameError as error:
        reason = error.reason
    assert reason in REASONS | {None}


@given(OCTETS)
def test_what_is_taken_as_an_uplink_is_what_a_device_sends(octets: bytes) -> None:
    with suppress(FrameError):
        frame = parse_uplink(octets)
        assert frame == parse(octets)
        assert isinstance(frame, JoinRequest | RejoinRequest) or frame.uplink


KEYS = st.builds(Keys, **dict.fromkeys(Keys.__struct_fields__, st.none() | st.just(KEY)))
KNOWN = st.builds(
    Known,
    fcnt_msb=st.integers(0, 0xFFFF),
    conf_fcnt=st.none() | st.integers(0, 2**32 - 1),
    tx_dr=st.none() | st.integers(0, 15),
    tx_ch=st.none() | st.integers(0, 95),
    join_eui=st.none() | st.just(EUI),
    dev_eui=st.none() | st.just(EUI),
    dev_nonce=st.none() | st.integers(0, 0xFFFF),
    join_req_type=st.sampled_from([JOIN, 0, 1, 2]),
)


@given(OCTETS, KEYS, KNOWN)
def test_whatever_is_inspected_is_shown_as_json_or_a_frame_error(octets: bytes, keys: Keys, known: Known) -> None:
    with suppress(FrameError):
        shown = inspect(octets, keys, known)
        assert json.loads(json.dumps(shown)) == shown


@given(st.sampled_from(BEACONS) | st.binary(max_size=24), st.integers(0, 23), st.integers(0, 255))
def test_any_octets_are_a_beacon_or_a_frame_error(octets: bytes, at: int, value: int) -> None:
    changed = octets[:at] + bytes((value,)) + octets[at + 1 :]
    with suppress(FrameError):
        beacon = parse_beacon(changed)
        assert json.loads(json.dumps(inspect_beacon(changed)))["time_gps_s"] == beacon.time_gps_s


@given(OCTETS)
def test_any_octets_are_a_relayed_uplink_or_a_frame_error(octets: bytes) -> None:
    with suppress(FrameError):
        assert octets.endswith(parse_forwarded_uplink(octets).phy_payload)


@given(OCTETS, st.booleans())
def test_any_octets_are_commands_and_perhaps_a_problem(octets: bytes, uplink: bool) -> None:
    commands, problem = parse_commands(octets, uplink)
    assert len(commands) <= len(octets)
    assert (problem is None) or problem


PARSERS = (
    clock_sync.parse,
    firmware.parse,
    multicast_setup.parse,
    *(table.parse for table in fragmentation.TABLES.values()),
)


@given(OCTETS, st.booleans(), st.sampled_from(PARSERS))
def test_any_octets_are_commands_of_a_package_and_perhaps_a_problem(octets: bytes, uplink: bool, parse: Parser) -> None:
    commands, problem = parse(octets, uplink)
    assert len(commands) <= len(octets)
    assert (problem is None) or problem


@given(OCTETS, st.sampled_from([JOIN, 0, 1, 2]))
def test_any_octets_are_a_join_accept_or_a_frame_error(octets: bytes, join_req_type: int) -> None:
    with suppress(FrameError):
        decrypt_join_accept(KEY, octets)
    with suppress(FrameError):
        decrypt_join_accept_any(octets, JoinContext(join_req_type, EUI, 1), KEY, EUI)


@given(st.binary(min_size=12, max_size=12), st.none() | st.binary(min_size=16, max_size=16))
def test_any_join_accept_is_encrypted_and_decrypted(fields: bytes, cflist: bytes | None) -> None:
    accept = parse_join_accept_fields(b"\x20" + fields + (cflist or b""))
    assert decrypt_join_accept(KEY, encrypt_join_accept(KEY, accept)) == accept
