"""The keys of a device and its session with them, to move it from server to server; reading needs keys:read."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, WithJsonSchema

from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.routes.device_shapes import DeviceReply, shown
from lns.api.services import Given
from lns.api.shapes import DevEui
from lns.registry.key_blobs import SESSION_KEYS, named
from lns.registry.keys import KEYS_READ
from lns.registry.session_file import SessionFile

router = APIRouter(prefix="/devices/{dev_eui}", tags=["devices"])

_WRITE, _KEYS = [Depends(needs("write"))], [Depends(needs(KEYS_READ))]
_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
_EXAMPLE = {
    "version": 1,
    "dev_eui": "70b3d57ed0000001",
    "lorawan_version": "1.0.3",
    "minor": 0,
    "region": "EU868",
    "dev_addr": "260b1f22",
    "keys": {"nwk_s_key": _KEY, "app_s_key": "3c4fcf098815f7aba6d2ae2816157e2b"},
    "fcnt_up": 41,
    "fcnt_down": 7,
}
_SCHEMA = msgspec.json.schema_components([SessionFile])[1]["SessionFile"]
_File = Annotated[dict[str, Any], WithJsonSchema(_SCHEMA)]
_BODY: dict[str, Any] = {"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}}


class KeysReply(BaseModel):
    """The keys of a device, hex."""

    nwk_key: str | None = Field(description="NwkKey, of LoRaWAN 1.1; null: none.")
    app_key: str | None = Field(description="AppKey; null: an abp device.", examples=[_KEY])
    gen_app_key: str | None = Field(description="GenAppKey; null: none.")
    session: dict[str, str] | None = Field(
        description="Session keys by name; null: no session.", examples=[{"nwk_s_key": _KEY, "app_s_key": _KEY}]
    )


@router.get("/keys", dependencies=_KEYS, response_model=KeysReply, responses=documented(404))
async def get_device_keys(dev_eui: DevEui, services: Given) -> dict[str, Any]:
    """Show the keys of a device and of its session. No other answer has them, but the session itself."""
    devices = services.registry.devices
    root, session = await asyncio.to_thread(lambda: (devices.keys(dev_eui), devices.get(dev_eui).session))
    keys = {name: None if key is None else key.hex() for name, key in msgspec.structs.asdict(root).items()}
    return {**keys, "session": None if session is None else named(SESSION_KEYS[session.minor], session.keys)}


@router.get("/session", dependencies=_KEYS, response_model=_File, responses=documented(404))
async def export_session(dev_eui: DevEui, services: Given) -> dict[str, Any]:
    """Export the device's session: all counters, keys and channel state, as `POST` takes it on another server.

    Disable or delete the device here once it is there: two servers that answer it would use counters twice.
    """
    try:
        found = await services.network.export_session(dev_eui)
    except KeyError:
        raise ApiProblem(404, "not_found", f"device {dev_eui} does not exist") from None
    if found is None:
        raise ApiProblem(404, "not_found", f"device {dev_eui} has no session: it has not joined yet")
    return found


@router.post(
    "/session",
    dependencies=_WRITE,
    response_model=DeviceReply,
    responses=documented(404, 409),
    openapi_extra=_BODY,
)
async def import_session(dev_eui: DevEui, body: _File, services: Given) -> dict[str, Any]:
    """Give a device the session of another server, in place of its own, so that it need not join again.

    The device must exist here, with the LoRaWAN version and region that the file names. Downlink counters never go back
    under a key used here before, nor do JoinNonces and DevNonces.
    """
    await asyncio.to_thread(services.registry.session_files.replace, dev_eui, body)
    await services.network.reload_devices([dev_eui])
    return shown(await asyncio.to_thread(services.registry.devices.get, dev_eui), services)
