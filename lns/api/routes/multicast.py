"""Multicast groups: devices of class B or C that hear the same downlinks."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.routes.downlinks import PayloadBody, octets
from lns.api.services import Given
from lns.api.shapes import Body, DevEui, Eui, Limit, Page, answer, example, optional
from lns.mac.multicast import MulticastDownlink
from lns.network import DownlinkRefused
from lns.registry.key_blobs import GROUP_KEYS, named
from lns.registry.keys import KEYS_READ
from lns.registry.rows import MulticastGroup

router = APIRouter(prefix="/multicast-groups", tags=["multicast"])

_READ, _WRITE, _KEYS = ([Depends(needs(name))] for name in ("read", "write", KEYS_READ))
_Id = Annotated[int, Path(description="Id from the list.", ge=1, le=1 << 62, examples=[1])]
_KEY = "2b7e151628aed2a6abf7158809cf4f3c"


class GroupChange(Body):
    """The fields to change; what is left out stays."""

    model_config = example(dr=3, expires_at="2026-12-31T00:00:00Z")

    name: str = optional("New name, 1 to 64 characters without a slash; unique in its application.")
    device_class: Literal["B", "C"] = optional("Class in which its members listen.")
    dr: int = optional("Data rate of its downlinks.", ge=0, le=15)
    freq_hz: int = optional("Frequency of its downlinks.")
    ping_periodicity: int = optional("Class B: a ping slot each 2**n seconds.", ge=0, le=7)
    expires_at: times.Instant | None = optional("Nothing is sent from then on, RFC 3339; null: never.")


class GroupBody(Body):
    """A multicast group to create. Keys and address are random where not given: `GET .../keys` shows them."""

    model_config = example(name="street lamps", device_class="C", dr=3)

    name: str = Field(description="1 to 64 characters without a slash; unique in its application.")
    application: str = Field("default", description="Application of the group and its members.")
    device_class: Literal["B", "C"] = Field("C", description="Class in which its members listen.")
    region: str | None = Field(None, description="Region of its members; null: the server's own.")
    mc_addr: str | None = Field(None, description="McAddr, 8 hex digits.")
    mc_key: str | None = Field(None, description="McKey, from which the other two follow (TS005), 32 hex digits.")
    mc_nwk_s_key: str | None = Field(None, description="McNwkSKey, in place of the McKey.")
    mc_app_s_key: str | None = Field(None, description="McAppSKey, in place of the McKey.")
    fcnt: int = Field(0, ge=0, le=0xFFFF_FFFF, description="Next frame counter to use.")
    dr: int | None = Field(None, ge=0, le=15, description="Data rate; null: of RX2, in class B of ping slots.")
    freq_hz: int | None = Field(None, description="Frequency; null: of RX2, in class B of ping slots.")
    ping_periodicity: int | None = Field(None, ge=0, le=7, description="Class B: a ping slot each 2**n seconds.")
    expires_at: times.Instant | None = Field(None, description="Nothing is sent from then on, RFC 3339; null: never.")


class GroupReply(BaseModel):
    """A multicast group; its keys are behind a permission of their own."""

    id: int = Field(examples=[1])
    name: str = Field(examples=["street lamps"])
    application: str = Field(examples=["default"])
    device_class: Literal["B", "C"]
    region: str = Field(examples=["EU868"])
    mc_addr: str = Field(examples=["260b1f22"])
    fcnt: int = Field(description="Next frame counter.", examples=[0])
    dr: int = Field(examples=[3])
    freq_hz: int = Field(examples=[869_525_000])
    ping_periodicity: int | None = Field(description="Null: class C.")
    members: int = Field(examples=[12])
    expires_at: str | None = Field(description="RFC 3339, UTC; null: never.")
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class GroupKeysReply(BaseModel):
    """The keys of a group, hex."""

    mc_key: str | None = Field(None, description="McKey; null: only the session keys are known.", examples=[_KEY])
    mc_nwk_s_key: str = Field(examples=[_KEY])
    mc_app_s_key: str = Field(examples=[_KEY])


class MembersBody(Body):
    """Devices that become members."""

    model_config = example(dev_euis=["70b3d57ed0000001"])

    dev_euis: list[Eui] = Field(min_length=1, max_length=1000, description="DevEUIs, of the group's application.")


class MemberReply(BaseModel):
    """A member of a group."""

    dev_eui: str = Field(examples=["70b3d57ed0000001"])
    name: str = Field(examples=["lamp 1"])


class GroupDownlinkBody(PayloadBody):
    """A downlink for all members, not confirmed; the payload is given once, as hex or as base64."""

    model_config = example(fport=2, payload="01", at="2026-12-31T17:00:00Z")

    fport: int = Field(ge=1, le=223, description="FPort, 1 to 223.")


class GroupDownlinkReply(BaseModel):
    """A downlink of a group."""

    id: str = Field(examples=["4f5cd7a2-3a52-4b9c-9d3e-6d6ac0bbf2a1"])
    fport: int = Field(examples=[2])
    payload: str = Field(description="Hex, before encryption.", examples=["01"])
    state: str = Field(description="queued, sent, expired or failed.", examples=["queued"])
    reason: str | None = Field(description="Why it is in that state; when sent, whom it cannot have reached.")
    enqueued_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    expires_at: str | None = Field(description="RFC 3339, UTC; null: never.")
    at: str | None = Field(description="Not before this time, RFC 3339, UTC; null: at once.")
    fcnt: int | None = Field(description="Counter of the frame that carried it.")


@router.get("", dependencies=_READ, response_model=Page[GroupReply], responses=documented())
async def list_multicast_groups(
    services: Given,
    application: Annotated[str | None, Query(description="Only this application's.", examples=["default"])] = None,
) -> Response:
    """List multicast groups, by application and name."""
    multicast = services.registry.multicast
    return await answer(lambda: {"items": [_shown(group) for group in multicast.all(application)], "next": None})


@router.post("", dependencies=_WRITE, status_code=201, response_model=GroupReply, responses=documented(409))
async def create_multicast_group(body: GroupBody, services: Given) -> dict[str, Any]:
    """Create a multicast group. Its members learn keys and address by other means, or by TS005."""
    net_id = services.config.network.net_id
    group = await asyncio.to_thread(services.registry.multicast.add, _values(body), net_id)
    await services.network.reload_multicast([group.id])
    return _shown(group)


@router.get("/{group_id}", dependencies=_READ, response_model=GroupReply, responses=documented(404))
async def get_multicast_group(group_id: _Id, services: Given) -> dict[str, Any]:
    """Show one multicast group."""
    return _shown(await asyncio.to_thread(services.registry.multicast.get, group_id))


@router.patch("/{group_id}", dependencies=_WRITE, response_model=GroupReply, responses=documented(404, 409))
async def change_multicast_group(group_id: _Id, body: GroupChange, services: Given) -> dict[str, Any]:
    """Change a multicast group. Its keys, address and region stay: make another group for others."""
    group = await asyncio.to_thread(services.registry.multicast.change, group_id, _values(body))
    await services.network.reload_multicast([group_id])
    return _shown(group)


@router.delete("/{group_id}", dependencies=_WRITE, status_code=204, responses=documented(404))
async def delete_multicast_group(group_id: _Id, services: Given) -> None:
    """Delete a multicast group with its downlinks; its members stay devices."""
    await asyncio.to_thread(services.registry.multicast.delete, group_id)
    await services.network.reload_multicast([group_id])


@router.get("/{group_id}/keys", dependencies=_KEYS, response_model=GroupKeysReply, responses=documented(404))
async def get_multicast_keys(group_id: _Id, services: Given) -> dict[str, str]:
    """Show the keys of a group, to write them into devices."""
    group = await asyncio.to_thread(services.registry.multicast.get, group_id)
    return named(GROUP_KEYS, group.keys)


@router.get("/{group_id}/devices", dependencies=_READ, response_model=Page[MemberReply], responses=documented(404))
async def list_multicast_members(group_id: _Id, services: Given) -> Response:
    """List the members of a group, by DevEUI."""

    def page() -> dict[str, Any]:
        found = services.registry.multicast.members(group_id)
        return {"items": [{"dev_eui": dev_eui, "name": name} for dev_eui, name in found], "next": None}

    return await answer(page)


@router.post("/{group_id}/devices", dependencies=_WRITE, response_model=GroupReply, responses=documented(404, 409))
async def add_multicast_members(group_id: _Id, body: MembersBody, services: Given) -> dict[str, Any]:
    """Make devices members of a group; all of them or, when one cannot be, none."""
    await asyncio.to_thread(services.registry.multicast.join, group_id, body.dev_euis)
    await services.network.reload_multicast([group_id])
    return await get_multicast_group(group_id, services)


@router.delete("/{group_id}/devices/{dev_eui}", dependencies=_WRITE, status_code=204, responses=documented(404))
async def remove_multicast_member(group_id: _Id, dev_eui: DevEui, services: Given) -> None:
    """End a device's membership."""
    await asyncio.to_thread(services.registry.multicast.leave, group_id, dev_eui)
    await services.network.reload_multicast([group_id])


