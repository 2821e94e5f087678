"""How long a frame occupies the air. Payload lengths are whole PHYPayloads in octets, results microseconds.

Formulas: Semtech SX127x/SX126x data sheets, as every forwarder and server computes them; LR-FHSS as Semtech's own
frame builder counts its bits.
"""

from functools import lru_cache

from lns.lorawan.modulation import Fsk, Lora, Modulation


def lora_airtime_us(
    payload_len: int,
    sf: int,
    bw_hz: int,
    coding_rate: str = "4/5",
    preamble: int = 8,
    explicit_header: bool = True,
    crc: bool = True,
    low_dr_optimize: bool | None = None,
) -> int:
    """Airtime of a LoRa frame; `low_dr_optimize` None switches it on where a symbol lasts 16 ms or more."""
    if low_dr_optimize is None:
        low_dr_optimize = 1000 << sf >= 16 * bw_hz
    short = sf < 7  # SF5 and SF6 have a longer preamble and a shorter header
    bits = 8 * payload_len - 4 * sf + (20 if short else 28) + 16 * crc - 20 * (not explicit_header)
    bits_per_block = 4 * (sf - 2 * low_dr_optimize)
    blocks = max(0, -(-bits // bits_per_block))
    symbols = 8 + blocks * int(coding_rate[2])  # "4/8LI" counts as "4/8"
    preamble_quarters = 4 * preamble + (25 if short else 17)
    return round((preamble_quarters + 4 * symbols) * (250_000 << sf) / bw_hz)


def fsk_airtime_us(
    payload_len: int,
    bitrate_bps: int = 50_000,
    preamble_octets: int = 5,
    sync_octets: int = 3,
    length_octet: int = 1,
    crc_octets: int = 2,
) -> int:
    """Airtime of a GFSK frame."""
    octets = preamble_octets + sync_octets + length_octet + payload_len + crc_octets
    return round(octets * 8_000_000 / bitrate_bps)


# LR-FHSS sends 488.28125 bit/s: each header copy of 114 bits, then hops of 2 guard bits and up to 48 coded bits.
_LR_FHSS_BIT_US = 2048
_LR_FHSS_HEADER_BITS = 114
_LR_FHSS_HOP_BITS = 48


def lr_fhss_airtime_us(payload_len: int, coding_rate: str) -> int:
    """Airtime of an LR-FHSS frame; LoRaWAN repeats the header three times at coding rate "1/3", else twice."""
    uncoded = 8 * (payload_len + 2) + 6  # with CRC and the tail of the convolutional code
    coded = -(-uncoded * int(coding_rate[2:]) // int(coding_rate[:1]))
    headers = 3 if coding_rate == "1/3" else 2
    bits = headers * _LR_FHSS_HEADER_BITS + coded + 2 * -(-coded // _LR_FHSS_HOP_BITS)
    return bits * _LR_FHSS_BIT_US


@lru_cache(8192)
def airtime_us(modulation: Modulation, payload_len: int, uplink: bool) -> int:
    """Airtime of a LoRaWAN frame; downlinks carry no LoRa payload CRC."""
    if isinstance(modulation, Lora):
        return lora_airtime_us(payload_len, modulation.sf, modulation.bw_hz, modulation.coding_rate, crc=uplink)
    if isinstance(modulation, Fsk):
        return fsk_airtime_us(payload_len, modulation.bitrate_bps)
    return lr_fhss_airtime_us(payload_len, modulation.coding_rate)
