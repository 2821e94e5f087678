"""Decodes that failed, and trying them again."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import documented
from lns.api.services import Given, Services
from lns.api.shapes import After, Body, Eui, Limit, Page, answer, example
from lns.registry.rows import DecodeFailure

router = APIRouter(prefix="/decode-failures", tags=["codecs"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]


class FailureReply(BaseModel):
    """An uplink that could not be decoded; it stays in the log and can be decoded again."""

    uplink_seq: int = Field(description="Its place in the log.", examples=[1042])
    dev_eui: str = Field(examples=["70b3d57ed0000001"])
    device: str = Field(examples=["cellar"])
    codec: str | None = Field(examples=["lht65"])
    codec_version: int | None = Field(examples=[1])
    reason: str = Field(examples=["exception"])
    message: str = Field(examples=["TypeError: Cannot read properties of undefined (reading 'x')"])
    line: int | None = Field(description="In the codec's source, counting from 1.", examples=[3])
    column: int | None = Field(examples=[14])
    at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class RetryBody(Body):
    """Which failures to try again; with nothing given all of them."""

    model_config = example(device="70b3d57ed0000001")

    uplink_seqs: list[int] | None = Field(None, max_length=10_000, description="These.")
    device: Eui | None = Field(None, description="Those of this device: DevEUI.")
    codec: str | None = Field(None, description="Those of the devices that this codec decodes.")


class RetryReply(BaseModel):
    """What became of them."""

    retried: int = Field(description="Decoded now.", examples=[2])
    failed: int = Field(description="Failed again, or no longer in the log.", examples=[0])


@router.get("", dependencies=_READ, response_model=Page[FailureReply], responses=documented())
async def list_decode_failures(
    services: Given,
    device: Annotated[Eui | None, Query(description="Only this device's: DevEUI.")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """List failed decodes that no retry has mended, newest first."""

    def page() -> dict[str, Any]:
        found = services.registry.failures.page(device, after, limit)
        following = str(found[-1].uplink_seq) if len(found) == limit else None
        return {"items": [_shown(failure) for failure in found], "next": following}

    return await answer(page)


@router.post("/retry", dependencies=_WRITE, response_model=RetryReply, responses=documented(404))
async def retry_decode_failures(body: RetryBody, services: Given) -> dict[str, int]:
    """Decode failed uplinks again with the codecs in use now; what they give is stored under the uplink's own time."""
    seqs = await asyncio.to_thread(_chosen, services, body)
    return await services.decoding.retry(seqs) if seqs else {"retried": 0, "failed": 0}


def _chosen(services: Services, body: RetryBody) -> list[int]:
    if body.device is not None:
        services.registry.devices.id(body.device)
    if body.codec is not None:
        services.registry.codecs.get(body.codec)
    failed = services.registry.failures.uplink_seqs(body.device, body.codec)
    if body.uplink_seqs is None:
        return failed
    wanted = set(body.uplink_seqs)
    return [seq for seq in failed if seq in wanted]


def _shown(failure: DecodeFailure) -> dict[str, Any]:
    return {
        "uplink_seq": failure.uplink_seq,
        "dev_eui": failure.dev_eui,
        "device": failure.device,
        "codec": failure.codec,
        "codec_version": failure.codec_version,
        "reason": failure.reason,
        "message": failure.message,
        "line": failure.line,
        "column": failure.column,
        "at": times.text(failure.at_us),
    }
