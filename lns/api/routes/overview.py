"""What the server is doing: status, log and consumers, refused frames, live events."""

import sqlite3
import time
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from lns import __version__, metrics
from lns.api import times
from lns.api.auth import needs
from lns.api.hints import hinted
from lns.api.problems import documented
from lns.api.services import Given, Services
from lns.api.shapes import DevAddr, Eui, Page, answer
from lns.api.streams import Streams

router = APIRouter(tags=["operations"], dependencies=[Depends(needs("read"))])


class UdpReply(BaseModel):
    """Where gateways point to."""

    host: str = Field(examples=["0.0.0.0"])
    port: int = Field(examples=[1700])


class AlertReply(BaseModel):
    """Something that a person should look at, about an outlet or about the log."""

    application: str | None = Field(description="Of the outlet; null: about the log.", examples=["default"])
    outlet: str | None = Field(examples=["alerts"])
    kind: str = Field(
        description="Of an outlet: disabled, breaker, full, dead or changing; of the log: gap or unreadable.",
        examples=["dead"],
    )
    text: str


class StatusReply(BaseModel):
    """The server at a glance."""

    version: str = Field(examples=["0.1.0"])
    started_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    uptime_s: float = Field(examples=[86_400.0])
    region: str = Field(examples=["EU868"])
    net_id: str = Field(examples=["000000"])
    udp: UdpReply
    devices: int = Field(examples=[12])
    sessions: int = Field(examples=[11])
    gateways: dict[str, int] = Field(description="By state.", examples=[{"accepted": 2, "seen": 1, "blocked": 0}])
    health: dict[str, dict[str, int]] = Field(
        description="Devices and gateways that were heard, by state.",
        examples=[{"device": {"online": 11, "offline": 1}, "gateway": {"online": 2}}],
    )
    counters: dict[str, dict[str, float]] = Field(
        description="Counts since the start, by outcome or reason.",
        examples=[{"uplinks": {"accepted": 1041, "refused": 3}, "refusals": {"unknown_dev_addr": 3}}],
    )
    alerts: list[AlertReply] = Field(
        description="Outlets that are in trouble, and what happened to the log in the last 7 days."
    )


class ConsumerReply(BaseModel):
    """A reader of the log and how far it is."""

    name: str = Field(examples=["decoder"])
    position: int = Field(description="Seq of the last record applied.", examples=[1042])
    lag: int = Field(description="Records between it and the head.", examples=[0])
    waiting: int = Field(
        description="Uplinks it has passed that are decoded later: their codec does not answer.", examples=[0]
    )
    rate_per_s: float = Field(examples=[12.5])
    applied: int = Field(description="Records applied since the start.", examples=[1042])
    state: str = Field(examples=["running"])
    last_error: str | None
    last_error_at: str | None = Field(description="RFC 3339, UTC.")


class NoticeReply(BaseModel):
    """Something that happened to records of the log."""

    kind: str = Field(
        description="gap: numbers that no record has, passed over because a store knew them from another life of the "
        "log; unreadable: damaged records, which consumers have passed over.",
        examples=["gap"],
    )
    first_seq: int = Field(examples=[1043])
    last_seq: int = Field(examples=[2000])
    text: str = Field(description="Why.")
    at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class ExchangeReply(BaseModel):
    """The durable log and its consumers."""

    head_seq: int = Field(description="Newest record.", examples=[1042])
    first_seq: int | None = Field(description="Oldest record kept; null: none.", examples=[1])
    records: int = Field(examples=[1042])
    bytes: int = Field(description="Of the file that holds the log.", examples=[409_600])
    pending: int = Field(description="Records that wait for the disk.", examples=[0])
    last_error: str | None = Field(description="Why the log cannot be written or read now.")
    consumers: list[ConsumerReply]
    notices: list[NoticeReply] = Field(description="What happened to records of the log, the newest first.")


class RefusalReply(BaseModel):
    """A frame the network did not take, and why."""

    kind: str = Field(examples=["refusal"])
    at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000Z"])
    reason: str = Field(description="Slug, as in the metrics.", examples=["unknown_dev_addr"])
    text: str = Field(description="What was wrong, with the values.")
    hint: str | None = Field(description="What to do about it.")
    dev_addr: str | None = Field(examples=["260b1f22"])
    dev_eui: str | None
    gateway_eui: str | None = Field(examples=["a84041ffff1e8f2c"])


