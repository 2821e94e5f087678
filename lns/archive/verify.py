"""Reads an archive back and compares every file with its manifest, and the manifests with each other."""

import asyncio
import hashlib
from collections.abc import Callable
from itertools import pairwise

import msgspec

from lns.archive import manifest
from lns.archive.files import UplinkFile, decode_decodes
from lns.archive.manifest import Decodes, Gap, Manifest
from lns.archive.storage import Storage
from lns.errors import StoreError
from lns.exchange.records import Uplink

_PAGE = 1000  # uplinks read at once: other threads run between


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a file, in a sentence."""

    name: str
    text: str


class Verdict(msgspec.Struct):
    """What was found. `orphans` are files without a manifest, which a kill leaves and which do not count."""

    files: int = 0
    uplinks: int = 0
    bytes: int = 0
    first_seq: int | None = None
    last_seq: int | None = None
    faults: list[Fault] = []
    gaps: list[Gap] = []
    overlaps: list[tuple[str, str]] = []
    orphans: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Everything that was archived is there, unchanged."""
        return not self.faults and not self.gaps


def _silent(_: Verdict, __: int) -> None:
    pass


async def verify(storage: Storage, tell: Callable[[Verdict, int], None] = _silent, log: str = "") -> Verdict:
    """Read everything back; `tell` is called after each file with what was found so far and the number of files.

    With the id of a log, what is of another one is a fault too. StoreError: the storage cannot be read; what is wrong
    with a file is a fault.
    """
    names = await storage.names(manifest.FOLDER) + await storage.names(manifest.DECODES)
    places = {name: place for name in names if (place := manifest.place(name)) is not None}
    listed = {name for name, place in places.items() if place.is_manifest}
    files = [name for name in places if name not in listed]
    verdict = Verdict(orphans=[name for name in files if manifest.manifest_name(name) not in listed])
    known: list[Manifest] = []
    for name in sorted(listed):
        described = await _described(storage, name, verdict)
        if described is not None:
            known.append(described)
            if log and described.log not in ("", log):
                verdict.faults.append(Fault(name, f"the file is of the log {described.log}, this one is {log}"))
            await _check_file(storage, described, verdict)
            if described.decodes is not None:
                await _check_decodes(storage, described.decodes, verdict)
        tell(verdict, len(listed))
    known.sort(key=lambda one: one.first_seq)
    verdict.gaps, verdict.overlaps = manifest.gaps(known), manifest.overlaps(known)
    if known:
        verdict.first_seq, verdict.last_seq = known[0].first_seq, max(one.last_seq for one in known)
    return verdict


async def _described(storage: Storage, name: str, verdict: Verdict) -> Manifest | None:
    text = await storage.get(name)
    if text is None:  # retention has dropped it since it was listed
        return None
    try:
        described = manifest.decode(name, text)
    except StoreError as error:
        verdict.faults.append(Fault(name, str(error)))
        return None
    if manifest.manifest_name(described.name) != name:
        verdict.faults.append(Fault(name, f"the manifest is of another file, {described.name}"))
        return None
    return described


async def _check_file(storage: Storage, described: Manifest, verdict: Verdict) -> None:
    data = await storage.get(described.name)
    if data is None:
        verdict.faults.append(Fault(described.name, "the file is missing"))
        return
    verdict.files += 1
    verdict.bytes += len(data)
    verdict.uplinks += described.count
    text = await asyncio.to_thread(fault_of, described, data)
    if text is not None:
        verdict.faults.append(Fault(described.name, text))


async def _check_decodes(storage: Storage, described: Decodes, verdict: Verdict) -> None:
    data = await storage.get(described.name)
    if data is None:
        verdict.faults.append(Fault(described.name, "the file is missing"))
        return
    verdict.bytes += len(data)
    text = await asyncio.to_thread(fault_of_decodes, described, data)
    if text is not None:
        verdict.faults.append(Fault(described.name, text))


def fault_of_decodes(described: Decodes, data: bytes) -> str | None:
    """How a file of decodes differs from what the manifest says of it; None: it does not."""
    if (text := _fault_of_bytes(described, data)) is not None:
        return text
    try:
        seqs = list(decode_decodes(described.name, data))
    except StoreError as error:
        return str(error)
    held, said = (len(seqs), seqs[:1], seqs[-1:]), (described.count, [described.first_seq], [described.last_seq])
    return None if held == said else f"the file has count, first and last seq {held}, its manifest says {said}"


def _fault_of_bytes(described: Manifest | Decodes, data: bytes) -> str | None:
    if len(data) != described.bytes:
        return f"the file is {len(data)} bytes, its manifest says {described.bytes}"
    if (found := hashlib.sha256(data).hexdigest()) != described.sha256:
        return f"the file's sha256 is {found}, its manifest says {described.sha256}"
    return None


def fault_of(described: Manifest, data: bytes) -> str | None:
    """How a file differs from its manifest; None: it does not."""
    if (text := _fault_of_bytes(described, data)) is not None:
        return text
    try:
        opened = UplinkFile(described.name, data)
    except StoreError as error:
        return str(error)
    seqs = opened.seqs
    if any(a >= b for a, b in pairwise(seqs)):
        return "the file's seqs are not in order"
    times: list[int] = []
    while len(times) < len(seqs):
        page = opened.after(seqs[len(times)] - 1, _PAGE)
        times += [one.record.received_at_us for one in page if isinstance(one.record, Uplink)]
    held = (len(seqs), seqs[0], seqs[-1], min(times), max(times)) if seqs else (0, 0, 0, 0, 0)
    said = (described.count, described.first_seq, described.last_seq, described.min_at_us, described.max_at_us)
    if held != said:
        return f"the file has count, first and last seq, first and last time {held}, its manifest says {said}"
    return None
