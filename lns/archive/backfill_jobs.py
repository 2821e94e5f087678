"""Backfills as jobs: what was asked for, how far it has come, what it has found. Kept in the file of the log."""

from typing import Literal

import msgspec

from lns.archive.found import Found
from lns.decoding.worklist import Work
from lns.exchange.records import Uplink

TABLE = "backfill_job"
RATE = 20_000.0
OUTLET_RATE = 100.0

Which = Literal["then", "current"]
"""The codec version that decodes an uplink: the one that has decoded it last, or the one that its device uses now."""


class BackfillSpec(msgspec.Struct, frozen=True):
    """Which missing measurements to put into the store called `into`, or which messages to send to an outlet again.

    `devices` are DevEUIs, none: all; `application` and its id: only uplinks that were received for it. Times are UTC
    microseconds at which uplinks were received, `until_us` excluded. `dry_run` only reports.
    """

    into: str
    devices: tuple[str, ...] = ()
    application: str | None = None
    application_id: int | None = None
    since_us: int | None = None
    until_us: int | None = None
    codec_version: Which = "then"
    dry_run: bool = False

    def means(self, uplink: Uplink) -> bool:
        """Whether an uplink is asked for."""
        return (
            (self.since_us is None or uplink.received_at_us >= self.since_us)
            and (self.until_us is None or uplink.received_at_us < self.until_us)
            and (not self.devices or uplink.dev_eui in self.devices)
            and self.application_id in (None, uplink.application_id)
        )


class BackfillJob(Work, kw_only=True):
    """A backfill. `rate` is how many measurements a second it looks at, or messages it sends, at most.

    Before consumers have passed `settled`, a seq of the log, what they still have to write looks as if it was missing.
    `ahead` is what the page after the position was found to be before it was written: after a kill in between, what it
    lacked is there and could not be counted any more.
    """

    spec: BackfillSpec
    rate: float = RATE
    settled: int = 0
    found: Found = msgspec.field(default_factory=Found)
    ahead: Found | None = None

    @property
    def amount(self) -> int:
        return self.found.rows + self.found.messages
