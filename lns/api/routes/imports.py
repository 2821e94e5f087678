"""Many devices at once: a CSV file or a JSON list, a result for each row."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented, validation_text
from lns.api.request_body import MAX_BODY_BYTES, read_body
from lns.api.routes.device_shapes import DeviceBody, ImportReply
from lns.api.services import Given, Services
from lns.api.shapes import answer
from lns.registry.device_input import parse_device
from lns.registry.errors import RegistryError
from lns.registry.import_csv import COLUMNS, SHOWN_EUI, Candidate, create, read_rows

router = APIRouter(prefix="/devices", tags=["devices"])

_WRITE = [Depends(needs("write"))]

_CSV_EXAMPLE = (
    "dev_eui,name,join_eui,app_key,tags\n"
    "70b3d57ed0000001,cellar,70b3d57ed0000000,2b7e151628aed2a6abf7158809cf4f3c,room=cellar;floor=-1\n"
)
_CSV_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {"text/csv": {"example": _CSV_EXAMPLE}}}}
_BULK_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["devices"],
                    "properties": {"devices": {"type": "array", "items": {"$ref": "#/components/schemas/DeviceBody"}}},
                },
                "example": {
                    "devices": [{"dev_eui": "70b3d57ed0000001", "app_key": "2b7e151628aed2a6abf7158809cf4f3c"}]
                },
            }
        },
    }
}
_DryRun = Annotated[bool, Query(description="Only say what would happen.")]


class _Bulk(msgspec.Struct, forbid_unknown_fields=True):
    devices: list[dict[str, Any]]


@router.post(
    "/import",
    dependencies=_WRITE,
    response_model=ImportReply,
    responses=documented(413),
    openapi_extra=_CSV_BODY,
    description=f"""Create devices from a CSV file of at most {MAX_BODY_BYTES} bytes, in UTF-8.

The first line names the columns, in any order: {", ".join(f"`{name}`" for name in COLUMNS)}. Only `dev_eui` must be
there; otaa devices need `app_key`, abp devices `dev_addr`, `nwk_s_key` and `app_s_key`. `fcnt_up` is the last uplink
counter heard (empty: none yet), `fcnt_down` the next downlink counter; `tags` reads `key=value;key=value`. Cells are
separated by commas, or by semicolons where the first line has no comma. An empty cell takes the default.

Each row stands for itself: a bad one is refused with its line number and reason, the others are created.""",
)
async def import_csv(request: Request, services: Given, dry_run: _DryRun = False) -> Response:
    """Create devices from CSV."""
    body = await read_body(request)
    return await _create(services, lambda: _csv_rows(body), dry_run)


@router.post(
    "/bulk", dependencies=_WRITE, response_model=ImportReply, responses=documented(413), openapi_extra=_BULK_BODY
)
async def create_devices(request: Request, services: Given, dry_run: _DryRun = False) -> Response:
    """Create many devices from a JSON list, 1,000 a transaction; `line` in the result is the place in the list."""
    body = await read_body(request)
    return await _create(services, lambda: _json_rows(body), dry_run)


async def _create(services: Services, read: Callable[[], list[Candidate]], dry_run: bool) -> Response:
    """Parse, create and encode in a thread: a thousand rows must not hold up the event loop."""
    results = await asyncio.to_thread(lambda: create(services.registry.devices, read(), dry_run))
    created = [row.dev_eui for row in results if row.error is None and row.dev_eui is not None and not dry_run]
    if created:
        await services.network.reload_devices(created)
    return await answer(
        lambda: {
            "rows": [
                {"line": row.line, "dev_eui": row.dev_eui, "ok": row.error is None, "error": row.error}
                for row in results
            ],
            "created": len(created),
            "failed": sum(row.error is not None for row in results),
            "dry_run": dry_run,
        }
    )


def _csv_rows(body: bytes) -> list[Candidate]:
    try:
        return read_rows(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ApiProblem(422, "invalid", f"line {line} is not UTF-8: save the file as UTF-8") from error


def _json_rows(body: bytes) -> list[Candidate]:
    try:
        items = msgspec.json.decode(body, type=_Bulk).devices
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiProblem(422, "invalid", f"body: {error}") from error
    return [_json_row(line, item) for line, item in enumerate(items, 1)]


def _json_row(line: int, item: dict[str, Any]) -> Candidate:
    dev_eui = item.get("dev_eui")
    shown = dev_eui[:SHOWN_EUI] if isinstance(dev_eui, str) else None
    try:
        device = parse_device(DeviceBody.model_validate(item).model_dump(exclude_unset=True))
    except ValidationError as error:
        return Candidate(line, shown, None, validation_text(error.errors()))
    except RegistryError as error:
        return Candidate(line, shown, None, str(error))
    return Candidate(line, device.dev_eui, device, None)
