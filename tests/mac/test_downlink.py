import pytest
from msgspec.structs import replace

from lns.lorawan.crypto import DOWN
from lns.lorawan.crypto11 import DataMic11, FOptsCipher
from lns.lorawan.modulation import Lora
from lns.lorawan.phy import parse
from lns.mac import downlink
from lns.mac.downlink import Content
from lns.mac.queue import DownlinkItem
from tests.mac.build import device, reception, session, session_1_1


def item(payload=b"\x01\x02", confirmed=False):
    return DownlinkItem("id", 1, 15, payload, confirmed, 0)


def windows(owner, uplink_dr=5, receptions=None):
    made = receptions or [reception(b"x", 1, tmst_us=4_294_000_000), reception(b"x", 2, tmst_us=5)]
    return downlink.data_windows(owner.device.region, owner, made, uplink_dr)


def test_rx1_then_rx2_on_each_gateway_with_the_counter_wrapped():
    owner = session()
    made = windows(owner)
    assert [(w.name, w.reception.gateway_eui[-1], w.delay_s, w.freq_hz, w.dr) for w in made] == [
        ("rx1", "1", 1, 868_100_000, 5),
        ("rx2", "1", 2, 869_525_000, 0),
        ("rx1", "2", 1, 868_100_000, 5),
        ("rx2", "2", 2, 869_525_000, 0),
    ]
    assert [w.transmission(b"x").tmst_us for w in made] == [32_704, 1_032_704, 1_000_005, 2_000_005]
    assert made[0].transmission(b"x").invert_polarity


def test_us915_answers_on_the_paired_500_khz_channel():
    owner = session(device(region_name="US915"))
    made = windows(owner, 0, [reception(b"x", freq_hz=903_900_000, modulation=Lora(10, 125_000))])
    assert [(w.freq_hz, w.dr, w.modulation) for w in made] == [
        (923_300_000, 10, Lora(10, 500_000)),
        (923_300_000, 8, Lora(12, 500_000)),
    ]


def test_join_accepts_use_the_regions_windows_whatever_the_session_has():
    owner = session()
    owner.rx1_delay_s, owner.rx2_freq_hz = 3, 868_500_000
    made = downlink.join_windows(owner.device.region, [reception(b"x")], 5)
    assert [(w.delay_s, w.freq_hz) for w in made] == [(5, 868_100_000), (6, 869_525_000)]


def test_a_reception_without_clock_or_beside_the_band_opens_no_window():
    owner = session()
    assert windows(owner, 5, [reception(b"x", tmst_us=None), reception(b"x", freq_hz=915_000_000)]) == []


@pytest.mark.parametrize("confirmed", [False, True])
def test_the_device_reads_item_ack_answers_and_fpending(confirmed):
    owner = session()
    owner.fcnt_down = 0x1_0007
    content = Content(item(confirmed=confirmed), b"\x02\x0a\x01", True, acks_fcnt_up=4)
    built = downlink.build(owner, content)
    phy, frame = built.phy_payload, parse(built.phy_payload)
    assert (frame.confirmed, frame.ack, frame.fpending, frame.fcnt16) == (confirmed, True, True, 7)
    assert (frame.fopts, frame.fport) == (b"\x02\x0a\x01", 15)
    assert owner.crypt(frame.frm_payload, 15, 0x1_0007, DOWN) == b"\x01\x02"
    assert owner.mic.mic(phy[:-4], owner.dev_addr_le, 0x1_0007, DOWN) == frame.mic
    assert (built.fcnt_down, owner.fcnt_down) == (0x1_0007, 0x1_0007)
    downlink.advance(owner, content)
    assert owner.fcnt_down == 0x1_0008


def test_more_than_15_octets_of_answers_go_encrypted_on_fport_0():
    owner = session()
    frame = parse(downlink.build(owner, Content(commands=bytes(range(16)))).phy_payload)
    assert (frame.fport, frame.fopts) == (0, b"")
    assert owner.crypt(frame.frm_payload, 0, 0, DOWN) == bytes(range(16))


def test_an_empty_acknowledgement_has_no_port():
    frame = parse(downlink.build(session(), Content(acks_fcnt_up=0)).phy_payload)
    assert (frame.ack, frame.fport, frame.frm_payload, frame.confirmed) == (True, None, b"", False)


@pytest.mark.parametrize(
    ("content", "counter", "fcnt"),
    [
        (Content(item()), "afcnt_down", 20),
        (Content(item(confirmed=True), b"\x02\x0a\x01"), "afcnt_down", 20),  # FOpts beside an FPort above 0
        (Content(commands=b"\x02\x0a\x01"), "fcnt_down", 10),
        (Content(commands=bytes(range(16))), "fcnt_down", 10),  # FPort 0
        (Content(acks_fcnt_up=5), "fcnt_down", 10),
    ],
)
def test_a_1_1_session_has_two_downlink_counters(content, counter, fcnt):
    owner = session_1_1()
    owner.fcnt_down, owner.afcnt_down = 10, 20
    assert downlink.build(owner, content).fcnt_down == fcnt
    downlink.advance(owner, content)
    after = {"fcnt_down": 10, "afcnt_down": 20} | {counter: fcnt + 1}
    assert {name: getattr(owner, name) for name in after} == after


def test_a_1_1_downlink_is_signed_with_the_counter_of_the_uplink_it_acknowledges():
    owner = session_1_1()
    phy = downlink.build(owner, Content(item(), b"\x02\x0a\x01", acks_fcnt_up=0x1_0203)).phy_payload
    frame = parse(phy)
    mic = DataMic11(owner.keys.f_nwk_s_int_key, owner.keys.s_nwk_s_int_key)
    assert mic.downlink(phy[:-4], owner.dev_addr_le, 0, 0x0203) == frame.mic
    cipher = FOptsCipher(owner.keys.nwk_s_enc_key)
    assert cipher.apply(frame.fopts, owner.dev_addr_le, 0, DOWN, True) == b"\x02\x0a\x01"


def test_a_confirmed_downlink_is_remembered_by_the_counters_of_its_attempts():
    owner = session_1_1()
    owner.afcnt_down = 300
    downlink.advance(owner, Content(item(confirmed=True)))
    downlink.advance(owner, Content(item()))
    downlink.advance(owner, Content(replace(item(confirmed=True), attempts=1)))
    assert (owner.conf_fcnts_down, owner.afcnt_down) == ((300, 302), 303)
    downlink.advance(owner, Content(item(confirmed=True)))
    assert owner.conf_fcnts_down == (303,)


def test_rx1_of_a_moved_channel_is_where_dl_channel_req_put_it():
    owner = session()
    owner.known_radio().dl_freq_hz = {0: 869_100_000}
    assert [w.freq_hz for w in windows(owner, 5, [reception(b"x")])] == [869_100_000, 869_525_000]


def test_downlink_dwell_time_limits_room_and_data_rate():
    owner = session(device(region_name="AS923-1"))
    heard = [reception(b"x", freq_hz=923_200_000, modulation=Lora(10, 125_000))]
    assert [(w.dr, w.room) for w in windows(owner, 2, heard)] == [(2, 19), (2, 19)]  # on at the start
    owner.known_radio().downlink_dwell = False
    assert [(w.dr, w.room) for w in windows(owner, 2, heard)] == [(2, 123), (2, 123)]
