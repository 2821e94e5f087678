"""Trials: a version of a codec on real stored uplinks beside what decodes them now; nothing is written."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from decoders.contract import Error
from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given
from lns.api.shapes import Body, Eui, example
from lns.api.trials import TrialJob
from lns.clock import now_us
from lns.decoding.compare import Comparison
from lns.decoding.parts import Refused
from lns.decoding.trial import TrialSpec
from lns.registry.codec_names import split_version

router = APIRouter(prefix="/trials", tags=["codecs"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]

Id = Annotated[str, Path(description="Id of the trial.")]


class TrialBody(Body):
    """What is to be tried on which uplinks."""

    model_config = example(codec="lht65@draft", last=1000)

    codec: str = Field(description="A stored version, as in `lht65@2` or `lht65@draft`.")
    last: int = Field(1000, ge=1, le=100_000, description="The newest uplinks that the log holds of the devices.")
    devices: list[Eui] = Field([], max_length=10_000, description="DevEUIs; none: the devices that the codec decodes.")


class TrialReply(BaseModel):
    """A trial and, once it is done, how the two versions differ."""

    id: str = Field(examples=["3f9c2a51d07e4b68"])
    codec: str = Field(examples=["lht65"])
    version: int = Field(examples=[2])
    state: str = Field(description="waiting, running, done, cancelled or failed.", examples=["done"])
    compared: int = Field(description="Uplinks compared so far.", examples=[1000])
    of: int | None = Field(description="Uplinks found; null: still looking.", examples=[1000])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    report: dict[str, Any] | None = Field(
        description="Fields added, lost and changed with samples, new and fixed failures; null until it is done."
    )
    error: str | None = Field(description="Why it failed.")


@router.post("", dependencies=_WRITE, status_code=202, response_model=TrialReply, responses=documented(404, 409))
async def start_trial(body: TrialBody, services: Given) -> dict[str, Any]:
    """Start a trial; ask for it by its id until it is done."""
    name, which = split_version(body.codec)
    chosen = await asyncio.to_thread(services.registry.codecs.version, name, which)
    spec = TrialSpec(name, chosen.number, body.last, tuple(body.devices))
    try:
        return _shown(services.trials.start(spec, now_us()))
    except Refused as error:
        raise ApiProblem(409, "conflict", str(error)) from error


@router.get("/{id}", dependencies=_READ, response_model=TrialReply, responses=documented(404))
async def get_trial(id: Id, services: Given) -> dict[str, Any]:
    """Show how far a trial is, and what it has found. The last 100 are kept until the server stops."""
    return _shown(_known(services.trials.job(id), id))


@router.delete("/{id}", dependencies=_WRITE, response_model=TrialReply, responses=documented(404))
async def cancel_trial(id: Id, services: Given) -> dict[str, Any]:
    """End a trial that is not done yet."""
    return _shown(_known(services.trials.cancel(id), id))


def _known(job: TrialJob | None, job_id: str) -> TrialJob:
    if job is None:
        raise ApiProblem(404, "not_found", f"there is no trial {job_id}")
    return job


def _shown(job: TrialJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "codec": job.spec.codec,
        "version": job.spec.version,
        "state": job.state,
        "compared": job.compared,
        "of": job.of,
        "created_at": times.text(job.created_at_us),
        "report": None if job.report is None else _report(job.report),
        "error": job.error,
    }


def _report(found: Comparison) -> dict[str, Any]:
    """A comparison as JSON; errors are arrays between processes and objects here."""
    shown: dict[str, Any] = msgspec.to_builtins(found)
    for name in ("new_failures", "fixed_failures", "still_failing"):
        for sample, failed in zip(shown[name]["samples"], getattr(found, name).samples, strict=True):
            sample["before"], sample["after"] = _error(failed.before), _error(failed.after)
    return shown


def _error(error: Error | None) -> dict[str, Any] | None:
    return None if error is None else msgspec.structs.asdict(error)
