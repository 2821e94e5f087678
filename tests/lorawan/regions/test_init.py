import pytest

from lns.lorawan.regions import REGIONS, region
from lns.lorawan.regions.as923 import AS923_1
from lns.lorawan.regions.eu868 import EU868
from lns.lorawan.regions.us915 import US915


def test_regions_are_found_by_name() -> None:
    assert {name: region(name).name for name in REGIONS} == dict(zip(REGIONS, REGIONS, strict=True))
    assert (region("EU868"), region("US915")) == (EU868, US915)


def test_as923_is_its_first_group() -> None:
    assert region("AS923") is AS923_1


def test_unknown_region_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError) as caught:
        region("eu868")
    assert str(caught.value) == (
        "region 'eu868' is not known, EU868, US915, AU915, AS923-1, AS923-2, AS923-3, AS923-4, IN865, KR920, "
        "CN470, CN470-20A, CN470-20B, CN470-26A, CN470-26B, CN779, EU433, RU864 and ISM2400 are"
    )
