"""Measurements: the fields of a device and their values in time."""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given, Services
from lns.api.shapes import After, DevEui, Page, answer
from lns.clock import DAY_US
from lns.series.store import Bucket, FieldInfo, Point, SeriesStore

router = APIRouter(tags=["series"])

_READ = [Depends(needs("read"))]
MAX_BUCKETS = 10_000
MAX_POINTS = 10_000

Value = float | bool | str
_Field = Annotated[str, Path(description="Field, such as `temperature` or `link.rssi`.", examples=["temperature"])]
_From = Annotated[
    times.Instant | None, Query(alias="from", description="Start, included; else 24 hours before the end.")
]
_To = Annotated[times.Instant | None, Query(alias="to", description="End, not included; else now.")]


class FieldReply(BaseModel):
    """A field with its newest value."""

    field: str = Field(examples=["temperature"])
    unit: str | None = Field(examples=["°C"])
    last_value: Value = Field(examples=[21.5])
    last_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class FieldsReply(BaseModel):
    """The fields of a device."""

    fields: list[FieldReply]


class PointReply(BaseModel):
    """A value in time."""

    time: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    value: Value = Field(examples=[21.5])
    unit: str | None = Field(examples=["°C"])


class BucketReply(BaseModel):
    """All values from `time` on for one bucket's length; avg, min, max and sum are null where none is a number."""

    time: str = Field(description="Start of the bucket, RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    avg: float | None = Field(examples=[21.4])
    min: float | None = Field(examples=[20.9])
    max: float | None = Field(examples=[22.0])
    sum: float | None = Field(examples=[128.4])
    count: int = Field(examples=[6])
    first: Value = Field(examples=[20.9])
    last: Value = Field(examples=[22.0])


@router.get("/devices/{dev_eui}/series", dependencies=_READ, response_model=FieldsReply, responses=documented(404, 503))
async def list_fields(dev_eui: DevEui, services: Given) -> Response:
    """List what a device measures, each field with its newest value."""
    device_id = await _device_id(services, dev_eui)
    found = await (await _store(services)).latest(device_id)
    return await answer(lambda: {"fields": [_field(info) for info in found]})


@router.get(
    "/devices/{dev_eui}/series/{field:path}",
    dependencies=_READ,
    response_model=Page[PointReply] | Page[BucketReply],
    responses=documented(404, 503),
)
async def read_series(
    dev_eui: DevEui,
    field: _Field,
    services: Given,
    from_us: _From = None,
    to_us: _To = None,
    limit: Annotated[int, Query(ge=1, le=MAX_POINTS, description="Values a page, at most 10,000.")] = 1000,
    after: After = None,
    bucket: Annotated[
        times.Duration | None,
        Query(description="Length of the buckets to aggregate over, such as 15m or 1h; at most 10,000 of them."),
    ] = None,
) -> Response:
    """Read a field's values, oldest first; with `bucket` their avg, min, max, sum, count, first and last."""
    device_id = await _device_id(services, dev_eui)
    end = to_us if to_us is not None else time.time_ns() // 1000
    start = from_us if from_us is not None else end - DAY_US
    if start >= end:
        raise ApiProblem(422, "invalid", f"from {times.text(start)} is not before to {times.text(end)}")
    store = await _store(services)
    if bucket is not None:
        buckets = await store.buckets(device_id, field, start, end, _width_us(bucket, start, end))
        await _check_known(store, device_id, dev_eui, field, buckets)
        return await answer(lambda: {"items": [_bucket(b) for b in buckets], "next": None})
    points = await store.range(device_id, field, start if after is None else after + 1, end, limit)
    await _check_known(store, device_id, dev_eui, field, points)
    following = str(points[-1].time_us) if len(points) == limit else None
    return await answer(lambda: {"items": [_point(p) for p in points], "next": following})


async def _store(services: Services) -> SeriesStore:
    if services.series is None:
        raise ApiProblem(503, "no_series_store", "no series store is enabled: set series.enabled in the configuration")
    return await services.stores.ensure_open(services.series.name)


def _width_us(bucket_s: int, start_us: int, end_us: int) -> int:
    width_us = bucket_s * 1_000_000
    count = -(-(end_us - start_us) // width_us)
    if count > MAX_BUCKETS:
        text = f"{count} buckets of {bucket_s} s lie between from and to, at most {MAX_BUCKETS} may: use longer ones"
        raise ApiProblem(422, "invalid", text)
    return width_us


async def _device_id(services: Services, dev_eui: str) -> int:
    return await asyncio.to_thread(services.registry.devices.id, dev_eui)


async def _check_known(store: SeriesStore, device_id: int, dev_eui: str, field: str, found: Sequence[object]) -> None:
    """Tell an empty time from a field the device never had."""
    if found:
        return
    known = await store.fields(device_id)
    if field not in known:
        names = ", ".join(known) or "none yet"
        raise ApiProblem(404, "not_found", f"device {dev_eui} has no field {field!r}, it has: {names}")


def _field(info: FieldInfo) -> dict[str, Any]:
    return {
        "field": info.field,
        "unit": info.unit,
        "last_value": info.last_value,
        "last_at": times.text(info.last_at_us),
    }


def _point(point: Point) -> dict[str, Any]:
    return {"time": times.text(point.time_us), "value": point.value, "unit": point.unit}


def _bucket(bucket: Bucket) -> dict[str, Any]:
    return {
        "time": times.text(bucket.start_us),
        "avg": bucket.avg,
        "min": bucket.min,
        "max": bucket.max,
        "sum": bucket.sum,
        "count": bucket.count,
        "first": bucket.first,
        "last": bucket.last,
    }
