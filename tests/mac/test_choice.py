from pathlib import Path

import msgspec
import pytest

from lns.lorawan.airtime import airtime_us
from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region
from lns.mac import downlink
from lns.mac.airplan import AirPlan
from lns.mac.choice import Cause, Chooser, GatewayFacts, Need, Refusals, decide_at, fallback
from lns.mac.ledger import ANSWER_SHARE, APPLICATION_SHARE, HOUR_US, Ledger, band_of
from lns.mac.slots import Slot, tuning
from tests.mac.build import reception, session

EU868 = region("EU868")
ENDED_AT = 100.0
OCTETS = 30
RX1_AIRTIME_US = airtime_us(Lora(7, 125_000), OCTETS, False)
RX1_BAND, RX2_BAND = band_of(EU868, 868_100_000), band_of(EU868, 869_525_000)
NEED = Need(EU868, OCTETS, ANSWER_SHARE, ENDED_AT)


def eui(gateway):
    return f"{gateway:016x}"


def chooser():
    return Chooser(Ledger(), AirPlan())


def windows(*snrs_db, dr=5):
    """RX1 and RX2 on gateways 1, 2, …, each hearing the device with that SNR."""
    heard = [reception(b"x", number, snr_db=snr) for number, snr in enumerate(snrs_db, 1)]
    return downlink.data_windows(EU868, session(), heard, dr)


def order(made, choose=None, need=NEED, now=ENDED_AT + 0.3, facts=None):
    known = {eui(number): fact for number, fact in (facts or {}).items()}
    return (choose or chooser()).order(made, need, known, now)


def names(ordered):
    return [(w.name, int(w.reception.gateway_eui, 16)) for w in ordered.chances]


def blocked(ordered):
    return [(b.cause, b.window, int(b.gateway_eui, 16), b.text) for b in ordered.blocked]


def test_rx1_goes_before_rx2_and_the_gateway_that_hears_best_before_others():
    assert names(order(windows(-3.0, 5.0, 1.0))) == [
        ("rx1", 2), ("rx1", 3), ("rx1", 1), ("rx2", 2), ("rx2", 3), ("rx2", 1)
    ]  # fmt: skip


def test_beyond_20_db_of_margin_a_better_link_is_worth_nothing():
    facts = {1: GatewayFacts(0.05), 2: GatewayFacts(0.01)}
    assert names(order(windows(14.0, 12.5), facts=facts))[0] == ("rx1", 2)
    assert names(order(windows(12.0, 9.0), facts=facts))[0] == ("rx1", 1)


@pytest.mark.parametrize(
    ("weaker_by_db", "fact", "first"),
    [
        (5, GatewayFacts(0.0, 1.0), 2),  # one refusal of late costs 6 dB
        (7, GatewayFacts(0.0, 1.0), 1),
        (2, GatewayFacts(0.3), 2),  # 300 ms cost 3 dB
        (4, GatewayFacts(0.3), 1),
    ],
)
def test_refusals_and_a_long_round_trip_count_as_db(weaker_by_db, fact, first):
    assert names(order(windows(5.0, 5.0 - weaker_by_db), facts={1: fact}))[0] == ("rx1", first)


