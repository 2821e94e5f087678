"""Registers a fleet through the REST API: application, codec, device template, devices, gateways.

What exists already is left as it is, so that a fleet can come back to its server.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from simulators.identity import Identity
from simulators.options import FleetOptions
from simulators.versions import version

APPLICATION = "simulated"
CODEC = "demo-sensor"
_DEVICES_PER_CALL = 1000


class ApiError(Exception):
    """The server refused something, with an HTTP `status`, or (0) it does not answer."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """The few calls that simulators need."""

    def __init__(self, url: str, key: str | None, data_dir: Path) -> None:
        secret = key or os.environ.get("LNS_API_KEY") or _stored_key(data_dir)
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=60.0, trust_env=False
        )

    async def wait(self, timeout_s: float) -> None:
        """Wait until the server answers."""
        give_up_at = monotonic() + timeout_s
        while True:
            try:
                await self.http.get("/status")
            except httpx.TransportError as error:
                if monotonic() > give_up_at:
                    raise ApiError(f"no server answers at {self.http.base_url} within {timeout_s:g} s") from error
                await asyncio.sleep(0.2)
            else:
                return

    async def get(self, path: str, **params: str | int) -> Any:
        return _body(await self.http.get(path, params=params))

    async def post(self, path: str, body: Any = None) -> Any:
        return _body(await self.http.post(path, json=body))

    async def ensure(self, path: str, body: dict[str, Any]) -> None:
        """Create something, unless it exists."""
        answer = await self.http.post(path, json=body)
        if answer.status_code != httpx.codes.CONFLICT:
            _body(answer)


async def provision(api: Api, options: FleetOptions, devices: Sequence[Identity], gateway_euis: Sequence[str]) -> None:
    """Register what is not registered yet."""
    await api.ensure("/applications", {"name": APPLICATION, "description": "simulated devices"})
    source = await asyncio.to_thread(options.codec.read_text, "utf-8")
    await api.ensure("/codecs", {"name": CODEC, "source": source})
    template = f"{CODEC}-{options.region.lower()}-{options.lorawan}"
    fields: dict[str, Any] = {"region": options.region, "lorawan_version": options.lorawan, "codec": CODEC}
    if options.device_class != "A":
        template += f"-class-{options.device_class.lower()}"
        fields["network"] = {"device_class": options.device_class}
    await api.ensure("/device-templates", {"name": template, **fields})
    bodies = [_device(number, identity, template, options) for number, identity in enumerate(devices)]
    for start in range(0, len(bodies), _DEVICES_PER_CALL):
        answer = await api.post("/devices/bulk", {"devices": bodies[start : start + _DEVICES_PER_CALL]})
        for row in answer["rows"]:
            if not row["ok"] and "exists" not in row["error"]:
                raise ApiError(f"device {row['dev_eui']} is refused: {row['error']}")
    for number, eui in enumerate(gateway_euis):
        name = f"simulated gateway {number}"
        await api.ensure("/gateways", {"eui": eui, "name": name, "region": options.region, "accepted": True})
        await api.post(f"/gateways/{eui}/accept")


async def counters(api: Api) -> dict[str, tuple[int, int]]:
    """FCntUp (last received) and FCntDown (next to send) of the simulated devices that have a session, by DevEUI."""
    found: dict[str, tuple[int, int]] = {}
    after: dict[str, str] = {}
    while True:
        page = await api.get("/devices", application=APPLICATION, limit=_DEVICES_PER_CALL, **after)
        for item in page["items"]:
            if item["session"]:
                found[item["dev_eui"]] = (_last(item["session"]["fcnt_up"]), item["session"]["fcnt_down"])
        if not page["next"]:
            return found
        after = {"after": page["next"]}


def _device(number: int, identity: Identity, template: str, options: FleetOptions) -> dict[str, Any]:
    body = {
        "dev_eui": identity.dev_eui,
        "name": f"simulated-{number:05d}",
        "application": APPLICATION,
        "template": template,
        "activation": options.activation,
    }
    minor = version(options.lorawan).minor
    if options.activation == "otaa":
        keys = {"app_key": identity.app_key.hex()} | ({"nwk_key": identity.nwk_key.hex()} if minor else {})
        return {**body, "join_eui": identity.join_eui, **keys}
    names = (
        ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key") if minor else ("nwk_s_key", "app_s_key")
    )
    session = {"dev_addr": identity.dev_addr, **{name: getattr(identity, name).hex() for name in names}}
    return {**body, "abp": session}


def _stored_key(data_dir: Path) -> str | None:
    try:
        return (data_dir / "admin.key").read_text("ascii").strip()
    except OSError:
        return None


def _body(answer: httpx.Response) -> Any:
    if not answer.is_error:
        return answer.json() if answer.content else None
    try:
        text = answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        text = answer.reason_phrase
    where = f"{answer.request.method} {answer.request.url.path}"
    raise ApiError(f"{where} is refused with {answer.status_code}: {text}", answer.status_code)


def _last(fcnt_up: int | None) -> int:
    """The API has no counter before the first uplink."""
    return -1 if fcnt_up is None else fcnt_up
