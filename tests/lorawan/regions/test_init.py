import pytest

from lns.lorawan.regions import REGIONS, region
from lns.lorawan.regions.eu868 import EU868
from lns.lorawan.regions.us915 import US915


def test_regions_are_found_by_name() -> None:
    assert REGIONS == {"EU868": EU868, "US915": US915}
    assert (region("EU868"), region("US915")) == (EU868, US915)


def test_unknown_region_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError) as caught:
        region("eu868")
    assert str(caught.value) == "region 'eu868' is not known, EU868 and US915 are"
