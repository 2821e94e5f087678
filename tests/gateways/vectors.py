"""The Semtech UDP vectors, and receptions and transmissions in the vectors' own names."""

import json
from pathlib import Path
from typing import Any

import msgspec

from lns.gateways.txpk import Txpk
from lns.lorawan.modulation import Fsk, Lora, Modulation
from lns.mac.frames import Reception

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "semtech_udp.json").read_text())["vectors"]


def of(category: str) -> list[dict[str, Any]]:
    """The vectors of one category."""
    return [vector for vector in VECTORS if vector["category"] == category]


def _modulation(modulation: Modulation) -> dict[str, Any]:
    if isinstance(modulation, Lora):
        return {"modulation": "LORA", **msgspec.to_builtins(modulation)}
    if isinstance(modulation, Fsk):
        return {"modulation": "FSK", "bitrate_bps": modulation.bitrate_bps}
    return {"modulation": "LR_FHSS", **msgspec.to_builtins(modulation)}


def reception_in_vector_names(reception: Reception) -> dict[str, Any]:
    """A reception without what is absent."""
    fields = {
        "tmst": reception.tmst_us,
        "freq_hz": reception.freq_hz,
        "chan": reception.chan,
        "rfch": reception.rf_chain,
        "crc": "crc_ok",
        "rssi_dbm": reception.rssi_dbm,
        "phy_payload": reception.phy_payload.hex(),
        **_modulation(reception.modulation),
        "snr_db": reception.snr_db,
        "rssis_dbm": reception.rssis_dbm,
        "freq_offset_hz": reception.freq_offset_hz,
        "gps_time_ms": reception.gps_time_ms,
        "utc_us": reception.gateway_time_us,
        "fine_time_ns": reception.fine_time_ns,
        "board": reception.board,
    }
    fields.pop("type", None)
    return {name: value for name, value in fields.items() if value is not None}


def txpk_in_vector_names(txpk: Txpk) -> dict[str, Any]:
    """A downlink as the vectors describe it, without the class, which is the caller's to know."""
    fields = {
        "mode": "timestamped" if txpk.tmst_us is not None or txpk.gps_time_ms is not None else "immediate",
        "count_us": txpk.tmst_us,
        "freq_hz_as_parsed_by_c": txpk.freq_hz,
        "rf_chain": txpk.rf_chain,
        "power_dbm": txpk.power_dbm,
        **_modulation(txpk.modulation),
        "preamble": txpk.preamble_symbols,
        "no_crc": txpk.no_crc,
        "no_header": txpk.no_header,
        "size": len(txpk.phy_payload),
        "phy_payload": txpk.phy_payload.hex(),
    }
    fields.pop("type", None)
    if isinstance(txpk.modulation, Lora):
        return {**fields, "invert_polarity": txpk.invert_polarity}
    return {**fields, "fdev_khz": (txpk.fsk_deviation_hz or 0) // 1000}
