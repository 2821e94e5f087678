import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan import phy
from lns.lorawan.errors import FrameError
from lns.lorawan.phy import (
    DataFrame,
    EncryptedJoinAccept,
    JoinRequest,
    MType,
    Proprietary,
    RejoinRequest,
    build_data,
    build_join_request,
    build_rejoin,
    parse,
    parse_uplink,
)
from tests.lorawan import vectors
from tests.lorawan.oracle import DATA_FRAME

DATA = [v for kind in ("data", "data_1_1_pre_errata") for v in vectors.of(kind)]

_MTYPES = {
    "unconfirmed_up": MType.UNCONFIRMED_UP,
    "unconfirmed_down": MType.UNCONFIRMED_DOWN,
    "confirmed_up": MType.CONFIRMED_UP,
    "confirmed_down": MType.CONFIRMED_DOWN,
}


def _flags(fctrl: dict) -> int:
    return (
        phy.ADR * fctrl["adr"]
        | phy.ADR_ACK_REQ * fctrl.get("adr_ack_req", False)
        | phy.ACK * fctrl["ack"]
        | phy.CLASS_B * fctrl.get("class_b", False)
        | phy.FPENDING * fctrl.get("f_pending", False)
    )


@pytest.mark.parametrize("vector", vectors.of("data"), ids=vectors.name)
def test_data_frame_parses_to_its_fields(vector: dict) -> None:
    fctrl = vector["fctrl"]
    frame = parse(bytes.fromhex(vector["phy_payload"]))
    assert frame == DataFrame(
        mtype=_MTYPES[vector["mtype"]],
        dev_addr=vector["dev_addr"],
        fctrl=_flags(fctrl) | fctrl["fopts_len"],
        fcnt16=vector["fcnt_16"],
        fopts=bytes.fromhex(vector["fopts_wire"]),
        fport=vector["fport"],
        frm_payload=bytes.fromhex(vector["frm_payload_wire"]),
        mic=bytes.fromhex(vector["mic"]),
    )
    assert (frame.uplink, frame.confirmed) == (vector["direction"] == "up", vector["confirmed"])
    assert {
        "adr": frame.adr,
        "adr_ack_req": frame.adr_ack_req,
        "ack": frame.ack,
        "class_b": frame.class_b,
        "f_pending": frame.fpending,
    } == {"adr_ack_req": False, "class_b": False, "f_pending": False} | {
        key: value for key, value in fctrl.items() if key != "fopts_len"
    }


@pytest.mark.parametrize("vector", vectors.of("data_1_1_pre_errata"), ids=vectors.name)
def test_data_frame_of_an_early_1_1_device_parses(vector: dict) -> None:
    frame = parse(bytes.fromhex(vector["phy_payload"]))
    assert isinstance(frame, DataFrame)
    assert (frame.mtype, frame.dev_addr, frame.fcnt16, frame.fopts.hex(), frame.fport, frame.mic.hex()) == (
        _MTYPES[vector["mtype"]],
        vector["dev_addr"],
        vector["fcnt"] & 0xFFFF,
        vector["fopts_wire"],
        vector["fport"],
        vector["mic"],
    )


@pytest.mark.parametrize("vector", DATA, ids=vectors.name)
def test_data_frame_agrees_with_the_construct_description(vector: dict) -> None:
    octets = bytes.fromhex(vector["phy_payload"])
    assert parse(octets) == _by_oracle(octets)


@pytest.mark.parametrize("vector", DATA, ids=vectors.name)
def test_data_frame_is_built_again_from_its_fields(vector: dict) -> None:
    octets = bytes.fromhex(vector["phy_payload"])
    assert _rebuilt(parse(octets)) == octets


def _by_oracle(octets: bytes) -> DataFrame:
    seen = DATA_FRAME.parse(octets)
    return DataFrame(
        seen.mhdr.mtype,
        f"{seen.dev_addr:08x}",
        octets[5],
        seen.fcnt,
        seen.fopts,
        seen.fport,
        seen.frm_payload,
        seen.mic,
    )


