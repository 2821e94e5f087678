"""The archive of raw uplinks: how far it has come, its files, and whether they are whole."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given, Services
from lns.api.shapes import After, Limit, Page
from lns.archive.around import ARCHIVE
from lns.archive.manifest import Manifest
from lns.assembly.archiving import Archive

if TYPE_CHECKING:  # of an extra, which need not be there
    from lns.archive.verifying import Check

router = APIRouter(prefix="/archive", tags=["archive"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
_SHOWN = 1000  # faults, gaps and the like that an answer lists


class ArchiveReply(BaseModel):
    """The archive at a glance. Files are those whose manifest can be read now."""

    enabled: bool
    where: str | None = Field(description="Folder or bucket.", examples=["/var/lib/inflight/archive"])
    log: str = Field(description="Id of the log whose uplinks it holds; every manifest names it.")
    files: int = Field(examples=[24])
    uplinks: int = Field(examples=[1_041_000])
    bytes: int = Field(examples=[31_000_000])
    first_seq: int | None = Field(description="Of the oldest uplink in it.", examples=[1])
    last_seq: int | None = Field(description="Of the newest.", examples=[2_082_000])
    first_at: str | None = Field(description="When the oldest was received, RFC 3339, UTC.")
    last_at: str | None = Field(description="When the newest was received.")
    lag: int | None = Field(description="Records of the log after the newest file.", examples=[4200])
    state: str | None = Field(description="running, or retrying where it cannot be written.", examples=["running"])
    last_error: str | None
    last_error_at: str | None = Field(description="RFC 3339, UTC.")


class FileReply(BaseModel):
    """A file of uplinks."""

    name: str = Field(examples=["uplink/day=2026-01-31/0000000000000000001.parquet"])
    first_seq: int
    last_seq: int
    uplinks: int
    bytes: int
    first_at: str = Field(description="When the oldest was received, RFC 3339, UTC.")
    last_at: str
    sha256: str


class FaultReply(BaseModel):
    """What is wrong with a file."""

    name: str
    text: str = Field(examples=["the file is missing"])


class GapReply(BaseModel):
    """Seqs of which no file has the uplinks, both included."""

    first_seq: int
    last_seq: int


class CheckReply(BaseModel):
    """A verification: every file read back and compared with its manifest, and the manifests with each other."""

    state: str = Field(description="running, done, or failed where the storage cannot be read.", examples=["done"])
    started_at: str = Field(description="RFC 3339, UTC.")
    finished_at: str | None
    files: int = Field(description="How many there are.", examples=[24])
    behind: int = Field(description="How many have been looked at.", examples=[24])
    uplinks: int
    bytes: int
    whole: bool | None = Field(description="Everything that was archived is there, unchanged; null: not known yet.")
    faults: list[FaultReply]
    gaps: list[GapReply]
    overlaps: list[list[str]] = Field(description="Pairs of files that hold the same seqs: no fault, read once.")
    orphans: list[str] = Field(description="Files without a manifest, as a kill leaves them: they do not count.")
    error: str | None


@router.get("", dependencies=_READ, response_model=ArchiveReply, responses=documented(503))
async def read_archive(services: Given) -> dict[str, Any]:
    """Show how far the archive has come and how much it holds."""
    archive = services.archiving.archive
    files = [] if archive is None else await archive.catalogue.read()
    consumers = (await services.exchange.status())["consumers"]
    own = next((one for one in consumers if one["name"] == ARCHIVE), None) or {}
    return {
        "enabled": archive is not None,
        "where": None if archive is None else archive.storage.where,
        "log": services.exchange.log_id,
        "files": len(files),
        "uplinks": sum(one.count for one in files),
        "bytes": sum(one.bytes for one in files),
        "first_seq": files[0].first_seq if files else None,
        "last_seq": max((one.last_seq for one in files), default=None),
        "first_at": times.text_or_none(min((one.min_at_us for one in files), default=None)),
        "last_at": times.text_or_none(max((one.max_at_us for one in files), default=None)),
        "lag": own.get("lag"),
        "state": own.get("state"),
        "last_error": own.get("last_error"),
        "last_error_at": times.text_or_none(own.get("last_error_at_us")),
    }


@router.get("/files", dependencies=_READ, response_model=Page[FileReply], responses=documented(409, 503))
async def list_archive_files(
    services: Given,
    since: Annotated[
        times.Instant | None, Query(alias="from", description="With uplinks of this time or later.")
    ] = None,
    until: Annotated[times.Instant | None, Query(alias="to", description="With uplinks from before this time.")] = None,
    after: After = None,
    limit: Limit = 100,
) -> dict[str, Any]:
    """List the files of uplinks, oldest first."""
    files = [
        one
        for one in await _there(services).catalogue.read()
        if (after is None or one.first_seq > after)
        and (since is None or one.max_at_us >= since)
        and (until is None or one.min_at_us < until)
    ]
    shown = files[:limit]
    return {"items": [_file(one) for one in shown], "next": str(shown[-1].first_seq) if len(files) > limit else None}


@router.post("/verify", dependencies=_WRITE, status_code=202, response_model=CheckReply, responses=documented(409))
async def verify_archive(services: Given) -> dict[str, Any]:
    """Begin to read the whole archive back, unless that is under way; ask for it with `GET` until it is done."""
    return _check(_there(services).verifier.start())


@router.get("/verify", dependencies=_READ, response_model=CheckReply, responses=documented(404, 409))
async def read_archive_verification(services: Given) -> dict[str, Any]:
    """Show how far the last verification is and what it has found; it is forgotten when the server stops."""
    last = _there(services).verifier.last
    if last is None:
        raise ApiProblem(404, "not_found", "the archive has not been verified since the server was started")
    return _check(last)


def _there(services: Services) -> Archive:
    if services.archiving.archive is None:
        raise ApiProblem(409, "conflict", "there is no archive here: archive.enabled is false")
    return services.archiving.archive


def _file(one: Manifest) -> dict[str, Any]:
    return {
        "name": one.name,
        "first_seq": one.first_seq,
        "last_seq": one.last_seq,
        "uplinks": one.count,
        "bytes": one.bytes,
        "first_at": times.text(one.min_at_us),
        "last_at": times.text(one.max_at_us),
        "sha256": one.sha256,
    }


def _check(check: "Check") -> dict[str, Any]:
    found = check.verdict
    return {
        "state": check.state,
        "started_at": times.text(check.started_at_us),
        "finished_at": times.text_or_none(check.finished_at_us),
        "files": check.files,
        "behind": check.behind,
        "uplinks": found.uplinks,
        "bytes": found.bytes,
        "whole": found.is_whole if check.state == "done" else None,
        "faults": msgspec.to_builtins(found.faults[:_SHOWN]),
        "gaps": msgspec.to_builtins(found.gaps[:_SHOWN]),
        "overlaps": [list(pair) for pair in found.overlaps[:_SHOWN]],
        "orphans": found.orphans[:_SHOWN],
        "error": check.error,
    }
