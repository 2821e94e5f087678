"""Bodies and answers of the outlet routes, and how a definition is made of a body."""

from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.problems import ApiProblem
from lns.api.shapes import Body, example, optional
from lns.delivery.outcome import Outcome, Outgoing
from lns.delivery.pipe import Pipe
from lns.delivery.replay_jobs import Job
from lns.outlets import kinds, masking
from lns.outlets.definition import Filter, Format, Outlet, OutletKind
from lns.registry.explain import explained
from lns.registry.rows import StoredOutlet

_T = TypeVar("_T", bound=msgspec.Struct)

_SETTINGS = "Where it sends to and how, by its kind: see docs/outlets.md."
_FILTER = "Which messages it wants: `events`, `tags` (all on the device, empty: any value), `fields` (one of them)."
_SENDING = (
    "How it sends: `ordering`, `at_once`, `batch`, `per_s`, `open_most`, `schedule` (`waits_s`, `refusals`, "
    "`deadline_s`, `retry_after_cap_s`) and `breaker`."
)


class OutletBody(Body):
    """An outlet to add; it sends from now on, or what the log still holds from a time or a record on."""

    model_config = example(
        name="alerts",
        kind="webhook",
        settings={"url": "https://example.com/hook", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]},
        filter={"events": ["measurements"], "fields": ["temperature"]},
    )

    name: str = Field(description="1 to 63 of a-z, 0-9, `.`, `_` and `-`; unique in its application.")
    kind: OutletKind = Field(description="webhook, mqtt, amqp or kafka.")
    settings: dict[str, Any] = Field(description=_SETTINGS)
    format: Format = Field("inflight", description="Whose messages: inflight, chirpstack or tts.")
    filter: dict[str, Any] = Field({}, description=_FILTER)
    sending: dict[str, Any] = Field({}, description=_SENDING)
    paused: bool = Field(False, description="Send nothing before it is resumed.")
    from_time: times.Instant | None = Field(
        None, description="Send what was received since, as far as the log goes back; RFC 3339."
    )
    from_seq: int | None = Field(None, ge=1, description="Send from this record of the log on.")


class OutletChange(Body):
    """The fields to change; what is left out stays.

    Of `settings`, `filter` and `sending` the keys that are given are changed, one that is null goes back to its
    default, and a secret that is still masked (`***`) or left out stays, unless another destination would be given it.
    """

    model_config = example(settings={"url": "https://example.com/other"})

    settings: dict[str, Any] = optional(_SETTINGS)
    format: Format = optional("Whose messages: inflight, chirpstack or tts.")
    filter: dict[str, Any] = optional(_FILTER)
    sending: dict[str, Any] = optional(_SENDING)


class OutletReply(BaseModel):
    """An outlet and how it is now."""

    application: str = Field(examples=["default"])
    name: str = Field(examples=["alerts"])
    kind: str = Field(examples=["webhook"])
    format: str = Field(examples=["inflight"])
    settings: dict[str, Any] = Field(description="Secrets are masked: `***`.")
    filter: dict[str, Any]
    sending: dict[str, Any]
    state: str = Field(
        description="active; paused by a person; disabled: its destination wants no message any more; changing.",
        examples=["active"],
    )
    reason: str | None = Field(description="Why it is disabled.")
    breaker: str = Field(description="closed, open (it does not answer: nothing is tried) or half_open: one is tried.")
    breaker_until: str | None = Field(description="When it is tried again, RFC 3339, UTC.")
    open: int = Field(description="Deliveries still to be sent.", examples=[0])
    in_flight: int = Field(description="Of these, under way.", examples=[0])
    dead: int = Field(description="Deliveries that have failed for good, as of a few seconds ago.", examples=[0])
    lag: int = Field(description="Records of the log it has not looked at.", examples=[0])
    last_error: str | None = Field(description="The newest; where the breaker is closed it may be over.")
    last_error_at: str | None = Field(description="RFC 3339, UTC.")
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    changed_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class TestReply(BaseModel):
    """A sample message and what its destination answered."""

    delivered: bool
    verdict: str = Field(description="delivered, retry, throttled, refused or gone.", examples=["delivered"])
    status: int | None = Field(description="Of the answer, where it has one.", examples=[200])
    error: str | None
    event: str = Field(examples=["measurements"])
    message: str = Field(description="The body that was sent.")
    request: str = Field(description="Its head, without secrets.")
    response: str = Field(description="Head and body of the answer, cut at 4 kB.")


class OutletReplayBody(Body):
    """Which records of the log, and of the archive before it, to send once more."""

    model_config = example(since="2026-01-31T00:00:00Z", until="2026-02-01T00:00:00Z", dry_run=True)

    since: times.Instant | None = Field(None, description="Stored at this time or later, RFC 3339; null: all there is.")
    until: times.Instant | None = Field(None, description="Stored before this time, RFC 3339; null: up to now.")
    max_per_s: float = Field(100.0, ge=0.1, le=100_000, description="Messages a second, so that live ones go first.")
    dry_run: bool = Field(False, description="Only count the messages.")


