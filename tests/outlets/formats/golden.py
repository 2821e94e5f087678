"""Messages of other servers, written by hand after their definitions, which each file names as its origin."""

import json
from pathlib import Path
from typing import Any

from lns.exchange.records import Decoded, Event, Measurement, Rx, Stored, Uplink
from lns.outlets.formats.outgoing import Described
from lns.outlets.formats.places import Place
from tests.outlets.samples import AT_US, decoded, event, uplink

FOLDER = Path(__file__).parent / "golden"
ITEM = {
    "id": "1bbcab1d-6ec6-4136-b3f5-d63be1dc08de",
    "fport": 15,
    "payload": "beef",
    "priority": 1,
    "confirmed": True,
    "state": "acked",
    "reason": None,
    "fcnt_down": 3,
    "attempts": 1,
}
POSITION = (
    Measurement("position.latitude", AT_US, 37.344214, "°"),
    Measurement("position.longitude", AT_US, -8.839375, "°"),
    Measurement("position.altitude", AT_US, 2.0, "m"),
)
EXPIRED = ITEM | {"state": "expired", "reason": "expired before a receive window opened"}
SENT = {
    "gateway_eui": "aa555a0000000001",
    "window": "RX1",
    "outcome": "sent",
    "freq_hz": 868_100_000,
    "power_dbm": 14.15,
    "modulation": {"type": "LORA", "sf": 7, "bw_hz": 125_000, "coding_rate": "4/5"},
    "delay_s": 1,
    **ITEM,
    "state": "sent",
}
GATEWAY = Place(52.52, 13.405, 34.0)


def golden(folder: str, name: str) -> Any:
    return json.loads((FOLDER / folder / f"{name}.json").read_text("utf-8"))["message"]


def describe(device_id: int) -> Described | None:
    """Device 7 is known, others are gone."""
    if device_id != 7:
        return None
    tags, join_eui = {"row": "4"}, "70b3d57ed0000001"
    return Described("sensor-7", "greenhouse", tags, join_eui, "01020304", "A", "thermometer", "EU868")


def place_of(gateway_eui: str) -> Place | None:
    return GATEWAY if gateway_eui == "aa555a0000000001" else None


def heard() -> Uplink:
    """An uplink with all that a gateway can tell: its clock is 1.123 ms behind ours, and GPS time is 18 s ahead."""
    gps_time_ms = 1_479_293_707_130
    rx = Rx(
        "aa555a0000000001", -77.0, 9.5, 123_456, AT_US, 1, 0, 1, AT_US - 1123, gps_time_ms, 130_000_123, -312
    )  # fmt: skip
    return uplink(7, rx=(rx,))


def made(**changes: Any) -> Stored:
    temperature = Measurement("air.temperature", AT_US, 21.5, "°C")
    fields: dict[str, Any] = {"measurements": (temperature, Measurement("link.rssi", AT_US, -77.0))}
    record: Decoded = decoded(7, **fields | changes)
    return Stored(42, "decoded", record)


def happened(kind: str, data: dict[str, Any]) -> Stored:
    record: Event = event(7, kind=kind, data=data)
    return Stored(42, "event", record)
