"""A gateway in memory: its counter, its time and its refusals."""

import pytest

from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region
from lns.mac.frames import Transmission, TxOutcome
from simulators.tower import OnAir, Sending, Tower

NOW_US = 1_767_225_600_000_000
EUI = "00000000000000aa"
CHANNEL = region("EU868").uplink_channels[0]


def transmission(tmst_us: int | None = None, gps_time_ms: int | None = None) -> Transmission:
    return Transmission(bytes(12), EUI, 868_100_000, Lora(7, 125_000), 14.0, tmst_us, gps_time_ms=gps_time_ms)


def test_what_it_hears_has_its_counter_and_gps_time():
    sending = Sending(b"x", CHANNEL, 5, Lora(7, 125_000), NOW_US, False)
    heard = Tower(EUI, booted_us=NOW_US - (1 << 32) - 5, snr_db=3.0).hear(sending)
    assert (heard.tmst_us, heard.gps_time_ms) == (5, round(gps_from_unix(NOW_US / 1e6) * 1000))
    assert (heard.gateway_eui, heard.freq_hz, heard.snr_db, heard.received_at_us) == (EUI, 868_100_000, 3.0, NOW_US)
    assert Tower(EUI, has_gps=False).hear(sending).gps_time_ms is None


def starts(tower: Tower, what: Transmission) -> int:
    queued = tower.offer(what, NOW_US)
    assert isinstance(queued, OnAir)
    return queued.start_us - NOW_US


def test_a_downlink_starts_when_it_was_told_to():
    assert starts(Tower(EUI, NOW_US - 1000), transmission(1_001_000)) == 1_000_000
    assert starts(Tower(EUI, NOW_US - 0xFFFF_FFFF), transmission(999_999)) == 1_000_000, "the counter wraps"
    gps_ms = round(gps_from_unix(NOW_US / 1e6) * 1000) + 5000
    assert starts(Tower(EUI), transmission(gps_time_ms=gps_ms)) == 5_000_000
    assert 0 < starts(Tower(EUI), transmission()) < 100_000


@pytest.mark.parametrize(
    ("tower", "what", "error"),
    [
        (Tower(EUI, NOW_US), transmission(10_000), "TOO_LATE"),
        (Tower(EUI, NOW_US - 10_000), transmission(0), "TOO_EARLY"),  # it is past
        (Tower(EUI, has_gps=False), transmission(gps_time_ms=1), "GPS_UNLOCKED"),
    ],
)
def test_refusals_are_those_of_the_forwarder(tower, what, error):
    assert tower.offer(what, NOW_US) == TxOutcome(False, error)


def test_one_transmitter_sends_one_frame_at_a_time_and_a_restart_forgets_them():
    tower = Tower(EUI, NOW_US)
    assert isinstance(tower.offer(transmission(1_000_000), NOW_US), OnAir)
    assert tower.offer(transmission(1_000_000), NOW_US) == TxOutcome(False, "COLLISION_PACKET")
    tower.restart(NOW_US)
    assert isinstance(tower.offer(transmission(1_000_000), NOW_US), OnAir)