class OutletReplayReply(BaseModel):
    """A replay to an outlet: how far it is."""

    id: str = Field(examples=["3f9c2a51d07e4b68"])
    state: str = Field(description="waiting, running, done, cancelled or failed.", examples=["running"])
    since: str | None
    until: str | None
    max_per_s: float
    dry_run: bool
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    finished_at: str | None = Field(description="RFC 3339, UTC; null: not yet.")
    begins_at: str | None = Field(
        description="What is stored begins later than was asked for, RFC 3339, UTC: nothing is known of before."
    )
    done: float = Field(description="Share that is behind, 0 to 1.", examples=[0.42])
    records: int = Field(description="Of the application, read so far.", examples=[1042])
    archived: int = Field(
        description="Uplinks that came from the archive, which has no joins or other events of their time.",
        examples=[0],
    )
    lost: int = Field(
        description="Records of the log, of all applications, that were dropped before they were read or archived.",
        examples=[0],
    )
    messages: int = Field(description="Made of them: to be sent, or counted.", examples=[998])
    error: str | None = Field(description="Why it waits or has failed.")


def definition(body: OutletBody, application_id: int) -> Outlet:
    """The outlet that a body asks for. ApiProblem names what is wrong."""
    whole = msgspec.to_builtins(kinds.default_sending(body.kind))
    given = {
        "name": body.name,
        "application_id": application_id,
        "kind": body.kind,
        "settings": _given(body.settings),
        "format": body.format,
        "filter": _given(body.filter),
        "sending": _merged(whole, body.sending, Pipe()),
        "state": "paused" if body.paused else "active",
    }
    return _converted(given, Outlet)


def changed(known: Outlet, body: OutletChange) -> Outlet:
    """A known outlet with what a body changes. ApiProblem names what is wrong."""
    given: dict[str, Any] = msgspec.to_builtins(known)
    if "settings" in body.model_fields_set:
        try:
            given["settings"] = masking.changed(known.kind, known.settings, body.settings)
        except ValueError as error:
            raise ApiProblem(422, "invalid", f"settings.{error}") from error
    if "format" in body.model_fields_set:
        given["format"] = body.format
    if "filter" in body.model_fields_set:
        given["filter"] = _merged(given["filter"], body.filter, Filter())
    if "sending" in body.model_fields_set:
        given["sending"] = _merged(given["sending"], body.sending, kinds.default_sending(known.kind))
    return _converted(given, Outlet)


def shown(one: StoredOutlet, status: dict[str, Any], dead: int) -> dict[str, Any]:
    """An `OutletReply`."""
    outlet = one.outlet
    until_us = status.get("breaker_until_us", 0)
    return {
        "application": one.application,
        "name": outlet.name,
        "kind": outlet.kind,
        "format": outlet.format,
        "settings": masking.masked(outlet.kind, outlet.settings),
        "filter": msgspec.to_builtins(outlet.filter),
        "sending": msgspec.to_builtins(outlet.sending),
        "state": status["state"],
        "reason": status.get("disabled") or None,
        "breaker": status.get("breaker", "closed"),
        "breaker_until": times.text(until_us) if until_us else None,
        "open": status["open"],
        "in_flight": status.get("in_flight", 0),
        "dead": dead,
        "lag": status["lag"],
        "last_error": status.get("last_error") or None,
        "last_error_at": times.text_or_none(status.get("last_error_at_us") or None),
        "created_at": times.text(one.created_at_us),
        "changed_at": times.text(one.changed_at_us),
    }


def shown_test(sample: Outgoing, outcome: Outcome) -> dict[str, Any]:
    """A `TestReply`."""
    return {
        "delivered": outcome.verdict.value == "delivered",
        "verdict": outcome.verdict.value,
        "status": outcome.status,
        "error": outcome.error or None,
        "event": sample.event,
        "message": sample.body.decode("utf-8", "replace"),
        "request": outcome.request,
        "response": outcome.response,
    }


def shown_replay(job: Job) -> dict[str, Any]:
    """An `OutletReplayReply`."""
    spec = job.spec
    return {
        "id": job.id,
        "state": job.state,
        "since": times.text_or_none(spec.since_us),
        "until": times.text_or_none(spec.until_us),
        "max_per_s": spec.max_per_s,
        "dry_run": spec.dry_run,
        "created_at": times.text(job.created_us),
        "finished_at": times.text_or_none(job.finished_us),
        "begins_at": times.text_or_none(job.begins_us),
        "done": job.done,
        "records": job.records,
        "archived": job.archived,
        "lost": job.lost,
        "messages": job.messages,
        "error": job.error,
    }


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _merged(whole: dict[str, Any], changes: dict[str, Any], defaults: msgspec.Struct) -> dict[str, Any]:
    """With what is changed; objects in it are changed by their keys as well, and null is the default."""
    merged = dict(whole)
    for name, value in changes.items():
        inner = getattr(defaults, name, None)
        if value is None:
            merged.pop(name, None)
            if inner is not None:
                merged[name] = msgspec.to_builtins(inner)
        elif isinstance(inner, msgspec.Struct) and isinstance(value, dict):
            merged[name] = _merged(merged.get(name, {}), value, inner)
        else:
            merged[name] = value
    return merged


def _converted(given: dict[str, Any], kind: type[_T]) -> _T:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise ApiProblem(422, "invalid", explained(str(error), given, kind)) from error
