"""The last value of every field of a device: read without asking a series store."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import documented
from lns.api.routes.health_shapes import HealthReply, health_of
from lns.api.services import Given
from lns.api.shapes import DevEui

router = APIRouter(tags=["series"], dependencies=[Depends(needs("read"))])


class LastValueReply(BaseModel):
    """The newest value of a field."""

    value: float | bool | str = Field(examples=[21.5])
    unit: str | None = Field(examples=["°C"])
    at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class LatestReply(BaseModel):
    """What a device said last."""

    dev_eui: str = Field(examples=["70b3d57ed0000001"])
    health: HealthReply | None = Field(description="Null: it was never heard.")
    values: dict[str, LastValueReply] = Field(description="By field.")


@router.get("/devices/{dev_eui}/latest", response_model=LatestReply, responses=documented(404, 503))
async def read_latest(dev_eui: DevEui, services: Given) -> dict[str, Any]:
    """Show the last value of every field of a device, and whether it is there. No series store is asked."""
    device_id = await asyncio.to_thread(services.registry.devices.id, dev_eui)
    values = await services.latest.store.values(device_id)
    return {
        "dev_eui": dev_eui,
        "health": health_of(services, "device", str(device_id)),
        "values": {
            field: {"value": last.value, "unit": last.unit, "at": times.text(last.time_us)}
            for field, last in values.items()
        },
    }