_COUNTERS = {
    "datagrams": metrics.datagrams,
    "uplinks": metrics.uplinks,
    "refusals": metrics.refusals,
    "joins": metrics.joins,
    "downlinks": metrics.downlinks,
    "decodes": metrics.decodes,
    "measurements_stored": metrics.measurements_stored,
    "measurements_rejected": metrics.measurements_rejected,
    "measurements_suppressed": metrics.measurements_suppressed,
}


@router.get("/status", response_model=StatusReply, responses=documented())
async def read_status(services: Given) -> dict[str, Any]:
    """Show version, addresses and counters."""
    config, devices = services.config, services.network.devices
    return {
        "version": __version__,
        "started_at": times.text(int(services.started_at * 1e6)),
        "uptime_s": round(time.time() - services.started_at, 1),
        "region": config.network.region,
        "net_id": config.network.net_id,
        "udp": {"host": config.udp.host, "port": services.udp_port},
        "devices": len(devices.by_eui),
        "sessions": devices.sessions.count,
        "gateways": {labels[0]: int(count) for labels, count in services.links.by_state()},
        "health": _health(services),
        "counters": {
            name: {".".join(labels) or "total": count for labels, count in list(counter.values.items())}
            for name, counter in _COUNTERS.items()
        },
        "alerts": [*_log_alerts(services), *await services.outlets.alerts()],
    }


def _log_alerts(services: Services) -> list[dict[str, str | None]]:
    found = services.exchange.notices.alerts()
    return [{"application": None, "outlet": None, "kind": kind, "text": text} for kind, text in found]


def _health(services: Services) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {"device": {}, "gateway": {}}
    for (kind, state), count in sorted(services.latest.consumer.states().items()):
        found[kind][state] = count
    return found


@router.get("/exchange", response_model=ExchangeReply, responses=documented())
async def read_exchange(services: Given) -> dict[str, Any]:
    """Show the log's extent and how far each consumer is behind its head."""
    try:
        status = await services.exchange.status()
    except sqlite3.Error as error:
        status = services.exchange.status_without_file(str(error))
    consumers = [
        {
            **consumer,
            "waiting": services.decoding.late.waiting if consumer["name"] == services.decoding.name else 0,
            "last_error_at": times.text_or_none(consumer["last_error_at_us"]),
        }
        for consumer in status["consumers"]
    ]
    notices = [{**notice, "at": times.text(notice["at_us"])} for notice in status["notices"]]
    return {**status, "consumers": consumers, "notices": notices}


@router.get("/refusals", response_model=Page[RefusalReply], responses=documented())
async def list_refusals(
    services: Given,
    reason: Annotated[str | None, Query(description="Only of this reason.", examples=["mic_failed"])] = None,
    dev_eui: Annotated[Eui | None, Query(description="Only of this device.")] = None,
    dev_addr: Annotated[DevAddr | None, Query(description="Only with this DevAddr.")] = None,
    gateway: Annotated[Eui | None, Query(description="Only heard by, or for, this gateway.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="How many, newest first.")] = 100,
) -> Response:
    """List the most recent frames that were refused and downlinks that did not go, newest first.

    They are kept in memory only.
    """
    wanted = {"reason": reason, "dev_eui": dev_eui, "dev_addr": dev_addr, "gateway_eui": gateway}
    given = {name: value for name, value in wanted.items() if value is not None}
    kept = reversed(list(services.live.recent_refusals))
    fitting = (event for event in kept if all(event.get(name) == value for name, value in given.items()))
    found = [hinted(event) for event in islice(fitting, limit)]
    return await answer(lambda: {"items": found, "next": None})


@router.get(
    "/events/stream",
    response_class=StreamingResponse,
    responses={
        **documented(),
        200: {
            "description": "Server-sent events; each `data:` line is one JSON object with `kind` and `at`.",
            "content": {
                "text/event-stream": {
                    "example": 'data: {"kind":"uplink","at":"2026-01-31T08:00:00.000Z","fcnt":41}\n\n'
                }
            },
        },
    },
)
async def stream_events(request: Request) -> StreamingResponse:
    """Watch uplinks, decoded values, joins, downlinks, gateways and refusals as they happen, until you disconnect.

    A watcher that does not keep up loses the oldest events.
    """
    streams: Streams = request.app.state.streams
    return StreamingResponse(streams.events(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
