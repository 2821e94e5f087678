"""How a device is heard, for people: losses, gateways with margins, data rates, battery; a session to export."""

from typing import Any

import msgspec

from lns.live import time_text
from lns.mac.history import Entry, GatewayNumbers
from lns.mac.margin import margin_db
from lns.mac.session import Device, Session
from lns.network import show
from lns.network.state import radio_octets

EXPORT_VERSION = 1


def link(device: Device, numbers: GatewayNumbers) -> dict[str, Any]:
    """What is known of the radio link, ready for JSON; `uplinks` are the last ones, oldest first."""
    session = device.session or device.pending
    if session is None or session.history is None:
        return {"uplinks": [], "gateways": [], "received": 0, "lost": 0, "packet_error_rate": None} | _radio(session)
    history = session.history
    entries = history.entries()
    total = history.received + history.lost
    return {
        "received": history.received,
        "lost": history.lost,
        "packet_error_rate": history.lost / total if total else None,
        "recent_packet_error_rate": history.loss(),
        "uplinks": [_entry(device, entry, numbers) for entry in entries],
        "gateways": _gateways(device, entries, numbers),
        **_radio(session),
    }


def _radio(session: Session | None) -> dict[str, Any]:
    """What the device was told and said; a session nobody had to talk to has the region's defaults."""
    radio = (
        None if session is None or (session.radio is None and session.radio_octets is None) else session.known_radio()
    )
    if radio is None:
        return {"battery": None, "margin_db": None, "status_at": None, "device_class": "A"}
    return {
        "battery": _battery(radio.battery),
        "margin_db": radio.margin_db,
        "status_at": None if radio.status_at_us is None else time_text(radio.status_at_us),
        "device_class": radio.device_class,
        "dr": radio.dr,
        "tx_power": radio.tx_power,
        "nb_trans": radio.nb_trans,
        "channels": f"{radio.mask:x}",
    }


def _battery(said: int | None) -> dict[str, Any] | None:
    """DevStatusAns: 0 is external power, 1 to 254 the level, 255 that the device cannot tell."""
    if said is None or said == 255:
        return None if said is None else {"source": "unknown", "percent": None}
    return (
        {"source": "external", "percent": None}
        if said == 0
        else {"source": "battery", "percent": round((said - 1) / 2.53)}
    )


def _entry(device: Device, entry: Entry, numbers: GatewayNumbers) -> dict[str, Any]:
    return {
        "fcnt": entry.fcnt,
        "at": time_text(entry.at_s * 1_000_000),
        "dr": entry.dr,
        "data_rate": show.modulation_text(device.region.uplink_modulation(entry.dr)),
        "tx_power": entry.tx_power,
        "gateways": [{"gateway_eui": _eui(heard.gateway, numbers), "snr_db": heard.snr_db} for heard in entry.heard],
    }


def _gateways(device: Device, entries: list[Entry], numbers: GatewayNumbers) -> list[dict[str, Any]]:
    """Each gateway with how often and how well it heard the last uplinks, the best first."""
    heard: dict[int, list[float]] = {}
    for entry in entries:
        modulation = device.region.uplink_modulation(entry.dr)
        for copy in entry.heard:
            heard.setdefault(copy.gateway, []).append(margin_db(copy.snr_db, modulation))
    rows = [
        {
            "gateway_eui": _eui(gateway, numbers),
            "uplinks": len(margins),
            "margin_db_mean": round(sum(margins) / len(margins), 1),
            "margin_db_min": min(margins),
        }
        for gateway, margins in heard.items()
    ]
    return sorted(rows, key=lambda row: -row["margin_db_mean"])


def _eui(number: int, numbers: GatewayNumbers) -> str | None:
    return numbers.euis[number] if number < len(numbers.euis) else None


def export(device: Device) -> dict[str, Any] | None:
    """The device's session with all counters, keys and channel state, ready for JSON; None without a session."""
    session = device.session or device.pending
    if session is None:
        return None
    keys = session.keys
    names = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")
    named = {name: getattr(keys, name).hex() for name in names}
    if session.keys_1_1 is None:
        named = {"nwk_s_key": session.nwk_s_key.hex(), "app_s_key": session.app_s_key.hex()}
    octets = radio_octets(session)
    return {
        "version": EXPORT_VERSION,
        "dev_eui": device.dev_eui,
        "lorawan_version": device.lorawan_version,
        "minor": session.minor,
        "region": device.region.name,
        "dev_addr": session.dev_addr,
        "keys": named,
        "fcnt_up": session.fcnt_up,
        "fcnt_down": session.fcnt_down,
        "afcnt_down": session.afcnt_down,
        "rx1_delay_s": session.rx1_delay_s,
        "rx1_dr_offset": session.rx1_dr_offset,
        "rx2_dr": session.rx2_dr,
        "rx2_freq_hz": session.rx2_freq_hz,
        "radio": None if octets is None else msgspec.json.decode(octets),
        "join_nonce": device.join_nonce,
        "dev_nonces": list(device.nonces or ()),
        "rj_count0": None if device.rj_count0 < 0 else device.rj_count0,
        "rj_count1": None if device.rj_count1 < 0 else device.rj_count1,
    }
