"""The project's own JSON, version 1: what its fields mean stands in `docs/kafka.md` and `lns/outlets/schemas`.

A field whose value is not known is absent, never null. Fields are only ever added within a version.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from lns.exchange.records import Decoded, Event, Replay, Rx, Uplink, Value
from lns.lorawan.modulation import Modulation
from lns.outlets.formats.inflight import DeviceInfo, Kind

SCHEMAS: dict[Kind, str] = {
    "uplink": "inflight.uplink.v1",
    "measurements": "inflight.measurements.v1",
    "event": "inflight.event.v1",
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


class Json:
    """`Encoding` as JSON text."""

    schemas = SCHEMAS

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode

    def device(self, dev_eui: str, info: DeviceInfo | None) -> msgspec.Raw:
        """A device as the messages repeat it."""
        device = _Device(dev_eui, info.name, info.application, info.tags) if info else _Device(dev_eui)
        return msgspec.Raw(self._encode(device))

    def uplink(self, seq: int, uplink: Uplink, device: Any) -> bytes:
        """OverflowError: a time is out of range."""
        at_us = uplink.received_at_us
        at = _time(at_us)
        message = _Uplink(
            schema=SCHEMAS["uplink"],
            id=uplink.id.hex(),
            seq=seq,
            time=at,
            device=device,
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
        return self._encode(message)

    def measurements(self, seq: int, decoded: Decoded, device: Any) -> bytes:
        """OverflowError: a time is out of range."""
        at_us = decoded.received_at_us
        at = _time(at_us)
        message = _Measurements(
            schema=SCHEMAS["measurements"],
            id=decoded.id.hex(),
            seq=seq,
            time=at,
            device=device,
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
        return self._encode(message)

    def event(self, seq: int, event: Event, device: Any) -> bytes:
        """TypeError: its data has no JSON."""
        message = _Event(
            schema=SCHEMAS["event"],
            id=event.id.hex(),
            seq=seq,
            time=_time(event.at_us),
            device=device,
            kind=event.kind,
            gateway_eui=event.gateway_eui,
            data=event.data,
        )
        return self._encode(message)


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
