import pytest

from lns.lorawan.airtime import airtime_us, fsk_airtime_us, lora_airtime_us, lr_fhss_airtime_us
from lns.lorawan.modulation import Fsk, Lora, LrFhss
from tests.lorawan import vectors

_LORA = ("sf", "bw_hz", "coding_rate", "preamble", "explicit_header", "crc")
_FSK = ("bitrate_bps", "preamble_octets", "sync_octets", "length_octet", "crc_octets")


@pytest.mark.parametrize("vector", vectors.of("time_on_air", modulation="LORA"), ids=vectors.name)
def test_lora_airtime(vector: dict) -> None:
    arguments = {key: vector[key] for key in _LORA}
    low = vector["low_dr_optimize"]
    assert lora_airtime_us(vector["phy_payload_len"], **arguments, low_dr_optimize=low) == vector["time_us"]
    assert lora_airtime_us(vector["phy_payload_len"], **arguments) == vector["time_us"]


@pytest.mark.parametrize("vector", vectors.of("time_on_air", modulation="FSK"), ids=vectors.name)
def test_fsk_airtime(vector: dict) -> None:
    assert fsk_airtime_us(vector["phy_payload_len"], *(vector[key] for key in _FSK)) == vector["time_us"]


@pytest.mark.parametrize(
    ("sf", "bw_hz", "optimized"),
    [(11, 125_000, True), (10, 125_000, False), (12, 250_000, True), (11, 250_000, False), (12, 500_000, False)],
)
def test_low_data_rate_is_optimized_from_16_ms_a_symbol(sf: int, bw_hz: int, optimized: bool) -> None:
    assert lora_airtime_us(51, sf, bw_hz) == lora_airtime_us(51, sf, bw_hz, low_dr_optimize=optimized)
    assert lora_airtime_us(51, sf, bw_hz) != lora_airtime_us(51, sf, bw_hz, low_dr_optimize=not optimized)


def test_empty_frame_with_implicit_header_is_preamble_and_eight_symbols() -> None:
    # (8 + 4.25 + 8) symbols of 2**12 / 125 kHz; the payload part of the formula is negative
    assert lora_airtime_us(0, 12, 125_000, explicit_header=False, crc=False) == 663_552


def test_frame_airtime_by_modulation_and_direction() -> None:
    up = next(v for v in vectors.of("time_on_air", modulation="LORA") if v["preamble"] == 8 and v["crc"])
    lora = Lora(up["sf"], up["bw_hz"], up["coding_rate"])
    assert airtime_us(lora, up["phy_payload_len"], uplink=True) == up["time_us"]
    (down,) = vectors.of("time_on_air", crc=False)
    assert airtime_us(Lora(down["sf"], down["bw_hz"]), down["phy_payload_len"], uplink=False) == down["time_us"]
    (fsk,) = vectors.of("time_on_air", modulation="FSK")
    assert airtime_us(Fsk(fsk["bitrate_bps"]), fsk["phy_payload_len"], uplink=True) == fsk["time_us"]


# A header lasts 233.472 ms, a hop of 48 bits 102.4 ms, the last hop only as long as its bits and 2 more. 23 octets are
# (23 + 2) * 8 + 6 bits before coding: at 1/3 12 hops and 42 bits, at 2/3 6 hops and 21 bits.
@pytest.mark.parametrize(
    ("coding_rate", "time_us"),
    [("1/3", 3 * 233_472 + 12 * 102_400 + 44 * 2_048), ("2/3", 2 * 233_472 + 6 * 102_400 + 23 * 2_048)],
)
def test_airtime_of_lr_fhss_is_headers_and_hops(coding_rate: str, time_us: int) -> None:
    assert lr_fhss_airtime_us(23, coding_rate) == time_us
    assert airtime_us(LrFhss(137_000, coding_rate), 23, uplink=True) == time_us
    assert airtime_us(LrFhss(1_523_000, coding_rate, 8), 23, uplink=True) == time_us


def test_each_further_hop_of_lr_fhss_costs_two_bits_more() -> None:
    # coded bits of 0, 1 and 2 octets at 1/3: 66 and 90 take two hops, 114 take three
    none, one, two = (lr_fhss_airtime_us(size, "1/3") for size in (0, 1, 2))
    assert (one - none, two - one) == (24 * 2_048, (24 + 2) * 2_048)
