"""The Things Network's device repository."""

from pathlib import Path

import pytest

from lns.library import ttn
from lns.library.files import Folder
from lns.library.item import Found, Item
from tests.library.trees import TTN, write

TANK = "ttn:acme/tank"


def read(root: Path) -> dict[str, Found]:
    return {found.item.id: found for found in ttn.items(Folder(root))}


def test_a_device_has_its_newest_profile_of_the_preferred_region_and_its_codec(tmp_path: Path) -> None:
    found = read(write(tmp_path, TTN))[TANK]
    assert found.codec is not None
    assert found.item == Item(
        id=TANK,
        origin="ttn",
        vendor="ACME Instruments",
        name="Tank sensor",
        description="Level of a tank",
        models=["tank"],
        template={"lorawan_version": "1.0.3", "supports_join": True, "network": {"device_class": "C"}},
        codec_sha256=found.codec.sha256,
        source="https://acme.example/tank.pdf",
    )
    assert [example["type"] for example in found.codec.examples] == ["uplink", "downlink-encode"]
    assert found.codec.unread is None


def test_decoder_and_encoder_become_one_script(tmp_path: Path) -> None:
    codec = read(write(tmp_path, TTN))[TANK].codec
    assert codec is not None
    assert codec.source.startswith(TTN["vendor/acme/tank.js"])
    assert "var encodeDownlink = (function () {" in codec.source


@pytest.mark.parametrize("folder", ["vendor", "vendor/acme"])
def test_a_part_of_the_repository_is_read_too(tmp_path: Path, folder: str) -> None:
    root = write(tmp_path, TTN) / folder
    assert ttn.recognise(root)
    assert TANK in read(root)


def test_a_device_without_a_codec_is_a_profile(tmp_path: Path) -> None:
    device = "firmwareVersions: [{profiles: {EU863-870: {id: eu-profile}}}]"
    found = read(write(tmp_path, TTN, {"vendor/acme/tank.yaml": device}))[TANK]
    assert (found.item.problem, found.codec, found.item.name) == (None, None, "tank")


def test_names_may_be_numbers_and_profiles_another_vendors(tmp_path: Path) -> None:
    tree = {
        "vendor/acme/index.yaml": "endDevices: [301]",
        "vendor/acme/301.yaml": "name: 301\nfirmwareVersions: [{profiles: {EU863-870: {id: 7, vendorID: other}}}]",
        "vendor/other/7.yaml": "macVersion: 1.1",
    }
    item = read(write(tmp_path, TTN, tree))["ttn:acme/301"].item
    assert (item.name, item.template["lorawan_version"]) == ("301", "1.1")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"vendor/acme/tank.yaml": "a: ["}, "vendor/acme/tank.yaml is not YAML: "),
        ({"vendor/acme/tank.yaml": "- a list"}, "vendor/acme/tank.yaml: expected `object`, got `array`"),
        ({"vendor/acme/tank.yaml": "name: [1]"}, "vendor/acme/tank.yaml: expected `int | float | str | null`"),
        ({"vendor/acme/tank.yaml": "firmwareVersions: 1"}, "vendor/acme/tank.yaml: expected `array | null`, got `int`"),
        ({"vendor/acme/tank.yaml": "name: x"}, "no firmware version has a profile"),
        ({"vendor/acme/tank.yaml": None}, "cannot read vendor/acme/tank.yaml: no such file or directory"),
        ({"vendor/acme/tank.yaml": b"\xff"}, "vendor/acme/tank.yaml is not UTF-8 text: invalid start byte at byte 0"),
        ({"vendor/acme/eu-profile.yaml": None}, "cannot read vendor/acme/eu-profile.yaml: "),
        ({"vendor/acme/eu-profile.yaml": "macVersion: 2.0"}, "LoRaWAN version 2.0 is not known"),
        ({"vendor/acme/eu-profile.yaml": "{}"}, "vendor/acme/eu-profile.yaml: object missing required field"),
        ({"vendor/acme/tank.js": None}, "cannot read vendor/acme/tank.js: "),
        ({"vendor/acme/tank.js": "x" * 600_000}, "vendor/acme/tank.js has 600000 octets, at most 524288 fit"),
        ({"vendor/acme/tank-codec.yaml": "uplinkDecoder: x"}, "vendor/acme/tank-codec.yaml: expected `object | null`"),
    ],
)
def test_a_device_that_cannot_be_read_says_why(
    tmp_path: Path, changed: dict[str, str | bytes | None], problem: str
) -> None:
    found = read(write(tmp_path, TTN, changed))[TANK]
    assert found.codec is None
    assert found.item.problem is not None
    assert found.item.problem.startswith(problem)


def test_examples_that_cannot_be_read_leave_the_codec(tmp_path: Path) -> None:
    codec = "uplinkDecoder: {fileName: tank.js, examples: [{input: {bytes: zz}}]}"
    found = read(write(tmp_path, TTN, {"vendor/acme/tank-codec.yaml": codec}))[TANK]
    assert found.codec is not None
    assert found.codec.examples == []
    assert str(found.codec.unread).startswith("vendor/acme/tank-codec.yaml: example 0: bytes cannot be read: ")


def test_indexes_that_cannot_be_read_are_told_and_stop_nothing(tmp_path: Path) -> None:
    tree = {"vendor/index.yaml": "vendors: 1", "vendor/broken/index.yaml": "endDevices: x"}
    found = read(write(tmp_path, TTN, tree))
    assert list(found) == ["ttn:vendors/index", TANK, "ttn:broken/index"]
    assert found[TANK].item.vendor == "acme"
    assert "expected `array | null`" in str(found["ttn:vendors/index"].item.problem)
    assert "expected `array | null`" in str(found["ttn:broken/index"].item.problem)


def test_a_file_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.js").write_text("secret")
    root = write(tmp_path / "library", TTN, {"vendor/acme/tank.js": None})
    (root / "vendor/acme/tank.js").symlink_to(tmp_path / "secret.js")
    assert "lies outside the folder" in str(read(root)[TANK].item.problem)
    codec = "uplinkDecoder: {fileName: ../../../secret.js}"
    write(root, {"vendor/acme/tank-codec.yaml": codec})
    assert "lies outside the folder" in str(read(root)[TANK].item.problem)
