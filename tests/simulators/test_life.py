"""Lives of one device with a small network in memory, time passed by hand."""

from itertools import chain, cycle, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lns.lorawan.class_b import next_ping_slot_gps_ms, ping_slots_gps_ms
from lns.lorawan.commands import encode_command, parse_commands
from lns.lorawan.crypto import DOWN, DataMic, PayloadCipher
from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.modulation import Modulation
from lns.lorawan.phy import JoinAccept, MType, build_data
from lns.lorawan.regions import REGIONS, region
from lns.mac.frames import Transmission, TxOutcome
from simulators import identity
from simulators.device import Device, Received
from simulators.ears import Heard, Miss
from simulators.firmware import Firmware
from simulators.life import Life, Lost, never
from simulators.misbehaviour import HONEST, Misbehaviour
from simulators.multicast import Group
from simulators.session import Fault
from simulators.session11 import Session11
from simulators.tower import Tower
from simulators.versions import VERSIONS
from tests.simulators.pair import Pair, joined

GATEWAY = f"{1:016x}"
YEAR_S = 365 * 86_400


def device(name: str = "EU868", version: str = "1.0.4", misbehaviour: Misbehaviour = HONEST) -> Device:
    firmware = Firmware(version=VERSIONS[version], misbehaviour=misbehaviour)
    fastest = region(name).uplink_channels[0].max_dr
    return Device(0, identity.device(1, 0), region(name), fastest, firmware)


def born(lost: Lost = never, **made: object) -> tuple[Life, Pair]:
    """An OTAA device and its network."""
    one = device(**made)  # type: ignore[arg-type]
    return Life(one, [Tower(GATEWAY)], lost), Pair(one)


def alive(lost: Lost = never, **made: object) -> tuple[Life, Pair]:
    """An ABP device and its network."""
    life, network = born(lost, **made)
    life.device.personalise()
    network.activate()
    return life, network


def req(name: str, **fields: int) -> bytes:
    return encode_command(name, uplink=False, **fields)


def losing(*pattern: bool) -> Lost:
    """Lose as the pattern says, then nothing."""
    return chain(pattern, repeat(False)).__next__


def outcomes(heard: list[Heard]) -> list[tuple[str | None, object]]:
    return [(one.window, type(one.outcome) if isinstance(one.outcome, Received) else one.outcome) for one in heard]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", REGIONS)
def test_every_version_joins_and_talks_in_every_region(name, version):
    life, network = born(name=name, version=version)
    joined(life, network)
    for number in range(3):
        network.queue.append((7, b"down"))
        heard = life.exchange(network, life.uplink(10, bytes((number,)), confirmed=number == 1))
        assert outcomes(heard) == [("rx1", Received)]
        assert (heard[0].outcome.payload, heard[0].outcome.ack) == (b"down", number == 1)
        life.wait(600)
    assert network.uplinks == [(n, 10, bytes((n,))) for n in range(3)]


@pytest.mark.parametrize("version", ["1.0.3", "1.1"])
@pytest.mark.parametrize("name", ["EU868", "US915", "AS923", "CN470-20A"])
def test_rx2_is_heard_too_in_joins_and_after_uplinks(name, version):
    life, network = born(name=name, version=version)
    network.window = 2
    assert outcomes(life.exchange(network, life.join(1)))[0][0] == "rx2"
    network.rx["freq"] = life.device.mac.rx2_freq_hz
    assert outcomes(life.exchange(network, life.uplink(10, b"x", confirmed=True))) == [("rx2", Received)]


def test_a_1_1_device_says_rekey_ind_until_it_is_confirmed():
    life, network = born(version="1.1")
    joined(life, network)
    for _ in range(2):
        life.exchange(network, life.uplink(10, b"x"))
    network.fopts = req("RekeyConf", minor=1)
    for _ in range(2):
        life.exchange(network, life.uplink(10, b"x"))
    assert [octets.hex() for octets in network.commands] == ["0b01"] * 3 + [""]
    assert not life.device.must_join


def test_a_1_1_device_joins_anew_when_nobody_confirms_its_keys():
    life, network = born(version="1.1")
    assert life.device.must_join
    joined(life, network)
    for uplink in range(65):
        assert life.device.must_join is False, uplink
        life.exchange(network, life.uplink(10, b"x"))
    assert life.device.must_join


