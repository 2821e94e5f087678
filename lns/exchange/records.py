"""The records of the exchange: `uplink`, `decoded`, `event`. Encoded as MessagePack arrays with a schema version.

Fields are only ever appended, with a default, so that an old log stays readable.
"""

from typing import Any

import msgspec

from decoders.contract import Error
from lns.lorawan.modulation import Modulation

Failure = Error
"""Why a decode failed, as the decoders say it."""

Value = float | bool | str
"""A measurement's value: numbers are float64 (JavaScript has no other), booleans and text stay what they are."""


class Rx(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One gateway's reception of an uplink."""

    gateway_eui: str
    rssi_dbm: float | None
    snr_db: float | None
    tmst_us: int | None
    received_at_us: int
    chan: int | None = None
    rf_chain: int | None = None
    antenna: int | None = None
    gateway_time_us: int | None = None
    gps_time_ms: int | None = None
    fine_time_ns: int | None = None
    freq_offset_hz: int | None = None


class Uplink(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An accepted uplink, decrypted, with all gateways' metadata; `rx[0]` is the best copy.

    `id` is 16 octets (session, FCntUp, device), the same on every replay. `fport` None means a frame without one;
    `data` is the decrypted FRMPayload (empty for FPort 0, whose MAC commands the network has handled).
    """

    id: bytes
    device_id: int
    application_id: int
    dev_eui: str
    dev_addr: str
    fcnt_up: int
    fport: int | None
    data: bytes
    confirmed: bool
    adr: bool
    dr: int
    freq_hz: int
    modulation: Modulation
    received_at_us: int
    rx: tuple[Rx, ...]
    region: str
    version: int = 1


class Measurement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One value of one field of a device. `time_us` is UTC microseconds, the device's own where it sent one."""

    field: str
    time_us: int
    value: Value
    unit: str | None = None


class Replay(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Marks what a replay of stored uplinks has corrected: only the measurements that differ from those stored.

    `removed` are fields and times (UTC microseconds) that are to go; `outlets`: outlets pass the correction on.
    """

    job: str
    outlets: bool
    removed: tuple[tuple[str, int], ...] = ()


class Decoded(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a codec made of an uplink: measurements, or a failure that can be retried. `id` is the uplink's id.

    `data_json` is the decoded object as JSON text; `suppressed` counts measurements held back by rules.
    """

    id: bytes
    uplink_seq: int
    device_id: int
    application_id: int
    dev_eui: str
    fcnt_up: int
    fport: int | None
    received_at_us: int
    codec_version_id: int | None
    data_json: bytes
    measurements: tuple[Measurement, ...]
    warnings: tuple[str, ...] = ()
    suppressed: int = 0
    failure: Failure | None = None
    version: int = 1
    replay: Replay | None = None


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something that happened: kind is join, ack, nack, txack, downlink, status, log, gateway or delivery."""

    id: bytes
    kind: str
    at_us: int
    device_id: int | None
    application_id: int | None
    dev_eui: str | None
    gateway_eui: str | None
    data: dict[str, Any]
    version: int = 1


Record = Uplink | Decoded | Event


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A record with its place in the log. `seq` is gapless over all topics and never reused."""

    seq: int
    topic: str
    record: Record
