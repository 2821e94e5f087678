"""What a script may know of an uplink beyond its payload: names, tags, radio, and where the gateways stand."""

from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from decoders.contract import Context
from decoders.contract import Gateway as Heard
from lns.exchange.records import Rx, Uplink
from lns.lorawan.modulation import Lora, LrFhss, Modulation
from lns.registry.rows import Gateway

_MODULATIONS = 256


class Who(msgspec.Struct, frozen=True, gc=False):
    """What people call a device."""

    name: str
    tags: dict[str, str]
    application: str
    join_eui: str


_NOBODY = Who("", {}, "", "")

Describe = Callable[[int], Who | None]
"""The names of the device with an id; None: it is gone."""


class Contexts:
    """Makes contexts of uplinks. `describe` is set by whoever knows the devices."""

    def __init__(self) -> None:
        self.describe: Describe = lambda _: None
        self._places: dict[str, tuple[float, float, float | None]] = {}

    def take(self, gateways: Iterable[Gateway]) -> None:
        """All gateways were loaded."""
        self._places.clear()
        for gateway in gateways:
            self.place(gateway)

    def where(self, gateway_eui: str) -> tuple[float, float, float | None] | None:
        """Latitude, longitude and altitude that somebody has given a gateway."""
        return self._places.get(gateway_eui)

    def place(self, gateway: Gateway) -> None:
        """A gateway was added or has changed."""
        if gateway.latitude is None or gateway.longitude is None:
            self._places.pop(gateway.eui, None)
        else:
            self._places[gateway.eui] = (gateway.latitude, gateway.longitude, gateway.altitude_m)

    def of(self, uplink: Uplink, previous: str | None) -> Context:
        """The context of an uplink, with the JSON text of what its device's uplink before was decoded to."""
        who = self.describe(uplink.device_id) or _NOBODY
        return Context(
            who.name,
            who.tags,
            uplink.dr,
            data_rate(uplink.modulation),
            uplink.freq_hz,
            tuple([self._heard(rx) for rx in uplink.rx]),
            previous,
            who.join_eui,
            who.application,
            uplink.adr,
        )

    def _heard(self, rx: Rx) -> Heard:
        place = self._places.get(rx.gateway_eui, (None, None, None))
        return Heard(rx.gateway_eui, rx.rssi_dbm, rx.snr_db, *place)


@lru_cache(_MODULATIONS)
def data_rate(modulation: Modulation) -> str:
    """A modulation as LoRaWAN tools write it: SF7BW125, FSK50000, LR-FHSS137."""
    if isinstance(modulation, Lora):
        return f"SF{modulation.sf}BW{modulation.bw_hz / 1000:g}"
    if isinstance(modulation, LrFhss):
        return f"LR-FHSS{modulation.ocw_hz / 1000:g}"
    return f"FSK{modulation.bitrate_bps}"