def test_a_1_1_device_has_a_1_0_session_where_the_network_is_1_0():
    life, network = born(version="1.1")
    network.opt_neg = False
    joined(life, network)
    heard = life.exchange(network, life.uplink(10, b"x", confirmed=True))
    assert (outcomes(heard), network.commands) == ([("rx1", Received)], [b""])


def test_a_1_1_abp_device_resets_its_radio_and_keeps_its_counters():
    life, network = alive(version="1.1")
    life.device.mac.rx1_delay_s = 1
    life.exchange(network, life.uplink(10, b"x"))
    network.fopts = req("ResetConf", minor=1)
    life.exchange(network, life.uplink(10, b"x"))
    life.exchange(network, life.uplink(10, b"x"))
    assert [octets.hex() for octets in network.commands] == ["0101", "0101", ""]
    assert [fcnt for fcnt, _, _ in network.uplinks] == [0, 1, 2]


def test_1_1_has_two_downlink_counters():
    life, network = born(version="1.1")
    joined(life, network)
    for number in range(4):
        network.queue = [(7, b"x")] if number % 2 else []
        network.fopts = req("DevStatusReq")
        assert outcomes(life.exchange(network, life.uplink(10, b"x"))) == [("rx1", Received)]
    session = life.device.session
    assert isinstance(session, Session11)
    assert (session.fcnt_down, session.afcnt_down) == (1, 1)


def test_an_ack_to_a_repetition_is_for_the_counter_of_the_uplink():
    life, network = born(version="1.1")
    joined(life, network)
    life.device.mac.nb_trans = 3
    network.silent = True
    receptions = life.uplink(10, b"x", confirmed=True)
    assert life.exchange(lambda _: [], receptions) == []  # three sendings without an answer
    network.silent = False
    again = life.uplink(10, b"y", confirmed=True)
    assert outcomes(life.exchange(network, again)) == [("rx1", Received)]


def test_a_1_1_frame_has_another_mic_on_another_channel():
    life, network = born(version="1.1")
    joined(life, network)
    life.device.mac.nb_trans = 3
    sent = [life.uplink(10, b"x")[0]]
    while (copies := life.repeat()) is not None:
        sent += copies
    assert len({reception.phy_payload[:-4] for reception in sent}) == 1
    assert len({reception.phy_payload for reception in sent}) == len({reception.freq_hz for reception in sent}) == 3
    for reception in sent:
        network([reception])  # which checks the MIC
    assert network.uplinks == [(0, 10, b"x")]


@pytest.mark.parametrize(
    ("version", "confirmed", "nb_trans", "sendings"),
    [
        ("1.0.3", False, 3, 3),
        ("1.0.3", True, 3, 8),  # its own retries
        ("1.0.4", True, 3, 3),
        ("1.1", True, 2, 2),
        ("1.1", False, 1, 1),
    ],
)
def test_sendings_of_an_unanswered_uplink(version, confirmed, nb_trans, sendings):
    life, _ = alive(version=version)
    life.device.mac.nb_trans = nb_trans
    life.uplink(10, b"x", confirmed)
    count = 1
    while life.repeat() is not None:
        count += 1
    assert count == sendings


@pytest.mark.parametrize(("confirmed", "sendings"), [(False, 1), (True, 5)])
def test_a_downlink_ends_repetition_but_a_confirmed_uplink_waits_for_its_ack(confirmed, sendings):
    life, network = alive()
    life.device.mac.nb_trans = 5
    receptions, count = life.uplink(10, b"x", confirmed), 0
    while receptions is not None:
        count += 1
        assert life.transmit(network.answer(network.downlink(), receptions[0])).accepted
        receptions = life.repeat()
    assert count == sendings


def test_mac_commands_reach_the_device_and_its_answers_the_network():
    life, network = alive()
    network.fopts = req("RXTimingSetupReq", delay=5) + req("DevStatusReq")
    life.exchange(network, life.uplink(10, b"a"))
    network.rx["delay"] = 5  # the uplink with the answer opens its windows after the new delay already
    assert outcomes(life.exchange(network, life.uplink(10, b"b", confirmed=True))) == [("rx1", Received)]
    names = [command.name for command in parse_commands(network.commands[1], uplink=True)[0]]
    assert names == ["RXTimingSetupAns", "DevStatusAns"]


def test_a_downlink_at_the_old_delay_meets_no_window():
    life, network = alive()
    life.device.mac.rx1_delay_s = 5
    heard = life.exchange(network, life.uplink(10, b"x", confirmed=True))
    assert {one.outcome for one in heard} == {Miss.NO_WINDOW}


