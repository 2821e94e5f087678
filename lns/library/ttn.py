"""The Things Network's device repository: vendor/<vendor>/<device>.yaml with profiles, codecs and examples."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from lns.library import profiles
from lns.library.files import Folder, LibraryError
from lns.library.item import CodecSource, Found, Item, slug, with_examples
from lns.library.joined import joined

ORIGIN = "ttn"


Text = str | int | float | None
"""A name: 301 without quotes is a number in YAML."""


class _Vendor(msgspec.Struct, frozen=True):
    id: str | int
    name: Text = None


class _Vendors(msgspec.Struct, frozen=True):
    vendors: list[_Vendor] | None = None


class _Index(msgspec.Struct, frozen=True):
    devices: list[str | int] | None = msgspec.field(name="endDevices", default=None)


class _Chosen(msgspec.Struct, frozen=True):
    """What a firmware names for one region."""

    id: Text = None
    codec: Text = None
    vendor: Text = msgspec.field(name="vendorID", default=None)


class _Firmware(msgspec.Struct, frozen=True):
    profiles: dict[str, _Chosen | None] | None = None


class _Device(msgspec.Struct, frozen=True):
    name: Text = None
    description: str | None = None
    firmwares: list[_Firmware] | None = msgspec.field(name="firmwareVersions", default=None)
    data_sheet: str | None = msgspec.field(name="dataSheetURL", default=None)
    product: str | None = msgspec.field(name="productURL", default=None)


class _Part(msgspec.Struct, frozen=True):
    file: str | None = msgspec.field(name="fileName", default=None)


class _Codec(msgspec.Struct, frozen=True):
    decoder: _Part | None = msgspec.field(name="uplinkDecoder", default=None)
    encoder: _Part | None = msgspec.field(name="downlinkEncoder", default=None)


def recognise(root: Path) -> bool:
    """There are folders of vendors with an index of devices."""
    return any(True for _ in _indexes(root))


def items(folder: Folder) -> Iterator[Found]:
    """Every device that a vendor's index names; one that cannot be read has a problem."""
    reader = _Reader(folder)
    try:
        names = _vendor_names(folder)
    except LibraryError as error:
        names = {}
        yield Found(Item(f"{ORIGIN}:vendors/index", ORIGIN, "vendors", "index", problem=str(error)))
    for index in _indexes(folder.root):
        vendor = index.parent.name
        try:
            devices = folder.yaml(index, _Index).devices or []
        except LibraryError as error:
            yield Found(Item(f"{ORIGIN}:{slug(vendor)}/index", ORIGIN, vendor, "index", problem=str(error)))
            continue
        for device in devices:
            yield reader.device(index.parent, names.get(vendor, vendor), str(device))


def _indexes(root: Path) -> list[Path]:
    found = sorted(root.glob("vendor/*/index.yaml")) or sorted(root.glob("*/index.yaml"))
    return found or [path for path in (root / "index.yaml",) if path.is_file()]


def _vendor_names(folder: Folder) -> dict[str, str]:
    for path in (folder.root / "vendor" / "index.yaml", folder.root / "index.yaml"):
        if path.is_file():
            vendors = folder.yaml(path, _Vendors).vendors or []
            return {str(vendor.id): str(vendor.name or vendor.id) for vendor in vendors}
    return {}


class _Reader:
    """Profiles and codecs are shared by devices: each file is read once."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._profiles: dict[Path, dict[str, Any]] = {}
        self._codecs: dict[Path, CodecSource | None] = {}

    def device(self, where: Path, vendor: str, device: str) -> Found:
        """One device of the repository."""
        item_id = f"{ORIGIN}:{slug(where.name)}/{slug(device)}"
        try:
            return self._device(where, vendor, device, item_id)
        except LibraryError as error:
            return Found(Item(item_id, ORIGIN, vendor, device, problem=str(error)))

    def _device(self, where: Path, vendor: str, device: str, item_id: str) -> Found:
        whole = self._folder.yaml(where / f"{device}.yaml", _Device)
        chosen = _newest(whole)
        codec = None if chosen.codec is None else self._codec(where, str(chosen.codec))
        item = Item(
            id=item_id,
            origin=ORIGIN,
            vendor=vendor,
            name=str(whole.name or device),
            description=whole.description or "",
            models=[device],
            template=self._profile(where, chosen),
            codec_sha256=None if codec is None else codec.sha256,
            source=whole.data_sheet or whole.product or "",
        )
        return Found(item, codec)

    def _profile(self, where: Path, chosen: _Chosen) -> dict[str, Any]:
        if not chosen.id:
            raise LibraryError("no firmware version has a profile")
        path = where.parent / str(chosen.vendor or where.name) / f"{chosen.id}.yaml"
        if path not in self._profiles:
            self._profiles[path] = profiles.of_ttn(self._folder.yaml(path, profiles.TtnProfile))
        return self._profiles[path]

    def _codec(self, where: Path, codec_id: str) -> CodecSource | None:
        path = where / f"{codec_id}.yaml"
        if path not in self._codecs:
            self._codecs[path] = self._read_codec(where, path)
        return self._codecs[path]

    def _read_codec(self, where: Path, path: Path) -> CodecSource | None:
        whole = self._folder.yaml(path, _Codec)
        decoder, encoder = (None if part is None else part.file for part in (whole.decoder, whole.encoder))
        if not decoder:
            return None
        other = self._folder.source(where / encoder) if encoder and encoder != decoder else None
        source = joined(self._folder.source(where / decoder), other)
        return with_examples(source, [self._folder.examples(path)])


def _newest(device: _Device) -> _Chosen:
    """What the newest firmware names for one region: profile and codec."""
    for firmware in reversed(device.firmwares or []):
        if firmware.profiles:
            regions = firmware.profiles
            region = next((name for name in profiles.PREFERRED_REGIONS if name in regions), next(iter(regions)))
            return regions[region] or _Chosen()
    return _Chosen()
