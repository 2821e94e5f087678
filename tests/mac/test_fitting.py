from typing import Any

import msgspec
import pytest

from lns.lorawan.regions import REGIONS, region
from lns.mac.fitting import fitted, misfits
from lns.mac.settings import DEFAULT, AdrSettings, MacSettings, RegionSettings


@pytest.mark.parametrize(
    ("region_name", "values", "texts"),
    [
        ("EU868", {"rx2_dr": 3, "rx1_dr_offset": 5, "rx2_freq_hz": 868_500_000}, {}),
        (
            "AS923-1",
            {"rx2_dr": 8},
            {"rx2_dr": "rx2_dr is 8, AS923-1 has downlink data rates 0, 1, 2, 3, 4, 5, 6, 7"},
        ),
        ("EU868", {"rx1_dr_offset": 6}, {"rx1_dr_offset": "rx1_dr_offset is 6, EU868 has 0 to 5"}),
        ("US915", {"ping_slot_dr": 7}, {"ping_slot_dr": "ping_slot_dr is 7, US915 has downlink data rates "
                                        "8, 9, 10, 11, 12, 13"}),
        ("IN865", {"rx2_freq_hz": 866_550_050}, {"rx2_freq_hz": "rx2_freq_hz is 866550050, IN865 has multiples of "
                                                 "100 Hz"}),
        ("IN865", {"beacon_freq_hz": 869_525_000}, {"beacon_freq_hz": "beacon_freq_hz is 869525000, IN865 has "
                                                    "865000000 to 867000000 Hz"}),
        (
            "US915",
            {"adr": {"max_dr": 7, "static_tx_power": 15}},
            {
                "adr.max_dr": "adr.max_dr is 7, US915 has uplink data rates 0, 1, 2, 3, 4, 5, 6",
                "adr.static_tx_power": "adr.static_tx_power is 15, US915 has 0 to 14",
            },
        ),
    ],
)  # fmt: skip
def test_what_a_region_does_not_have_is_named_with_what_it_has(
    region_name: str, values: dict[str, Any], texts: dict[str, str]
) -> None:
    settings = msgspec.convert(values, MacSettings)
    assert misfits(settings, region(region_name)) == texts
    assert (fitted(settings, region_name) is settings) is not bool(texts)
    assert misfits(fitted(settings, region_name), region(region_name)) == {}


def test_what_fits_stays() -> None:
    settings = MacSettings(rx2_dr=14, rx1_delay_s=5, adr=AdrSettings(max_dr=15, margin_db=3.0))
    assert fitted(settings, "EU868") == MacSettings(rx1_delay_s=5, adr=AdrSettings(margin_db=3.0))


@pytest.mark.parametrize(
    ("region_name", "settings", "texts"),
    [
        ("US915", RegionSettings(sub_band=8), {}),
        ("US915", RegionSettings(sub_band=9), {"sub_band": "sub_band is 9, 1 to 8 exist in US915"}),
        ("EU868", RegionSettings(sub_band=1), {"sub_band": "sub_band is 1, EU868 has none: see extra_channels_hz"}),
        (
            "EU868",
            RegionSettings(extra_channels_hz=(915_000_000,)),
            {"extra_channels_hz": "extra_channels_hz is 915000000, EU868 has "},
        ),
        (
            "US915",
            RegionSettings(extra_channels_hz=(915_000_000,)),
            {"extra_channels_hz": "extra_channels_hz is given, the channels of US915 are fixed: see sub_band"},
        ),
    ],
)
def test_a_networks_settings_of_a_region_fit_it(
    region_name: str, settings: RegionSettings, texts: dict[str, str]
) -> None:
    found = misfits(settings, region(region_name))
    assert found.keys() == texts.keys()
    assert all(found[name].startswith(texts[name]) for name in texts)


@pytest.mark.parametrize("region_name", list(REGIONS))
def test_the_defaults_fit_everywhere(region_name: str) -> None:
    assert misfits(DEFAULT, region(region_name)) == {}
    assert misfits(RegionSettings(), region(region_name)) == {}
