"""Profiles of other libraries as fields of a device template."""

from typing import Any

import pytest

from lns.library.files import LibraryError
from lns.library.profiles import ChirpstackAbp, ChirpstackProfile, TtnProfile, lorawan_version, of_chirpstack, of_ttn
from lns.registry.network_settings import changed
from lns.registry.templates import check_template

JOINS: dict[str, Any] = {"supports_join": True, "network": {}}


@pytest.mark.parametrize(
    ("given", "version"),
    [("1.0", "1.0.0"), (1.0, "1.0.0"), ("1.0.2", "1.0.2"), ("1.0.4", "1.0.4"), (1.1, "1.1"), ("1.1.0", "1.1")],
)
def test_versions_are_as_a_template_has_them(given: object, version: str) -> None:
    assert lorawan_version(given) == version


@pytest.mark.parametrize("given", ["", "2.0", "RP001-1.0.3", None, 3])
def test_an_unknown_version_is_refused(given: object) -> None:
    with pytest.raises(LibraryError, match=r"LoRaWAN version .* is not known"):
        lorawan_version(given)


@pytest.mark.parametrize(
    ("profile", "template"),
    [
        (TtnProfile("1.0.3"), {"lorawan_version": "1.0.3", **JOINS}),
        (
            TtnProfile("1.0.3", class_b=True, rx1_delay=5),
            {"lorawan_version": "1.0.3", **JOINS, "network": {"device_class": "B"}},
        ),
        (
            TtnProfile("1.0.4", class_b=True, class_c=True),
            {"lorawan_version": "1.0.4", **JOINS, "network": {"device_class": "C"}},
        ),
        (
            TtnProfile(
                "1.0.2",
                supports_join=False,
                rx1_delay=1,
                rx1_dr_offset=0,
                rx2_dr=0,
                rx2_freq=869.525,
                channels=[868.1, 868.3, 868.5],
            ),
            {
                "lorawan_version": "1.0.2",
                "supports_join": False,
                "network": {
                    "rx1_delay_s": 1,
                    "rx1_dr_offset": 0,
                    "rx2_dr": 0,
                    "rx2_freq_hz": 869_525_000,
                    "factory_channels_hz": [868_100_000, 868_300_000, 868_500_000],
                },
            },
        ),
        (
            TtnProfile("1.0.2", supports_join=False, rx1_delay=0, rx2_freq=float("nan"), channels=[]),
            {"lorawan_version": "1.0.2", "supports_join": False, "network": {}},
        ),
    ],
)
def test_profiles_of_ttn(profile: TtnProfile, template: dict[str, Any]) -> None:
    assert of_ttn(profile) == template
    assert check_template(template)
    assert changed({}, template["network"]).keys() == template["network"].keys()


@pytest.mark.parametrize(
    ("profile", "template"),
    [
        (ChirpstackProfile("1.0.3"), {"lorawan_version": "1.0.3", **JOINS}),
        (
            ChirpstackProfile("1.1.0", supports_class_c=True),
            {"lorawan_version": "1.1", **JOINS, "network": {"device_class": "C"}},
        ),
        (
            ChirpstackProfile("1.0.2", supports_otaa=False, abp=ChirpstackAbp(rx2_freq=0, rx2_dr=3)),
            {"lorawan_version": "1.0.2", "supports_join": False, "network": {"rx2_dr": 3}},
        ),
    ],
)
def test_profiles_of_chirpstack(profile: ChirpstackProfile, template: dict[str, Any]) -> None:
    assert of_chirpstack(profile) == template
