"""Devices, one by one."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from lns.api.auth import needs
from lns.api.from_library import from_library
from lns.api.problems import documented
from lns.api.routes.device_shapes import DeviceBody, DeviceChange, DeviceReply, shown
from lns.api.services import Given
from lns.api.shapes import After, DevEui, Limit, Page, answer
from lns.registry.device_input import parse_device
from lns.registry.rows import ApiKey

router = APIRouter(prefix="/devices", tags=["devices"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
Author = Annotated[ApiKey, Depends(needs("write"))]


@router.get("", dependencies=_READ, response_model=Page[DeviceReply], responses=documented())
async def list_devices(
    services: Given,
    application: Annotated[str | None, Query(description="Only this application's.", examples=["greenhouse"])] = None,
    search: Annotated[str | None, Query(description="Part of a name or DevEUI.", examples=["cellar"])] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """List devices, oldest first."""

    def page() -> dict[str, Any]:
        found = services.registry.devices.page(application, search, after or 0, limit)
        return {
            "items": [shown(d, services) for d in found],
            "next": str(found[-1].id) if len(found) == limit else None,
        }

    return await answer(page)


@router.post("", status_code=201, response_model=DeviceReply, responses=documented(409))
async def create_device(body: DeviceBody, services: Given, author: Author) -> dict[str, Any]:
    """Create a device. It is served at once; its uplinks count from the next one on.

    A `template` with a slash is one of the template library, as `milesight/em300-th`: it is made where it is missing,
    with its codec and fields.
    """
    values = body.model_dump(exclude_unset=True)
    if "/" in body.template:
        values["template"] = (await from_library(services, body.template, author=author.name)).name
    new = parse_device(values)
    device = await asyncio.to_thread(services.registry.devices.add, new)
    await services.network.reload_devices([device.dev_eui])
    return shown(device, services)


@router.get("/{dev_eui}", dependencies=_READ, response_model=DeviceReply, responses=documented(404))
async def get_device(dev_eui: DevEui, services: Given) -> dict[str, Any]:
    """Show one device with its session."""
    return shown(await asyncio.to_thread(services.registry.devices.get, dev_eui), services)


@router.patch("/{dev_eui}", response_model=DeviceReply, responses=documented(404, 409))
async def change_device(dev_eui: DevEui, body: DeviceChange, services: Given, author: Author) -> dict[str, Any]:
    """Change a device. Its activation cannot be changed: delete it and create it anew.

    A `template` with a slash is one of the template library, as when a device is created.
    """
    changes = body.model_dump(exclude_unset=True)
    if "/" in changes.get("template", ""):
        changes["template"] = (await from_library(services, changes["template"], author=author.name)).name
    device = await asyncio.to_thread(services.registry.devices.change, dev_eui, changes)
    await services.network.reload_devices([dev_eui])
    return shown(device, services)


@router.delete("/{dev_eui}", dependencies=_WRITE, status_code=204, responses=documented(404))
async def delete_device(dev_eui: DevEui, services: Given) -> None:
    """Delete a device with its session, its used DevNonces, its downlinks and its decode failures.

    Its measurements stay in the series store until their retention ends; a device created later under the same
    DevEUI does not inherit them.
    """
    await asyncio.to_thread(services.registry.devices.delete, dev_eui)
    await services.network.reload_devices([dev_eui])
