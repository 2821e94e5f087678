"""Replays of outlets as jobs: what was asked for, how far it has come. Kept in the delivery log. Pure."""

from typing import Literal

import msgspec

from lns.delivery.rows import Noted

JobState = Literal["waiting", "running", "done", "cancelled", "failed"]


class Spec(msgspec.Struct, frozen=True):
    """What to send once more: records of an outlet received in a time, UTC microseconds, `until_us` excluded.

    `max_per_s` are messages. `dry_run` only counts them.
    """

    outlet: str
    since_us: int | None = None
    until_us: int | None = None
    max_per_s: float = 100.0
    dry_run: bool = False


class Job(msgspec.Struct):
    """A replay. `position` goes from `first` to `last`, seqs of the log; `error` is why it waits or has failed.

    `begins_us`: what is stored begins later than was asked for. `archived` are uplinks that came from an archive, which
    has no events; `lost` records were dropped before they were read.
    """

    id: str
    spec: Spec
    created_us: int
    first: int
    last: int
    position: int
    state: JobState = "waiting"
    records: int = 0
    messages: int = 0
    finished_us: int | None = None
    error: str | None = None
    begins_us: int | None = None
    archived: int = 0
    lost: int = 0

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def done(self) -> float:
        """The share that is behind, 0 to 1."""
        return 1.0 if self.last <= self.first else (self.position - self.first) / (self.last - self.first)

    def noted(self) -> Noted:
        """As it is kept."""
        return Noted(self.id, self.created_us, msgspec.json.encode(self))


def job_of(text: bytes) -> Job:
    """A job that was kept."""
    return msgspec.json.decode(text, type=Job)
