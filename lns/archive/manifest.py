"""What an archive says of its files: a manifest beside each, and the chain they make. Pure.

A file counts once its manifest is there. `after_seq` of each is the last uplink that is archived before it, so that a
file that is missing shows: seqs themselves have gaps, because other records of the log stand between uplinks.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

import msgspec

from lns.errors import StoreError
from lns.exchange.records import Uplink

FOLDER = "uplink"
DECODES = "decode"

_NAME = re.compile(rf"(?:{FOLDER}|{DECODES})/day=(\d{{4}}-\d\d-\d\d)/(\d{{19}})\.(parquet|json)")

Numbered = tuple[int, Uplink]
"""An uplink with the seq of its record."""


class Decodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file beside that says which codec versions have decoded uplinks: those from `first_seq` to `last_seq`.

    Of an uplink that was decoded again later, a later file says so.
    """

    name: str
    first_seq: int
    last_seq: int
    count: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: its uplinks have seqs from `first_seq` to `last_seq` and were received from `min_at_us` to `max_at_us`.

    `after_seq`: no uplink stands in the log between this seq and the file's first. Times are UTC microseconds, both
    included; `sha256` in hex and `bytes` are of the Parquet file. `log` is the id of the log that seqs are of.
    """

    name: str
    after_seq: int
    first_seq: int
    last_seq: int
    count: int
    min_at_us: int
    max_at_us: int
    bytes: int
    sha256: str
    log: str = ""
    decodes: Decodes | None = None
    version: int = 1


class Place(NamedTuple):
    """What the name of a file, or of its manifest, says of the file."""

    day: str
    first_seq: int
    is_manifest: bool


class Gap(msgspec.Struct, frozen=True):
    """Seqs of which no file says that it has their uplinks, both included."""

    first_seq: int
    last_seq: int


def day_of(at_us: int) -> str:
    """The UTC day of a time, as 2026-11-21."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).date().isoformat()


def file_name(day: str, first_seq: int) -> str:
    """The name of a file of uplinks; the folder is named so that query engines see a column `day`."""
    return f"{FOLDER}/day={day}/{first_seq:019}.parquet"


def decodes_name(name: str) -> str:
    """The name of the file of decodes that is beside a file of uplinks, in a folder of its own."""
    return DECODES + name.removeprefix(FOLDER)


def manifest_name(name: str) -> str:
    """The name of the manifest of a file, of uplinks or of decodes."""
    return name.replace(DECODES, FOLDER, 1).removesuffix(".parquet") + ".json"


def place(name: str) -> Place | None:
    """What a name says; None: it is none of an archive's."""
    found = _NAME.fullmatch(name)
    return Place(found[1], int(found[2]), found[3] == "json") if found else None


def split(batch: Iterable[Numbered]) -> list[list[Numbered]]:
    """Cut where a later day begins. What was received before midnight and comes after goes with the new day."""
    parts: list[list[Numbered]] = []
    day = ""
    for one in batch:
        own = day_of(one[1].received_at_us)
        if own > day:
            day = own
            parts.append([])
        parts[-1].append(one)
    return parts


def describe(part: Sequence[Numbered], data: bytes, after_seq: int, log: str = "") -> Manifest:
    """The manifest of uplinks that are the file `data`."""
    times = [uplink.received_at_us for _, uplink in part]
    return Manifest(
        name=file_name(day_of(times[0]), part[0][0]),
        after_seq=after_seq,
        first_seq=part[0][0],
        last_seq=part[-1][0],
        count=len(part),
        min_at_us=min(times),
        max_at_us=max(times),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        log=log,
    )


def describe_decodes(uplink_name: str, seqs: Sequence[int], data: bytes) -> Decodes:
    """What the manifest of a file of uplinks says of the file of decodes beside it, `data`; `seqs` in order."""
    sha256 = hashlib.sha256(data).hexdigest()
    return Decodes(decodes_name(uplink_name), seqs[0], seqs[-1], len(seqs), len(data), sha256)


def encode(manifest: Manifest) -> bytes:
    """A manifest as JSON for people and programs."""
    return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"


def decode(name: str, text: bytes) -> Manifest:
    """A manifest as stored under `name`. StoreError."""
    try:
        return msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"the archive's manifest {name} is damaged: {str(error).lower()}") from error


def check_log(described: Manifest, log: str) -> None:
    """Whether a file's seqs are of the log with an id; StoreError: they mean nothing there. An empty id: any."""
    if described.log and log and described.log != log:
        raise StoreError(
            f"the archive is of the log {described.log}, this one is {log}: name another folder, bucket or prefix"
        )


def gaps(manifests: Iterable[Manifest]) -> list[Gap]:
    """Where the chain of files, in the order of their seqs, is broken."""
    ordered = sorted(manifests, key=lambda manifest: manifest.first_seq)
    found = []
    reach = 0
    for before, manifest in pairwise(ordered):
        reach = max(reach, before.last_seq)
        if manifest.after_seq > reach:
            found.append(Gap(reach + 1, manifest.after_seq))
    return found


def overlaps(manifests: Iterable[Manifest]) -> list[tuple[str, str]]:
    """Pairs of files that hold the same seqs; readers take each uplink once."""
    ordered = sorted(manifests, key=lambda manifest: manifest.first_seq)
    return [(a.name, b.name) for a, b in pairwise(ordered) if b.first_seq <= a.last_seq]
