"""Device templates."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.from_library import from_library
from lns.api.network_schema import EXAMPLE, NetworkObject
from lns.api.problems import documented
from lns.api.rule_shapes import RULES_EXAMPLE, PerHour, Rule, ShownRules
from lns.api.services import Given
from lns.api.shapes import Body, Name, Page, answer, example, optional
from lns.registry.rows import ApiKey, DeviceTemplate

router = APIRouter(prefix="/device-templates", tags=["device templates"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
Author = Annotated[ApiKey, Depends(needs("write"))]


class FieldBody(Body):
    """What people and dashboards may know of a measurement field."""

    model_config = example(label="air", unit="°C", min=-40, max=85)

    label: str = Field("", max_length=200)
    unit: str = Field("", max_length=40)
    min: float | None = Field(None, description="Below it a value is not plausible, in `unit`.")
    max: float | None = Field(None, description="Above it a value is not plausible.")
    name: str = Field("", max_length=200, description="Name of the vocabulary to store it under; its own: leave it.")


class TemplateBody(Body):
    """A device template to create."""

    model_config = example(name="dragino-lht65", codec="cayenne-lpp", rules=RULES_EXAMPLE, network=EXAMPLE)

    name: str = Field(description="1 to 64 characters without a slash; unique.")
    region: str | None = Field(None, description="A region such as EU868 or AS923-1; null: the server's own.")
    lorawan_version: str = Field(
        "1.0.3",
        description="1.0.0 to 1.0.4 or 1.1. It decides which keys a device has, and what is said to it and how.",
    )
    supports_join: bool = Field(True, description="False: its devices are ABP only.")
    codec: str | None = Field(None, description="Codec that decodes their uplinks.")
    codec_version: int | None = Field(
        None, ge=1, description="Stay with this version of it; null: follow the active one."
    )
    description: str = Field("", description="For people, at most 1000 characters.")
    fields: dict[str, FieldBody] = Field({}, description="Label, unit and plausible range by measurement field.")
    fcnt_reset_allowed: bool = Field(False, description="ABP devices may start their uplink counter again at 0.")
    uplink_interval_s: int | None = Field(None, ge=1, le=31_536_000, description="Seconds between uplinks as expected.")
    rules: dict[str, Rule] = Field({}, description="Which values are stored and sent, by measurement field.")
    max_measurements_per_hour: PerHour | None = Field(
        None, description="Most that is stored of each device and hour (UTC); null: no limit."
    )
    network: NetworkObject = Field({}, description="Class, ADR, receive windows and the like, where not the default.")


class TemplateChange(Body):
    """The fields to change; what is left out stays."""

    model_config = example(rules=RULES_EXAMPLE)

    name: str = optional("New name, 1 to 64 characters without a slash.")
    region: str | None = optional("A region such as EU868 or AS923-1; null: the server's own.")
    lorawan_version: str = optional("1.0.0 to 1.0.4 or 1.1; its devices must have the keys of the new one.")
    supports_join: bool = optional("False: its devices are ABP only.")
    codec: str | None = optional("Codec that decodes their uplinks; null: none.")
    codec_version: int | None = optional("Stay with this version of it; null: follow the active one.", ge=1)
    description: str = optional("For people, at most 1000 characters.")
    fields: dict[str, FieldBody] = optional("Label, unit and plausible range by measurement field; replaces all.")
    fcnt_reset_allowed: bool = optional("ABP devices may start their uplink counter again at 0.")
    uplink_interval_s: int | None = optional("Seconds between uplinks as expected.", ge=1, le=31_536_000)
    rules: dict[str, Rule] = optional("Which values are stored and sent, by measurement field; replaces all.")
    max_measurements_per_hour: PerHour | None = optional("Of each device; null: no limit.")
    network: NetworkObject = optional("Merged into what is set; null in it takes a setting away.")


class FromLibraryBody(Body):
    """Which item of the template library."""

    model_config = example(item="milesight/em300-th")

    item: str = Field(description="Its id, from a search of the library.")
    name: str | None = Field(None, description="Name of the template; null: from the id, milesight-em300-th.")
    force_reason: str | None = Field(None, description="Use its codec although examples fail; the reason is kept.")


class TemplateReply(BaseModel):
    """What devices of one kind share."""

    name: str = Field(examples=["dragino-lht65"])
    region: str | None
    lorawan_version: str = Field(examples=["1.0.3"])
    supports_join: bool
    codec: str | None = Field(examples=["lht65"])
    codec_version: int | None = Field(description="The version it stays with; null: the active one.")
    description: str
    fields: dict[str, dict[str, Any]] = Field(examples=[{"temperature": {"unit": "°C"}}])
    library_item: str | None = Field(description="Where it comes from in the template library.")
    fcnt_reset_allowed: bool
    uplink_interval_s: int | None
    rules: ShownRules = Field(examples=[RULES_EXAMPLE])
    max_measurements_per_hour: int | None = Field(description="Of each device; null: no limit.", examples=[None])
    network: dict[str, Any] = Field(description="What is set; the rest is as by default.", examples=[EXAMPLE])
    devices: int = Field(description="How many devices follow it.", examples=[12])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


@router.get("", dependencies=_READ, response_model=Page[TemplateReply], responses=documented())
async def list_device_templates(services: Given) -> Response:
    """List device templates, by name. `default` is always there."""
    return await answer(lambda: {"items": [shown_template(t) for t in services.registry.templates.all()], "next": None})


@router.post("", dependencies=_WRITE, status_code=201, response_model=TemplateReply, responses=documented(409))
async def create_device_template(body: TemplateBody, services: Given) -> dict[str, Any]:
    """Create a device template."""
    template = await asyncio.to_thread(services.registry.templates.add, body.model_dump(exclude_unset=True))
    if template.codec_version is not None:
        await services.decoding.reload_codecs()
    return shown_template(template)


@router.post(
    "/from-library",
    status_code=201,
    response_model=TemplateReply,
    responses=documented(404, 409),
)
async def create_template_from_library(body: FromLibraryBody, services: Given, author: Author) -> dict[str, Any]:
    """Create a device template from the template library: profile, fields with units, codec with examples.

    Given the same item again, it answers with the template that is there.
    """
    made = await from_library(services, body.item, body.name, author.name, body.force_reason)
    return shown_template(made)


@router.get("/{name}", dependencies=_READ, response_model=TemplateReply, responses=documented(404))
async def get_device_template(name: Name, services: Given) -> dict[str, Any]:
    """Show one device template."""
    return shown_template(await asyncio.to_thread(services.registry.templates.get, name))


@router.patch("/{name}", dependencies=_WRITE, response_model=TemplateReply, responses=documented(404, 409))
async def change_device_template(name: Name, body: TemplateChange, services: Given) -> dict[str, Any]:
    """Change a device template, and with it every device that follows it, from the next uplink on."""
    changes = body.model_dump(exclude_unset=True)
    template = await asyncio.to_thread(services.registry.templates.change, name, changes)
    if {"codec", "codec_version"} & changes.keys():
        await services.decoding.reload_codecs()
    if template.devices:
        dev_euis = await asyncio.to_thread(services.registry.devices.of_template, template.name)
        await services.network.reload_devices(dev_euis)
    return shown_template(template)


@router.delete("/{name}", dependencies=_WRITE, status_code=204, responses=documented(404, 409))
async def delete_device_template(name: Name, services: Given) -> None:
    """Delete a device template that no device follows."""
    await asyncio.to_thread(services.registry.templates.delete, name)


def shown_template(template: DeviceTemplate) -> dict[str, Any]:
    """A device template as JSON."""
    return {
        "name": template.name,
        "region": template.region,
        "lorawan_version": template.lorawan_version,
        "supports_join": template.supports_join,
        "codec": template.codec,
        "codec_version": template.codec_version,
        "description": template.description,
        "fields": template.fields,
        "library_item": template.library_item,
        "fcnt_reset_allowed": template.fcnt_reset_allowed,
        "uplink_interval_s": template.uplink_interval_s,
        "rules": template.rules,
        "max_measurements_per_hour": template.max_measurements_per_hour,
        "network": template.network,
        "devices": template.devices,
        "created_at": times.text(template.created_at_us),
    }
