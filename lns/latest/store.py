"""The seam behind which latest values and healths are kept: one writer, any number of readers."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, Protocol

import msgspec

from lns.errors import StoreError
from lns.latest.health import Health
from lns.latest.values import FieldKey, Latest


class LostError(StoreError):
    """The store holds no more what was written to it: it was emptied, or is an older copy. It is to be filled again."""


class Subject(NamedTuple):
    """Whose health it is: a device's id or a gateway's EUI."""

    kind: Literal["device", "gateway"]
    id: str


class Changes(msgspec.Struct, frozen=True):
    """What is written at once; a value of None goes. `position`: the seq it brings the store to; None: it stays."""

    values: Mapping[FieldKey, Latest | None]
    healths: Mapping[Subject, Health]
    position: int | None


class LatestStore(Protocol):
    """Every method raises StoreError where the store fails; then nothing has changed."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Let go."""

    async def position(self) -> int | None:
        """Seq of the last record that is in the store; None: it is new, and to be filled from elsewhere."""

    async def renew(self) -> None:
        """It is about to be filled: it has no position until one is saved, also where that is never finished."""

    async def save(self, changes: Changes) -> None:
        """Write all of it or nothing; LostError where what was written before is not there."""

    async def known(self, keys: Collection[FieldKey]) -> dict[FieldKey, Latest]:
        """Those of `keys` that have a value."""

    async def values(self, device_id: int) -> dict[str, Latest]:
        """The last value of each field of a device, by the field's name in order."""

    async def healths(self) -> dict[Subject, Health]:
        """Of all devices and gateways."""

    async def forget(self, subject: Subject) -> None:
        """Drop what is known of a device or gateway that was deleted."""