@pytest.mark.parametrize(("weaker_by_db", "first"), [(5, 2), (7, 1)])
def test_a_half_used_sub_band_costs_6_db(weaker_by_db, first):
    choose = chooser()
    choose.ledger.book(eui(1), RX1_BAND, HOUR_US // 200, ENDED_AT, ENDED_AT)
    assert names(order(windows(5.0, 5.0 - weaker_by_db), choose))[0] == ("rx1", first)


def test_a_window_without_airtime_is_left_out_with_the_numbers():
    choose = chooser()
    choose.ledger.book(eui(1), RX1_BAND, HOUR_US // 100 - 50_000, ENDED_AT, ENDED_AT)
    ordered = order(windows(5.0), choose)
    assert names(ordered) == [("rx2", 1)]
    text = "the frame takes 67 ms, 50 ms of this hour are left in 868 to 868.6 MHz"
    assert RX1_AIRTIME_US == 66_816
    assert blocked(ordered) == [(Cause.NO_AIRTIME, "rx1", 1, text)]


def test_application_data_stops_where_an_answer_may_still_go():
    choose = chooser()
    choose.ledger.book(eui(1), RX1_BAND, int(HOUR_US * 0.01 * 0.8), ENDED_AT, ENDED_AT)
    application = msgspec.structs.replace(NEED, share=APPLICATION_SHARE)
    assert names(order(windows(5.0), choose, application)) == [("rx2", 1)]
    assert names(order(windows(5.0), choose)) == [("rx1", 1), ("rx2", 1)]


def test_a_gateway_that_cannot_be_told_in_time_is_not_asked():
    facts = {1: GatewayFacts(0.6), 2: GatewayFacts(0.02)}
    ordered = order(windows(9.0, -3.0), now=ENDED_AT + 0.5, facts=facts)
    assert names(ordered) == [("rx1", 2), ("rx2", 2), ("rx2", 1)]
    text = "150 ms too late: it opens in 500 ms, 650 ms are needed"
    assert blocked(ordered) == [(Cause.LATE, "rx1", 1, text)]


def test_a_window_that_has_passed_says_since_when():
    ordered = order(windows(9.0), now=ENDED_AT + 1.1)
    assert blocked(ordered)[0][3] == "150 ms too late: it opens in -100 ms, 50 ms are needed"


def test_a_gateway_that_sends_something_else_then_is_not_asked():
    choose = chooser()
    choose.plan.reserve(eui(1), ENDED_AT + 0.98, ENDED_AT + 1.03, ENDED_AT)
    ordered = order(windows(5.0), choose)
    assert names(ordered) == [("rx2", 1)]
    text = "the gateway sends another frame until 30 ms after it opens"
    assert blocked(ordered) == [(Cause.BUSY, "rx1", 1, text)]


def test_rx2_is_used_when_the_frame_is_too_long_for_rx1():
    owner = session()
    owner.rx2_dr = 5
    made = downlink.data_windows(EU868, owner, [reception(b"x", modulation=Lora(12, 125_000))], 0)
    ordered = order(made, need=msgspec.structs.replace(NEED, octets=100))
    assert names(ordered) == [("rx2", 1)]
    assert blocked(ordered) == [(Cause.TOO_LONG, "rx1", 1, "macpayload is 95 octets, 59 fit at dr 0")]


def test_booking_takes_airtime_and_time_and_giving_back_returns_both():
    choose, (rx1, rx2) = chooser(), windows(5.0)
    booking = choose.book_window(rx1, NEED, ENDED_AT)
    assert (booking.start, booking.end) == (ENDED_AT + 1, ENDED_AT + 1 + RX1_AIRTIME_US / 1e6)
    assert choose.ledger.left_us(eui(1), RX1_BAND, ANSWER_SHARE, ENDED_AT) == HOUR_US / 100 - RX1_AIRTIME_US
    assert names(order([rx1, rx2], choose)) == [("rx2", 1)]
    choose.give_back(booking, ENDED_AT)
    assert choose.ledger.left_us(eui(1), RX1_BAND, ANSWER_SHARE, ENDED_AT) == HOUR_US / 100
    assert names(order([rx1, rx2], choose)) == [("rx1", 1), ("rx2", 1)]


def test_slots_need_half_a_round_trip_and_go_by_time():
    at = tuning(EU868, 869_525_000, 0)
    slots = [
        Slot("ping", eui(1), 5.0, at, 10.0),
        Slot("ping", eui(2), 5.0, at, 9.0),
        Slot("ping", eui(3), 5.0, at, 8.3),
    ]
    facts = {eui(3): GatewayFacts(0.6)}
    choose = chooser()
    ordered = choose.order_slots(slots, NEED, facts, 8.0)
    assert [slot.gateway_eui for slot in ordered.chances] == [eui(2), eui(1)]
    assert blocked(ordered) == [(Cause.LATE, "ping", 3, "50 ms too late: it opens in 300 ms, 350 ms are needed")]
    booking = choose.book_slot(slots[1], NEED, 8.0)
    assert (booking.band, booking.start) == (RX2_BAND, 9.0)
    assert [slot.start for slot in choose.order_slots(slots[:2], NEED, {}, 8.0).chances] == [10.0]


def test_after_a_refusal_the_same_window_is_tried_elsewhere_first():
    made = windows(5.0, 4.0, 3.0)
    left = [w for w in order(made).chances if (w.name, w.reception.gateway_eui) != ("rx1", eui(1))]
    assert [(w.name, int(w.reception.gateway_eui, 16)) for w in fallback(left, eui(1))] == [
        ("rx1", 2), ("rx1", 3), ("rx2", 2), ("rx2", 3), ("rx2", 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("round_trips_s", "decided_at"),
    [
        ((0.0,), 10.8),  # 150 ms of margin, 50 ms that forwarders want
        ((0.04,), 10.76),
        ((0.04, 0.03), 10.73),  # time to ask the second one after a refusal
        ((0.04, 0.9, 0.9), 10.56),  # but a slow one does not make everybody early
    ],
)
def test_the_decision_is_as_late_as_the_gateways_allow(round_trips_s, decided_at):
    facts = [GatewayFacts(round_trip) for round_trip in round_trips_s]
    assert decide_at(11.0, facts, 0.15) == pytest.approx(decided_at)


def test_refusals_fade_by_half_a_minute_wise():
    refusals = Refusals()
    assert refusals.recent("g", 0.0) == 0
    refusals.refused("g", 0.0)
    refusals.refused("g", 0.0)
    assert [refusals.recent("g", now) for now in (0.0, 60.0, 120.0)] == [2.0, 1.0, 0.5]
    refusals.refused("g", 60.0)
    assert refusals.recent("g", 60.0) == 2.0
    refusals.forget("g")
    assert refusals.recent("g", 60.0) == 0


def test_every_cause_is_documented():
    document = (Path(__file__).parents[2] / "docs" / "downlinks.md").read_text("utf-8")
    assert [cause for cause in Cause if f"`downlink_{cause}`" not in document] == []
