"""Downlinks meet receive windows, or are counted as what is wrong with them; times by hand, no sockets."""

import pytest

from lns.gateways.txpk import Txpk
from lns.lorawan.class_b import beacon_time_gps_s, next_ping_slot_gps_ms
from lns.lorawan.commands import encode_command
from lns.lorawan.crypto import DOWN, DataMic, encrypt_join_accept
from lns.lorawan.gpstime import gps_from_unix, unix_from_gps
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.modulation import Lora, Modulation
from lns.lorawan.phy import ACK, FPENDING, JoinAccept, MType, build_data
from lns.lorawan.regions import region
from simulators import identity
from simulators.air import Air
from simulators.device import Device
from simulators.gateway_udp import Sent
from simulators.ledger import Ledger

EU868 = region("EU868")
CHANNEL = EU868.uplink_channels[0]
SF7, SF12 = Lora(7, 125_000), Lora(12, 125_000)
END_US = 1_700_000_000_000_000
FAULTS = ("outside_window", "wrong_parameters", "lost", "mic_bad", "foreign", "repeated", "fcnt_reused", "fcnt_behind")


class Scene:
    """Devices that have each sent an uplink, one microsecond after the other from END_US on."""

    def __init__(self, devices: int = 1, loss: float = 0.0, shared: int = 1, confirmed: bool = True) -> None:
        people = [identity.device(1, n, devices_per_address=shared) for n in range(devices)]
        self.devices = [Device(n, who, EU868, 5) for n, who in enumerate(people)]
        self.ledger = Ledger([who.dev_eui for who in people])
        self.air = Air(self.devices, self.ledger, loss, lambda: 0.5)
        for n, device in enumerate(self.devices):
            device.personalise()
            self.air.activated(device)
            self.ledger.add_transmission(END_US + n, n, self.ledger.add_uplink(n, 0, 0, confirmed, 0), CHANNEL, 5)

    def send(
        self, phy: bytes, after_us: int = 1_000_000, freq_hz: int = CHANNEL.freq_hz, modulation: Modulation = SF7
    ) -> dict[str, int]:
        txpk = Txpk(phy, freq_hz, modulation, 16.0, 0, 1, None, 8, True, True, False, None)
        self.air.transmit(Sent(0, txpk, END_US + after_us, END_US + 700_000))
        return {name: self.air.counts[name] for name in FAULTS if self.air.counts[name]}

    def down(self, fcnt: int = 0, flags: int = ACK, number: int = 0, fopts: bytes = b"") -> bytes:
        who = self.devices[number].identity
        message = build_data(MType.UNCONFIRMED_DOWN, who.dev_addr, flags, fcnt, fopts, None, b"")
        return message + DataMic(who.nwk_s_key).mic(message, dev_addr_le(who.dev_addr), fcnt, DOWN)


def test_an_answer_in_rx1_acknowledges_the_uplink():
    scene = Scene()
    assert scene.send(scene.down()) == {}
    assert (scene.air.counts["received"], scene.air.counts["rx1"], scene.ledger.answered_confirmed) == (1, 1, 1)
    assert list(scene.air.pull_resp_s) == [pytest.approx(0.7)]
    assert scene.ledger.downlinks[0]["fcnt"] == 0


def test_an_answer_in_rx2_counts_on_its_frequency_and_data_rate():
    scene = Scene()
    assert scene.send(scene.down(), 2_000_000, EU868.rx2_freq_hz, SF12) == {}
    assert (scene.air.counts["rx2"], scene.ledger.answered_confirmed) == (1, 1)


def test_an_answer_without_ack_does_not_answer_a_confirmed_uplink():
    scene = Scene()
    scene.send(scene.down(flags=0))
    assert (scene.air.counts["received"], scene.ledger.answered_confirmed) == (1, 0)


def test_an_ack_that_nobody_asked_for_is_told():
    scene = Scene(confirmed=False)
    scene.send(scene.down())
    assert scene.air.counts["unasked_ack"] == 1


@pytest.mark.parametrize(
    ("after_us", "freq_hz", "modulation", "fault"),
    [
        (1_000_001, CHANNEL.freq_hz, SF7, "outside_window"),
        (3_000_000, EU868.rx2_freq_hz, SF12, "outside_window"),
        (1_000_000, 868_300_000, SF7, "wrong_parameters"),
        (1_000_000, CHANNEL.freq_hz, SF12, "wrong_parameters"),
        (2_000_000, CHANNEL.freq_hz, SF7, "wrong_parameters"),
    ],
)
def test_a_device_hears_only_in_its_windows(after_us, freq_hz, modulation, fault):
    scene = Scene()
    assert scene.send(scene.down(), after_us, freq_hz, modulation) == {fault: 1}
    assert scene.ledger.answered_confirmed == 0


def test_what_is_lost_or_misses_its_window_has_used_its_counter():
    for scene, after_us in ((Scene(loss=1.0), 1_000_000), (Scene(), 1_500_000)):
        scene.send(scene.down(), after_us)
        faults = scene.send(scene.down(flags=0), after_us)
        assert faults["fcnt_reused"] == 1


def test_a_repeated_and_a_reused_counter_are_told_apart():
    scene = Scene()
    scene.send(scene.down())
    assert scene.send(scene.down()) == {"repeated": 1}
    assert scene.send(scene.down(flags=0)) == {"repeated": 1, "fcnt_reused": 1}


