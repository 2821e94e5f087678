import pytest

from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region
from lns.mac.frames import Transmission
from lns.mac.slots import Clock, Slot, Tuning, tuning

CLOCK = Clock(1000.0, 1_700_000_000_000_000)
GPS_MS = 1_384_035_218_000  # the same instant


def test_three_clocks_name_one_instant():
    assert CLOCK.at_utc(1_700_000_002_500_000) == 1002.5
    assert CLOCK.utc_us_at(1002.5) == 1_700_000_002_500_000
    assert CLOCK.gps_ms(1002.5) == GPS_MS + 2500
    assert CLOCK.at_gps(GPS_MS + 2500) == pytest.approx(1002.5, abs=1e-6)


def test_a_gps_time_is_never_earlier_than_asked():
    assert CLOCK.gps_ms(1000.0004) == GPS_MS + 1


def test_a_tuning_knows_what_fits_and_how_loud():
    assert tuning(region("EU868"), 869_525_000, 0) == Tuning(869_525_000, 0, Lora(12, 125_000), 59, 27.0)


def test_a_data_rate_that_the_dwell_time_forbids_has_no_room():
    as923 = region("AS923-1")
    assert tuning(as923, as923.rx2_freq_hz, 0, dwell=True).room == 0


def test_a_slot_is_sent_at_its_gps_time_or_at_once():
    at = tuning(region("EU868"), 869_525_000, 0)
    frame = Slot("ping", "g", 5.0, at, 1002.5, GPS_MS + 2500).transmission(b"x")
    assert frame == Transmission(b"x", "g", 869_525_000, Lora(12, 125_000), 27.0, None, gps_time_ms=GPS_MS + 2500)
    assert Slot("class_c", "g", 5.0, at, 1002.5).transmission(b"x").gps_time_ms is None
