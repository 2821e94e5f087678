"""Whether settings can be had in a region: its data rates, offsets, powers, frequencies, sub-bands."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from lns.lorawan.regions import region
from lns.lorawan.regions.region import Region
from lns.mac.settings import AdrSettings, MacSettings, RegionSettings


def misfits(settings: MacSettings | RegionSettings, known: Region) -> dict[str, str]:
    """What the region does not have, by field (`rx2_dr`, `adr.max_dr`): the value and the limit in words."""
    found = dict(_downlink_dr(known, "rx2_dr", settings.rx2_dr))
    found |= _offset(known, settings.rx1_dr_offset)
    found |= _frequency(known, "rx2_freq_hz", settings.rx2_freq_hz)
    if isinstance(settings, RegionSettings):
        return found | dict(_channels(known, settings))
    found |= _downlink_dr(known, "ping_slot_dr", settings.ping_slot_dr)
    for name in ("ping_slot_freq_hz", "beacon_freq_hz"):
        found |= _frequency(known, name, getattr(settings, name))
    for freq_hz in settings.factory_channels_hz:
        found |= _frequency(known, "factory_channels_hz", freq_hz)
    return found | dict(_adr(known, settings.adr))


@lru_cache(4096)
def fitted(settings: MacSettings, region_name: str) -> MacSettings:
    """The settings without what the region does not have; the same object where it has all."""
    names = misfits(settings, region(region_name)).keys()
    if not names:
        return settings
    plain, usual = MacSettings(), AdrSettings()
    adr = {name: getattr(usual, name) for name in usual.__struct_fields__ if f"adr.{name}" in names}
    own = {name: getattr(plain, name) for name in plain.__struct_fields__ if name in names}
    return msgspec.structs.replace(settings, **own, adr=msgspec.structs.replace(settings.adr, **adr))


def _downlink_dr(known: Region, name: str, dr: int | None) -> dict[str, str]:
    if dr is None or known.max_macpayload(dr, downlink=True) is not None:
        return {}
    return {name: f"{name} is {dr}, {known.name} has downlink data rates {_listed(r.dr for r in known.downlink_rates)}"}


def _offset(known: Region, offset: int | None) -> dict[str, str]:
    last = min(len(row) for row in known.rx1_dr.values()) - 1
    if offset is None or offset <= last:
        return {}
    return {"rx1_dr_offset": f"rx1_dr_offset is {offset}, {known.name} has 0 to {last}"}


def _frequency(known: Region, name: str, freq_hz: int | None) -> dict[str, str]:
    if freq_hz is None:
        return {}
    if freq_hz % known.freq_step_hz:
        return {name: f"{name} is {freq_hz}, {known.name} has multiples of {known.freq_step_hz} Hz"}
    if not any(band.min_hz <= freq_hz <= band.max_hz for band in known.bands):
        bands = ", ".join(f"{band.min_hz} to {band.max_hz}" for band in known.bands)
        return {name: f"{name} is {freq_hz}, {known.name} has {bands} Hz"}
    return {}


def _channels(known: Region, settings: RegionSettings) -> Iterator[tuple[str, str]]:
    most = known.max_channels - len(known.uplink_channels)
    if settings.extra_channels_hz and not known.has_new_channel:
        yield "extra_channels_hz", f"extra_channels_hz is given, the channels of {known.name} are fixed: see sub_band"
    elif len(settings.extra_channels_hz) > most:
        yield (
            "extra_channels_hz",
            f"extra_channels_hz has {len(settings.extra_channels_hz)} channels, at most {most} fit",
        )
    else:
        for freq_hz in settings.extra_channels_hz:
            yield from _frequency(known, "extra_channels_hz", freq_hz).items()
    if settings.sub_band:
        if known.has_new_channel:
            yield "sub_band", f"sub_band is {settings.sub_band}, {known.name} has none: see extra_channels_hz"
            return
        try:
            known.channel_mask(settings.sub_band)
        except ValueError as error:
            yield "sub_band", f"{str(error).replace('sub-band', 'sub_band', 1)} in {known.name}"


def _adr(known: Region, adr: AdrSettings) -> Iterator[tuple[str, str]]:
    rates = [rate.dr for rate in known.uplink_rates]
    for name in ("min_dr", "max_dr", "static_dr"):
        dr = getattr(adr, name)
        if dr is not None and dr not in rates:
            yield f"adr.{name}", f"adr.{name} is {dr}, {known.name} has uplink data rates {_listed(rates)}"
    for name in ("max_tx_power", "static_tx_power"):
        tx_power = getattr(adr, name)
        if tx_power is not None and tx_power > known.max_tx_power:
            yield f"adr.{name}", f"adr.{name} is {tx_power}, {known.name} has 0 to {known.max_tx_power}"


def _listed(rates: Iterable[int]) -> str:
    return ", ".join(str(rate) for rate in sorted(rates))