def test_a_downlink_on_another_data_rate_is_not_heard():
    life, network = alive()
    network.rx["offset"] = 1
    heard = life.exchange(network, life.uplink(10, b"x", confirmed=True))
    assert {one.outcome for one in heard} == {Miss.WRONG_PARAMETERS}


def test_a_counter_sent_twice_is_seen_even_when_it_was_not_heard():
    life, network = alive()
    network.rx["offset"] = 1
    life.exchange(network, life.uplink(10, b"x", confirmed=True))
    network.fcnt_down, network.rx["offset"] = 0, 0
    network.fopts = req("DevStatusReq")
    (heard,) = life.exchange(network, life.uplink(10, b"x"))
    assert heard.outcome is Fault.FCNT_REUSED


def test_loss_is_drawn_copy_by_copy_then_downlink_by_downlink():
    life, network = alive(losing(True, False, True))
    assert life.uplink(10, b"x") == []
    assert life.repeat() is None
    (heard,) = life.exchange(network, life.uplink(10, b"y", confirmed=True))[:1]
    assert (heard.outcome, heard.fault) == (Miss.LOST, None)
    assert network.uplinks == [(1, 10, b"y")]


def test_tmst_wraps_and_gateways_restart():
    one = device()
    tower = Tower(GATEWAY, booted_us=0)
    life, network = Life(one, [tower], now_us=(1 << 32) - 500_000), Pair(one)
    one.personalise()
    network.activate()
    assert outcomes(life.exchange(network, life.uplink(10, b"x", confirmed=True))) == [("rx1", Received)]
    receptions = life.uplink(10, b"x", confirmed=True)
    tower.restart(life.now_us)
    (late,) = network(receptions)
    assert life.transmit(late) == TxOutcome(True), "a counter of before is a wrong time, not an error"
    assert outcomes(life.wait(5000)) == [(None, Miss.NO_WINDOW)]


def test_counters_roll_over_on_air_and_years_pass():
    life, network = alive()
    assert life.device.session is not None
    life.device.session.fcnt_up, network.fcnt_up = 0xFFFE, 0xFFFD
    network.fcnt_down = 0xFFFE
    life.device.session.fcnt_down = 0xFFFD
    for _ in range(4):
        life.wait(YEAR_S)
        assert outcomes(life.exchange(network, life.uplink(10, b"x", confirmed=True))) == [("rx1", Received)]
    assert [fcnt for fcnt, _, _ in network.uplinks] == [0xFFFE, 0xFFFF, 0x10000, 0x10001]
    assert life.device.session.fcnt_down == 0x10001


@pytest.mark.parametrize(("drift_ppm", "window"), [(1_000, "rx1"), (10_000, None), (-10_000, None)])
def test_a_drifting_clock_misses_its_windows(drift_ppm, window):
    life, network = alive(misbehaviour=Misbehaviour(clock_drift_ppm=drift_ppm))
    network.fopts = req("DevStatusReq")
    (heard,) = life.exchange(network, life.uplink(10, b"x"))
    assert heard.window == window


