"""How the Semtech protocol spells values in its JSON: `modu`, `datr`, `codr` and base64. Pure."""

import binascii
import re
from functools import lru_cache

from lns.lorawan.modulation import Fsk, Lora, LrFhss, Modulation

MAX_PHY_PAYLOAD_OCTETS = 255

UNREADABLE = (ValueError, RecursionError)
"""What msgspec raises on JSON that is malformed, not UTF-8, of the wrong types, or nested too deep."""

_LORA_DATR = re.compile(r"SF(5|6|7|8|9|10|11|12)BW(125|250|500|203|406|812|1625)")
_LR_FHSS_DATR = re.compile(r"M0CW(137|336|1523)")

_BANDWIDTHS_HZ = {
    "125": 125_000,
    "250": 250_000,
    "500": 500_000,
    # 2.4 GHz: the word is the bandwidth in kHz without its fraction
    "203": 203_125,
    "406": 406_250,
    "812": 812_500,
    "1625": 1_625_000,
}
_BANDWIDTH_WORDS = {bw_hz: word for word, bw_hz in _BANDWIDTHS_HZ.items()}

_LORA_CODING_RATES = {
    "4/5": "4/5",
    "4/6": "4/6",
    "4/7": "4/7",
    "4/8": "4/8",
    # forwarders also read and write these fractions in lowest terms
    "2/3": "4/6",
    "1/2": "4/8",
    # 2.4 GHz long interleaving
    "4/5LI": "4/5LI",
    "4/6LI": "4/6LI",
    "4/8LI": "4/8LI",
}
_LR_FHSS_CODING_RATES = {"1/3": "1/3", "2/6": "1/3", "2/3": "2/3", "4/6": "2/3"}


@lru_cache(maxsize=1024)
def modulation_of(modu: str, datr: str | int, codr: str | None, grid_steps: int | None = None) -> Modulation | str:
    """The modulation that the words name, one object per modulation; else the slug of the word that is wrong."""
    if modu == "LORA":
        found = _LORA_DATR.fullmatch(datr) if isinstance(datr, str) else None
        if found is None:
            return "bad_datr"
        coding_rate = _LORA_CODING_RATES.get(codr or "")
        return Lora(int(found[1]), _BANDWIDTHS_HZ[found[2]], coding_rate) if coding_rate else "bad_codr"
    if modu == "FSK":
        return Fsk(datr) if isinstance(datr, int) else "bad_datr"
    if modu == "LR-FHSS":
        found = _LR_FHSS_DATR.fullmatch(datr) if isinstance(datr, str) else None
        if found is None:
            return "bad_datr"
        coding_rate = _LR_FHSS_CODING_RATES.get(codr or "")
        return LrFhss(int(found[1]) * 1000, coding_rate, grid_steps) if coding_rate else "bad_codr"
    return "bad_modu"


def words_of(modulation: Modulation) -> dict[str, str | int]:
    """The `modu`, `datr` and, where there are any, `codr` and `hpw` of a modulation."""
    if isinstance(modulation, Lora):
        datr = f"SF{modulation.sf}BW{_BANDWIDTH_WORDS[modulation.bw_hz]}"
        return {"modu": "LORA", "datr": datr, "codr": modulation.coding_rate}
    if isinstance(modulation, Fsk):
        return {"modu": "FSK", "datr": modulation.bitrate_bps}
    words: dict[str, str | int] = {
        "modu": "LR-FHSS",
        "datr": f"M0CW{modulation.ocw_hz // 1000}",
        "codr": modulation.coding_rate,
    }
    return words if modulation.grid_steps is None else {**words, "hpw": modulation.grid_steps}


def octets_of(text: str) -> bytes | None:
    """The octets of base64 whose padding may be absent; None when it is no base64."""
    digits = text.rstrip("=")
    try:
        return binascii.a2b_base64(digits + "=" * (-len(digits) % 4), strict_mode=True)
    except ValueError:
        return None
