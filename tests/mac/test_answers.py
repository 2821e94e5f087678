import msgspec
import pytest

from lns.lorawan.commands import parse_commands
from lns.lorawan.modulation import Lora
from lns.mac.answers import answer, end_of_uplink_gps_s
from tests.mac.build import reception

NOW_US = 1_700_000_000_000_000  # as build.reception has it
GPS_S = 1_384_035_218  # tests/vectors/lorawan.json, pub-gps_time-005


def asked(octets, *heard, **more):
    commands, _ = parse_commands(octets, uplink=True)
    answers, _ = parse_commands(answer(commands, heard or [reception(b"x")], **more), uplink=False)
    return [(one.name, one.fields) for one in answers]


def seen(gateway, after_ms=0, gps_time_ms=None):
    """A copy that reached the server so much later than the first."""
    heard = reception(b"x", gateway, gps_time_ms=gps_time_ms)
    return msgspec.structs.replace(heard, received_at_us=NOW_US + 1000 * after_ms)


def test_link_check_tells_margin_above_the_floor_and_gateways_not_antennas():
    heard = [reception(b"x", g, snr_db=2.6, modulation=Lora(10, 125_000)) for g in (1, 2, 2)]
    assert asked(b"\x02", *heard) == [("LinkCheckAns", {"margin": 17, "gw_cnt": 2})]


@pytest.mark.parametrize(("snr_db", "margin"), [(-9.0, 0), (None, 0), (300.0, 254)])
def test_the_margin_stays_within_its_octet(snr_db, margin):
    assert asked(b"\x02", reception(b"x", snr_db=snr_db))[0][1]["margin"] == margin


def test_device_time_is_the_gateways_gps_time_of_the_end_of_the_uplink():
    heard = [seen(1), seen(2, 80, gps_time_ms=GPS_S * 1000 - 250)]
    assert asked(b"\x0d", *heard) == [("DeviceTimeAns", {"gps_seconds": GPS_S - 1, "fraction_256": 192})]


def test_without_gps_it_is_the_servers_first_sight_of_any_copy():
    assert end_of_uplink_gps_s([seen(1, 80), seen(2, 30)]) == pytest.approx(GPS_S + 0.03)
    assert asked(b"\x0d", seen(1)) == [("DeviceTimeAns", {"gps_seconds": GPS_S, "fraction_256": 0})]


def test_the_known_way_from_a_gateway_is_taken_off():
    one_way_s = {seen(1).gateway_eui: 0.3, seen(2).gateway_eui: 0.01}
    assert end_of_uplink_gps_s([seen(1, 310), seen(2, 30)], one_way_s) == pytest.approx(GPS_S + 0.01)
    assert asked(b"\x0d", seen(1, 300), one_way_s={seen(1).gateway_eui: 0.25})[0][1]["fraction_256"] == 12


@pytest.mark.parametrize("off_s", [-1024 * 7 * 86_400, 1024 * 7 * 86_400, 3600])
def test_a_gps_time_far_from_the_servers_is_not_believed(off_s):
    heard = [seen(1, gps_time_ms=(GPS_S + off_s) * 1000), seen(2, gps_time_ms=GPS_S * 1000 + 500)]
    assert end_of_uplink_gps_s(heard) == GPS_S + 0.5
    assert end_of_uplink_gps_s(heard[:1]) == GPS_S


def test_both_answers_go_in_the_order_of_their_cids_and_once_each():
    assert [name for name, _ in asked(b"\x0d\x02\x0d")] == ["LinkCheckAns", "DeviceTimeAns"]


def test_other_commands_are_not_answered_here():
    assert answer(parse_commands(b"\x04", uplink=True)[0], [reception(b"x")]) == b""
