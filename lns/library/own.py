"""Our own layout: <vendor>/<family>/ with template.toml, codec.js and examples.json."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from lns.library.files import Folder, LibraryError
from lns.library.item import BUILT_IN_CODECS, CodecSource, Found, Item, with_examples

ORIGIN = "inflight"
_PROFILE = ("lorawan_version", "supports_join", "uplink_interval_s", "max_measurements_per_hour")
_FIELD = ("label", "unit", "min", "max", "name")


class _Head(msgspec.Struct, frozen=True):
    """The table [template]; what is not given is left to the server."""

    vendor: str = ""
    family: str = ""
    description: str = ""
    models: list[str] = []
    codec: str | None = None
    source: str | list[str] = ""
    device_class: str | None = msgspec.field(name="class", default=None)
    lorawan_version: str | None = None
    supports_join: bool | None = None
    uplink_interval_s: int | None = None
    max_measurements_per_hour: int | None = None
    network: dict[str, Any] = {}


class _File(msgspec.Struct, frozen=True):
    """A template.toml."""

    template: _Head
    fields: dict[str, dict[str, Any]] = {}


def recognise(root: Path) -> bool:
    """There is a template.toml in a folder of a family."""
    return next(root.glob("*/*/template.toml"), None) is not None


def items(folder: Folder) -> Iterator[Found]:
    """Every family of the folder; one that cannot be read has a problem."""
    for path in sorted(folder.root.glob("*/*/template.toml")):
        vendor, family = path.parent.parent.name, path.parent.name
        try:
            yield _found(folder, path)
        except LibraryError as error:
            yield Found(Item(f"{vendor}/{family}", ORIGIN, vendor, family, problem=str(error)))


def _found(folder: Folder, path: Path) -> Found:
    vendor, family = path.parent.parent.name, path.parent.name
    whole = folder.toml(path, _File)
    head = whole.template
    codec, built_in = _codec(folder, path.parent, head.codec)
    template = {name: value for name in _PROFILE if (value := getattr(head, name)) is not None}
    network = head.network if head.device_class is None else {**head.network, "device_class": head.device_class}
    item = Item(
        id=f"{vendor}/{family}",
        origin=ORIGIN,
        vendor=head.vendor or vendor,
        name=head.family or family,
        description=head.description,
        models=head.models,
        template={
            **template,
            **({"network": network} if network else {}),
            "rules": {name: field["rule"] for name, field in whole.fields.items() if "rule" in field},
            "fields": {name: {key: f[key] for key in _FIELD if key in f} for name, f in whole.fields.items()},
        },
        codec_sha256=None if codec is None else codec.sha256,
        built_in=built_in,
        source="; ".join(head.source) if isinstance(head.source, list) else head.source,
    )
    return Found(item, codec)


def _codec(folder: Folder, where: Path, named: str | None) -> tuple[CodecSource | None, str | None]:
    if named in BUILT_IN_CODECS:
        return None, named
    if named is None:
        if not (where / "codec.js").exists():
            return None, None
        named = "codec.js"
    return with_examples(folder.source(where / named), [folder.examples(where / "examples.json")]), None
