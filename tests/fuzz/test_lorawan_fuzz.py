"""Invariant: any octets, with any keys, give a value or FrameError; a run of commands gives a list and a text.

Octets come at random, and as cross-checked frames that were cut, lengthened or changed.
"""

import json
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from lns.lorawan.commands import parse_commands
from lns.lorawan.crypto import decrypt_join_accept, encrypt_join_accept
from lns.lorawan.errors import FrameError
from lns.lorawan.inspect import inspect
from lns.lorawan.joinaccept import parse_join_accept_fields
from lns.lorawan.phy import DataFrame, JoinRequest, RejoinRequest, parse, parse_uplink
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
KEY = bytes(range(16))


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


@given(OCTETS, st.none() | st.just(KEY), st.integers(0, 0xFFFF))
def test_whatever_is_inspected_is_shown_as_json_or_a_frame_error(octets: bytes, key: bytes | None, msb: int) -> None:
    with suppress(FrameError):
        shown = inspect(octets, nwk_s_key=key, app_s_key=key, app_key=key, fcnt_msb=msb)
        assert json.loads(json.dumps(shown)) == shown


@given(OCTETS, st.booleans())
def test_any_octets_are_commands_and_perhaps_a_problem(octets: bytes, uplink: bool) -> None:
    commands, problem = parse_commands(octets, uplink)
    assert len(commands) <= len(octets)
    assert (problem is None) or problem


@given(OCTETS)
def test_any_octets_are_a_join_accept_or_a_frame_error(octets: bytes) -> None:
    with suppress(FrameError):
        decrypt_join_accept(KEY, octets)


@given(st.binary(min_size=12, max_size=12), st.none() | st.binary(min_size=16, max_size=16))
def test_any_join_accept_is_encrypted_and_decrypted(fields: bytes, cflist: bytes | None) -> None:
    accept = parse_join_accept_fields(b"\x20" + fields + (cflist or b""))
    assert decrypt_join_accept(KEY, encrypt_join_accept(KEY, accept)) == accept
