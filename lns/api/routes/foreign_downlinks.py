"""Downlink commands over HTTP in the words of ChirpStack and The Things Stack, so that their clients work unchanged.

A key of this server stands where theirs stood: `Authorization: Bearer`, or `Grpc-Metadata-Authorization`.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field

from lns.api.auth import Presented, needs
from lns.api.problems import ApiProblem, documented
from lns.api.request_body import read_body
from lns.api.services import Given, Services
from lns.api.shapes import DevEui
from lns.assembly.commands import NoDevice
from lns.outlets.formats import commands
from lns.outlets.formats.commands import Command
from lns.registry.rows import ApiKey

router = APIRouter(tags=["downlinks"])

_may_write = needs("write")


async def _key(
    services: Given,
    presented: Presented,
    grpc_metadata_authorization: Annotated[
        str | None, Header(description="The same, as gRPC gateways take it.")
    ] = None,
) -> ApiKey:
    if presented is None:
        scheme, _, secret = (grpc_metadata_authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            presented = HTTPAuthorizationCredentials(scheme=scheme, credentials=secret)
    return await _may_write(services, presented)


_WRITE = [Depends(_key)]


class QueuedReply(BaseModel):
    """The downlink that was queued."""

    id: str = Field(examples=["4f5cd7a2-3a52-4b9c-9d3e-6d6ac0bbf2a1"])


def _example(value: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"example": value}}}}


@router.post(
    "/api/devices/{dev_eui}/queue",
    dependencies=_WRITE,
    response_model=QueuedReply,
    responses=documented(404, 413),
    openapi_extra=_example({"queueItem": {"fPort": 2, "data": "AQAAPA==", "confirmed": False}}),
)
async def queue_as_chirpstack(dev_eui: DevEui, request: Request, services: Given) -> dict[str, str]:
    """Queue a downlink in ChirpStack's words: a `queueItem` with `fPort`, `data` or `object`, `confirmed`, `expiresAt`.

    An `object` is encoded by the codec of the device.
    """
    command = await _parsed(request, lambda body: commands.chirpstack_queue(dev_eui, body))
    (queued,) = await _taken(services, command, None)
    return {"id": queued}


@router.delete("/api/devices/{dev_eui}/queue", dependencies=_WRITE, responses=documented(404))
async def flush_as_chirpstack(dev_eui: DevEui, services: Given) -> dict[str, str]:
    """Empty a device's queue, where ChirpStack's clients do so."""
    await _taken(services, Command((), replace=True, dev_eui=dev_eui), None)
    return {}


@router.post(
    "/api/v3/as/applications/{application_id}/webhooks/{webhook_id}/devices/{device_id}/down/{verb}",
    dependencies=_WRITE,
    responses=documented(404, 413),
    openapi_extra=_example({"downlinks": [{"f_port": 2, "frm_payload": "AQAAPA==", "priority": "NORMAL"}]}),
)
async def queue_as_the_things_stack(
    application_id: Annotated[str, Path(description="Id of the application, as its messages name it.")],
    webhook_id: Annotated[str, Path(description="Name of the webhook outlet.")],
    device_id: Annotated[str, Path(description="Id of the device, as its messages name it.")],
    verb: Annotated[Literal["push", "replace"], Path(description="push: behind what waits; replace: instead of it.")],
    request: Request,
    services: Given,
) -> dict[str, str]:
    """Queue downlinks in The Things Stack's words: `f_port`, `frm_payload` or `decoded_payload`, `priority`."""
    names = {"device_id": device_id, "command": verb}
    command = await _parsed(request, lambda body: commands.tts(names, body))
    await _taken(services, command, await asyncio.to_thread(_application, services, application_id, webhook_id))
    return {}


async def _parsed(request: Request, parse: Callable[[bytes], Command]) -> Command:
    body = await read_body(request)
    try:
        return parse(body)
    except ValueError as error:
        raise ApiProblem(422, "invalid", str(error)) from error


async def _taken(services: Services, command: Command, application_id: int | None) -> list[str]:
    try:
        return await services.commands.take(command, application_id)
    except NoDevice as error:
        raise ApiProblem(404, "not_found", str(error)) from error
    except ValueError as error:
        raise ApiProblem(422, "invalid", str(error)) from error


def _application(services: Services, given: str, webhook: str) -> int:
    """The application that messages in that format name so: by its outlet, its own name or its number."""
    for one in services.registry.outlets.all():
        if (one.outlet.name, one.outlet.settings.get("application_id")) == (webhook, given):
            return one.outlet.application_id
    for application in services.registry.applications.all():
        if given in (application.name, f"application-{application.id}"):
            return application.id
    raise ApiProblem(404, "not_found", f"no application has the id {given!r}")