def _rebuilt(frame: phy.Frame) -> bytes:
    assert isinstance(frame, DataFrame)
    flags = frame.fctrl & 0xF0
    return (
        build_data(frame.mtype, frame.dev_addr, flags, frame.fcnt16, frame.fopts, frame.fport, frame.frm_payload)
        + frame.mic
    )


_DATA_MTYPES = st.sampled_from([2, 3, 4, 5])


@given(_DATA_MTYPES, st.binary(min_size=11, max_size=254))
def test_any_data_frame_agrees_with_the_construct_description(mtype: int, rest: bytes) -> None:
    octets = bytes((mtype << 5,)) + rest
    fopts_len, after_header = octets[5] & 15, len(octets) - 12
    if fopts_len > after_header:
        assert _reason(octets) == "malformed"
    elif 0 < fopts_len < after_header and octets[8 + fopts_len] == 0:
        assert _reason(octets) == "fopts_with_fport0"
    else:
        frame = parse(octets)
        assert frame == _by_oracle(octets)
        assert _rebuilt(frame) == octets


def _reason(octets: bytes) -> str:
    with pytest.raises(FrameError) as caught:
        parse(octets)
    return caught.value.reason


@given(
    mtype=_DATA_MTYPES,
    dev_addr=st.binary(min_size=4, max_size=4).map(bytes.hex),
    flags=st.integers(0, 15).map(lambda nibble: nibble << 4),
    fcnt=st.integers(0, 2**32 - 1),
    fopts=st.binary(max_size=15),
    fport=st.integers(1, 255),
    frm_payload=st.binary(max_size=227),
    mic=st.binary(min_size=4, max_size=4),
)
def test_built_data_frame_parses_to_what_it_was_built_of(
    mtype: int, dev_addr: str, flags: int, fcnt: int, fopts: bytes, fport: int, frm_payload: bytes, mic: bytes
) -> None:
    octets = build_data(mtype, dev_addr, flags, fcnt, fopts, fport, frm_payload) + mic
    assert parse(octets) == DataFrame(
        mtype, dev_addr, flags | len(fopts), fcnt & 0xFFFF, fopts, fport, frm_payload, mic
    )


def test_rfu_bits_of_the_mhdr_are_ignored() -> None:
    octets = bytes.fromhex(vectors.of("data", lorawan="1.0.x", direction="up")[0]["phy_payload"])
    assert parse(bytes((octets[0] | 0x1C,)) + octets[1:]) == parse(octets)


@pytest.mark.parametrize("vector", vectors.of("join_request"), ids=vectors.name)
def test_join_request_parses_and_is_built_again(vector: dict) -> None:
    octets = bytes.fromhex(vector["phy_payload"])
    mic = bytes.fromhex(vector["mic"])
    assert parse(octets) == JoinRequest(vector["join_eui"], vector["dev_eui"], vector["dev_nonce"], mic)
    assert build_join_request(vector["join_eui"], vector["dev_eui"], vector["dev_nonce"]) + mic == octets


@pytest.mark.parametrize("vector", vectors.of("rejoin_request"), ids=vectors.name)
def test_rejoin_request_parses_and_is_built_again(vector: dict) -> None:
    octets = bytes.fromhex(vector["phy_payload"])
    assert parse(octets) == RejoinRequest(
        rejoin_type=vector["rejoin_type"],
        net_id=vector.get("net_id"),
        join_eui=vector.get("join_eui"),
        dev_eui=vector["dev_eui"],
        rj_count=vector["rj_count"],
        mic=bytes.fromhex(vector["mic"]),
    )
    origin = vector["join_eui"] if vector["rejoin_type"] == 1 else vector["net_id"]
    assert build_rejoin(vector["rejoin_type"], origin, vector["dev_eui"], vector["rj_count"]) == octets[:-4]


@pytest.mark.parametrize("vector", vectors.of("join_accept"), ids=vectors.name)
def test_join_accept_stays_encrypted(vector: dict) -> None:
    octets = bytes.fromhex(vector["phy_payload"])
    assert parse(octets) == EncryptedJoinAccept(octets[1:])


