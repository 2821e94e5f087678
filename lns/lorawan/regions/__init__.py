"""The regions this server knows, by name."""

from lns.lorawan.regions.as923 import AS923_1, AS923_2, AS923_3, AS923_4
from lns.lorawan.regions.au915 import AU915
from lns.lorawan.regions.cn470 import CN470
from lns.lorawan.regions.cn470_plans import CN470_20A, CN470_20B, CN470_26A, CN470_26B
from lns.lorawan.regions.cn779 import CN779
from lns.lorawan.regions.eu433 import EU433
from lns.lorawan.regions.eu868 import EU868
from lns.lorawan.regions.in865 import IN865
from lns.lorawan.regions.ism2400 import ISM2400
from lns.lorawan.regions.kr920 import KR920
from lns.lorawan.regions.region import Region
from lns.lorawan.regions.ru864 import RU864
from lns.lorawan.regions.us915 import US915

REGIONS = {
    known.name: known
    for known in (
        *(EU868, US915, AU915, AS923_1, AS923_2, AS923_3, AS923_4, IN865, KR920),
        *(CN470, CN470_20A, CN470_20B, CN470_26A, CN470_26B, CN779, EU433, RU864, ISM2400),
    )
}
_ALIASES = {"AS923": "AS923-1"}


def region(name: str) -> Region:
    """The region called `name`; AS923 is AS923-1. ValueError names the known ones."""
    try:
        return REGIONS[_ALIASES.get(name, name)]
    except KeyError:
        *others, last = REGIONS
        raise ValueError(f"region {name!r} is not known, {', '.join(others)} and {last} are") from None
