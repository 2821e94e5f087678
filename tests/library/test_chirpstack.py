"""ChirpStack's device profiles."""

from pathlib import Path

import pytest

from lns.library import chirpstack
from lns.library.files import Folder
from lns.library.item import Found, Item
from tests.library.trees import CHIRPSTACK, write

TANK = "chirpstack:acme/tank"
DEVICE, PROFILE = "vendors/acme/devices/tank.toml", "vendors/acme/profiles/tank-EU868.toml"


def read(root: Path) -> dict[str, Found]:
    return {found.item.id: found for found in chirpstack.items(Folder(root))}


def test_a_device_has_profile_codec_and_examples(tmp_path: Path) -> None:
    found = read(write(tmp_path, CHIRPSTACK))[TANK]
    assert found.codec is not None
    assert found.item == Item(
        id=TANK,
        origin="chirpstack",
        vendor="ACME Instruments",
        name="Tank sensor",
        description="Level of a tank",
        models=["tank"],
        template={"lorawan_version": "1.0.4", "supports_join": True, "network": {"device_class": "B"}},
        codec_sha256=found.codec.sha256,
        source="https://acme.example/tank.pdf",
    )
    assert [example["description"] for example in found.codec.examples] == ["half full"]


def test_a_device_of_abp_brings_its_windows(tmp_path: Path) -> None:
    profile = """
[profile]
region = "EU868"
mac_version = "1.0.3"
supports_otaa = false
[profile.abp]
rx1_delay = 0
rx1_dr_offset = 0
rx2_dr = 3
rx2_freq = 869525000
"""
    item = read(write(tmp_path, CHIRPSTACK, {PROFILE: profile}))[TANK].item
    assert item.template == {
        "lorawan_version": "1.0.3",
        "supports_join": False,
        "network": {"rx1_dr_offset": 0, "rx2_dr": 3, "rx2_freq_hz": 869_525_000},
    }


def test_the_folder_of_vendors_is_recognised_alone(tmp_path: Path) -> None:
    root = write(tmp_path, CHIRPSTACK)
    assert chirpstack.recognise(root)
    assert chirpstack.recognise(root / "vendors")
    assert not chirpstack.recognise(root / "vendors/acme/codecs")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({DEVICE: "a = ["}, f"{DEVICE} is not TOML: "),
        ({DEVICE: "device = 1"}, f"{DEVICE}: expected `object`, got `int` - at `$.device`"),
        ({DEVICE: "[device]\nfirmware = ['x']"}, f"{DEVICE}: expected `object`, got `str` - at `$.device.firmware[0]`"),
        ({DEVICE: "[device]\nname = 'x'"}, "no firmware version has a profile"),
        ({DEVICE: "[[device.firmware]]\nprofiles = ['../../../../etc/passwd']"}, "../../../../etc/passwd"),
        ({"vendors/acme/profiles/tank-EU868.toml": None}, "cannot read vendors/acme/profiles/tank-EU868.toml"),
        (
            {"vendors/acme/profiles/tank-EU868.toml": "[profile]"},
            "vendors/acme/profiles/tank-EU868.toml: object missing",
        ),
        ({"vendors/acme/codecs/tank.js": None}, "cannot read vendors/acme/codecs/tank.js"),
    ],
)
def test_a_device_that_cannot_be_read_says_why(tmp_path: Path, changed: dict[str, str | None], problem: str) -> None:
    item = read(write(tmp_path, CHIRPSTACK, changed))[TANK].item
    assert problem in str(item.problem)


def test_a_vendor_that_cannot_be_read_keeps_its_devices(tmp_path: Path) -> None:
    found = read(write(tmp_path, CHIRPSTACK, {"vendors/acme/vendor.toml": "vendor = 1"}))
    assert list(found) == ["chirpstack:acme/vendor", TANK]
    assert (found[TANK].item.vendor, found[TANK].item.problem) == ("acme", None)