@pytest.mark.parametrize("kind", ["data", "join_request", "rejoin_request"])
def test_frames_of_devices_are_uplinks(kind: str) -> None:
    for vector in vectors.of(kind):
        octets = bytes.fromhex(vector["phy_payload"])
        if vector.get("direction") != "down":
            assert parse_uplink(octets) == parse(octets)


@pytest.mark.parametrize("vector", vectors.of("data", direction="down"), ids=vectors.name)
def test_downlink_heard_by_a_gateway_is_refused(vector: dict) -> None:
    with pytest.raises(FrameError) as caught:
        parse_uplink(bytes.fromhex(vector["phy_payload"]))
    mtype = _MTYPES[vector["mtype"]]
    assert caught.value.reason == "unexpected_direction"
    assert str(caught.value) == f"mtype is {mtype}, a data frame that only a network sends"


def test_join_accept_heard_by_a_gateway_is_refused() -> None:
    with pytest.raises(FrameError) as caught:
        parse_uplink(bytes.fromhex(vectors.of("join_accept")[0]["phy_payload"]))
    assert caught.value.reason == "unexpected_direction"
    assert str(caught.value) == "mtype is 1, a join-accept that only a network sends"


@pytest.mark.parametrize(
    "vector",
    [
        v
        for reason in ("malformed", "unsupported_major", "unexpected_direction", "fopts_with_fport0", "proprietary")
        for v in vectors.of("negative", expect=reason)
    ]
    + vectors.of("negative", expect="payload_too_long"),
    ids=vectors.name,
)
def test_unusable_frame_is_refused_with_its_reason(vector: dict) -> None:
    with pytest.raises(FrameError) as caught:
        parse_uplink(bytes.fromhex(vector["phy_payload"]))
    assert caught.value.reason == vector["expect"]


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        ("", "the frame is empty"),
        ("41", "major version is 1, only 0 is known"),
        ("40", "data frame is 1 octets, at least 12 are needed"),
        ("40" + "00" * 255, "macpayload is 251 octets, at most 250 fit"),
        ("40000000000f0000" + "02" * 14, "foptslen is 15, only 10 octets follow"),
        ("40000000000100000200" + "00" * 4, "fport is 0 with 1 octets of fopts"),
        ("00" + "00" * 21, "join-request is 22 octets, 23 are needed"),
        ("20" + "00" * 12, "join-accept is 13 octets, 17 or 33 are needed"),
        ("c0", "rejoin-request is 1 octet, its type is missing"),
        ("c003", "rejoin type is 3, 0 to 2 are known"),
        ("c000", "rejoin-request type 0 is 2 octets, 19 are needed"),
        ("c001" + "00" * 17, "rejoin-request type 1 is 19 octets, 24 are needed"),
        ("e0010203", "proprietary frame of 4 octets"),
    ],
)
def test_refusal_names_the_value_and_the_limit(octets: str, message: str) -> None:
    with pytest.raises(FrameError) as caught:
        parse_uplink(bytes.fromhex(octets))
    assert str(caught.value) == message


def test_proprietary_frame_parses_to_its_payload() -> None:
    assert parse(bytes.fromhex("e0010203")) == Proprietary(bytes.fromhex("010203"))


@pytest.mark.parametrize(
    ("fopts", "fport", "frm_payload", "reason", "message"),
    [
        (bytes(16), 1, b"", "malformed", "fopts is 16 octets, at most 15 fit"),
        (b"", None, b"a", "malformed", "frm_payload is 1 octets without an fport"),
        (b"\x02", 0, b"\x02", "fopts_with_fport0", "fport is 0 with 1 octets of fopts"),
        (b"", 1, bytes(243), "payload_too_long", "macpayload is 251 octets, at most 250 fit"),
        (bytes(15), 1, bytes(228), "payload_too_long", "macpayload is 251 octets, at most 250 fit"),
    ],
)
def test_data_frame_that_would_be_refused_is_not_built(
    fopts: bytes, fport: int | None, frm_payload: bytes, reason: str, message: str
) -> None:
    with pytest.raises(FrameError) as caught:
        build_data(MType.UNCONFIRMED_DOWN, "01020304", 0, 0, fopts, fport, frm_payload)
    assert (caught.value.reason, str(caught.value)) == (reason, message)
