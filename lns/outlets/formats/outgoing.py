"""What every format makes of records, and what it is told of devices. Pure."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Decoded, Stored, Uplink


class Described(msgspec.Struct, frozen=True):
    """What messages say about a device beside its records; empty where it is not known."""

    name: str
    application: str
    tags: dict[str, str] = {}
    join_eui: str = ""
    dev_addr: str = ""
    device_class: str = "A"
    profile: str = ""
    region: str = ""


UNKNOWN = Described("", "")

Describe = Callable[[int], Described | None]
"""Gives a device's names by its id; None when the device is gone."""


class Format(Protocol):
    """Turns records into messages. One that `joins` tells an uplink when it is decoded, and is given both."""

    joins: bool

    def events(self, stored: Stored) -> frozenset[str]:
        """What the messages of a record may be, so that one nobody wants is not made."""

    def messages(self, stored: Stored, uplink: Uplink | None) -> list[Outgoing]:
        """The messages of a record, none where there is nothing to tell. ValueError: it cannot be put into JSON."""

    def forget(self) -> None:
        """Look the names of devices and applications up again."""


def message_id(stored: Stored, event: str, part: str = "") -> str:
    """The same on every retry and replay of a message, and of no other: messages of one uplink share its id.

    A correction carries its replay's id; `part` tells the messages of one record apart.
    """
    record = stored.record
    job = f"_{record.replay.job}" if isinstance(record, Decoded) and record.replay is not None else ""
    return f"{event.replace('/', '.')}_{record.id.hex()}{job}{part and '_'}{part}"


def withheld(decoded: Decoded) -> bool:
    """Whether this corrects what was told before, and was not to be told."""
    return decoded.replay is not None and not decoded.replay.outlets
