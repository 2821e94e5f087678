"""Gateways: those somebody added or accepted, and those that only called."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.routes.health_shapes import HealthReply, health_of
from lns.api.services import Given, Services
from lns.api.shapes import Body, Eui, GatewayEui, Page, answer, example, optional
from lns.registry.errors import RegistryError
from lns.registry.rows import Gateway

router = APIRouter(prefix="/gateways", tags=["gateways"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
_TAGS = {"site": "roof"}


class GatewayBody(Body):
    """A gateway to add, heard already or not."""

    model_config = example(eui="a84041ffff1e8f2c", name="roof", latitude=52.52, longitude=13.4, tags=_TAGS)

    eui: Eui = Field(description="Gateway EUI, 16 hex digits.")
    name: str = Field("", description="Name for people, at most 128 characters; empty: the EUI.")
    region: str | None = Field(None, description="EU868 or US915; null: the server's own.")
    accepted: bool = Field(True, description="Serve it.")
    latitude: float | None = Field(None, ge=-90, le=90, description="Degrees north.")
    longitude: float | None = Field(None, ge=-180, le=180, description="Degrees east.")
    altitude_m: float | None = Field(None, ge=-100_000, le=100_000, description="Metres above the sea.")
    tags: dict[str, str] = Field({}, description="Up to 32 names of 64 characters with values of 256.")


class GatewayChange(Body):
    """The fields to change; what is left out stays."""

    model_config = example(name="roof", altitude_m=34.0)

    name: str = optional("Name for people, at most 128 characters.")
    region: str | None = optional("EU868 or US915; null: the server's own.")
    accepted: bool = optional("False: it is listed, but not served any more.")
    latitude: float | None = optional("Degrees north.", ge=-90, le=90)
    longitude: float | None = optional("Degrees east.", ge=-180, le=180)
    altitude_m: float | None = optional("Metres above the sea.", ge=-100_000, le=100_000)
    tags: dict[str, str] = optional("Replaces all tags.")


class GatewayReply(BaseModel):
    """A gateway: what was entered, and what its link has shown since the start of the server."""

    eui: str = Field(examples=["a84041ffff1e8f2c"])
    name: str = Field(examples=["roof"])
    state: str = Field(
        description="seen: it called and is not served; accepted: served; blocked: dropped unread.",
        examples=["accepted"],
    )
    region: str | None
    latitude: float | None
    longitude: float | None
    altitude_m: float | None
    tags: dict[str, str]
    created_at: str | None = Field(description="RFC 3339, UTC; null: it was only seen.")
    first_seen_at: str | None = Field(description="RFC 3339, UTC; null: never heard.")
    last_seen_at: str | None
    last_pull_at: str | None = Field(description="Last PULL_DATA, without which it takes no downlinks.")
    protocol_version: int | None = Field(description="Of Semtech UDP, 1 or 2.")
    address: str | None = Field(description="Where downlinks go.", examples=["192.0.2.7:41234"])
    push_address: str | None
    pull_address: str | None
    round_trip_ms: float | None = Field(description="Smoothed time from PULL_RESP to TX_ACK.", examples=[32.5])
    datagrams: int
    uplinks: int = Field(description="Receptions handed to the network.")
    downlinks: dict[str, int] = Field(description="sent, and what became of them.")
    problems: dict[str, int] = Field(description="Odd or unusable things in its datagrams, by reason.")
    limited: dict[str, int] = Field(description="Datagrams dropped by a limit, by reason.")
    address_changes: int
    stat: dict[str, Any] | None = Field(description="Its last status report.")
    health: HealthReply | None = Field(description="Whether it is there; null: it was not heard while it was served.")


@router.get("", dependencies=_READ, response_model=Page[GatewayReply], responses=documented())
async def list_gateways(services: Given) -> Response:
    """List every gateway that was added or heard, by EUI."""
    links = {link["eui"]: link for link in services.links.snapshot()}

    def page() -> dict[str, Any]:
        rows = {row.eui: row for row in services.registry.gateways.all()}
        euis = sorted({*rows, *links})
        return {"items": [_shown(services, eui, rows.get(eui), links.get(eui)) for eui in euis], "next": None}

    return await answer(page)


@router.post("", dependencies=_WRITE, status_code=201, response_model=GatewayReply, responses=documented(409))
async def add_gateway(body: GatewayBody, services: Given) -> dict[str, Any]:
    """Add a gateway before it was ever heard, or give one that was heard a name and a place."""
    row = await asyncio.to_thread(services.registry.gateways.add, body.model_dump(exclude_unset=True))
    services.codecs.contexts.place(row)
    if row.accepted:
        services.links.accept(row.eui, row.region)
    return _now(services, row)


@router.get("/{eui}", dependencies=_READ, response_model=GatewayReply, responses=documented(404))
async def get_gateway(eui: GatewayEui, services: Given) -> dict[str, Any]:
    """Show one gateway."""
    try:
        row = await asyncio.to_thread(services.registry.gateways.get, eui)
    except RegistryError:
        link = services.links.get(eui)
        if link is None:
            raise ApiProblem(404, "not_found", f"gateway {eui} was neither added nor heard") from None
        return _shown(services, eui, None, link.snapshot())
    return _now(services, row)


@router.patch("/{eui}", dependencies=_WRITE, response_model=GatewayReply, responses=documented(404))
async def change_gateway(eui: GatewayEui, body: GatewayChange, services: Given) -> dict[str, Any]:
    """Change a gateway that was added or accepted."""
    row = await asyncio.to_thread(services.registry.gateways.change, eui, body.model_dump(exclude_unset=True))
    services.codecs.contexts.place(row)
    if row.accepted:
        services.links.accept(eui, row.region)
    elif "accepted" in body.model_fields_set:
        services.links.forget(eui)
    return _now(services, row)


@router.post("/{eui}/accept", dependencies=_WRITE, response_model=GatewayReply, responses=documented())
async def accept_gateway(eui: GatewayEui, services: Given) -> dict[str, Any]:
    """Serve a gateway from its next datagram on."""
    row = await asyncio.to_thread(services.registry.gateways.accept, eui)
    services.links.accept(eui, row.region)
    return _now(services, row)


@router.delete("/{eui}", dependencies=_WRITE, status_code=204, responses=documented(404))
async def delete_gateway(eui: GatewayEui, services: Given) -> None:
    """Forget a gateway. When it calls again it is listed as seen and not served."""
    try:
        await asyncio.to_thread(services.registry.gateways.delete, eui)
    except RegistryError:
        if services.links.get(eui) is None:
            raise ApiProblem(404, "not_found", f"gateway {eui} was neither added nor heard") from None
    services.links.forget(eui)
    await services.latest.forget_gateway(eui)


def _now(services: Services, row: Gateway) -> dict[str, Any]:
    link = services.links.get(row.eui)
    return _shown(services, row.eui, row, None if link is None else link.snapshot())


_NO_LINK: dict[str, Any] = {
    "last_pull_at": None,
    "protocol_version": None,
    "address": None,
    "push_address": None,
    "pull_address": None,
    "round_trip_ms": None,
    "datagrams": 0,
    "uplinks": 0,
    "downlinks": {},
    "problems": {},
    "limited": {},
    "address_changes": 0,
    "stat": None,
}


def _shown(services: Services, eui: str, row: Gateway | None, link: dict[str, Any] | None) -> dict[str, Any]:
    live = link if link is not None else _NO_LINK
    shown = {name: live[name] for name in _NO_LINK}
    shown["eui"] = eui
    shown["state"] = link["state"] if link is not None else "accepted" if row is not None and row.accepted else "seen"
    shown["name"] = eui if row is None else row.name
    shown["region"] = None if row is None else row.region
    shown["latitude"] = None if row is None else row.latitude
    shown["longitude"] = None if row is None else row.longitude
    shown["altitude_m"] = None if row is None else row.altitude_m
    shown["tags"] = {} if row is None else row.tags
    shown["created_at"] = None if row is None else times.text(row.created_at_us)
    shown["health"] = health_of(services, "gateway", eui)
    stored = (None, None) if row is None else (row.first_seen_at_us, row.last_seen_at_us)
    shown["first_seen_at"] = times.text_or_none(stored[0]) or live.get("first_seen_at")
    shown["last_seen_at"] = live.get("last_seen_at") or times.text_or_none(stored[1])
    return shown
