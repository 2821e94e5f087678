"""A device's queue of downlinks."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given
from lns.api.shapes import Body, DevEui, Page, example
from lns.mac.queue import DownlinkItem
from lns.network import DownlinkRefused
from lns.registry.clock import now_us

router = APIRouter(prefix="/devices/{dev_eui}/downlinks", tags=["downlinks"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]


class DownlinkBody(Body):
    """A downlink to queue; the payload is given once, as hex or as base64, before encryption."""

    model_config = example(fport=2, payload="0100003c", confirmed=False, expires_in_s=3600)

    fport: int = Field(ge=1, le=223, description="FPort, 1 to 223.")
    payload: str | None = Field(None, max_length=512, description="Payload as hex.")
    payload_base64: str | None = Field(None, max_length=512, description="Payload as base64.")
    confirmed: bool = Field(False, description="Ask the device to acknowledge it.")
    expires_in_s: int | None = Field(
        None, ge=1, le=31_536_000, description="Seconds after which it is not sent any more."
    )


class DownlinkReply(BaseModel):
    """A downlink that waits or awaits its acknowledgement."""

    id: str = Field(examples=["4f5cd7a2-3a52-4b9c-9d3e-6d6ac0bbf2a1"])
    fport: int = Field(examples=[2])
    payload: str = Field(description="Hex, before encryption.", examples=["0100003c"])
    confirmed: bool
    state: str = Field(
        description="queued, sent (and not acknowledged yet), acked, nacked, expired, failed or deleted.",
        examples=["queued"],
    )
    reason: str | None = Field(description="Why it is in that state.")
    enqueued_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    expires_at: str | None = Field(description="RFC 3339, UTC; null: never.")
    fcnt_down: int | None = Field(description="Counter of the frame that carried it.")


class FlushReply(BaseModel):
    """How many downlinks were taken out of the queue."""

    deleted: int = Field(examples=[2])


@router.get("", dependencies=_READ, response_model=Page[DownlinkReply], responses=documented(404))
async def list_downlinks(dev_eui: DevEui, services: Given) -> dict[str, Any]:
    """List what waits for the device, in the order in which it will be sent."""
    try:
        items = services.network.downlinks(dev_eui)
    except KeyError:
        raise _no_device(dev_eui) from None
    return {"items": [_shown(item) for item in items], "next": None}


@router.post("", dependencies=_WRITE, status_code=201, response_model=DownlinkReply, responses=documented(404))
async def queue_downlink(dev_eui: DevEui, body: DownlinkBody, services: Given) -> dict[str, Any]:
    """Queue a downlink. A class A device takes it after one of its next uplinks; it is stored when this returns."""
    expires_at_us = None if body.expires_in_s is None else now_us() + body.expires_in_s * 1_000_000
    try:
        item = await services.network.enqueue(dev_eui, body.fport, _payload(body), body.confirmed, expires_at_us)
    except KeyError:
        raise _no_device(dev_eui) from None
    except DownlinkRefused as error:
        raise ApiProblem(422, "invalid", str(error)) from error
    return _shown(item)


@router.delete("", dependencies=_WRITE, response_model=FlushReply, responses=documented(404))
async def flush_downlinks(dev_eui: DevEui, services: Given) -> dict[str, int]:
    """Empty the device's queue. What is on the air already cannot be called back."""
    try:
        return {"deleted": await services.network.flush_downlinks(dev_eui)}
    except KeyError:
        raise _no_device(dev_eui) from None


@router.delete("/{id}", dependencies=_WRITE, status_code=204, responses=documented(404))
async def delete_downlink(
    dev_eui: DevEui, id: Annotated[str, Path(description="Id from the list.")], services: Given
) -> Response:
    """Take one downlink out of the queue."""
    try:
        deleted = await services.network.delete_downlink(dev_eui, id)
    except KeyError:
        raise _no_device(dev_eui) from None
    if not deleted:
        raise ApiProblem(404, "not_found", f"downlink {id} does not wait for device {dev_eui} (any more)")
    return Response(status_code=204)


def _payload(body: DownlinkBody) -> bytes:
    if (body.payload is None) == (body.payload_base64 is None):
        raise ApiProblem(422, "invalid", "give the payload once: payload (hex) or payload_base64")
    try:
        if body.payload is not None:
            return bytes.fromhex(body.payload)
        return base64.b64decode(body.payload_base64 or "", validate=True)
    except (ValueError, binascii.Error):
        given = "payload" if body.payload is not None else "payload_base64"
        raise ApiProblem(422, "invalid", f"{given} is not {'hex' if given == 'payload' else 'base64'}") from None


def _no_device(dev_eui: str) -> ApiProblem:
    return ApiProblem(404, "not_found", f"device {dev_eui} does not exist")


def _shown(item: DownlinkItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "fport": item.fport,
        "payload": item.payload.hex(),
        "confirmed": item.confirmed,
        "state": item.state,
        "reason": item.reason,
        "enqueued_at": times.text(item.enqueued_at_us),
        "expires_at": times.text_or_none(item.expires_at_us),
        "fcnt_down": item.fcnt_down,
    }
