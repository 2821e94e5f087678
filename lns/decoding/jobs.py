"""Replays as jobs: what was asked for, how far it has come, what it has done.

A job's progress is written by the commit that appends its corrections: after a kill it goes on where these end.
"""

import msgspec

from lns.decoding.corrections import Report
from lns.decoding.worklist import Work

TABLE = "replay_job"


class Spec(msgspec.Struct, frozen=True):
    """What to decode again, and what to do with it.

    `codec` alone: the uplinks of the devices it decodes now, with the version each uses now; `version` is the number of
    another one. `devices` are DevEUIs, none: all. `failures`: only uplinks whose decode had failed. `remove`: drop
    measurements that the codec gives no more. `outlets`: tell outlets, marked as a replay. `dry_run` only reports.
    Times are UTC microseconds at which uplinks were received, `until_us` excluded.
    """

    codec: str | None = None
    version: int | None = None
    devices: tuple[str, ...] = ()
    since_us: int | None = None
    until_us: int | None = None
    failures: bool = False
    remove: bool = True
    outlets: bool = False
    dry_run: bool = False
    max_per_s: float = 5000.0


class Job(Work, kw_only=True):
    """A replay."""

    spec: Spec
    report: Report = msgspec.field(default_factory=Report)

    @property
    def is_kept(self) -> bool:
        return not self.spec.dry_run

    @property
    def amount(self) -> int:
        return self.report.uplinks
