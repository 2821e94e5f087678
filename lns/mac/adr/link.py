"""What every ADR algorithm starts from: what the device uses now, what it may use, and what that needs."""

from collections.abc import Sequence
from functools import lru_cache
from math import log10
from operator import add

import msgspec

from lns.lorawan.chmask import acceptable
from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region as region_named
from lns.lorawan.regions.region import Region
from lns.mac.history import NOBODY, History
from lns.mac.margin import REQUIRED_SNR_DB
from lns.mac.radio import Radio
from lns.mac.settings import AdrSettings

_REFERENCE_HZ = 125_000


class Target(msgspec.Struct, frozen=True):
    """Data rate, TXPower index and transmissions of each uplink."""

    dr: int
    tx_power: int
    nb_trans: int


class Link(msgspec.Struct, frozen=True):
    """A device's link as the algorithms see it.

    `rates` are the data rates it may be told, rising; `powers_db` the change of power by TXPower index, as far as it
    may be told. SNRs and floors are those of a 125 kHz channel, so that data rates of different widths compare.
    """

    now: Target
    history: History
    rates: tuple[int, ...]
    powers_db: tuple[float, ...]
    floors_db: dict[int, float]
    widths_db: dict[int, float]

    def clamped(self) -> Target:
        """What the device uses, within the bounds: no faster than told, else the slowest that may be told."""
        now, last = self.now, len(self.powers_db) - 1
        if now.dr in self.rates and now.tx_power <= last:
            return now
        dr = max((rate for rate in self.rates if rate <= now.dr), default=self.rates[0] if self.rates else now.dr)
        return Target(dr, min(now.tx_power, last), now.nb_trans)

    def levels(self) -> list[tuple[tuple[int, ...], Sequence[float]]]:
        """Gateway numbers and SNRs of the uplinks kept: the best copy of each, then the second best ones, and so on.

        SNRs are in quarters of a dB, as they would be at full power in a 125 kHz channel. Only LoRa has them.
        """
        columns = self.history.columns()
        widths_db = {octet: self.widths_db.get(octet & 15) for octet in set(columns[2])}
        if None in widths_db.values():
            rows = [row for row in zip(*columns, strict=True) if widths_db[row[2]] is not None]
            columns = list(zip(*rows, strict=True))
        levels: list[tuple[tuple[int, ...], Sequence[float]]] = []
        for numbers, snrs in zip(columns[3::2], columns[4::2], strict=True):
            if min(numbers) == NOBODY:
                break  # no uplink was heard by so many
            levels.append((numbers, snrs))
        if any(widths_db.values()):
            shifts = [4 * (widths_db[octet] or 0.0) for octet in columns[2]]
            levels = [(numbers, list(map(add, snrs, shifts))) for numbers, snrs in levels]
        return levels

    def power_db(self, tx_power: int) -> float:
        """The change of power of a TXPower index; of one beyond what may be told, that of the last."""
        return self.powers_db[min(tx_power, len(self.powers_db) - 1)]


def link_of(radio: Radio, history: History, settings: AdrSettings, region: Region) -> Link:
    """The link of a device with its bounds: the template's, the region's, its dwell time, channels and refusals."""
    floors_db, widths_db = _floors(region.name)
    now = Target(history.dr if radio.dr is None else radio.dr, radio.tx_power, radio.nb_trans)
    return Link(now, history, _rates(radio, settings, region), _powers(radio, settings, region), floors_db, widths_db)


def _rates(radio: Radio, settings: AdrSettings, region: Region) -> tuple[int, ...]:
    least = 0 if settings.min_dr is None else settings.min_dr
    most = region.max_adr_dr if settings.max_dr is None else settings.max_dr
    floors_db, _ = _floors(region.name)
    if radio.channels:
        ranges = {(c.min_dr, c.max_dr) for c in radio.channels.values() if radio.mask >> c.index & 1}
        on = {dr for low, high in ranges for dr in range(low, high + 1)}
        rates = [dr for dr in range(least, most + 1) if dr in floors_db and dr in on]
    else:
        rates = [dr for dr in range(least, most + 1) if dr in floors_db and acceptable(region, radio.mask, dr)]
    if radio.uplink_dwell:
        rates = [dr for dr in rates if region.max_macpayload(dr, dwell=True) is not None]
    if radio.refused:
        rates = [dr for dr in rates if not radio.refuses("link_adr", f"dr:{dr}")]
    return tuple(rates)


def _powers(radio: Radio, settings: AdrSettings, region: Region) -> tuple[float, ...]:
    powers_db = region.tx_power_offsets_db
    if settings.max_tx_power is not None:
        powers_db = powers_db[: settings.max_tx_power + 1]
    # a device refuses a power below the least it has, and then every one below that
    if radio.refused:
        for index in range(1, len(powers_db)):
            if radio.refuses("link_adr", f"power:{index}"):
                return powers_db[:index]
    return powers_db


@lru_cache(64)
def _floors(region_name: str) -> tuple[dict[int, float], dict[int, float]]:
    """Floor and width of a region's LoRa data rates, in dB of a 125 kHz channel."""
    floors_db, widths_db = {}, {}
    for rate in region_named(region_name).uplink_rates:
        if isinstance(rate.modulation, Lora):
            widths_db[rate.dr] = 10 * log10(rate.modulation.bw_hz / _REFERENCE_HZ)
            floors_db[rate.dr] = REQUIRED_SNR_DB[rate.modulation.sf] + widths_db[rate.dr]
    return floors_db, widths_db
