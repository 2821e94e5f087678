"""The project's own JSON, version 1: what its fields mean stands in `docs/kafka.md` and `lns/outlets/schemas`.

A field whose value is not known is absent, never null. Fields are only ever added within a version.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import msgspec

from lns.exchange.records import Decoded, Event, Failure, Replay, Rx, Stored, Uplink, Value
from lns.lorawan.modulation import Modulation

UPLINK = "inflight.uplink.v1"
MEASUREMENTS = "inflight.measurements.v1"
EVENT = "inflight.event.v1"

Kind = Literal["uplink", "measurements", "event"]
Headers = list[tuple[str, str | bytes | None]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


class _Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    schema: str
    id: str
    seq: int
    time: datetime
    device: msgspec.Raw | None = None


class _Device(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    dev_eui: str
    name: str | None = None
    application: str | None = None
    tags: dict[str, str] = {}


class _Reception(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    gateway_eui: str
    time: datetime
    rssi_dbm: float | None = None
    snr_db: float | None = None
    tmst_us: int | None = None
    chan: int | None = None
    rf_chain: int | None = None
    antenna: int | None = None
    gateway_time: datetime | None = None
    gps_time_ms: int | None = None
    fine_time_ns: int | None = None
    freq_offset_hz: int | None = None


class _Uplink(_Message, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    dev_addr: str
    fcnt_up: int
    fport: int | None = None
    payload: str
    confirmed: bool
    adr: bool
    region: str
    dr: int
    freq_hz: int
    modulation: Modulation
    rx: list[_Reception]


class _Sample(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    field: str
    time: datetime
    value: Value
    unit: str | None = None


class _Removed(msgspec.Struct, frozen=True, gc=False):
    field: str
    time: datetime


class _Replay(msgspec.Struct, frozen=True, gc=False):
    job: str
    removed: list[_Removed]


class _Measurements(_Message, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    fcnt_up: int
    fport: int | None = None
    uplink_seq: int
    codec_version_id: int | None = None
    measurements: list[_Sample]
    decoded: msgspec.Raw | None = None
    warnings: tuple[str, ...] = ()
    suppressed: int = 0
    replay: _Replay | None = None


class _Event(_Message, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    kind: str
    gateway_eui: str | None = None
    data: Any


class Formatter:
    """Turns records into messages; names are looked up once per device and kept until `forget`."""

    def __init__(self, lookup: Lookup) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._lookup = lookup
        self._device = lru_cache(_DEVICES_KEPT)(self._device_json)

    def forget(self) -> None:
        """Look names up again: devices or applications were renamed, tagged or removed."""
        self._device.cache_clear()

    def messages(self, stored: Stored) -> list[Message]:
        """The messages of a record, none where there is nothing to tell. ValueError: it cannot be put into JSON."""
        record = stored.record
        try:
            if isinstance(record, Uplink):
                return [self._uplink(stored.seq, record)]
            if isinstance(record, Decoded):
                return self._decoded(stored.seq, record)
            return [self._event(stored.seq, record)]
        except (OverflowError, TypeError, msgspec.MsgspecError) as error:
            raise ValueError(f"record {stored.seq} cannot be put into json: {error}") from error

    def _uplink(self, seq: int, uplink: Uplink) -> Message:
        uplink_id = uplink.id.hex()
        at_us = uplink.received_at_us
        at = _time(at_us)
        message = _Uplink(
            schema=UPLINK,
            id=uplink_id,
            seq=seq,
            time=at,
            device=self._device(uplink.device_id, uplink.dev_eui),
            dev_addr=uplink.dev_addr,
            fcnt_up=uplink.fcnt_up,
            fport=uplink.fport,
            payload=uplink.data.hex(),
            confirmed=uplink.confirmed,
            adr=uplink.adr,
            region=uplink.region,
            dr=uplink.dr,
            freq_hz=uplink.freq_hz,
            modulation=uplink.modulation,
            rx=[_reception(rx, at if rx.received_at_us == at_us else _time(rx.received_at_us)) for rx in uplink.rx],
        )
        headers = _headers(seq, uplink_id, UPLINK)
        return Message("uplink", uplink.dev_eui, self._encode(message), headers, at_us)

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
        uplink_id = decoded.id.hex()
        at_us = decoded.received_at_us
        at = _time(at_us)
        message = _Measurements(
            schema=MEASUREMENTS,
            id=uplink_id,
            seq=seq,
            time=at,
            device=self._device(decoded.device_id, decoded.dev_eui),
            fcnt_up=decoded.fcnt_up,
            fport=decoded.fport,
            uplink_seq=decoded.uplink_seq,
            codec_version_id=decoded.codec_version_id,
            measurements=[
                _Sample(m.field, at if m.time_us == at_us else _time(m.time_us), m.value, m.unit)
                for m in decoded.measurements
            ],
            decoded=msgspec.Raw(decoded.data_json) if decoded.data_json else None,
            warnings=decoded.warnings,
            suppressed=decoded.suppressed,
            replay=_replay(decoded.replay) if decoded.replay is not None else None,
        )
        headers = _headers(seq, uplink_id, MEASUREMENTS)
        return Message("measurements", decoded.dev_eui, self._encode(message), headers, at_us)

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
        event_id = event.id.hex()
        message = _Event(
            schema=EVENT,
            id=event_id,
            seq=seq,
            time=_time(event.at_us),
            device=self._device(event.device_id, event.dev_eui) if event.dev_eui else None,
            kind=event.kind,
            gateway_eui=event.gateway_eui,
            data=event.data,
        )
        key = event.dev_eui or event.gateway_eui or event.kind
        return Message("event", key, self._encode(message), _headers(seq, event_id, EVENT), event.at_us)

    def _device_json(self, device_id: int | None, dev_eui: str) -> msgspec.Raw:
        info = self._lookup(device_id) if device_id is not None else None
        device = _Device(dev_eui, info.name, info.application, info.tags) if info else _Device(dev_eui)
        return msgspec.Raw(self._encode(device))


def _headers(seq: int, record_id: str, schema: str) -> Headers:
    return [("seq", str(seq)), ("id", record_id), ("schema", schema)]


def _replay(replay: Replay) -> _Replay:
    return _Replay(replay.job, [_Removed(field, _time(time_us)) for field, time_us in replay.removed])


def _time(at_us: int) -> datetime:
    """UTC, exact to the microsecond. OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(0, 0, at_us)


def _reception(rx: Rx, at: datetime) -> _Reception:
    return _Reception(
        rx.gateway_eui,
        at,
        rx.rssi_dbm,
        rx.snr_db,
        rx.tmst_us,
        rx.chan,
        rx.rf_chain,
        rx.antenna,
        _time(rx.gateway_time_us) if rx.gateway_time_us is not None else None,
        rx.gps_time_ms,
        rx.fine_time_ns,
        rx.freq_offset_hz,
    )
