"""Outlets: where the messages of an application are sent, while the server runs."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.routes import outlet_shapes as shapes
from lns.api.routes.outlet_shapes import (
    OutletBody,
    OutletChange,
    OutletReplayBody,
    OutletReplayReply,
    OutletReply,
    TestReply,
)
from lns.api.services import Given, Services
from lns.api.shapes import Page
from lns.config import ConfigError
from lns.delivery.replay_jobs import Job, Spec
from lns.delivery.replays import ReplayRefused
from lns.registry.rows import StoredOutlet

router = APIRouter(tags=["outlets"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
_ONE = "/applications/{application}/outlets/{outlet}"

Application = Annotated[str, Path(description="Name of the application.", examples=["default"])]
Outlet = Annotated[str, Path(description="Name of the outlet.", examples=["alerts"])]
Replay = Annotated[str, Path(description="Id of the replay.")]


class RemovedReply(BaseModel):
    """What went with an outlet."""

    dropped: int


@router.get("/outlets", dependencies=_READ, response_model=Page[OutletReply], responses=documented(404))
async def list_outlets(
    services: Given, application: Annotated[str | None, Query(description="Only this application's.")] = None
) -> dict[str, Any]:
    """List outlets with how they are now, by application and name."""
    found = await asyncio.to_thread(services.registry.outlets.all, application)
    dead = await services.outlets.dead()
    items = [shapes.shown(one, services.outlets.status(one), dead.get(one.key, 0)) for one in found]
    return {"items": items, "next": None}


@router.post(
    "/applications/{application}/outlets",
    dependencies=_WRITE,
    status_code=201,
    response_model=OutletReply,
    responses=documented(404, 409),
)
async def create_outlet(application: Application, body: OutletBody, services: Given) -> dict[str, Any]:
    """Add an outlet; it begins at once, with what comes from now on or from where you say."""
    if body.from_time is not None and body.from_seq is not None:
        raise ApiProblem(422, "invalid", "give from_time or from_seq, one of them")
    application_id = await asyncio.to_thread(services.registry.outlets.application_id, application)
    new = shapes.definition(body, application_id)
    try:
        one = await services.outlets.add(new, body.from_time, body.from_seq)
    except ConfigError as error:
        raise _invalid(error) from error
    return await _shown(services, one)


@router.get(_ONE, dependencies=_READ, response_model=OutletReply, responses=documented(404))
async def get_outlet(application: Application, outlet: Outlet, services: Given) -> dict[str, Any]:
    """Show one outlet and how it is now."""
    return await _shown(services, await _known(services, application, outlet))


@router.patch(_ONE, dependencies=_WRITE, response_model=OutletReply, responses=documented(404))
async def change_outlet(
    application: Application, outlet: Outlet, body: OutletChange, services: Given
) -> dict[str, Any]:
    """Change an outlet while it runs. It goes on where it was, once what is under way has ended."""
    known = await _known(services, application, outlet)
    try:
        one = await services.outlets.change(known, shapes.changed(known.outlet, body))
    except ConfigError as error:
        raise _invalid(error) from error
    return await _shown(services, one)


@router.delete(_ONE, dependencies=_WRITE, response_model=RemovedReply, responses=documented(404))
async def delete_outlet(application: Application, outlet: Outlet, services: Given) -> dict[str, int]:
    """Remove an outlet. What it was still to send is dropped; its deliveries can be looked up for their time."""
    known = await _known(services, application, outlet)
    dropped: int = services.outlets.status(known)["open"]
    await services.outlets.remove(known)
    return {"dropped": dropped}


@router.post(f"{_ONE}/pause", dependencies=_WRITE, response_model=OutletReply, responses=documented(404))
async def pause_outlet(application: Application, outlet: Outlet, services: Given) -> dict[str, Any]:
    """Send nothing from now on. What comes is kept to be sent, and nothing is lost."""
    return await _shown(services, await services.outlets.pause(await _known(services, application, outlet)))


@router.post(f"{_ONE}/resume", dependencies=_WRITE, response_model=OutletReply, responses=documented(404))
async def resume_outlet(application: Application, outlet: Outlet, services: Given) -> dict[str, Any]:
    """Send again, after a pause or after the outlet was disabled."""
    return await _shown(services, await services.outlets.resume(await _known(services, application, outlet)))


@router.post(f"{_ONE}/test", dependencies=_WRITE, response_model=TestReply, responses=documented(404))
async def test_outlet(application: Application, outlet: Outlet, services: Given) -> dict[str, Any]:
    """Send one sample message now, of a device that does not exist, and show request and answer."""
    known = await _known(services, application, outlet)
    try:
        sample, outcome = await services.outlets.test(known)
    except ConfigError as error:
        raise _invalid(error) from error
    return shapes.shown_test(sample, outcome)


@router.get(f"{_ONE}/replays", dependencies=_READ, response_model=Page[OutletReplayReply], responses=documented(404))
async def list_outlet_replays(application: Application, outlet: Outlet, services: Given) -> dict[str, Any]:
    """List replays to an outlet, newest first; those that only counted until the server stops."""
    known = await _known(services, application, outlet)
    return {"items": [shapes.shown_replay(job) for job in services.outlets.replays.all(known.key)], "next": None}


@router.post(
    f"{_ONE}/replays",
    dependencies=_WRITE,
    status_code=202,
    response_model=OutletReplayReply,
    responses=documented(404, 409),
)
async def start_outlet_replay(
    application: Application, outlet: Outlet, body: OutletReplayBody, services: Given
) -> dict[str, Any]:
    """Send to an outlet what is stored of a time once more, under the same message ids.

    It goes on by itself after a stop or a kill of the server; ask for it by its id until it is done.
    """
    if body.since is not None and body.until is not None and body.since >= body.until:
        raise ApiProblem(422, "invalid", "since is not before until")
    known = await _known(services, application, outlet)
    spec = Spec(known.key, body.since, body.until, body.max_per_s, body.dry_run)
    try:
        return shapes.shown_replay(await services.outlets.replays.start(spec))
    except ReplayRefused as error:
        raise ApiProblem(409, "conflict", str(error)) from error


@router.get(f"{_ONE}/replays/{{id}}", dependencies=_READ, response_model=OutletReplayReply, responses=documented(404))
async def get_outlet_replay(application: Application, outlet: Outlet, id: Replay, services: Given) -> dict[str, Any]:
    """Show how far a replay to an outlet is."""
    return shapes.shown_replay(_job(services, await _known(services, application, outlet), id))


@router.delete(
    f"{_ONE}/replays/{{id}}", dependencies=_WRITE, response_model=OutletReplayReply, responses=documented(404)
)
async def cancel_outlet_replay(application: Application, outlet: Outlet, id: Replay, services: Given) -> dict[str, Any]:
    """Stop a replay to an outlet that is not done; what it has added already is sent."""
    job = _job(services, await _known(services, application, outlet), id)
    await services.outlets.replays.cancel(job)
    return shapes.shown_replay(job)


async def _known(services: Services, application: str, outlet: str) -> StoredOutlet:
    return await asyncio.to_thread(services.registry.outlets.get, application, outlet)


async def _shown(services: Services, one: StoredOutlet) -> dict[str, Any]:
    dead = await services.outlets.dead()
    return shapes.shown(one, services.outlets.status(one), dead.get(one.key, 0))


def _job(services: Services, known: StoredOutlet, job_id: str) -> Job:
    job = services.outlets.replays.get(job_id)
    if job is None or job.spec.outlet != known.key:
        raise ApiProblem(404, "not_found", f"outlet {known.outlet.name!r} has no replay {job_id}")
    return job


def _invalid(error: ValueError) -> ApiProblem:
    return ApiProblem(422, "invalid", str(error))