def test_device_time_sets_the_clock():
    life, network = alive()
    life.clock.set(0.0, life.gps_s)
    ask = encode_command("DeviceTimeReq", uplink=True)
    receptions = life.uplink(10, b"x", asks=ask)
    gps_ms = receptions[0].gps_time_ms
    assert gps_ms is not None
    network.fopts = req("DeviceTimeAns", gps_seconds=gps_ms // 1000, fraction_256=gps_ms % 1000 * 256 // 1000)
    life.exchange(network, receptions)
    assert life.clock.gps_s(life.gps_s) == pytest.approx(life.gps_s, abs=1 / 256 + 0.002)


def test_a_1_0_0_device_that_was_switched_off_says_nothing():
    life, network = alive(version="1.0.0")
    network.fopts = req("DutyCycleReq", max_duty_cycle=255)
    life.exchange(network, life.uplink(10, b"x"))
    assert life.uplink(10, b"x") == []


@pytest.mark.parametrize(("letter", "asks"), [("A", b""), ("B", bytes.fromhex("1000")), ("C", bytes.fromhex("2002"))])
def test_a_device_asks_for_its_class_again_when_its_radio_was_reset(letter, asks):
    life, network = alive(version="1.1")
    life.device.want_class(letter)
    confs = {
        "A": req("DeviceModeConf", **{"class": 0}),
        "B": req("PingSlotInfoAns"),
        "C": req("DeviceModeConf", **{"class": 2}),
    }
    network.fopts = confs[letter] + req("ResetConf", minor=1)
    for _ in range(2):
        life.exchange(network, life.uplink(10, b"x"))
    assert network.commands[1] == asks
    network.fopts = confs[letter]
    life.exchange(network, life.uplink(10, b"x"))
    assert life.device.mac.device_class == letter


# Rejoins


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (1, 0), (2, 2)])
def test_a_forced_rejoin_is_sent_and_granted(asked, sent):
    life, network = born(version="1.1")
    joined(life, network)
    network.fopts = req("ForceRejoinReq", period=0, max_retries=1, rejoin_type=asked, dr=2)
    network.fopts += req("RXTimingSetupReq", delay=4)
    life.exchange(network, life.uplink(10, b"x"))
    receptions = life.due_rejoin()
    assert receptions is not None
    assert (receptions[0].phy_payload[:2], life.last.dr) == (bytes((0xC0, sent)), 2)
    (heard,) = life.exchange(network, receptions)
    assert isinstance(heard.outcome, JoinAccept)
    assert life.device.mac.rx1_delay_s == (4 if sent == 2 else 1), "type 2 changes the keys alone"
    assert life.due_rejoin() is None
    network.rx["delay"] = life.device.mac.rx1_delay_s
    assert outcomes(life.exchange(network, life.uplink(10, b"x", confirmed=True))) == [("rx1", Received)]


def test_an_unanswered_rejoin_leaves_the_session_as_it_was():
    life, network = born(version="1.1")
    joined(life, network)
    network.silent = True
    assert life.exchange(network, life.rejoin(0)) == []
    network.silent = False
    assert outcomes(life.exchange(network, life.uplink(10, b"x", confirmed=True))) == [("rx1", Received)]


def test_a_1_0_session_has_no_rejoin():
    life, _ = alive()
    with pytest.raises(ValueError, match=r"^device [0-9a-f]{16} has no session of lorawan 1\.1 to rejoin from$"):
        life.rejoin(0)


# Classes B and C


def unasked(network: Pair, phy: bytes, listens: tuple[int, Modulation], gps_time_ms: int | None = None) -> Transmission:
    return Transmission(phy, GATEWAY, *listens, 14.0, None, gps_time_ms=gps_time_ms)


def test_class_c_hears_at_any_time_on_rx2():
    life, network = alive()
    life.device.want_class("C")
    life.wait(1000)
    listens = life.device.classes.continuous()
    assert listens is not None
    assert life.transmit(unasked(network, network.downlink(7, b"now"), listens)).accepted
    (heard,) = life.wait(5)
    assert (heard.window, heard.outcome.payload) == ("class_c", b"now")
    assert life.transmit(unasked(network, network.downlink(7, b"rx1"), (868_100_000, listens[1]))).accepted
    assert outcomes(life.wait(1)) == [(None, Miss.WRONG_PARAMETERS)]


def test_class_c_hears_nothing_while_it_sends():
    life, network = alive()
    life.device.want_class("C")
    listens = life.device.classes.continuous()
    assert listens is not None
    life.device.mac.data_rate = 0  # 1.5 s on the air
    life.device.adr = False
    assert life.transmit(unasked(network, network.downlink(7, b"now"), listens)).accepted
    life.uplink(10, b"x")
    assert outcomes(life.heard) == [(None, Miss.NO_WINDOW)]


def test_class_a_hears_nothing_between_its_uplinks():
    life, network = alive()
    listens = (869_525_000, region("EU868").downlink_modulation(0))
    assert life.transmit(unasked(network, network.downlink(7, b"now"), listens)).accepted
    assert outcomes(life.wait(1)) == [(None, Miss.NO_WINDOW)]


def in_class_b(periodicity: int = 3, misbehaviour: Misbehaviour = HONEST) -> tuple[Life, Pair]:
    life, network = alive(misbehaviour=misbehaviour)
    life.device.want_class("B", periodicity)
    network.fopts = req("PingSlotInfoAns")
    life.exchange(network, life.uplink(10, b"x"))
    assert life.device.mac.device_class == "B"
    return life, network


def slot(life: Life, network: Pair, after_s: float, periodicity: int = 3) -> int:
    return next_ping_slot_gps_ms((life.gps_s + after_s) * 1000, network.dev_addr, periodicity)


