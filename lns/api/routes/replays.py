"""Replays: stored uplinks are decoded again, and what is stored of them is corrected."""

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
from lns.decoding.jobs import Job, Spec
from lns.decoding.parts import Refused
from lns.registry.codec_names import split_version

router = APIRouter(prefix="/replays", tags=["codecs"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]

Id = Annotated[str, Path(description="Id of the replay.")]


class ReplayBody(Body):
    """What is to be decoded again, and what to do with it."""

    model_config = example(codec="lht65", since="2026-01-31T00:00:00Z", dry_run=True)

    codec: str | None = Field(
        None, description="Uplinks of the devices it decodes, each with the version it uses now; `lht65@2`: with that."
    )
    devices: list[Eui] = Field([], max_length=10_000, description="Only these DevEUIs.")
    since: times.Instant | None = Field(None, description="Received at this time or later, RFC 3339.")
    until: times.Instant | None = Field(None, description="Received before this time, RFC 3339.")
    failures: bool = Field(False, description="Only uplinks whose decode had failed.")
    keep_lost: bool = Field(False, description="Keep measurements that the codec does not give any more.")
    outlets: bool = Field(False, description="Send corrected measurements to outlets, marked as a replay.")
    dry_run: bool = Field(False, description="Write nothing, only report.")
    max_per_s: float = Field(5000.0, ge=1, le=1_000_000, description="Uplinks a second, so that live ones go first.")


class ReplayReply(BaseModel):
    """A replay: how far it is and what it has done."""

    id: str = Field(examples=["3f9c2a51d07e4b68"])
    state: str = Field(description="waiting, running, done, cancelled or failed.", examples=["running"])
    codec: str | None = Field(examples=["lht65"])
    version: int | None = Field(description="Null: the one each device uses.")
    devices: list[str]
    since: str | None
    until: str | None
    failures: bool
    keep_lost: bool
    outlets: bool
    dry_run: bool
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    finished_at: str | None = Field(description="RFC 3339, UTC; null: not yet.")
    done: float = Field(description="Share of the log that is behind, 0 to 1.", examples=[0.42])
    rate_per_s: float | None = Field(description="Uplinks a second since it was taken up.")
    remaining_s: float | None = Field(description="Seconds until it is done, at that rate.")
    report: dict[str, Any] = Field(
        description="Uplinks, corrected, added, changed, removed, failed by reason, samples."
    )
    error: str | None = Field(description="Why it waits or has failed.")


@router.get("", dependencies=_READ, response_model=Page[ReplayReply], responses=documented())
async def list_replays(services: Given) -> dict[str, Any]:
    """List replays, newest first; dry runs only until the server stops."""
    return {"items": [_shown(services, job) for job in services.replays.jobs()], "next": None}


@router.post("", dependencies=_WRITE, status_code=202, response_model=ReplayReply, responses=documented(404, 409))
async def start_replay(body: ReplayBody, services: Given) -> dict[str, Any]:
    """Start a replay of what log and archive hold; ask for it by its id until it is done.

    It goes on by itself after a stop or a kill of the server. Doing it twice changes nothing the second time.
    """
    if body.since is not None and body.until is not None and body.since >= body.until:
        raise ApiProblem(422, "invalid", "since is not before until")
    spec = await _spec(services, body)
    try:
        return _shown(services, await services.replays.start(spec))
    except Refused as error:
        raise ApiProblem(409, "conflict", str(error)) from error


@router.get("/{id}", dependencies=_READ, response_model=ReplayReply, responses=documented(404))
async def get_replay(id: Id, services: Given) -> dict[str, Any]:
    """Show how far a replay is, and what it has done."""
    return _shown(services, _known(services.replays.job(id), id))


@router.delete("/{id}", dependencies=_WRITE, response_model=ReplayReply, responses=documented(404))
async def cancel_replay(id: Id, services: Given) -> dict[str, Any]:
    """Stop a replay that is not done; what it has corrected stays."""
    return _shown(services, _known(services.replays.cancel(id), id))


async def _spec(services: Services, body: ReplayBody) -> Spec:
    for dev_eui in body.devices:
        await asyncio.to_thread(services.registry.devices.id, dev_eui)
    codec, number = body.codec, None
    if codec is not None:
        name, which = split_version(codec)
        if name != codec:
            number = (await asyncio.to_thread(services.registry.codecs.version, name, which)).number
        codec = name
    return Spec(
        codec=codec,
        version=number,
        devices=tuple(body.devices),
        since_us=body.since,
        until_us=body.until,
        failures=body.failures,
        remove=not body.keep_lost,
        outlets=body.outlets,
        dry_run=body.dry_run,
        max_per_s=body.max_per_s,
    )


def _known(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise ApiProblem(404, "not_found", f"there is no replay {job_id}")
    return job


def _shown(services: Services, job: Job) -> dict[str, Any]:
    spec, progress = job.spec, services.replays.progress(job)
    return {
        "id": job.id,
        "state": job.state,
        "codec": spec.codec,
        "version": spec.version,
        "devices": list(spec.devices),
        "since": times.text_or_none(spec.since_us),
        "until": times.text_or_none(spec.until_us),
        "failures": spec.failures,
        "keep_lost": not spec.remove,
        "outlets": spec.outlets,
        "dry_run": spec.dry_run,
        "created_at": times.text(job.created_at_us),
        "finished_at": times.text_or_none(job.finished_at_us),
        "done": progress.done,
        "rate_per_s": progress.rate_per_s,
        "remaining_s": progress.remaining_s,
        "report": msgspec.to_builtins(job.report),
        "error": job.error,
    }
