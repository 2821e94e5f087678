"""What becomes of packets in a sound body."""

import msgspec

from tests.gateways.packets import CUT_HZ, HEARD, push, rxpk


def test_antennas_without_snr_are_told_apart_by_rssi() -> None:
    message = push(f'{{"rxpk":[{rxpk(rsig=[{"ant": 0}, {"ant": 1, "rssic": -70}, {"ant": 2, "rssic": -90}])}]}}')
    assert [reception.antenna for reception in message.receptions] == [1]


def test_a_packet_without_counter_is_heard() -> None:
    message = push(f'{{"rxpk":[{rxpk(tmst=None)}]}}')
    assert message.receptions == [msgspec.structs.replace(HEARD, tmst_us=None)]


def test_frequencies_are_rounded_not_cut() -> None:
    message = push(f'{{"rxpk":[{rxpk(freq=CUT_HZ / 1e6)}]}}')
    assert message.receptions[0].freq_hz == CUT_HZ
    assert int(1e6 * (CUT_HZ / 1e6)) == CUT_HZ - 1


def test_each_modulation_is_one_object() -> None:
    first, second = push(f'{{"rxpk":[{rxpk()},{rxpk()}]}}').receptions
    assert first.modulation is second.modulation


def test_nanoseconds_are_rounded_to_the_next_second() -> None:
    message = push(f'{{"rxpk":[{rxpk(time="2024-02-29T23:59:59.999999999Z")}]}}')
    assert message.receptions[0].gateway_time_us == 1_709_251_200_000_000
