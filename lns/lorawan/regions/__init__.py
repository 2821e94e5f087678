"""The regions this server knows, by name."""

from lns.lorawan.regions.eu868 import EU868
from lns.lorawan.regions.region import Region
from lns.lorawan.regions.us915 import US915

REGIONS = {known.name: known for known in (EU868, US915)}


def region(name: str) -> Region:
    """The region called `name`. ValueError names the known ones."""
    try:
        return REGIONS[name]
    except KeyError:
        raise ValueError(f"region {name!r} is not known, {' and '.join(REGIONS)} are") from None
