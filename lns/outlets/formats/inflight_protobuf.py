"""The project's own messages as Protobuf: `inflight.proto`, whose descriptor `inflight.binpb` is protoc's output.

`protoc --descriptor_set_out=inflight.binpb inflight.proto` makes it anew. The same record always gives the same bytes.
"""

from importlib import resources
from typing import Any

import msgspec

from lns.config import ConfigError
from lns.exchange.records import Decoded, Event, Measurement, Rx, Uplink
from lns.lorawan.modulation import Fsk, Lora, Modulation
from lns.outlets.formats.inflight import DeviceInfo, Kind

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError as missing:
    raise ConfigError("protobuf needs the extra: pip install 'inflight-lns[protobuf]'") from missing

PACKAGE = "inflight.v1"
SCHEMAS: dict[Kind, str] = {
    "uplink": f"{PACKAGE}.Uplink",
    "measurements": f"{PACKAGE}.Measurements",
    "event": f"{PACKAGE}.Event",
}


def _messages() -> dict[str, Any]:
    data = resources.files("lns.outlets.formats").joinpath("inflight.binpb").read_bytes()
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        pool.Add(file)
    names = pool.FindFileByName("inflight.proto").message_types_by_name
    return {name: message_factory.GetMessageClass(found) for name, found in names.items()}


MESSAGES = _messages()
"""Classes of messages by their name in the file."""

_DEVICE, _UPLINK, _RECEPTION = MESSAGES["Device"], MESSAGES["Uplink"], MESSAGES["Reception"]
_MEASUREMENTS, _MEASUREMENT, _EVENT = MESSAGES["Measurements"], MESSAGES["Measurement"], MESSAGES["Event"]


class Protobuf:
    """`Encoding` as Protobuf. ValueError or TypeError: a value does not fit its field."""

    schemas = SCHEMAS

    def __init__(self) -> None:
        self._json = msgspec.json.Encoder().encode

    def device(self, dev_eui: str, info: DeviceInfo | None) -> Any:
        """A device as the messages repeat it."""
        if info is None:
            return _DEVICE(dev_eui=dev_eui)
        return _DEVICE(dev_eui=dev_eui, name=info.name, application=info.application, tags=info.tags)

    def uplink(self, seq: int, uplink: Uplink, device: Any) -> bytes:
        """An uplink's message."""
        message = _UPLINK(
            id=uplink.id,
            seq=seq,
            time_us=uplink.received_at_us,
            device=device,
            dev_addr=uplink.dev_addr,
            fcnt_up=uplink.fcnt_up,
            fport=uplink.fport,
            payload=uplink.data,
            confirmed=uplink.confirmed,
            adr=uplink.adr,
            region=uplink.region,
            dr=uplink.dr,
            freq_hz=uplink.freq_hz,
            rx=[_reception(rx) for rx in uplink.rx],
            **_modulation(uplink.modulation),
        )
        return _bytes(message)

    def measurements(self, seq: int, decoded: Decoded, device: Any) -> bytes:
        """The message of what was decoded."""
        message = _MEASUREMENTS(
            id=decoded.id,
            seq=seq,
            time_us=decoded.received_at_us,
            device=device,
            fcnt_up=decoded.fcnt_up,
            fport=decoded.fport,
            uplink_seq=decoded.uplink_seq,
            codec_version_id=decoded.codec_version_id,
            measurements=[_measurement(m) for m in decoded.measurements],
            decoded_json=decoded.data_json.decode(),
            warnings=decoded.warnings,
            suppressed=decoded.suppressed,
        )
        if decoded.replay is not None:
            message.replay.job = decoded.replay.job
            for field, time_us in decoded.replay.removed:
                message.replay.removed.add(field=field, time_us=time_us)
        return _bytes(message)

    def event(self, seq: int, event: Event, device: Any) -> bytes:
        """An event's message."""
        message = _EVENT(
            id=event.id,
            seq=seq,
            time_us=event.at_us,
            device=device,
            kind=event.kind,
            gateway_eui=event.gateway_eui,
            data_json=self._json(event.data).decode(),
        )
        return _bytes(message)


def _bytes(message: Any) -> bytes:
    data: bytes = message.SerializeToString(deterministic=True)  # maps would be in any order
    return data


def _reception(rx: Rx) -> Any:
    return _RECEPTION(
        gateway_eui=rx.gateway_eui,
        time_us=rx.received_at_us,
        rssi_dbm=rx.rssi_dbm,
        snr_db=rx.snr_db,
        tmst_us=rx.tmst_us,
        chan=rx.chan,
        rf_chain=rx.rf_chain,
        antenna=rx.antenna,
        gateway_time_us=rx.gateway_time_us,
        gps_time_ms=rx.gps_time_ms,
        fine_time_ns=rx.fine_time_ns,
        freq_offset_hz=rx.freq_offset_hz,
    )


def _modulation(modulation: Modulation) -> dict[str, dict[str, Any]]:
    if isinstance(modulation, Lora):
        told = {"sf": modulation.sf, "bw_hz": modulation.bw_hz, "coding_rate": modulation.coding_rate}
        return {"lora": told}
    if isinstance(modulation, Fsk):
        return {"fsk": {"bitrate_bps": modulation.bitrate_bps}}
    hopping = {"ocw_hz": modulation.ocw_hz, "coding_rate": modulation.coding_rate}
    return {"lr_fhss": hopping if modulation.grid_steps is None else hopping | {"grid_steps": modulation.grid_steps}}


def _measurement(m: Measurement) -> Any:
    if isinstance(m.value, bool):
        return _MEASUREMENT(field=m.field, time_us=m.time_us, boolean=m.value, unit=m.unit)
    if isinstance(m.value, str):
        return _MEASUREMENT(field=m.field, time_us=m.time_us, text=m.value, unit=m.unit)
    return _MEASUREMENT(field=m.field, time_us=m.time_us, number=m.value, unit=m.unit)