def test_class_b_hears_in_its_ping_slots():
    life, network = in_class_b()
    assert life.uplink(10, b"x")[0].phy_payload[5] & 0x10, "the ClassB bit"
    life.listen()
    listens = (869_525_000, region("EU868").downlink_modulation(3))
    for off_ms in (0, 11):
        at_ms = slot(life, network, 20) + off_ms
        assert life.transmit(unasked(network, network.downlink(7, b"slot"), listens, at_ms)).accepted
        life.wait(60)
    assert outcomes(life.heard[-2:]) == [("ping", Received), (None, Miss.NO_WINDOW)]


def test_class_b_ends_when_beacons_are_lost_for_two_hours():
    life, _ = in_class_b()
    life.beacons = False
    life.wait(7000)
    assert life.device.mac.device_class == "B"
    life.wait(500)
    assert life.device.mac.device_class == "A"
    assert not life.uplink(10, b"x")[0].phy_payload[5] & 0x10
    life.beacons = True
    life.wait(128)
    assert life.device.mac.device_class == "B", "the network knows its slots still"


def test_a_drifting_clock_misses_ping_slots_when_beacons_stay_away():
    life, network = in_class_b(misbehaviour=Misbehaviour(clock_drift_ppm=20.0))
    listens = (869_525_000, region("EU868").downlink_modulation(3))
    windows = []
    for beacons in (True, False):
        life.beacons = beacons
        life.wait(3600)
        at_ms = slot(life, network, 5)
        assert life.transmit(unasked(network, network.downlink(7, b"slot"), listens, at_ms)).accepted
        windows += [heard.window for heard in life.wait(120)]
    assert windows == ["ping", None]


def multicast(group: Group, keys: tuple[bytes, bytes], fcnt: int) -> bytes:
    address = dev_addr_le(group.mc_addr)
    payload = PayloadCipher(keys[1]).apply(b"all", address, fcnt, DOWN)
    message = build_data(MType.UNCONFIRMED_DOWN, group.mc_addr, 0, fcnt, b"", 9, payload)
    return message + DataMic(keys[0]).mic(message, address, fcnt, DOWN)


@pytest.mark.parametrize("periodicity", [None, 4])
def test_a_group_is_heard_where_and_when_it_listens(periodicity):
    life, network = alive()
    keys = b"n" * 16, b"a" * 16
    group = life.device.groups["11223344"] = Group("11223344", keys)
    listens = (869_525_000, region("EU868").downlink_modulation(3))
    for fcnt, (where, at_s) in enumerate([(None, 10), (listens, 100), (listens, 200)]):
        group.listens, group.periodicity = where, periodicity
        at_ms = slot_of(life, group.mc_addr, at_s, periodicity) if periodicity else round((life.gps_s + 9) * 1000)
        phy = multicast(group, keys, fcnt)
        assert life.transmit(unasked(network, phy, listens, at_ms + (7 if fcnt == 2 else 0))).accepted
        life.wait(500)
    last = ("group", Received) if periodicity is None else (None, Miss.NO_WINDOW)
    assert outcomes(life.heard) == [(None, Miss.NO_WINDOW), ("group", Received), last]


def slot_of(life: Life, addr: str, after_s: float, periodicity: int) -> int:
    beacon = int(life.gps_s + after_s) // 128 * 128
    return ping_slots_gps_ms(beacon + 128, addr, periodicity)[0]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(VERSIONS)),
    st.lists(st.booleans(), min_size=1, max_size=40),
    st.lists(st.tuples(st.booleans(), st.sampled_from(["", "RXTimingSetupReq", "DevStatusReq", "app"])), max_size=12),
)
def test_whatever_is_lost_counters_go_up_and_no_frame_is_taken_twice(version, pattern, steps):
    life, network = alive(cycle((*pattern, False)).__next__, version=version)
    for confirmed, sends in steps:
        if sends == "app":
            network.queue.append((7, b"x"))
        elif sends:
            network.fopts = req(sends, **({"delay": 1} if sends == "RXTimingSetupReq" else {}))
        life.exchange(network, life.uplink(10, b"x", confirmed))
    fcnts = [fcnt for fcnt, _, _ in network.uplinks]
    assert fcnts == sorted(set(fcnts))
    assert not [heard for heard in life.heard if isinstance(heard.outcome, Fault) or heard.fault]
    assert {heard.window for heard in life.heard} <= {"rx1", None}
    assert life.now_us == pytest.approx(life.now_us)
    assert gps_from_unix(life.now_us / 1e6) == life.gps_s
