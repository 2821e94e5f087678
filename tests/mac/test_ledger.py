import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.regions import region
from lns.mac.ledger import ANSWER_SHARE, APPLICATION_SHARE, BandUse, Ledger, band_of

EU868 = region("EU868")
BAND = band_of(EU868, 868_100_000)  # 1 %: 36 s an hour
RX2_BAND = band_of(EU868, 869_525_000)  # 10 %
GATEWAY = "0000000000000001"
SECOND_US = 1_000_000


def left_s(ledger, now, share=ANSWER_SHARE, gateway=GATEWAY, band=BAND):
    return ledger.left_us(gateway, band, share, now) / SECOND_US


def test_every_band_of_every_gateway_has_its_own_hour():
    ledger = Ledger()
    ledger.book(GATEWAY, BAND, 6 * SECOND_US, 100.0, 100.0)
    assert left_s(ledger, 100.0) == 30
    assert left_s(ledger, 100.0, band=RX2_BAND) == 360
    assert left_s(ledger, 100.0, gateway="0000000000000002") == 36


def test_the_last_fifth_is_kept_for_join_accepts_and_answers():
    ledger = Ledger()
    ledger.book(GATEWAY, BAND, int(28.8 * SECOND_US), 0.0, 0.0)
    assert left_s(ledger, 0.0, APPLICATION_SHARE) == pytest.approx(0)
    assert left_s(ledger, 0.0, ANSWER_SHARE) == pytest.approx(7.2)


@pytest.mark.parametrize(("later_s", "left"), [(3540, 35), (3599, 35), (3660, 36), (1e6, 36)])
def test_airtime_comes_back_after_an_hour_and_at_most_a_minute(later_s, left):
    ledger = Ledger()
    ledger.book(GATEWAY, BAND, SECOND_US, 59.0, 59.0)
    assert left_s(ledger, 59.0 + later_s) == left


def test_a_refused_frame_is_refunded_once_it_was_booked():
    ledger = Ledger()
    ledger.refund(GATEWAY, BAND, SECOND_US, 10.0, 10.0)
    ledger.book(GATEWAY, BAND, 2 * SECOND_US, 10.0, 10.0)
    ledger.refund(GATEWAY, BAND, 2 * SECOND_US, 10.0, 70.0)
    ledger.refund(GATEWAY, BAND, 2 * SECOND_US, 10.0, 70.0)
    assert left_s(ledger, 70.0) == 36


def test_what_is_planned_ahead_counts_at_once_and_for_an_hour_from_then():
    ledger = Ledger()
    ledger.book(GATEWAY, BAND, SECOND_US, 125.0, 1.0)
    assert left_s(ledger, 1.0) == 35
    assert left_s(ledger, 125.0 + 3600) == 35
    assert left_s(ledger, 125.0 + 3660) == 36


def test_a_band_without_duty_cycle_is_counted_and_never_full():
    us915 = region("US915")
    band = band_of(us915, 923_300_000)
    ledger = Ledger()
    ledger.book(GATEWAY, band, 400_000, 0.0, 0.0)
    assert ledger.left_us(GATEWAY, band, APPLICATION_SHARE, 0.0) > 3000 * SECOND_US
    shown = ledger.shown(GATEWAY, us915, 0.0)
    assert shown[us915.bands.index(band)] == BandUse(band.min_hz, band.max_hz, 1.0, 400.0, None, None)


def test_people_see_what_is_used_and_left_in_ms_never_below_zero():
    ledger = Ledger()
    ledger.book(GATEWAY, BAND, 30 * SECOND_US, 0.0, 0.0)
    used = {use.min_hz: use for use in ledger.shown(GATEWAY, EU868, 0.0)}
    assert len(used) == len(EU868.bands)
    assert used[BAND.min_hz] == BandUse(BAND.min_hz, BAND.max_hz, 0.01, 30_000.0, 6_000.0, 0.0)
    assert used[RX2_BAND.min_hz] == BandUse(RX2_BAND.min_hz, RX2_BAND.max_hz, 0.1, 0.0, 360_000.0, 288_000.0)


def test_a_removed_gateway_is_forgotten():
    ledger = Ledger()
    ledger.book(GATEWAY, BAND, SECOND_US, 0.0, 0.0)
    ledger.forget(GATEWAY)
    assert left_s(ledger, 0.0) == 36


def test_a_frequency_outside_the_bands_has_none():
    with pytest.raises(ValueError) as refused:
        band_of(EU868, 915_000_000)
    assert str(refused.value) == "EU868 has no band at 915000000 Hz"


@given(st.lists(st.tuples(st.floats(0, 900), st.integers(1, 3_000_000)), max_size=60), st.floats(0, 4000))
def test_the_ledger_never_shows_less_than_the_true_hour_nor_what_is_older_than_61_minutes(steps, wait_s):
    ledger, now, sent = Ledger(), 0.0, []
    for pause_s, airtime_us in steps:
        now += pause_s
        ledger.book(GATEWAY, BAND, airtime_us, now, now)
        sent.append((now, airtime_us))
    now += wait_s
    used = 36 * SECOND_US - ledger.left_us(GATEWAY, BAND, ANSWER_SHARE, now)
    assert used >= sum(us for at, us in sent if at > now - 3600)
    assert used <= sum(us for at, us in sent if at > now - 3660)
