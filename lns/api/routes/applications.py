"""Applications."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import documented
from lns.api.services import Given
from lns.api.shapes import Body, Name, Page, answer, example, optional
from lns.registry.rows import Application

router = APIRouter(prefix="/applications", tags=["applications"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]


class ApplicationBody(Body):
    """An application to create."""

    model_config = example(name="greenhouse", description="Soil and air, halls 1 to 4")

    name: str = Field(description="1 to 64 characters without a slash; unique.")
    description: str = Field("", description="One line for people, at most 1,000 characters.")


class ApplicationChange(Body):
    """The fields to change; what is left out stays."""

    model_config = example(description="Soil and air, halls 1 to 6")

    name: str = optional("New name, 1 to 64 characters without a slash.")
    description: str = optional("One line for people.")


class ApplicationReply(BaseModel):
    """A group of devices that belong to one use."""

    name: str = Field(examples=["greenhouse"])
    description: str
    devices: int = Field(description="How many devices it has.", examples=[12])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


@router.get("", dependencies=_READ, response_model=Page[ApplicationReply], responses=documented())
async def list_applications(services: Given) -> Response:
    """List applications, by name. `default` is always there."""
    return await answer(lambda: {"items": [_shown(a) for a in services.registry.applications.all()], "next": None})


@router.post("", dependencies=_WRITE, status_code=201, response_model=ApplicationReply, responses=documented(409))
async def create_application(body: ApplicationBody, services: Given) -> dict[str, Any]:
    """Create an application."""
    return _shown(await asyncio.to_thread(services.registry.applications.add, body.name, body.description))


@router.get("/{name}", dependencies=_READ, response_model=ApplicationReply, responses=documented(404))
async def get_application(name: Name, services: Given) -> dict[str, Any]:
    """Show one application."""
    return _shown(await asyncio.to_thread(services.registry.applications.get, name))


@router.patch("/{name}", dependencies=_WRITE, response_model=ApplicationReply, responses=documented(404, 409))
async def change_application(name: Name, body: ApplicationChange, services: Given) -> dict[str, Any]:
    """Rename an application or describe it anew."""
    changes = body.model_dump(exclude_unset=True)
    application = await asyncio.to_thread(services.registry.applications.change, name, changes)
    await services.network.reload_devices([])  # no device has changed, but outlets hold the names of applications
    return _shown(application)


@router.delete("/{name}", dependencies=_WRITE, status_code=204, responses=documented(404, 409))
async def delete_application(name: Name, services: Given) -> None:
    """Delete an application that has no devices; its outlets go with it."""
    known = await asyncio.to_thread(services.registry.applications.get, name)
    await asyncio.to_thread(services.registry.applications.delete, name)
    await services.outlets.application_removed(known.id)


def _shown(application: Application) -> dict[str, Any]:
    return {
        "name": application.name,
        "description": application.description,
        "devices": application.devices,
        "created_at": times.text(application.created_at_us),
    }
