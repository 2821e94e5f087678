"""How an outlet sends, as an operator sets it. Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lns.delivery.breaker import Limits
from lns.delivery.lanes import Ordering
from lns.delivery.schedule import Schedule


class Pipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`at_once` attempts are under way, each of up to `batch` messages of different devices; `per_s` 0: no limit.

    Past `open_most` deliveries that are still to be sent, the outlet stops reading the log, which keeps the rest.
    """

    ordering: Ordering = "strict"
    at_once: Annotated[int, Meta(ge=1, le=64)] = 4
    batch: Annotated[int, Meta(ge=1, le=1000)] = 1
    per_s: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    open_most: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    schedule: Schedule = Schedule()
    breaker: Limits = Limits()
