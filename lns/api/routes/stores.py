"""The time-series stores: which are written, which one is read, how far each is, and what each has set aside."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given, Services
from lns.api.shapes import After, Body, Limit, Page, answer, example
from lns.errors import StoreError
from lns.series.store import SeriesStore, SetAside

router = APIRouter(prefix="/series", tags=["series"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
_PROBE_S = 5.0
_COUNTED = 1000
_Store = Annotated[str | None, Query(description="Which store; left out: the one that is read.", examples=["postgres"])]


class StoreReply(BaseModel):
    """A time-series store that is written."""

    name: str = Field(examples=["sqlite"])
    reads: bool = Field(description="Charts and the API read this one.")
    open: bool = Field(description="Its server has been reached since the start.")
    position: int | None = Field(description="Seq of the last record it holds; null: not known yet.", examples=[1042])
    lag: int | None = Field(description="Records between it and the head of the log.", examples=[0])
    rate_per_s: float | None = Field(examples=[12.5])
    state: str = Field(description="running, retrying or opening.", examples=["running"])
    last_error: str | None
    last_error_at: str | None = Field(description="RFC 3339, UTC.")
    time_resolution_us: int = Field(description="Values closer than this collide.", examples=[1])
    transactional_cursor: bool = Field(description="Rows and position are written together.")
    conditional_upsert: bool = Field(description="The engine itself lets the newer record win.")


class StoreHealthReply(StoreReply):
    """A store, asked just now."""

    answers: bool
    latency_ms: float | None = Field(description="How long it took to answer; null: it did not.", examples=[1.8])
    problem: str | None = Field(description="Why it did not answer.")
    rejected: int | None = Field(description="Measurements set aside and not retried, at most 1000 are counted.")


class SetAsideReply(BaseModel):
    """A measurement that a store refused, with its reason."""

    id: int = Field(examples=[1])
    row: str = Field(description="The measurement as it came, as JSON text in which NaN and Infinity may stand.")
    code: str = Field(examples=["not_finite"])
    reason: str
    at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    state: str = Field(examples=["open"])


class RetryRejectedBody(Body):
    """Which measurements to write again: by id, by code, or all."""

    model_config = example(ids=[1, 2])

    store: str | None = Field(None, description="Which store; left out: the one that is read.")
    ids: list[int] = Field([], max_length=1000, description="Ids from the list.")
    code: str | None = Field(None, description="All that were set aside for this reason.", examples=["not_finite"])
    all: bool = Field(False, description="All.")


class RetryRejectedReply(BaseModel):
    """What became of them."""

    stored: int = Field(examples=[2])
    failed: int = Field(examples=[0])


@router.get("/stores", dependencies=_READ, response_model=Page[StoreReply], responses=documented())
async def list_stores(services: Given) -> dict[str, Any]:
    """List the stores that measurements are written to, with how far each is behind the log."""
    consumers = await _consumers(services)
    return {"items": [_shown(services, store, consumers) for store in services.stores.all.values()], "next": None}


@router.get("/stores/{name}", dependencies=_READ, response_model=StoreHealthReply, responses=documented(404))
async def probe_store(
    name: Annotated[str, Path(description="Its name.", examples=["sqlite"])], services: Given
) -> dict[str, Any]:
    """Ask a store how it is: whether it answers, how quickly, and how much it has set aside."""
    store = _named(services, name)
    shown = {**_shown(services, store, await _consumers(services)), "latency_ms": None, "rejected": None}
    started = time.monotonic()
    try:
        async with asyncio.timeout(_PROBE_S):
            await services.stores.ensure_open(name)
            await store.cursor()
            shown["latency_ms"] = round((time.monotonic() - started) * 1000, 2)
            shown["rejected"] = len(await store.rejected(_COUNTED))
    except StoreError as error:
        return {**shown, "answers": False, "problem": str(error)}
    except TimeoutError:
        return {**shown, "answers": False, "problem": f"no answer within {_PROBE_S:g} s"}
    return {**shown, "answers": True, "problem": None}


@router.get("/rejected", dependencies=_READ, response_model=Page[SetAsideReply], responses=documented(404, 503))
async def list_rejected(services: Given, store: _Store = None, limit: Limit = 100, after: After = None) -> Response:
    """List measurements that a store refused, such as a number that is not finite, oldest first."""
    found = await _named(services, store).rejected(limit, after or 0)
    following = str(found[-1].id) if len(found) == limit else None
    return await answer(lambda: {"items": [_set_aside(entry) for entry in found], "next": following})


@router.post("/rejected/retry", dependencies=_WRITE, response_model=RetryRejectedReply, responses=documented(404, 503))
async def retry_rejected(body: RetryRejectedBody, services: Given) -> dict[str, int]:
    """Write refused measurements again, for instance after an upgrade."""
    if [bool(body.ids), body.code is not None, body.all].count(True) != 1:
        raise ApiProblem(422, "invalid", "give one of ids, code and all")
    store = _named(services, body.store)
    if body.ids:
        return await _retry(store, body.ids)
    counts = {"stored": 0, "failed": 0}
    after = 0
    while page := await store.rejected(_COUNTED, after):
        after = page[-1].id
        ids = [entry.id for entry in page if body.code in (None, entry.code)]
        if ids:
            for name, count in (await _retry(store, ids)).items():
                counts[name] += count
    return counts


async def _retry(store: SeriesStore, ids: list[int]) -> dict[str, int]:
    result = await store.retry(ids)
    return {"stored": result.accepted + result.superseded, "failed": len(result.rejected)}


def _named(services: Services, name: str | None) -> SeriesStore:
    store = services.series if name is None else services.stores.all.get(name)
    if store is not None:
        return store
    if name is None:
        raise ApiProblem(503, "no_series_store", "no series store is enabled: set series.enabled in the configuration")
    enabled = ", ".join(services.stores.all) or "none"
    raise ApiProblem(404, "not_found", f"no store {name!r} is enabled; enabled: {enabled}")


async def _consumers(services: Services) -> dict[str, dict[str, Any]]:
    status = await services.exchange.status()
    return {consumer["name"]: consumer for consumer in status["consumers"]}


def _shown(services: Services, store: SeriesStore, consumers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    consumer = consumers.get(f"series.{store.name}", {})
    problem = services.stores.problem(store.name)
    return {
        "name": store.name,
        "reads": store is services.series,
        "open": services.stores.is_open(store.name),
        "position": consumer.get("position"),
        "lag": consumer.get("lag"),
        "rate_per_s": consumer.get("rate_per_s"),
        "state": consumer.get("state", "opening"),
        "last_error": consumer.get("last_error") or problem,
        "last_error_at": times.text_or_none(consumer.get("last_error_at_us")),
        "time_resolution_us": store.caps.time_resolution_us,
        "transactional_cursor": store.caps.transactional_cursor,
        "conditional_upsert": store.caps.conditional_upsert,
    }


def _set_aside(entry: SetAside) -> dict[str, Any]:
    return {
        "id": entry.id,
        "row": entry.row,
        "code": entry.code,
        "reason": entry.reason,
        "at": times.text(entry.at_us),
        "state": entry.state,
    }
