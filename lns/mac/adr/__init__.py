"""Adaptive data rate: which data rate, power and repetition a device should use, by one of several algorithms."""

from collections.abc import Callable

from lns.lorawan.regions.region import Region
from lns.mac.adr import gateways, margin, static
from lns.mac.adr.link import Link, Target, link_of
from lns.mac.history import KEPT, History
from lns.mac.radio import Radio
from lns.mac.settings import AdrSettings

Algorithm = Callable[[Link, AdrSettings], Target]

_BY_HISTORY: dict[str, tuple[Algorithm, int]] = {
    "margin": (margin.decide, margin.ENOUGH),
    "gateways": (gateways.decide, gateways.ENOUGH),
}
"""The algorithms that judge the past, and how many uplinks each wants since the last change."""
_LOOK_EVERY = 10
"""Uplinks between two decisions about a device that has settled."""


def decide(radio: Radio, history: History, settings: AdrSettings, region: Region) -> Target:
    """What the device should use; what it uses already where there is nothing to say."""
    found = link_of(radio, history, settings, region)
    if settings.algorithm == "static":
        return static.decide(found, settings)
    if settings.algorithm == "off" or settings.mobile or found.now.dr not in found.floors_db:
        return found.now  # FSK and LR-FHSS have no SNR to go by
    return _BY_HISTORY[settings.algorithm][0](found, settings)


def next_look(history: History, settings: AdrSettings) -> int | None:
    """After how many uplinks a decision may come out differently; None: never while the settings stay."""
    if settings.mobile or settings.algorithm not in _BY_HISTORY:
        return None
    enough = _BY_HISTORY[settings.algorithm][1]
    if history.since_change < enough:
        return enough - history.since_change
    return KEPT - history.since_change if enough < history.since_change < KEPT else _LOOK_EVERY
