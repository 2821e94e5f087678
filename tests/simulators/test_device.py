"""A simulated device against the vectors and against the network's half of the protocol."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.commands import encode_command, parse_commands
from lns.lorawan.crypto import DOWN, UP, DataMic, PayloadCipher, encrypt_join_accept, join_request_mic
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.modulation import Lora
from lns.lorawan.phy import DataFrame, JoinAccept, JoinRequest, MType, build_data, parse, parse_uplink
from lns.lorawan.regions import region
from simulators.device import OUTSIDE, Device, Received
from simulators.firmware import Firmware
from simulators.identity import Identity
from simulators.misbehaviour import Misbehaviour
from simulators.multicast import Group
from simulators.session import Fault
from tests.lorawan import vectors

WHO = Identity("70b3d57ed0000001", "70b3d57ed0000000", bytes(range(16)), "01020304", b"n" * 16, b"a" * 16)


def device(who: Identity = WHO, name: str = "EU868", data_rate: int = 5, **built_in: Any) -> Device:
    return Device(0, who, region(name), data_rate, Firmware(sub_band=2, **built_in))


def abp(**counters: int) -> Device:
    made = device()
    made.personalise(**counters)
    return made


def down(
    fcnt: int,
    mtype: MType = MType.UNCONFIRMED_DOWN,
    flags: int = 0,
    fopts: bytes = b"",
    fport: int | None = None,
    payload: bytes = b"",
) -> bytes:
    """A downlink as the network builds it."""
    address = dev_addr_le(WHO.dev_addr)
    key = WHO.nwk_s_key if fport == 0 else WHO.app_s_key
    encrypted = PayloadCipher(key).apply(payload, address, fcnt, DOWN)
    message = build_data(mtype, WHO.dev_addr, flags, fcnt, fopts, fport, encrypted)
    return message + DataMic(WHO.nwk_s_key).mic(message, address, fcnt, DOWN)


def read(phy: bytes) -> DataFrame:
    frame = parse_uplink(phy)
    assert isinstance(frame, DataFrame)
    return frame


UPLINKS = [
    v
    for v in vectors.of("data", lorawan="1.0.x", direction="up", valid=True)
    if v["fport"] and v["fport"] != 226 and not v["fopts_plain"] and set(v["keys"]) >= {"NwkSKey", "AppSKey"}
    if not any(v["fctrl"][flag] for flag in ("adr", "adr_ack_req", "ack", "class_b"))
]


@pytest.mark.parametrize("vector", UPLINKS, ids=vectors.name)
def test_uplink_is_the_vector(vector):
    keys = vectors.keys(vector)
    sender = device(Identity("00" * 8, "00" * 8, b"", vector["dev_addr"], keys["NwkSKey"], keys["AppSKey"]))
    sender.personalise(fcnt_up=vector["fcnt"])
    phy = sender.uplink(vector["fport"], bytes.fromhex(vector["frm_payload"]), vector["confirmed"])
    assert phy.hex() == vector["phy_payload"]


JOINS = [v for v in vectors.of("join_accept", lorawan="1.0.x", valid=True) if v["root_keys"].keys() == {"AppKey"}]


@pytest.mark.parametrize("vector", JOINS, ids=vectors.name)
def test_join_accept_gives_the_session_of_the_vector(vector):
    request = vector["request"]
    who = Identity(request["dev_eui"], request["join_eui"], bytes.fromhex(vector["root_keys"]["AppKey"]), "", b"", b"")
    joining = device(who)
    joining.join_request(request["dev_nonce_or_rjcount"])
    accept = joining.accept(bytes.fromhex(vector["phy_payload"]))
    assert isinstance(accept, JoinAccept)
    assert (accept.dev_addr, accept.join_nonce) == (vector["dev_addr"], vector["join_nonce"])
    session = joining.session
    assert session is not None
    assert (session.dev_addr, session.fcnt_up, session.fcnt_down) == (vector["dev_addr"], 0, -1)
    # the keys show in what the device sends
    phy = joining.uplink(1, b"hello")
    address = dev_addr_le(vector["dev_addr"])
    nwk, app = (bytes.fromhex(vector["session_keys"][name]) for name in ("NwkSKey", "AppSKey"))
    assert DataMic(nwk).mic(phy[:-4], address, 0, UP) == phy[-4:]
    assert PayloadCipher(app).apply(read(phy).frm_payload, address, 0, UP) == b"hello"


def test_join_request_carries_identity_nonce_and_mic():
    phy = device().join_request(0x1234)
    frame = parse(phy)
    assert isinstance(frame, JoinRequest)
    assert (frame.join_eui, frame.dev_eui, frame.dev_nonce) == (WHO.join_eui, WHO.dev_eui, 0x1234)
    assert frame.mic == join_request_mic(WHO.app_key, phy[:-4])


def joined(joining: Device, nonce: int, rx_delay: int = 1) -> JoinAccept | Fault:
    accept = JoinAccept(nonce, "000000", "0000abcd", False, 0, 0, rx_delay, None)
    return joining.accept(encrypt_join_accept(WHO.app_key, accept))


def test_a_join_accept_under_another_key_is_refused():
    joining = device()
    joining.join_request(1)
    phy = bytearray(encrypt_join_accept(WHO.app_key, JoinAccept(1, "000000", "0000abcd", False, 0, 0, 1, None)))
    phy[5] ^= 1
    assert joining.accept(bytes(phy)) is Fault.MIC
    assert joining.accept(b"\x20") is Fault.MALFORMED
    assert joining.session is None


def test_a_join_nonce_is_taken_once():
    joining = device()
    joining.join_request(1)
    assert isinstance(joined(joining, 1), JoinAccept)
    assert joined(joining, 1) is Fault.REPEATED


def test_a_second_join_starts_counters_and_windows_anew():
    joining = abp(fcnt_up=9, fcnt_down=4)
    joining.join_request(1)
    joined(joining, 1, rx_delay=5)
    session = joining.session
    assert session is not None
    assert (session.fcnt_up, session.fcnt_down, joining.window_s(join=False)) == (0, -1, 5)


def test_a_device_without_session_does_not_send():
    with pytest.raises(ValueError, match=f"^device {WHO.dev_eui} has no session$"):
        device().uplink(1, b"")


def test_counters_go_up_with_every_frame_and_keep_16_bits_on_air():
    sender = abp(fcnt_up=0xFFFF)
    frames = [read(sender.uplink(1, b"x")) for _ in range(2)]
    assert [frame.fcnt16 for frame in frames] == [0xFFFF, 0]
    assert sender.session is not None
    assert sender.session.fcnt_up == 0x10001


def test_requests_of_the_device_travel_in_fopts():
    frame = read(abp().uplink(10, b"x", asks=encode_command("LinkCheckReq", uplink=True)))
    assert (frame.fopts, frame.fport, frame.confirmed) == (b"\x02", 10, False)


@pytest.mark.parametrize(("fport", "fopts", "payload"), [(None, "06", ""), (0, "", "06")])
def test_mac_commands_are_answered_in_the_next_uplink_only(fport, fopts, payload):
    listening = abp()
    received = listening.receive(down(0, fport=fport, fopts=bytes.fromhex(fopts), payload=bytes.fromhex(payload)))
    assert received == Received(0, False, False, False, fport, b"", ("DevStatusReq",))
    frames = [read(listening.uplink(1, b"x")) for _ in range(2)]
    assert [parse_commands(frame.fopts, uplink=True)[0] for frame in frames] == [
        parse_commands(bytes.fromhex("06c808"), uplink=True)[0],
        [],
    ]


def test_a_confirmed_downlink_is_acknowledged_once_in_the_next_uplink():
    listening = abp()
    received = listening.receive(down(0, MType.CONFIRMED_DOWN, fport=5, payload=b"on"))
    assert received == Received(0, False, True, False, 5, b"on", ())
    assert [read(listening.uplink(1, b"x")).ack for _ in range(2)] == [True, False]


def test_flags_of_a_downlink_are_seen():
    received = abp().receive(down(0, flags=0x30))
    assert received == Received(0, True, False, True, None, b"", ())


def test_link_adr_changes_data_rate_and_channels():
    listening = abp()
    listening.adr = True
    request = encode_command("LinkADRReq", uplink=False, data_rate=2, tx_power=1, ch_mask=4, ch_mask_cntl=0, nb_trans=1)
    listening.receive(down(0, fopts=request))
    assert listening.mac.data_rate == 2
    assert {listening.hop(step).freq_hz for step in range(5)} == {868_500_000}


def test_adr_asks_for_a_downlink_after_64_uplinks_without_one():
    sender = abp()
    sender.adr = True
    frames = [read(sender.uplink(1, b"x")) for _ in range(65)]
    assert all(frame.adr for frame in frames)
    assert [frame.adr_ack_req for frame in frames] == [False] * 64 + [True]
    sender.receive(down(0))
    assert not read(sender.uplink(1, b"x")).adr_ack_req


@pytest.mark.parametrize(
    ("phy", "fault"),
    [
        (b"", Fault.MALFORMED),
        (bytes(12), Fault.MALFORMED),
        (down(0)[:-1] + b"\x00", Fault.MIC),
        (build_data(MType.UNCONFIRMED_UP, WHO.dev_addr, 0, 0, b"", None, b"") + bytes(4), Fault.MALFORMED),
    ],
)
def test_what_is_no_downlink_for_the_device_is_refused(phy, fault):
    assert abp().receive(phy) is fault
    assert abp().miss(phy) is fault


@given(st.binary(max_size=64))
def test_any_octets_are_a_fault(octets):
    assert isinstance(abp().receive(octets), Fault)
    assert isinstance(abp().accept(octets), Fault)


@given(st.binary(max_size=40), st.sampled_from([0, 5]), st.integers(0, 0xFFFF))
def test_any_authentic_downlink_is_acted_on(payload, fport, fcnt):
    listening = abp()
    assert isinstance(listening.receive(down(fcnt, fport=fport, payload=payload)), Received)
    assert isinstance(parse(listening.uplink(1, b"x")), DataFrame)


def test_a_missed_downlink_is_counted_as_used():
    listening = abp()
    assert listening.miss(down(4)) is None
    assert listening.receive(down(4, flags=0x20)) is Fault.FCNT_REUSED


EU_CHANNEL = region("EU868").uplink_channels[1]
US_CHANNEL = region("US915").uplink_channels[9]


@pytest.mark.parametrize(
    ("name", "window", "join", "channel", "dr", "listens"),
    [
        ("EU868", 1, False, EU_CHANNEL, 5, (868_300_000, Lora(7, 125_000))),
        ("EU868", 2, False, EU_CHANNEL, 5, (869_525_000, Lora(12, 125_000))),
        ("EU868", 2, True, EU_CHANNEL, 5, (869_525_000, Lora(12, 125_000))),
        ("US915", 1, False, US_CHANNEL, 3, (923_900_000, Lora(7, 500_000))),
        ("US915", 1, True, US_CHANNEL, 0, (923_900_000, Lora(10, 500_000))),
        ("US915", 2, False, US_CHANNEL, 0, (923_300_000, Lora(12, 500_000))),
    ],
)
def test_receive_windows(name, window, join, channel, dr, listens):
    assert device(name=name, data_rate=dr).listens(window, join, channel, dr) == listens


def test_window_parameters_of_the_network_do_not_move_the_join_windows():
    listening = abp()
    listening.mac.rx1_dr_offset, listening.mac.rx2_dr, listening.mac.rx2_freq_hz = 2, 3, 868_500_000
    listening.mac.rx1_delay_s = 3
    assert listening.listens(1, False, EU_CHANNEL, 5) == (868_300_000, Lora(9, 125_000))
    assert listening.listens(2, False, EU_CHANNEL, 5) == (868_500_000, Lora(9, 125_000))
    assert listening.listens(1, True, EU_CHANNEL, 5) == (868_300_000, Lora(7, 125_000))
    assert listening.listens(2, True, EU_CHANNEL, 5) == (869_525_000, Lora(12, 125_000))
    assert (listening.window_s(join=False), listening.window_s(join=True)) == (3, 5)


def test_a_moved_rx1_frequency_is_listened_to():
    listening = abp()
    listening.mac.plan.rx1_freq_hz[1] = 869_525_000
    assert listening.listens(1, False, EU_CHANNEL, 5) == (869_525_000, Lora(7, 125_000))


def test_join_requests_of_a_fixed_plan_visit_the_sub_band_at_its_slowest_rates():
    joining = device(name="US915", data_rate=3)
    hops = [joining.join_hop(step) for step in range(9)]
    assert [(channel.index, dr) for channel, dr in hops] == [(n, 0) for n in range(8, 16)] + [(65, 4)]


def test_join_requests_of_a_dynamic_plan_use_the_default_channels():
    hops = [device().join_hop(step) for step in range(3)]
    assert [(channel.index, dr) for channel, dr in hops] == [(0, 5), (1, 5), (2, 5)]


def test_a_mask_of_the_network_is_no_mask_for_join_requests():
    joining = device(name="US915", data_rate=3)
    joining.mac.plan.mask = 0xFF
    assert [joining.join_hop(step)[0].index for step in range(3)] == [8, 9, 10]


@pytest.mark.parametrize(
    ("name", "data_rate", "dr"), [("AS923", 5, 5), ("AU915", 5, 2), ("CN470-20A", 3, 1), ("ISM2400", 7, 7)]
)
def test_join_requests_use_the_data_rates_of_the_region(name, data_rate, dr):
    assert device(name=name, data_rate=data_rate).join_hop(0)[1] == dr


def test_windows_of_a_join_follow_the_common_join_channel():
    joining = device(name="CN470-20A", data_rate=3)
    channel, dr = joining.join_hop(1)
    assert channel.freq_hz == 472_500_000
    assert [joining.listens(window, True, channel, dr)[0] for window in (1, 2)] == [486_100_000, 486_900_000]
    joining.join_request(1)
    joined(joining, 1)
    assert joining.mac.rx2_freq_hz == 486_900_000


def test_an_empty_uplink_and_one_with_commands_alone():
    sender = abp()
    sender.receive(down(0, fopts=encode_command("DevStatusReq", uplink=False) * 2))
    asks = encode_command("LinkCheckReq", uplink=True)
    frame = read(sender.uplink(0, b"", asks=asks))
    clear = PayloadCipher(WHO.nwk_s_key).apply(frame.frm_payload, dev_addr_le(WHO.dev_addr), 0, UP)
    assert (frame.fport, frame.fopts, clear) == (0, b"", bytes.fromhex("06c808" * 2 + "02"))
    empty = sender.uplink(None, b"", confirmed=True)
    frame = read(empty)
    assert (frame.fport, frame.fcnt16, frame.confirmed, len(empty)) == (None, 1, True, 12)
    assert DataMic(WHO.nwk_s_key).mic(empty[:-4], dev_addr_le(WHO.dev_addr), 1, UP) == empty[-4:]


def test_adr_back_off_changes_what_is_sent():
    sender = abp()
    sender.adr = True
    for _ in range(97):
        sender.uplink(1, b"x")
    assert sender.mac.data_rate == 4, "power is the largest already"
    assert {sender.hop(step).freq_hz for step in range(3)} == {868_100_000, 868_300_000, 868_500_000}


def faulty(**faults: Any) -> Device:
    made = device(misbehaviour=Misbehaviour(**faults))
    made.personalise()
    return made


def test_a_device_that_forgets_its_counters_begins_at_0_again():
    sender = faulty(resets_counters_every=3)
    assert [read(sender.uplink(1, b"x")).fcnt16 for _ in range(8)] == [0, 1, 2, 0, 1, 2, 0, 1]


def test_a_device_that_skips_counters():
    sender = faulty(skips_counters=2)
    assert [read(sender.uplink(1, b"x")).fcnt16 for _ in range(3)] == [0, 3, 6]


def test_a_device_that_repeats_its_dev_nonce():
    joining = device(misbehaviour=Misbehaviour(repeats_dev_nonce=True))
    assert [parse(joining.join_request(nonce)).dev_nonce for nonce in (5, 6, 7)] == [5, 5, 5]


def test_a_device_that_does_not_hear_every_downlink():
    listening = faulty(misses_downlink_every=2)
    outcomes = [listening.receive(down(fcnt)) for fcnt in range(3)]
    assert [outcome is Fault.MISSED for outcome in outcomes] == [False, True, False]


def test_a_group_is_heard_beside_the_own_address():
    listening = abp()
    listening.groups[WHO.dev_addr[::-1]] = group = Group(WHO.dev_addr[::-1], (WHO.nwk_s_key, WHO.app_s_key))
    address = dev_addr_le(group.mc_addr)
    message = build_data(MType.UNCONFIRMED_DOWN, group.mc_addr, 0, 7, b"", 9, b"")
    phy = message + DataMic(WHO.nwk_s_key).mic(message, address, 7, DOWN)
    assert listening.receive(phy, OUTSIDE) == Received(7, False, False, False, 9, b"", (), group.mc_addr)
    assert listening.session is not None
    assert listening.session.fcnt_down == -1
    assert listening.receive(phy, OUTSIDE) is Fault.REPEATED


def test_only_a_downlink_in_a_receive_window_ends_sticky_answers():
    listening = abp()
    listening.receive(down(0, fopts=encode_command("RXTimingSetupReq", uplink=False, delay=1)))
    for window, left in ((OUTSIDE, b"\x08"), (1, b"")):
        listening.uplink(1, b"x")
        listening.receive(down(window + 1), window)
        assert read(listening.uplink(1, b"x")).fopts == left
