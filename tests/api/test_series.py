import math
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest

from lns.config import SeriesSqlite
from lns.series.store import Row, Rows
from tests.api.answers import ok, problem
from tests.api.conftest import Running, started
from tests.api.radio import abp_session

pytestmark = pytest.mark.asyncio(loop_scope="package")

HOUR_US = 3_600_000_000
START_US = 1_769_846_400_000_000  # 2026-01-31T08:00:00Z


async def device(api: httpx.AsyncClient, number: int) -> str:
    eui = f"70b3d57eda50{number:04x}"
    ok(await api.post("/devices", json={"dev_eui": eui, "abp": abp_session(f"0050{number:04x}")}), 201)
    return eui


async def store(running: Running, eui: str, rows: Iterable[tuple[str, int, float | bool | str, str | None]]) -> None:
    """Write as the series consumer does."""
    assert running.server.stores.reads is not None
    device_id = running.server.registry.devices.id(eui)
    table = Rows.of(Row(device_id, field, at, value, unit, 1) for field, at, value, unit in rows)
    await running.server.stores.reads.write(table, None)


async def test_fields_are_listed_with_their_newest_value(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 1)
    assert ok(await api.get(f"/devices/{eui}/series")) == {"fields": []}
    rows = [("t", START_US, 20.5, "°C"), ("t", START_US + 1, 21.5, "°C"), ("open", START_US, True, None)]
    await store(running, eui, [*rows, ("link/odd", START_US, "a", None)])
    assert ok(await api.get(f"/devices/{eui}/series")) == {
        "fields": [
            {"field": "link/odd", "unit": None, "last_value": "a", "last_at": "2026-01-31T08:00:00.000000Z"},
            {"field": "open", "unit": None, "last_value": True, "last_at": "2026-01-31T08:00:00.000000Z"},
            {"field": "t", "unit": "°C", "last_value": 21.5, "last_at": "2026-01-31T08:00:00.000001Z"},
        ]
    }
    span = {"from": "2026-01-31T08:00:00Z", "to": "2026-01-31T09:00:00+01:00"}
    assert problem(await api.get(f"/devices/{eui}/series/t", params=span))[0] == 422
    span["to"] = "2026-01-31T09:00:01+01:00"
    items = ok(await api.get(f"/devices/{eui}/series/link%2Fodd", params=span))["items"]
    assert items == [{"time": "2026-01-31T08:00:00.000000Z", "value": "a", "unit": None}]


async def test_values_are_read_in_pages(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 2)
    await store(running, eui, [("t", START_US + i * HOUR_US, float(i), None) for i in range(5)])
    where, span = f"/devices/{eui}/series/t", {"from": "2026-01-31", "to": "2026-01-31T12:00:00Z", "limit": "2"}
    first = ok(await api.get(where, params=span))
    second = ok(await api.get(where, params={**span, "after": first["next"]}))
    third = ok(await api.get(where, params={**span, "after": second["next"]}))
    assert [[item["value"] for item in page["items"]] for page in (first, second, third)] == [[0, 1], [2, 3], []]
    assert third["next"] is None


async def test_buckets_aggregate(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 3)
    values = [1.0, 2.0, 6.0, 10.0]
    await store(running, eui, [("t", START_US + i * HOUR_US // 3, v, None) for i, v in enumerate(values)])
    span = {"from": "2026-01-31T08:00:00Z", "to": "2026-01-31T10:00:00Z", "bucket": "1h"}
    time_names = ("2026-01-31T08:00:00.000000Z", "2026-01-31T09:00:00.000000Z")
    assert ok(await api.get(f"/devices/{eui}/series/t", params=span)) == {
        "items": [
            {"time": time_names[0], "avg": 3, "min": 1, "max": 6, "sum": 9, "count": 3, "first": 1, "last": 6},
            {"time": time_names[1], "avg": 10, "min": 10, "max": 10, "sum": 10, "count": 1, "first": 10, "last": 10},
        ],
        "next": None,
    }


async def test_without_a_time_the_last_day_is_read(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 4)
    now_us = time.time_ns() // 1000
    await store(running, eui, [("t", now_us - 25 * HOUR_US, 1.0, None), ("t", now_us - 23 * HOUR_US, 2.0, None)])
    assert [p["value"] for p in ok(await api.get(f"/devices/{eui}/series/t"))["items"]] == [2]


async def test_refusals_are_told(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 5)
    await store(running, eui, [("t", START_US, 1.0, None)])

    async def told(path: str, **parameters: str) -> tuple[int, str]:
        return problem(await api.get(path, params=parameters))[::2]

    where = f"/devices/{eui}/series/t"
    assert await told(f"{where}x") == (404, f"device {eui} has no field 'tx', it has: t")
    assert await told("/devices/70b3d57eda50ffff/series") == (404, "device 70b3d57eda50ffff does not exist")
    assert await told("/devices/70b3d57eda50ffff/series/t") == (404, "device 70b3d57eda50ffff does not exist")
    assert await told(where, **{"from": "noon"}) == (
        422,
        "from: 'noon' is not a time such as 2026-01-31T08:00:00Z",
    )
    assert await told(where, bucket="1y") == (422, "bucket: '1y' is not a duration such as 90s, 15m, 1h, 7d or 2w")
    assert await told(where, **{"from": "2026-02-01", "to": "2026-01-01"}) == (
        422,
        "from 2026-02-01T00:00:00.000000Z is not before to 2026-01-01T00:00:00.000000Z",
    )
    assert await told(where, bucket="1s") == (
        422,
        "86400 buckets of 1 s lie between from and to, at most 10000 may: use longer ones",
    )


async def test_refused_measurements_are_listed_and_tried_again(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 6)
    await store(running, eui, [("t", START_US, math.nan, None), ("t", START_US, 1.0, None)])
    (entry,) = ok(await api.get("/series/rejected"))["items"]
    assert (entry["state"], "NaN" in entry["row"]) == ("open", True)
    page = ok(await api.get("/series/rejected", params={"limit": 1}))
    assert ok(await api.get("/series/rejected", params={"after": page["next"]}))["items"] == []
    again = ok(await api.post("/series/rejected/retry", json={"ids": [entry["id"]]}))
    assert again == {"stored": 0, "failed": 1}


async def test_server_without_a_series_store_says_so(tmp_path: Path) -> None:
    async with started(tmp_path, series=SeriesSqlite(enabled=False)) as other, other.client(other.admin_key) as client:
        answer = await client.get("/api/v1/series/rejected")
    text = "no series store is enabled: set series.enabled in the configuration"
    assert problem(answer) == (503, "no_series_store", text)