def test_a_bad_mic_and_a_stranger_are_told_apart():
    scene = Scene()
    phy = scene.down()
    assert scene.send(phy[:-1] + bytes((phy[-1] ^ 1,))) == {"mic_bad": 1}
    assert scene.send(phy[:1] + b"\x00\x00\x00\x00" + phy[5:]) == {"mic_bad": 1, "foreign": 1}


def test_devices_with_one_address_are_told_apart_by_their_keys():
    scene = Scene(devices=3, shared=3)
    assert len({device.identity.dev_addr for device in scene.devices}) == 1
    assert scene.send(scene.down(number=2), 1_000_002) == {}
    assert [scene.ledger.is_answered(uplink) for uplink in range(3)] == [False, False, True]


def test_devices_that_have_more_to_hear_become_urgent():
    scene = Scene()
    scene.send(scene.down(flags=ACK | FPENDING))
    assert list(scene.air.urgent) == scene.devices


def test_the_time_that_the_network_tells_is_compared_with_the_end_of_the_uplink():
    scene = Scene()
    seconds = int(gps_from_unix(END_US / 1e6))
    answers = encode_command("LinkCheckAns", uplink=False, margin=10, gw_cnt=1)
    answers += encode_command("DeviceTimeAns", uplink=False, gps_seconds=seconds + 2, fraction_256=0)
    scene.send(scene.down(fopts=answers))
    assert scene.air.time_error_s == 2.0
    assert (scene.air.counts["link_check_answers"], scene.air.counts["device_time_answers"]) == (1, 1)


def test_without_polarity_inversion_no_device_hears():
    scene = Scene()
    txpk = Txpk(scene.down(), CHANNEL.freq_hz, SF7, 16.0, 0, 1, None, 8, False, True, False, None)
    scene.air.transmit(Sent(0, txpk, END_US + 1_000_000, END_US))
    assert scene.air.counts["wrong_parameters"] == 1


class Joining(Scene):
    """One device without a session that has sent a join-request at END_US + 10."""

    def __init__(self) -> None:
        super().__init__()
        self.who = identity.device(1, 1)
        self.device = Device(1, self.who, EU868, 5)
        self.devices.append(self.device)
        self.device.join_request(77)
        self.ledger.add_transmission(END_US + 10, 1, -1, CHANNEL, 5)

    def accept(self, app_key: bytes | None = None) -> bytes:
        accept = JoinAccept(1, "000000", "0000abcd", False, 0, 0, 1, None)
        return encrypt_join_accept(app_key or self.who.app_key, accept)


@pytest.mark.parametrize(
    ("after_us", "freq_hz", "modulation"),
    [(5_000_010, CHANNEL.freq_hz, SF7), (6_000_010, EU868.rx2_freq_hz, SF12)],
)
def test_a_join_accept_is_heard_in_either_window(after_us, freq_hz, modulation):
    scene = Joining()
    assert scene.send(scene.accept(), after_us, freq_hz, modulation) == {}
    assert scene.device.session is not None
    assert scene.device.session.dev_addr == "0000abcd"
    assert scene.air.counts["joined"] == 1
    assert scene.ledger.joins[0]["dev_nonce"] == 77


def test_a_join_accept_at_another_time_or_under_another_key_is_not_taken():
    scene = Joining()
    assert scene.send(scene.accept(), 5_000_011) == {"outside_window": 1}
    assert scene.send(scene.accept(bytes(16)), 5_000_010) == {"outside_window": 1, "mic_bad": 1}
    assert scene.send(scene.accept(), 5_000_010, 868_300_000) == {
        "outside_window": 1,
        "wrong_parameters": 1,
        "mic_bad": 1,
    }
    assert scene.device.session is None


def test_a_class_c_device_hears_at_any_time_on_rx2():
    scene = Scene()
    assert scene.send(scene.down(), 5_000_000, EU868.rx2_freq_hz, SF12) == {"outside_window": 1}
    scene.devices[0].want_class("C")
    assert scene.send(scene.down(1), 6_000_000, EU868.rx2_freq_hz, SF12) == {"outside_window": 1}
    assert scene.send(scene.down(2), 7_000_000, EU868.rx2_freq_hz, SF7) == {"outside_window": 2}
    assert (scene.air.counts["class_c"], scene.air.counts["received"]) == (1, 1)
    assert [row["window"] for row in scene.ledger.downlinks] == ["class_c"]


def test_a_class_b_device_hears_in_its_ping_slots():
    scene = Scene()
    device = scene.devices[0]
    device.want_class("B", periodicity=2)
    device.heard_beacon(beacon_time_gps_s(gps_from_unix(END_US / 1e6) * 1000))
    scene.send(scene.down(fopts=encode_command("PingSlotInfoAns", uplink=False)))
    assert device.mac.device_class == "B"
    slot_ms = next_ping_slot_gps_ms((gps_from_unix(END_US / 1e6) + 9) * 1000, device.identity.dev_addr, 2)
    after_us = round(unix_from_gps(slot_ms / 1000) * 1e6) - END_US
    assert scene.send(scene.down(1), after_us, EU868.rx2_freq_hz, Lora(9, 125_000)) == {}
    assert (scene.air.counts["ping"], scene.ledger.downlinks[-1]["window"]) == (1, "ping")


def test_a_class_c_downlink_may_be_lost():
    scene = Scene(loss=0.6)
    scene.devices[0].want_class("C")
    assert scene.send(scene.down(), 5_000_000, EU868.rx2_freq_hz, SF12) == {"lost": 1}


def test_a_new_session_is_told():
    scene = Scene()
    told = []
    scene.air.on_activated = told.append
    scene.air.activated(scene.devices[0])
    assert told == scene.devices
