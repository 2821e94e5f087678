"""Codec versions that are not run any more because they cost too much, with the evidence, and their release."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from decoders.pool import Pool
from lns.api.auth import needs
from lns.api.problems import documented
from lns.api.services import Given
from lns.api.shapes import Page
from lns.api.times import text
from lns.decoding.codecs import Codec, codec_of

router = APIRouter(prefix="/quarantine", tags=["codecs"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]


class InputReply(BaseModel):
    """The uplink that cost too much last."""

    payload: str = Field(description="Hexadecimal.", examples=["42ff"])
    fport: int = Field(examples=[10])
    dev_eui: str = Field(examples=["70b3d57ed0000001"])
    fcnt: int = Field(examples=[1042])
    received_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class QuarantineReply(BaseModel):
    """A version that has cost workers or time, and whether that was too much."""

    codec: str = Field(examples=["lht65"])
    version: int = Field(examples=[2])
    parked: bool = Field(description="It is run no more: its uplinks fail with `parked`.", examples=[True])
    reason: str = Field(examples=["the worker took 436 MiB of memory, at most 400 are allowed"])
    at: str = Field(description="When it last cost too much. RFC 3339, UTC.", examples=["2026-01-31T08:00:01.000000Z"])
    deaths: int = Field(description="Uplinks within ten minutes that ended their worker.", examples=[3])
    overruns: int = Field(description="Uplinks within ten minutes that ran out of time or memory.", examples=[0])
    input: InputReply


class ReleaseReply(BaseModel):
    """What a release has changed."""

    released: int = Field(description="Versions of the codec that are run again.", examples=[1])


@router.get("", dependencies=_READ, response_model=Page[QuarantineReply], responses=documented())
async def list_quarantine(services: Given) -> dict[str, Any]:
    """List the codec versions in use that have cost workers or time, with the uplink that did so last.

    One that has killed three workers within ten minutes, or run out of time or memory a hundred times, is parked.
    """
    versions = await asyncio.to_thread(services.registry.codecs.in_use)
    shown = [_shown(services.decoder_pool, codec_of(version), version.number) for version in versions]
    return {"items": [item for item in shown if item is not None], "next": None}


@router.post("/{codec}/release", dependencies=_WRITE, response_model=ReleaseReply, responses=documented(404))
async def release_codec(
    codec: Annotated[str, Path(description="Name of the codec.", examples=["lht65"])], services: Given
) -> dict[str, int]:
    """Run the versions of a codec again, and forget what is held against them.

    Their uplinks that failed meanwhile can then be decoded: see `POST /decode-failures/retry` and `POST /replays`.
    """
    versions = await asyncio.to_thread(services.registry.codecs.versions, codec)
    pool = services.decoder_pool
    released = 0
    for one in map(codec_of, versions):
        released += pool.is_parked(one.key, one.convention)
        pool.forgive(one.key)
    return {"released": released}


def _shown(pool: Pool, codec: Codec, number: int) -> dict[str, Any] | None:
    evidence = pool.evidence(codec.key, codec.convention)
    if evidence is None:
        return None
    offence = evidence.offence
    request = offence.request
    return {
        "codec": codec.name,
        "version": number,
        "parked": pool.is_parked(codec.key, codec.convention),
        "reason": offence.why,
        "at": text(offence.at_us),
        "deaths": evidence.deaths,
        "overruns": evidence.overruns,
        "input": {
            "payload": request.payload.hex(),
            "fport": request.fport,
            "dev_eui": request.dev_eui,
            "fcnt": request.fcnt,
            "received_at": text(request.recv_time_us),
        },
    }
