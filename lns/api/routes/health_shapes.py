"""Whether a device or gateway is there, as JSON."""

import time
from typing import Any, Literal

from pydantic import BaseModel, Field

from lns.api import times
from lns.api.services import Services
from lns.latest.consumer import rules_of
from lns.latest.health import State, expected_us, uptime
from lns.latest.store import Subject


class HealthReply(BaseModel):
    """Whether it is there, told from when it was heard; what is expected of it is learned from its last gaps."""

    state: Literal["online", "back", "offline"] = Field(description="back: heard again, not yet steadily.")
    since: str = Field(
        description="When its present time online or offline began, RFC 3339, UTC.",
        examples=["2026-01-31T08:00:00.000000Z"],
    )
    last_seen_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    expected_interval_s: float | None = Field(
        description="Usual time between two frames; null: not known yet.", examples=[600.0]
    )
    uptime: float = Field(description="Share of the time since it was first seen, 0 to 1.", examples=[0.998])
    outages: int = Field(description="Times it went offline.", examples=[1])


def health_of(services: Services, kind: Literal["device", "gateway"], subject_id: str) -> dict[str, Any] | None:
    """The health of a device (by id) or gateway (by EUI); None: it was never heard."""
    subject = Subject(kind, subject_id)
    health = services.latest.consumer.health(subject)
    if health is None:
        return None
    expected = expected_us(health, rules_of(subject))
    state = State(health.state)
    return {
        "state": state.value,
        "since": times.text(health.since_us),
        "last_seen_at": times.text(health.last_seen_us),
        "expected_interval_s": None if expected is None else round(expected / 1e6, 1),
        "uptime": round(uptime(health, time.time_ns() // 1000), 6),
        "outages": health.outages,
    }
