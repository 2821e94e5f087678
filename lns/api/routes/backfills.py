"""Backfills: what a store lacks is made again from archived and logged uplinks."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given, Services
from lns.api.shapes import Body, Eui, Page, example
from lns.archive.backfill_jobs import BackfillJob, BackfillSpec, Which
from lns.archive.found import Gained
from lns.decoding.parts import Refused

router = APIRouter(prefix="/backfills", tags=["archive"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]

Id = Annotated[str, Path(description="Id of the backfill.")]
_RATE = "Measurements a second that are looked at, or messages that are sent; else 20000, and 100 for an outlet."


class BackfillBody(Body):
    """What is to be filled, and with what."""

    model_config = example(into="postgres", **{"from": "2026-01-31T08:00:00Z", "to": "2026-01-31T09:00:00Z"})

    into: str = Field(description="Name of the store, such as `sqlite` or `postgres`, or `APPLICATION/OUTLET`.")
    since: times.Instant | None = Field(None, alias="from", description="Received at this time or later, RFC 3339.")
    until: times.Instant | None = Field(None, alias="to", description="Received before this time, RFC 3339.")
    devices: list[Eui] = Field([], max_length=10_000, description="Only these DevEUIs.")
    application: str | None = Field(None, description="Only uplinks that were received for this application.")
    codec_version: Which = Field(
        "then", description="`then`: each uplink with the version that decoded it last; `current`: with that of now."
    )
    rate: float | None = Field(None, ge=1, le=10_000_000, description=_RATE)
    dry_run: bool = Field(False, description="Write and send nothing, only report what is missing.")


class BackfillChange(Body):
    """What can be changed while it runs."""

    model_config = example(rate=5000)

    rate: float = Field(ge=1, le=10_000_000, description=_RATE)


class GainedReply(BaseModel):
    """Measurements that were missing."""

    count: int = Field(examples=[360])
    first_at: str = Field(description="Time of the oldest of them, RFC 3339, UTC.")
    last_at: str


class FoundReply(BaseModel):
    """What was missing and is there now (in a dry run: is missing), what was there, what could not be decoded."""

    uplinks: int = Field(description="Decoded again; `skipped` and `failed` are of these.")
    skipped: int = Field(description="No payload for a codec, or no codec was in use.")
    otherwise: int = Field(description="Decoded with the version of now: the one of then is not known any more.")
    missing: int = Field(description="Measurements that were missing.")
    present: int = Field(description="Measurements that were there.")
    differing: int = Field(description="Measurements that are there with another value, which stays.")
    rejected: int = Field(description="Of the missing ones, those that the store has set aside.")
    messages: int = Field(description="Sent again, where an outlet is filled.")
    failed: dict[str, int] = Field(description="Uplinks that could not be decoded, by reason.")
    fields: dict[str, GainedReply] = Field(description="The missing ones by field; too many under an empty name.")
    devices: dict[str, GainedReply] = Field(description="The missing ones by DevEUI; too many under an empty name.")
    ranges: list[GainedReply] = Field(description="The times that were missing, an hour apart at least.")


class BackfillReply(BaseModel):
    """A backfill: how far it is and what it has found."""

    id: str = Field(examples=["3f9c2a51d07e4b68"])
    state: str = Field(description="waiting, running, paused, done, cancelled or failed.", examples=["running"])
    into: str
    since: str | None = Field(serialization_alias="from")
    until: str | None = Field(serialization_alias="to")
    devices: list[str]
    application: str | None
    codec_version: str
    rate: float
    dry_run: bool
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    finished_at: str | None = Field(description="RFC 3339, UTC; null: not yet.")
    done: float = Field(description="Share of the history that is behind, 0 to 1.", examples=[0.42])
    rate_per_s: float | None = Field(description="Measurements or messages a second since it was taken up.")
    remaining_s: float | None = Field(description="Seconds until it is done, at that rate.")
    found: FoundReply
    error: str | None = Field(description="Why it waits or has failed.")


@router.get("", dependencies=_READ, response_model=Page[BackfillReply], responses=documented())
async def list_backfills(services: Given) -> dict[str, Any]:
    """List backfills, newest first."""
    return {"items": [_shown(services, job) for job in services.archiving.backfills.jobs()], "next": None}


@router.post(
    "", dependencies=_WRITE, status_code=202, response_model=BackfillReply, responses=documented(404, 409, 503)
)
async def start_backfill(body: BackfillBody, services: Given) -> dict[str, Any]:
    """Start a backfill from archive and log; ask for it by its id until it is done.

    It goes on by itself after a stop or a kill of the server. Doing it twice changes nothing the second time.
    """
    if body.since is not None and body.until is not None and body.since >= body.until:
        raise ApiProblem(422, "invalid", "from is not before to")
    for dev_eui in body.devices:
        await asyncio.to_thread(services.registry.devices.id, dev_eui)
    application_id = None
    if body.application is not None:
        application_id = (await asyncio.to_thread(services.registry.applications.get, body.application)).id
    spec = BackfillSpec(
        into=body.into,
        devices=tuple(body.devices),
        application=body.application,
        application_id=application_id,
        since_us=body.since,
        until_us=body.until,
        codec_version=body.codec_version,
        dry_run=body.dry_run,
    )
    try:
        return _shown(services, await services.archiving.backfills.start(spec, body.rate))
    except Refused as error:
        raise ApiProblem(409, "conflict", str(error)) from error


@router.get("/{id}", dependencies=_READ, response_model=BackfillReply, responses=documented(404))
async def get_backfill(id: Id, services: Given) -> dict[str, Any]:
    """Show how far a backfill is, and what it has found."""
    return _shown(services, _known(services, id))


@router.patch("/{id}", dependencies=_WRITE, response_model=BackfillReply, responses=documented(404))
async def change_backfill(id: Id, body: BackfillChange, services: Given) -> dict[str, Any]:
    """Change how fast a backfill is, also while it runs."""
    job = _known(services, id)
    await services.archiving.backfills.change(job, body.rate)
    return _shown(services, job)


@router.post("/{id}/pause", dependencies=_WRITE, response_model=BackfillReply, responses=documented(404, 409))
async def pause_backfill(id: Id, services: Given) -> dict[str, Any]:
    """Lay a backfill aside until it is resumed, also over a restart; others have their turn meanwhile."""
    job = _known(services, id)
    try:
        await services.archiving.backfills.pause(job)
    except Refused as error:
        raise ApiProblem(409, "conflict", str(error)) from error
    return _shown(services, job)


@router.post("/{id}/resume", dependencies=_WRITE, response_model=BackfillReply, responses=documented(404, 409))
async def resume_backfill(id: Id, services: Given) -> dict[str, Any]:
    """Let a paused backfill go on where it was."""
    job = _known(services, id)
    try:
        await services.archiving.backfills.resume(job)
    except Refused as error:
        raise ApiProblem(409, "conflict", str(error)) from error
    return _shown(services, job)


@router.delete("/{id}", dependencies=_WRITE, response_model=BackfillReply, responses=documented(404))
async def cancel_backfill(id: Id, services: Given) -> dict[str, Any]:
    """Stop a backfill that is not done; what it has written stays."""
    job = _known(services, id)
    await services.archiving.backfills.cancel(job)
    return _shown(services, job)


def _known(services: Services, job_id: str) -> BackfillJob:
    job = services.archiving.backfills.job(job_id)
    if job is None:
        raise ApiProblem(404, "not_found", f"there is no backfill {job_id}")
    return job


def _shown(services: Services, job: BackfillJob) -> dict[str, Any]:
    spec, progress = job.spec, services.archiving.backfills.progress(job)
    found = msgspec.to_builtins(job.found)
    found["fields"] = {name: _gained(one) for name, one in job.found.fields.items()}
    found["devices"] = {name: _gained(one) for name, one in job.found.devices.items()}
    found["ranges"] = [_gained(one) for one in job.found.ranges]
    return {
        "id": job.id,
        "state": job.state,
        "into": spec.into,
        "since": times.text_or_none(spec.since_us),
        "until": times.text_or_none(spec.until_us),
        "devices": list(spec.devices),
        "application": spec.application,
        "codec_version": spec.codec_version,
        "rate": job.rate,
        "dry_run": spec.dry_run,
        "created_at": times.text(job.created_at_us),
        "finished_at": times.text_or_none(job.finished_at_us),
        "done": progress.done,
        "rate_per_s": progress.rate_per_s,
        "remaining_s": progress.remaining_s,
        "found": found,
        "error": job.error,
    }


def _gained(one: Gained) -> dict[str, Any]:
    return {"count": one.count, "first_at": times.text(one.first_us), "last_at": times.text(one.last_us)}
