"""Trial: a version of a codec runs over real stored uplinks beside what decodes them now. Nothing is written.

report = await trial(parts, TrialSpec("climate", 3, last=1000), on_progress)
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from lns.decoding.batch import Choose, decode
from lns.decoding.compare import Comparison, Reading
from lns.decoding.memory import Memories
from lns.decoding.parts import CHUNK, Parts, codec_id, named, version
from lns.exchange.records import Uplink

LOOK_BACK = 2000  # records of the log looked at before others take their turn

OnProgress = Callable[[int, int], None]
"""Told how many uplinks are compared, and of how many."""

Numbered = tuple[int, Uplink]


class TrialSpec(msgspec.Struct, frozen=True):
    """Version `version` of `codec` on the newest `last` uplinks of its devices, or of those with these DevEUIs.

    Devices named here may have another codec, or none.
    """

    codec: str
    version: int
    last: int = 1000
    devices: tuple[str, ...] = ()


def _silent(_compared: int, _of: int) -> None:
    pass


async def trial(parts: Parts, spec: TrialSpec, on_progress: OnProgress = _silent) -> Comparison:
    """Compare, oldest uplink first. RegistryError or Refused where there is no such version."""
    draft = await version(parts, spec.codec, spec.version)
    wanted = await codec_id(parts, spec.codec)
    dev_euis = frozenset(spec.devices)

    def means(uplink: Uplink) -> bool:
        if not uplink.data or uplink.fport == 0:
            return False
        return uplink.dev_eui in dev_euis if dev_euis else parts.codecs.codec_id(uplink.device_id) == wanted

    uplinks = await newest(parts, spec.last, means)
    found = Comparison()
    old_memories, new_memories = Memories(), Memories()  # both begin without any: that is a fair comparison
    on_progress(0, len(uplinks))
    for start in range(0, len(uplinks), CHUNK):
        chunk = uplinks[start : start + CHUNK]
        before = await _read(parts, chunk, parts.codecs.of, old_memories)
        after = await _read(parts, chunk, lambda _: draft, new_memories)
        for (seq, uplink), old, new in zip(chunk, before, after, strict=True):
            found.add(seq, uplink, old, new)
        on_progress(start + len(chunk), len(uplinks))
        await asyncio.sleep(0)  # live uplinks take their turn
    return found


async def newest(parts: Parts, last: int, means: Callable[[Uplink], bool]) -> list[Numbered]:
    """The newest `last` uplinks of the log that are meant, oldest of them first."""
    found: list[Numbered] = []
    before = parts.exchange.head_seq + 1
    while len(found) < last:
        stored = await parts.exchange.read_back(before, "uplink", LOOK_BACK)
        if not stored:
            break
        before = stored[-1].seq
        found += [(one.seq, one.record) for one in stored if isinstance(one.record, Uplink) and means(one.record)]
    return found[:last][::-1]


async def _read(parts: Parts, uplinks: Sequence[Numbered], choose: Choose, memories: Memories) -> list[Reading]:
    results = await decode(parts.pool, parts.codecs, [uplink for _, uplink in uplinks], choose, memories)
    readings = []
    for (_, uplink), done in zip(uplinks, results, strict=True):
        if done is None:
            readings.append(Reading())
            continue
        memories.note(done[0], uplink, done[1])
        if done[1].error is not None:
            readings.append(Reading((), done[1].error, done[1].duration_us))
        else:
            readings.append(Reading(named(parts.codecs, uplink, done)[0], None, done[1].duration_us))
    return readings
