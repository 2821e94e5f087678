"""What a library holds of a kind of device: its profile, the fields it measures, its codec with examples."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

BUILT_IN_CODECS = ("cayenne-lpp",)
MAX_EXAMPLES_BYTES = 4 * 1024 * 1024

Examples = list[dict[str, Any]] | str
"""The examples of a file, or why they cannot be read."""

_SEPARATORS = re.compile(r"[^a-z0-9.]+")


class CodecSource(msgspec.Struct, frozen=True):
    """A script and its examples in the format of TS013; equal sources are one codec for many devices.

    `unread` says which examples could not be read.
    """

    source: str
    examples: list[dict[str, Any]] = []
    unread: str | None = None

    @property
    def sha256(self) -> str:
        """What names the source."""
        return hashlib.sha256(self.source.encode()).hexdigest()


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """A kind of device. `id` reads vendor/device, with the library's name and a colon before it unless it is ours.

    `template` has fields of a device template: lorawan_version, supports_join, uplink_interval_s, network, rules,
    fields, max_measurements_per_hour; `codec_sha256` names its CodecSource, `built_in` a codec that needs none.
    `source` is the vendor's document, `problem` why the item cannot be used.
    """

    id: str
    origin: str
    vendor: str
    name: str
    description: str = ""
    models: list[str] = []
    template: dict[str, Any] = {}
    codec_sha256: str | None = None
    built_in: str | None = None
    source: str = ""
    problem: str | None = None

    def words(self) -> str:
        """What a search looks through."""
        return " ".join((self.id, self.vendor, self.name, *self.models, self.description)).lower()


class Found(msgspec.Struct, frozen=True):
    """An item as a layout reads it, with its codec beside it."""

    item: Item
    codec: CodecSource | None = None

    @property
    def digest(self) -> str:
        """Names the whole content, so that an item that has not changed is not imported again."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def with_examples(source: str, read: Sequence[Examples]) -> CodecSource:
    """A script with what its files of examples gave."""
    unread = [part for part in read if isinstance(part, str)]
    examples = [example for part in read if not isinstance(part, str) for example in part]
    octets = len(msgspec.json.encode(examples))
    if octets > MAX_EXAMPLES_BYTES:
        examples = []
        unread.append(f"the examples have {octets} octets, at most {MAX_EXAMPLES_BYTES} fit")
    return CodecSource(source, examples, "; ".join(unread) or None)


def by_source(codecs: Iterable[CodecSource]) -> dict[str, CodecSource]:
    """One codec for each source, by its hash, with the examples of all: devices of one script may bring their own."""
    found: dict[str, CodecSource] = {}
    for codec in codecs:
        sha256 = codec.sha256
        known = found.setdefault(sha256, codec)
        if known is not codec:
            more = [example for example in codec.examples if example not in known.examples]
            if more or (codec.unread and not known.unread):
                found[sha256] = CodecSource(known.source, known.examples + more, known.unread or codec.unread)
    return found


def named(found: Found, origin: str) -> Found:
    """An item as one of the library `origin`, which its id begins with."""
    item = msgspec.structs.replace(found.item, id=f"{origin}:{found.item.id.rpartition(':')[2]}", origin=origin)
    return Found(item, found.codec)


def slug(text: str) -> str:
    """A part of an id: lower case letters, digits and dots, anything else one dash."""
    return _SEPARATORS.sub("-", text.lower()).strip("-.") or "unnamed"


def template_name(item_id: str) -> str:
    """The name a device template gets from an id: ttn:dragino/lht65 makes dragino-lht65."""
    return item_id.rpartition(":")[2].replace("/", "-")[:64].rstrip("-")
