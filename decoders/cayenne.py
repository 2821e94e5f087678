"""Cayenne LPP, the self-describing payload of many trackers and hobby sensors: channel, type, value, repeated.

A value of type temperature on channel 3 becomes the field `temperature_3`. Types 0 to 3, 101 to 104, 113, 115,
134 and 136 are those of myDevices; the others are the additions of the ElectronicCats CayenneLPP library.
"""

from typing import Any, NamedTuple


class _Part(NamedTuple):
    """One big-endian number of a value: its name within the value, its size in octets, sign and scale."""

    name: str
    size: int
    signed: bool
    divisor: int
    unit: str | None


def _axes(divisor: int, unit: str) -> tuple[_Part, ...]:
    return tuple(_Part(axis, 2, True, divisor, unit) for axis in "xyz")


_TYPES: dict[int, tuple[str, tuple[_Part, ...]]] = {
    0: ("digital_in", (_Part("", 1, False, 1, None),)),
    1: ("digital_out", (_Part("", 1, False, 1, None),)),
    2: ("analog_in", (_Part("", 2, True, 100, None),)),
    3: ("analog_out", (_Part("", 2, True, 100, None),)),
    100: ("generic", (_Part("", 4, False, 1, None),)),
    101: ("luminosity", (_Part("", 2, False, 1, "lx"),)),
    102: ("presence", (_Part("", 1, False, 1, None),)),
    103: ("temperature", (_Part("", 2, True, 10, "°C"),)),
    104: ("relative_humidity", (_Part("", 1, False, 2, "%"),)),
    113: ("accelerometer", _axes(1000, "g")),
    115: ("barometric_pressure", (_Part("", 2, False, 10, "hPa"),)),
    116: ("voltage", (_Part("", 2, False, 100, "V"),)),
    117: ("current", (_Part("", 2, False, 1000, "A"),)),
    118: ("frequency", (_Part("", 4, False, 1, "Hz"),)),
    120: ("percentage", (_Part("", 1, False, 1, "%"),)),
    121: ("altitude", (_Part("", 2, True, 1, "m"),)),
    125: ("concentration", (_Part("", 2, False, 1, "ppm"),)),
    128: ("power", (_Part("", 2, False, 1, "W"),)),
    130: ("distance", (_Part("", 4, False, 1000, "m"),)),
    131: ("energy", (_Part("", 4, False, 1000, "kWh"),)),
    132: ("direction", (_Part("", 2, False, 1, "°"),)),
    133: ("unix_time", (_Part("", 4, False, 1, "s"),)),
    134: ("gyrometer", _axes(100, "°/s")),
    135: ("colour", tuple(_Part(name, 1, False, 1, None) for name in ("red", "green", "blue"))),
    136: (
        "gps",
        (
            _Part("latitude", 3, True, 10000, "°"),
            _Part("longitude", 3, True, 10000, "°"),
            _Part("altitude", 3, True, 100, "m"),
        ),
    ),
    142: ("switch", (_Part("", 1, False, 1, None),)),
}


class CayenneError(ValueError):
    """The payload is not Cayenne LPP; the text says where it stops being so."""


def decode(payload: bytes) -> dict[str, Any]:
    """The values of `payload` in the form `normalise.flatten` reads: numbers, or {value, unit}."""
    data: dict[str, Any] = {}
    at = 0
    while at < len(payload):
        if at + 2 > len(payload):
            raise CayenneError(f"octet {at} is a channel without a type")
        channel, type_number = payload[at], payload[at + 1]
        known = _TYPES.get(type_number)
        if known is None:
            raise CayenneError(f"octet {at + 1} is type {type_number}, which Cayenne LPP does not have")
        name, parts = known
        at += 2
        size = sum(part.size for part in parts)
        if at + size > len(payload):
            raise CayenneError(f"{name}_{channel} needs {size} octets, {len(payload) - at} are left")
        data[f"{name}_{channel}"] = _value(parts, payload[at : at + size])
        at += size
    return data


def _value(parts: tuple[_Part, ...], octets: bytes) -> Any:
    values: dict[str, Any] = {}
    at = 0
    for part in parts:
        number = int.from_bytes(octets[at : at + part.size], "big", signed=part.signed) / part.divisor
        values[part.name] = {"value": number, "unit": part.unit} if part.unit else number
        at += part.size
    return values.get("", values)
