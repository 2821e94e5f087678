"""What the delivery store takes and gives."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from lns.delivery.machine import Settled, State, Step, states_that
from lns.delivery.outcome import Outcome, Outgoing

SEARCH_MOST = 1000
_WILD = re.compile(r"[%_\\]")
_ERROR = r"EXISTS (SELECT 1 FROM attempt WHERE attempt.delivery = delivery.id AND error LIKE ? ESCAPE '\')"


class Added(msgspec.Struct, frozen=True):
    """Messages of an outlet to write down, and its place in the log after them; None: it does not move.

    `again`: those that have ended are opened once more, under the id they had.
    """

    outlet: str
    messages: Sequence[Outgoing]
    seq: int | None
    now_us: int
    again: bool = False


class Unsent(msgspec.Struct, frozen=True):
    """What should have been a message and cannot be made one: `message` has no body, `error` says why."""

    message: Outgoing
    error: str


class Claimed(msgspec.Struct, frozen=True):
    """A delivery that is about to be tried. `first_us`: when it was tried first since it was opened, if it was."""

    id: int
    attempts: int
    refusals: int
    first_us: int
    message: Outgoing


class Attempted(msgspec.Struct, frozen=True):
    """One attempt's end, and where it has led."""

    id: int
    settled: Settled
    outcome: Outcome
    at_us: int
    ms: int


class Delivery(msgspec.Struct, frozen=True):
    """A row of the delivery log. `body` is gone once it is delivered."""

    id: int
    outlet: str
    message_id: str
    seq: int
    lane: str
    event: str
    state: str
    attempts: int
    created_us: int
    next_us: int
    changed_us: int
    reason: str
    body: bytes | None


class Attempt(msgspec.Struct, frozen=True):
    """A row of a delivery's history."""

    n: int
    at_us: int
    ms: int
    verdict: str
    status: int | None
    error: str
    request: str
    response: str


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries: what is None matches all. `lane` is a device's DevEUI; times are of creation, until excluded.

    `ids` () matches all too. `outlets` is what the keys of several begin with; `text` is in the error of an attempt,
    upper and lower case being the same.
    """

    outlet: str | None = None
    outlets: str | None = None
    event: str | None = None
    text: str | None = None
    lane: str | None = None
    state: State | None = None
    from_us: int | None = None
    until_us: int | None = None
    ids: tuple[int, ...] = ()

    def where(self) -> tuple[str, list[Any]]:
        """The condition in SQL and its values."""
        parts: list[tuple[str, Any]] = [
            ("outlet = ?", self.outlet),
            ("outlet >= ?", self.outlets),
            ("outlet < ?", self.outlets and self.outlets[:-1] + chr(ord(self.outlets[-1]) + 1)),
            ("event = ?", self.event),
            ("lane = ?", self.lane),
            ("state = ?", self.state and self.state.value),
            ("created_us >= ?", self.from_us),
            ("created_us < ?", self.until_us),
            ("id IN (SELECT value FROM json_each(?))", msgspec.json.encode(self.ids).decode() if self.ids else None),
            (_ERROR, self.text and "%" + _WILD.sub(r"\\\g<0>", self.text) + "%"),
        ]
        used = [(text, value) for text, value in parts if value is not None]
        return " AND ".join(text for text, _ in used) or "1", [value for _, value in used]

    def possible(self, step: Step) -> tuple[str, list[Any]]:
        """The condition for what matches and can take a step; without a body nothing can be sent."""
        where, values = self.where()
        states = ", ".join(f"'{state.value}'" for state in states_that(step))
        sendable = "" if step is Step.DROP else " AND body IS NOT NULL"
        return f"{where} AND state IN ({states}){sendable}", values


class OutletRow(msgspec.Struct, frozen=True):
    """What is kept of an outlet: its place in the log, until when its breaker is open, and why it is disabled."""

    seq: int = 0
    open_until_us: int = 0
    disabled: str = ""


class Noted(msgspec.Struct, frozen=True):
    """A replay as it is kept, as JSON, and when it was asked for."""

    id: str
    created_us: int
    job: bytes


class Bounds(msgspec.Struct, frozen=True):
    """The most that is kept of what has ended: rows in one state and bytes of all."""

    rows: int = 5_000_000
    bytes: int = 2_000_000_000