@router.get(
    "/{group_id}/downlinks", dependencies=_READ, response_model=Page[GroupDownlinkReply], responses=documented(404)
)
async def list_multicast_downlinks(group_id: _Id, services: Given, limit: Limit = 100) -> Response:
    """List the downlinks of a group in every state, queued last first. They are forgotten after 30 days."""

    def page() -> dict[str, Any]:
        found = services.registry.multicast.downlinks(group_id, limit)
        return {"items": [_item(item) for item in found], "next": None}

    return await answer(page)


@router.post(
    "/{group_id}/downlinks",
    dependencies=_WRITE,
    status_code=201,
    response_model=GroupDownlinkReply,
    responses=documented(404),
)
async def queue_multicast_downlink(group_id: _Id, body: GroupDownlinkBody, services: Given) -> dict[str, Any]:
    """Queue a downlink for all members; the fewest gateways that reach them all send it, each once."""
    try:
        item = await services.network.multicast_enqueue(group_id, body.fport, octets(body), body.expires_at_us, body.at)
    except KeyError:
        raise ApiProblem(404, "not_found", f"multicast group {group_id} does not exist") from None
    except DownlinkRefused as error:
        raise ApiProblem(422, "invalid", str(error)) from error
    return _item(item)


def _values(body: Body) -> dict[str, Any]:
    values = body.model_dump(exclude_unset=True)
    if "expires_at" in values:
        values["expires_at_us"] = values.pop("expires_at")
    return values


def _shown(group: MulticastGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "application": group.application,
        "device_class": group.device_class,
        "region": group.region,
        "mc_addr": group.mc_addr,
        "fcnt": group.fcnt,
        "dr": group.dr,
        "freq_hz": group.freq_hz,
        "ping_periodicity": group.ping_periodicity,
        "members": group.members,
        "expires_at": times.text_or_none(group.expires_at_us),
        "created_at": times.text(group.created_at_us),
    }


def _item(item: MulticastDownlink) -> dict[str, Any]:
    return {
        "id": item.id,
        "fport": item.fport,
        "payload": item.payload.hex(),
        "state": item.state,
        "reason": item.reason,
        "enqueued_at": times.text(item.enqueued_at_us),
        "expires_at": times.text_or_none(item.expires_at_us),
        "at": times.text_or_none(item.at_us),
        "fcnt": item.fcnt,
    }
