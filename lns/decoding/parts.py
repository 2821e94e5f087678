"""What replays and trials work with, and how they name the codec version to decode with."""

import asyncio

import msgspec

from decoders.contract import Sample
from decoders.pool import Pool
from lns.decoding.batch import Done
from lns.decoding.codecs import Codec, Codecs, codec_of
from lns.exchange.records import Uplink
from lns.exchange.sqlite import SqliteExchange
from lns.registry.registry import Registry
from lns.series.store import SeriesStore

CHUNK = 100
"""Uplinks handed to the decoders at once: live ones wait for one batch at most, whatever runs beside them."""


class Refused(ValueError):
    """What was asked for cannot be done; the text says why."""


class Parts(msgspec.Struct, frozen=True):
    """The parts of the server that decoding again needs. `series` is None where measurements are not kept."""

    registry: Registry
    exchange: SqliteExchange
    pool: Pool
    codecs: Codecs
    series: SeriesStore | None


async def version(parts: Parts, name: str, number: int) -> Codec:
    """A version of a codec, whatever its state. RegistryError or Refused where there is none."""
    versions = await asyncio.to_thread(parts.registry.codecs.versions, name)
    found = next((v for v in versions if v.number == number), None)
    if found is None:
        raise Refused(f"codec {name!r} has no version {number}, it has 1 to {len(versions)}")
    return await asyncio.to_thread(codec_of, found)


async def codec_id(parts: Parts, name: str) -> int:
    """The id of a codec. RegistryError where there is none."""
    return (await asyncio.to_thread(parts.registry.codecs.get, name)).id


def named(codecs: Codecs, uplink: Uplink, done: Done) -> tuple[list[Sample], list[str]]:
    """The samples of a result that was no failure, as they are stored, and warnings about them."""
    codec, result = done
    return codecs.naming(uplink.device_id, codec).apply(result.samples)
