"""Live events of the network as people see them: small JSON-ready dictionaries."""

from typing import Any

from lns.live import time_text
from lns.lorawan.modulation import Lora, LrFhss, Modulation
from lns.mac.frames import Reception
from lns.mac.refusal import Refused
from lns.mac.session import Device


def modulation_text(modulation: Modulation) -> str:
    """The modulation as Semtech forwarders write it: SF7BW125, 50000 or M0CW137."""
    if isinstance(modulation, Lora):
        return f"SF{modulation.sf}BW{modulation.bw_hz / 1000:g}"
    if isinstance(modulation, LrFhss):
        return f"M0CW{modulation.ocw_hz // 1000}"
    return str(modulation.bitrate_bps)


def uplink(device: Device, fcnt: int, fport: int | None, dr: int, receptions: list[Reception]) -> dict[str, Any]:
    """An accepted uplink; `receptions` best first."""
    best = receptions[0]
    return {
        "kind": "uplink",
        "at": time_text(best.received_at_us),
        "dev_eui": device.dev_eui,
        "device": device.name,
        "fcnt": fcnt,
        "fport": fport,
        "dr": dr,
        "freq_hz": best.freq_hz,
        "data_rate": modulation_text(best.modulation),
        "rssi_dbm": best.rssi_dbm,
        "snr_db": best.snr_db,
        "gateways": len({r.gateway_eui for r in receptions}),
    }


def refusal(refused: Refused, reception: Reception) -> dict[str, Any]:
    """A refused frame: what, why, and enough of the frame to look at it again."""
    return {
        "kind": "refusal",
        "at": time_text(reception.received_at_us),
        "reason": str(refused.reason),
        "text": refused.text,
        "dev_addr": refused.dev_addr,
        "dev_eui": refused.dev_eui,
        "gateway_eui": reception.gateway_eui,
        "freq_hz": reception.freq_hz,
        "data_rate": modulation_text(reception.modulation),
        "phy_payload": reception.phy_payload.hex(),
    }


def event(kind: str, at_us: int, device: Device, **more: Any) -> dict[str, Any]:
    """An event of one device."""
    return {"kind": kind, "at": time_text(at_us), "dev_eui": device.dev_eui, "device": device.name, **more}


def failure(at_us: int, reason: str, text: str, gateway_eui: str | None, **who: Any) -> dict[str, Any]:
    """A downlink that did not go, in the shape of a refused frame."""
    return {
        "kind": "refusal",
        "at": time_text(at_us),
        "reason": reason,
        "text": text,
        "dev_addr": None,
        "gateway_eui": gateway_eui,
        **who,
    }
