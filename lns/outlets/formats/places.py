"""Where devices and gateways are, as messages tell it. Pure."""

from collections.abc import Callable

import msgspec

from lns.exchange.records import Decoded


class Place(msgspec.Struct, frozen=True):
    """WGS 84 degrees; metres, where they are known."""

    latitude: float
    longitude: float
    altitude_m: float | None = None
    accuracy_m: float | None = None


PlaceOf = Callable[[str], Place | None]
"""Gives the place of a gateway by its EUI; None where nobody has set it."""


def nowhere(_: str) -> None:
    """No gateway has a place."""
    return


def measured(decoded: Decoded) -> Place | None:
    """The newest place that the device itself has measured; None unless both coordinates are of one time."""
    by_time: dict[int, dict[str, float]] = {}
    for m in decoded.measurements:
        group, _, name = m.field.partition(".")
        if group == "position" and isinstance(m.value, int | float):
            by_time.setdefault(m.time_us, {})[name] = float(m.value)
    for _, found in sorted(by_time.items(), reverse=True):
        if "latitude" in found and "longitude" in found:
            return Place(found["latitude"], found["longitude"], found.get("altitude"), found.get("accuracy"))
    return None
