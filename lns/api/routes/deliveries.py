"""The delivery log: what outlets have sent or still have to send, with every attempt; trying again, giving up."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path
from fastapi import Query as QueryParameter
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given, Services
from lns.api.shapes import After, Body, Eui, Limit, Page, example
from lns.delivery.machine import State, Step
from lns.delivery.rows import Attempt, Delivery, Query

router = APIRouter(prefix="/deliveries", tags=["outlets"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]

Id = Annotated[int, Path(ge=1, le=2**62, description="Id from the list.")]
Status = Literal["pending", "waiting", "delivered", "dead", "dropped"]

_STATES = "pending; waiting to be tried again; delivered; dead: it has failed for good; dropped."


class DeliveryReply(BaseModel):
    """One message to one outlet."""

    id: int = Field(examples=[1042])
    application: str = Field(examples=["default"])
    outlet: str = Field(examples=["alerts"])
    removed: bool = Field(description="The outlet is not there any more.")
    message_id: str = Field(description="The same on every try and replay.", examples=["uplink_00000000000000000001"])
    seq: int = Field(description="The record of the log it was made of.", examples=[1042])
    device: str = Field(description="DevEUI; of events without a device what they are of.")
    event: str = Field(examples=["measurements"])
    status: str = Field(description=_STATES, examples=["delivered"])
    reason: str | None = Field(description="Why it is dead or dropped.")
    attempts: int = Field(examples=[1])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    changed_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    next_at: str | None = Field(description="When it is tried again, RFC 3339, UTC.")


class AttemptReply(BaseModel):
    """One try."""

    number: int = Field(examples=[1])
    at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    ms: int = Field(description="How long it took.", examples=[12])
    verdict: str = Field(description="delivered, retry, throttled, refused or gone.", examples=["delivered"])
    status: int | None = Field(description="Of the answer, where it has one.", examples=[200])
    error: str | None
    request: str = Field(description="Its head, without secrets.")
    response: str = Field(description="Head and body of the answer, cut at 4 kB.")


class WholeDeliveryReply(DeliveryReply):
    """A delivery with its attempts, oldest first, and its message as long as that may still be sent."""

    message: str | None
    tries: list[AttemptReply]


class ChosenBody(Body):
    """Which deliveries: by id, by any of the filters together, or all."""

    model_config = example(outlet="alerts", device="70b3d57ed0000001", dry_run=True)

    ids: list[int] = Field([], max_length=10_000, description="These.")
    application: str | None = Field(None, description="Those of an application.")
    outlet: str | None = Field(None, description="Those of an outlet.")
    device: Eui | None = Field(None, description="Those of a device: DevEUI.")
    event: str | None = Field(None, description="Those of an event.")
    since: times.Instant | None = Field(None, description="Those made at this time or later, RFC 3339.")
    until: times.Instant | None = Field(None, description="Those made before this time, RFC 3339.")
    text: str | None = Field(None, min_length=1, max_length=200, description="Those with this in an attempt's error.")
    all: bool = Field(False, description="All of them; needed where nothing else is given.")
    dry_run: bool = Field(False, description="Only count them.")


class DropBody(ChosenBody):
    """Which deliveries to give up: dead ones, where no status is given."""

    model_config = example(status="dead", all=True, dry_run=True)

    status: Literal["pending", "waiting", "dead"] = Field("dead", description="Those in this status.")


class CountReply(BaseModel):
    """How many deliveries it concerns."""

    count: int = Field(examples=[12])
    dry_run: bool


@router.get("", dependencies=_READ, response_model=Page[DeliveryReply], responses=documented(404, 503))
async def list_deliveries(
    services: Given,
    application: Annotated[str | None, QueryParameter(description="Only of this application.")] = None,
    outlet: Annotated[str | None, QueryParameter(description="Only of this outlet.")] = None,
    device: Annotated[Eui | None, QueryParameter(description="Only of this device: DevEUI.")] = None,
    status: Annotated[Status | None, QueryParameter(description=_STATES)] = None,
    event: Annotated[str | None, QueryParameter(description="Only of this event.")] = None,
    since: Annotated[
        times.Instant | None, QueryParameter(alias="from", description="Made at this time or later.")
    ] = None,
    until: Annotated[times.Instant | None, QueryParameter(alias="to", description="Made before this time.")] = None,
    text: Annotated[
        str | None, QueryParameter(min_length=1, max_length=200, description="Only with this in an attempt's error.")
    ] = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, Any]:
    """List deliveries of all outlets, newest first."""
    query = Query(
        outlets=await _prefix(services, application, outlet),
        lane=device,
        state=None if status is None else State(status),
        event=event,
        from_us=since,
        until_us=until,
        text=text,
    )
    found = await services.outlets.store.search(query, limit, after)
    places = await asyncio.to_thread(_Places, services)
    following = str(found[-1].id) if len(found) == limit else None
    return {"items": [_shown(one, places) for one in found], "next": following}


@router.get("/{id}", dependencies=_READ, response_model=WholeDeliveryReply, responses=documented(404, 503))
async def get_delivery(id: Id, services: Given) -> dict[str, Any]:
    """Show one delivery with every attempt: its request and the answer."""
    found = await services.outlets.store.search(Query(ids=(id,)), 1)
    if not found:
        raise ApiProblem(404, "not_found", f"there is no delivery {id} (any more)")
    tries = await services.outlets.store.attempts(id)
    body = found[0].body
    return {
        **_shown(found[0], await asyncio.to_thread(_Places, services)),
        "message": None if body is None else body.decode("utf-8", "replace"),
        "tries": [_attempt(one) for one in tries],
    }


@router.post("/retry", dependencies=_WRITE, response_model=CountReply, responses=documented(404, 503))
async def retry_deliveries(body: ChosenBody, services: Given) -> dict[str, Any]:
    """Try dead deliveries again, with all attempts ahead of them; those of outlets that are gone stay as they are."""
    query = await _chosen(services, body, State.DEAD)
    store, dispatch = services.outlets.store, services.outlets.dispatch
    count = 0
    for key in list(dispatch.workers):
        if query.outlets is None or key.startswith(query.outlets):
            one = msgspec.structs.replace(query, outlet=key, outlets=None)
            count += await store.possible(one, Step.REPLAY) if body.dry_run else await dispatch.retry(one)
    return {"count": count, "dry_run": body.dry_run}


@router.post("/drop", dependencies=_WRITE, response_model=CountReply, responses=documented(404, 503))
async def drop_deliveries(body: DropBody, services: Given) -> dict[str, Any]:
    """Give deliveries up: their messages are not sent any more."""
    query = await _chosen(services, body, State(body.status))
    if body.dry_run:
        count = await services.outlets.store.possible(query, Step.DROP)
    else:
        count = await services.outlets.dispatch.drop(query)
    return {"count": count, "dry_run": body.dry_run}


async def _chosen(services: Services, body: ChosenBody, state: State) -> Query:
    filters = (body.application, body.outlet, body.device, body.event, body.since, body.until, body.text)
    if not body.ids and not body.all and all(one is None for one in filters):
        raise ApiProblem(422, "invalid", "say which deliveries: by ids, by a filter, or all of them with all")
    return Query(
        outlets=await _prefix(services, body.application, body.outlet),
        lane=body.device,
        state=state,
        event=body.event,
        from_us=body.since,
        until_us=body.until,
        text=body.text,
        ids=tuple(body.ids),
    )


async def _prefix(services: Services, application: str | None, outlet: str | None) -> str | None:
    """What the keys of outlets begin with that are asked for; an outlet that was removed is found by both names."""
    if application is not None:
        application_id = await asyncio.to_thread(services.registry.outlets.application_id, application)
        return f"{application_id}/" if outlet is None else f"{application_id}/{outlet}#"
    if outlet is None:
        return None
    found = [one for one in await asyncio.to_thread(services.registry.outlets.all) if one.outlet.name == outlet]
    if not found:
        raise ApiProblem(
            404, "not_found", f"there is no outlet {outlet!r}; of one that was removed name the application"
        )
    if len(found) > 1:
        names = ", ".join(one.application for one in found)
        raise ApiProblem(422, "invalid", f"{len(found)} outlets are called {outlet!r}, name the application: {names}")
    return f"{found[0].outlet.key}#"


class _Places:
    """Which applications and outlets there are. Blocking."""

    def __init__(self, services: Services) -> None:
        self.applications = {str(one.id): one.name for one in services.registry.applications.all()}
        self.outlets = {one.key for one in services.registry.outlets.all()}


def _shown(one: Delivery, places: _Places) -> dict[str, Any]:
    application_id, _, outlet = one.outlet.partition("#")[0].partition("/")
    waits = one.state in ("pending", "waiting")
    return {
        "id": one.id,
        "application": places.applications.get(application_id, application_id),
        "outlet": outlet,
        "removed": one.outlet not in places.outlets,
        "message_id": one.message_id,
        "seq": one.seq,
        "device": one.lane,
        "event": one.event,
        "status": one.state,
        "reason": one.reason or None,
        "attempts": one.attempts,
        "created_at": times.text(one.created_us),
        "changed_at": times.text(one.changed_us),
        "next_at": times.text(one.next_us) if waits else None,
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "number": one.n,
        "at": times.text(one.at_us),
        "ms": one.ms,
        "verdict": one.verdict,
        "status": one.status,
        "error": one.error or None,
        "request": one.request,
        "response": one.response,
    }
