import pytest

from lns.lorawan.airtime import airtime_us, fsk_airtime_us, lora_airtime_us
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


def test_airtime_of_lr_fhss_is_refused() -> None:
    with pytest.raises(ValueError) as caught:
        airtime_us(LrFhss(137_000, "1/3"), 20, uplink=True)
    assert str(caught.value) == "no airtime formula for LR-FHSS is known here"
