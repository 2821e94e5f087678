"""A device's queue of downlinks."""

import asyncio
import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from lns.api import downlink_codec, times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given, Services
from lns.api.shapes import After, Body, DevEui, Limit, Page, answer, example
from lns.clock import now_us
from lns.mac.queue import DownlinkItem
from lns.network import DownlinkRefused
from lns.registry.rows import StoredDownlink

router = APIRouter(prefix="/devices/{dev_eui}/downlinks", tags=["downlinks"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]

Id = Annotated[str, Path(description="Id from the list.")]
Decode = Annotated[bool, Query(description="Show each as the object that the device's codec makes of it.")]


class PayloadBody(Body):
    """A payload, given once, as hex or as base64, before encryption."""

    payload: str | None = Field(None, max_length=512, description="Payload as hex.")
    payload_base64: str | None = Field(None, max_length=512, description="Payload as base64.")
    expires_in_s: int | None = Field(
        None, ge=1, le=31_536_000, description="Seconds after which it is not sent any more."
    )
    at: times.Instant | None = Field(
        None, description="Not before this time, RFC 3339; a class C device gets it then, others at the next chance."
    )

    @property
    def expires_at_us(self) -> int | None:
        """When it expires, counted from now."""
        return None if self.expires_in_s is None else now_us() + self.expires_in_s * 1_000_000


class DownlinkBody(PayloadBody):
    """A downlink to queue, given once: as hex or base64 before encryption, or as an object for the device's codec."""

    model_config = example(fport=2, payload="0100003c", confirmed=False, expires_in_s=3600)

    fport: int | None = Field(None, ge=1, le=223, description="FPort, 1 to 223; with `object` the codec's own if null.")
    object: dict[str, Any] | None = Field(None, description="What `encodeDownlink` of the device's codec encodes.")
    confirmed: bool = Field(False, description="Ask the device to acknowledge it.")
    priority: int = Field(0, ge=-100, le=100, description="What has a higher one goes first.")


class DownlinkReply(BaseModel):
    """A downlink in any state."""

    id: str = Field(examples=["4f5cd7a2-3a52-4b9c-9d3e-6d6ac0bbf2a1"])
    fport: int = Field(examples=[2])
    payload: str = Field(description="Hex, before encryption.", examples=["0100003c"])
    confirmed: bool
    priority: int = Field(examples=[0])
    state: str = Field(
        description="queued, sent (the last state if not confirmed), acked, nacked, expired, failed or deleted.",
        examples=["queued"],
    )
    reason: str | None = Field(description="Why it is in that state.")
    attempts: int = Field(description="Frames that carried it.", examples=[0])
    enqueued_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    expires_at: str | None = Field(description="RFC 3339, UTC; null: never.")
    at: str | None = Field(description="Not before this time, RFC 3339, UTC; null: at once.")
    fcnt_down: int | None = Field(description="Counter of the last frame that carried it.")


class ListedDownlinkReply(DownlinkReply):
    """A downlink that waits; asked with `decode`, also as the object that the device's codec makes of it."""

    object: Any = Field(None, description="What `decodeDownlink` makes of it; null: nothing.")
    object_error: str | None = Field(None, description="Why there is no object.")


class StoredDownlinkReply(DownlinkReply):
    """A downlink in any state, with the time of its last change."""

    updated_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class FlushReply(BaseModel):
    """How many downlinks were taken out of the queue."""

    deleted: int = Field(examples=[2])


@router.get(
    "",
    dependencies=_READ,
    response_model=Page[ListedDownlinkReply],
    response_model_exclude_unset=True,
    responses=documented(404),
)
async def list_downlinks(dev_eui: DevEui, services: Given, decode: Decode = False) -> dict[str, Any]:
    """List what waits for the device, in the order in which it will be sent, and before it what awaits its ack."""
    try:
        items = services.network.downlinks(dev_eui)
    except KeyError:
        raise _no_device(dev_eui) from None
    shown = [_shown(item) for item in items]
    if decode:
        objects = await downlink_codec.decode(services, services.network.device(dev_eui), items)
        shown = [{**one, **found} for one, found in zip(shown, objects, strict=True)]
    return {"items": shown, "next": None}


@router.get("/past", dependencies=_READ, response_model=Page[StoredDownlinkReply], responses=documented(404))
async def list_past_downlinks(dev_eui: DevEui, services: Given, limit: Limit = 100, after: After = None) -> Response:
    """List the device's downlinks in every state, queued last first. They are forgotten after 30 days."""

    def page() -> dict[str, Any]:
        found = services.registry.downlinks.page(dev_eui, after, limit)
        return {
            "items": [_stored(stored) for stored in found],
            "next": str(found[-1].place) if len(found) == limit else None,
        }

    return await answer(page)


@router.get("/{id}", dependencies=_READ, response_model=StoredDownlinkReply, responses=documented(404))
async def get_downlink(dev_eui: DevEui, id: Id, services: Given) -> dict[str, Any]:
    """Show one downlink, whatever became of it."""
    return _stored(await asyncio.to_thread(services.registry.downlinks.get, dev_eui, id))


@router.post("", dependencies=_WRITE, status_code=201, response_model=DownlinkReply, responses=documented(404))
async def queue_downlink(dev_eui: DevEui, body: DownlinkBody, services: Given) -> dict[str, Any]:
    """Queue a downlink, behind those of the same priority; it is stored when this returns.

    A class A device takes it after one of its next uplinks, one of class B in a ping slot, one of class C at once.
    An `object` is encoded by the codec of the device, with the version in use now.
    """
    try:
        fport, payload = await _encoded(services, dev_eui, body)
        item = await services.network.enqueue(dev_eui, fport, payload, body.confirmed, **_more(body))
    except KeyError:
        raise _no_device(dev_eui) from None
    except DownlinkRefused as error:
        raise ApiProblem(422, "invalid", str(error)) from error
    return _shown(item)


@router.put("/{id}", dependencies=_WRITE, response_model=DownlinkReply, responses=documented(404))
async def replace_downlink(dev_eui: DevEui, id: Id, body: DownlinkBody, services: Given) -> dict[str, Any]:
    """Let another downlink take the place of a waiting one, under its id."""
    try:
        fport, payload = await _encoded(services, dev_eui, body)
        item = await services.network.replace_downlink(dev_eui, id, fport, payload, body.confirmed, **_more(body))
    except KeyError:
        raise _no_device(dev_eui) from None
    except DownlinkRefused as error:
        raise ApiProblem(422, "invalid", str(error)) from error
    if item is None:
        raise _gone(dev_eui, id)
    return _shown(item)


@router.delete("", dependencies=_WRITE, response_model=FlushReply, responses=documented(404))
async def flush_downlinks(dev_eui: DevEui, services: Given) -> dict[str, int]:
    """Empty the device's queue. What is on the air already cannot be called back."""
    try:
        return {"deleted": await services.network.flush_downlinks(dev_eui)}
    except KeyError:
        raise _no_device(dev_eui) from None


@router.delete("/{id}", dependencies=_WRITE, status_code=204, responses=documented(404))
async def delete_downlink(dev_eui: DevEui, id: Id, services: Given) -> Response:
    """Take one downlink out of the queue, or give up one that awaits its acknowledgement."""
    try:
        deleted = await services.network.delete_downlink(dev_eui, id)
    except KeyError:
        raise _no_device(dev_eui) from None
    if not deleted:
        raise _gone(dev_eui, id)
    return Response(status_code=204)


def octets(body: PayloadBody) -> bytes:
    """The payload of a body, which must be given once."""
    if (body.payload is None) == (body.payload_base64 is None):
        raise ApiProblem(422, "invalid", "give the payload once: payload (hex) or payload_base64")
    try:
        if body.payload is not None:
            return bytes.fromhex(body.payload)
        return base64.b64decode(body.payload_base64 or "", validate=True)
    except (ValueError, binascii.Error):
        given = "payload" if body.payload is not None else "payload_base64"
        raise ApiProblem(422, "invalid", f"{given} is not {'hex' if given == 'payload' else 'base64'}") from None


async def _encoded(services: Services, dev_eui: str, body: DownlinkBody) -> tuple[int, bytes]:
    """FPort and payload of a body. KeyError: there is no such device."""
    if body.object is None:
        if body.fport is None:
            raise ApiProblem(422, "invalid", "fport is missing: only a codec can name it, for an object")
        return body.fport, octets(body)
    if body.payload is not None or body.payload_base64 is not None:
        raise ApiProblem(422, "invalid", "give a payload or an object, one of them")
    made = await downlink_codec.encode(services, services.network.device(dev_eui), body.object, body.fport)
    return made.fport, made.payload


def _more(body: DownlinkBody) -> dict[str, Any]:
    return {"expires_at_us": body.expires_at_us, "priority": body.priority, "at_us": body.at}


def _no_device(dev_eui: str) -> ApiProblem:
    return ApiProblem(404, "not_found", f"device {dev_eui} does not exist")


def _gone(dev_eui: str, item_id: str) -> ApiProblem:
    return ApiProblem(404, "not_found", f"downlink {item_id} does not wait for device {dev_eui} (any more)")


def _stored(stored: StoredDownlink) -> dict[str, Any]:
    return {**_shown(stored.item), "updated_at": times.text(stored.updated_at_us)}


def _shown(item: DownlinkItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "fport": item.fport,
        "payload": item.payload.hex(),
        "confirmed": item.confirmed,
        "priority": item.priority,
        "state": item.state,
        "reason": item.reason,
        "attempts": item.attempts,
        "enqueued_at": times.text(item.enqueued_at_us),
        "expires_at": times.text_or_none(item.expires_at_us),
        "at": times.text_or_none(item.at_us),
        "fcnt_down": item.fcnt_down,
    }
