"""What an outlet is: where it sends, which messages it wants, and whether it sends at all. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lns.delivery.pipe import Pipe

OutletKind = Literal["webhook", "kafka", "mqtt", "amqp"]
OutletState = Literal["active", "paused", "disabled"]
Format = Literal["inflight", "chirpstack", "tts"]

_MEASURING = frozenset({"measurements", "up", "up/normalized", "location", "location/solved"})


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages are wanted; empty: all.

    `events` are those of the outlet's format, of our own uplink, measurements, decode_failure and the kinds of events;
    `tags` must all be on the device, "" stands for any value; of `fields` one at least must have been measured, where
    a message tells measurements.
    """

    events: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    fields: tuple[str, ...] = ()

    def wants(self, event: str, tags: Mapping[str, str], fields: frozenset[str]) -> bool:
        """Whether a message of an event, of a device with tags, with fields (none in other events) is wanted."""
        if self.events and event not in self.events:
            return False
        if any(key not in tags or (value and tags[key] != value) for key, value in self.tags.items()):
            return False
        return not self.fields or event not in _MEASURING or not fields.isdisjoint(self.fields)


class Outlet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A destination of one application. `settings` belong to the kind; `position` is the seq it starts after."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
    application_id: int
    kind: OutletKind
    settings: dict[str, Any]
    format: Format = "inflight"
    filter: Filter = Filter()
    sending: Pipe = Pipe()
    state: OutletState = "active"
    position: int = 0

    @property
    def key(self) -> str:
        """What the delivery log knows it by."""
        return f"{self.application_id}/{self.name}"
