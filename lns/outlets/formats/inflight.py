"""The project's own messages: which a record makes, their keys and headers. How they are encoded is `Encoding`'s."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, Protocol

import msgspec

from lns.exchange.records import Decoded, Event, Failure, Stored, Uplink

Kind = Literal["uplink", "measurements", "event"]
Headers = list[tuple[str, str | bytes | None]]

_DEVICES_KEPT = 10_000


class DeviceInfo(msgspec.Struct, frozen=True):
    """What people call a device, as far as messages repeat it."""

    name: str
    application: str
    tags: dict[str, str] = {}


Lookup = Callable[[int], DeviceInfo | None]
"""Gives a device's names by its id; None when the device is gone."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message: `key` decides the partition, so what shares a key keeps its order."""

    kind: Kind
    key: str
    value: bytes
    headers: Headers
    at_us: int


class Encoding(Protocol):
    """Makes bytes of records; `device` is what its own method has made, None in an event that is of no device.

    OverflowError, TypeError, ValueError or MsgspecError: a value does not fit.
    """

    schemas: dict[Kind, str]

    def device(self, dev_eui: str, info: DeviceInfo | None) -> Any:
        """A device as the messages repeat it; kept for the next ones."""

    def uplink(self, seq: int, uplink: Uplink, device: Any) -> bytes:
        """An uplink's message."""

    def measurements(self, seq: int, decoded: Decoded, device: Any) -> bytes:
        """The message of what was decoded."""

    def event(self, seq: int, event: Event, device: Any) -> bytes:
        """An event's message."""


class Formatter:
    """Turns records into messages; names are looked up once per device and kept until `forget`."""

    def __init__(self, lookup: Lookup, encoding: Encoding) -> None:
        self._lookup, self._encoding = lookup, encoding
        self._device = lru_cache(_DEVICES_KEPT)(self._describe)

    def forget(self) -> None:
        """Look names up again: devices or applications were renamed, tagged or removed."""
        self._device.cache_clear()

    def messages(self, stored: Stored) -> list[Message]:
        """The messages of a record, none where there is nothing to tell. ValueError: it cannot be encoded."""
        record = stored.record
        try:
            if isinstance(record, Uplink):
                return [self._uplink(stored.seq, record)]
            if isinstance(record, Decoded):
                return self._decoded(stored.seq, record)
            return [self._event(stored.seq, record)]
        except (OverflowError, TypeError, ValueError, msgspec.MsgspecError) as error:
            raise ValueError(f"record {stored.seq} cannot be encoded: {error}") from error

    def _uplink(self, seq: int, uplink: Uplink) -> Message:
        device = self._device(uplink.device_id, uplink.dev_eui)
        value = self._encoding.uplink(seq, uplink, device)
        return Message("uplink", uplink.dev_eui, value, self._headers(seq, uplink, "uplink"), uplink.received_at_us)

    def _decoded(self, seq: int, decoded: Decoded) -> list[Message]:
        replay = decoded.replay
        if replay is not None and not replay.outlets:
            return []
        messages = []
        if decoded.measurements or decoded.warnings or (replay is not None and replay.removed):
            messages.append(self._measurements(seq, decoded))
        if decoded.failure is not None:
            messages.append(self._failure(seq, decoded, decoded.failure))
        return messages

    def _measurements(self, seq: int, decoded: Decoded) -> Message:
        value = self._encoding.measurements(seq, decoded, self._device(decoded.device_id, decoded.dev_eui))
        headers = self._headers(seq, decoded, "measurements")
        return Message("measurements", decoded.dev_eui, value, headers, decoded.received_at_us)

    def _failure(self, seq: int, decoded: Decoded, failure: Failure) -> Message:
        about = {
            "fcnt_up": decoded.fcnt_up,
            "fport": decoded.fport,
            "uplink_seq": decoded.uplink_seq,
            "codec_version_id": decoded.codec_version_id,
            **msgspec.structs.asdict(failure),
        }
        event = Event(
            id=decoded.id,
            kind="decode_failure",
            at_us=decoded.received_at_us,
            device_id=decoded.device_id,
            application_id=decoded.application_id,
            dev_eui=decoded.dev_eui,
            gateway_eui=None,
            data={name: value for name, value in about.items() if value is not None},
        )
        return self._event(seq, event)

    def _event(self, seq: int, event: Event) -> Message:
        device = self._device(event.device_id, event.dev_eui) if event.dev_eui else None
        key = event.dev_eui or event.gateway_eui or event.kind
        value = self._encoding.event(seq, event, device)
        return Message("event", key, value, self._headers(seq, event, "event"), event.at_us)

    def _describe(self, device_id: int | None, dev_eui: str) -> Any:
        return self._encoding.device(dev_eui, self._lookup(device_id) if device_id is not None else None)

    def _headers(self, seq: int, record: Uplink | Decoded | Event, kind: Kind) -> Headers:
        return [("seq", str(seq)), ("id", record.id.hex()), ("schema", self._encoding.schemas[kind])]
