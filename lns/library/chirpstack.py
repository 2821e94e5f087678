"""ChirpStack's device profiles: vendors/<vendor>/ with vendor.toml, devices/, profiles/ and codecs/."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from lns.library import profiles
from lns.library.files import Folder, LibraryError
from lns.library.item import CodecSource, Found, Item, slug, with_examples

ORIGIN = "chirpstack"


class _Vendor(msgspec.Struct, frozen=True):
    name: str = ""


class _VendorFile(msgspec.Struct, frozen=True):
    vendor: _Vendor = _Vendor()


class _Firmware(msgspec.Struct, frozen=True):
    profiles: list[str] = []
    codec: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    documentation_url: str = ""
    product_url: str = ""


class _Device(msgspec.Struct, frozen=True):
    name: str = ""
    description: str = ""
    firmware: list[_Firmware] = []
    metadata: _Metadata = _Metadata()


class _DeviceFile(msgspec.Struct, frozen=True):
    device: _Device


class _ProfileFile(msgspec.Struct, frozen=True):
    profile: profiles.ChirpstackProfile


def recognise(root: Path) -> bool:
    """There are folders of vendors with a vendor.toml."""
    return bool(_vendors(root))


def items(folder: Folder) -> Iterator[Found]:
    """Every device of every vendor; one that cannot be read has a problem."""
    for vendor_file in _vendors(folder.root):
        where = vendor_file.parent
        vendor = where.name
        try:
            vendor = folder.toml(vendor_file, _VendorFile).vendor.name or vendor
        except LibraryError as error:
            yield Found(Item(f"{ORIGIN}:{slug(where.name)}/vendor", ORIGIN, vendor, "vendor", problem=str(error)))
        for device in sorted((where / "devices").glob("*.toml")):
            item_id = f"{ORIGIN}:{slug(where.name)}/{slug(device.stem)}"
            try:
                yield _device(folder, device, vendor, item_id)
            except LibraryError as error:
                yield Found(Item(item_id, ORIGIN, vendor, device.stem, problem=str(error)))


def _vendors(root: Path) -> list[Path]:
    return sorted(root.glob("vendors/*/vendor.toml")) or sorted(root.glob("*/vendor.toml"))


def _device(folder: Folder, path: Path, vendor: str, item_id: str) -> Found:
    where = path.parent.parent
    device = folder.toml(path, _DeviceFile).device
    firmware = device.firmware[-1] if device.firmware else _Firmware()
    codec = _codec(folder, where / "codecs", firmware.codec)
    item = Item(
        id=item_id,
        origin=ORIGIN,
        vendor=vendor,
        name=device.name or path.stem,
        description=device.description,
        models=[path.stem],
        template=_profile(folder, where / "profiles", firmware.profiles),
        codec_sha256=None if codec is None else codec.sha256,
        source=device.metadata.documentation_url or device.metadata.product_url,
    )
    return Found(item, codec)


def _profile(folder: Folder, where: Path, names: list[str]) -> dict[str, Any]:
    if not names:
        raise LibraryError("no firmware version has a profile")
    read = [folder.toml(where / name, _ProfileFile).profile for name in names]
    chosen = next((p for region in profiles.PREFERRED_REGIONS for p in read if p.region == region), read[0])
    return profiles.of_chirpstack(chosen)


def _codec(folder: Folder, where: Path, name: str) -> CodecSource | None:
    if not name:
        return None
    script = where / name
    read = [folder.examples(where / f"test_{kind}_{script.stem}.json") for kind in ("decode", "encode")]
    return with_examples(folder.source(script), read)
