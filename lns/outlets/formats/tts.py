"""The Things Stack v3's JSON of application messages, as its MQTT server, webhooks and AMQP send them.

Source: the data formats and MQTT pages of its documentation, 3.3x. Empty, zero and false fields are left out; 64-bit
integers are strings; EUIs and DevAddr are in capitals. An uplink is told once it is decoded.
"""

import base64
import re
from typing import Any

import msgspec

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Decoded, Event, Measurement, Rx, Stored, Uplink
from lns.lorawan.airtime import airtime_us
from lns.lorawan.gpstime import unix_from_gps
from lns.lorawan.modulation import Fsk, Lora, Modulation
from lns.outlets.formats.commands import PRIORITIES
from lns.outlets.formats.outgoing import UNKNOWN, Describe, Described, message_id, withheld
from lns.outlets.formats.places import Place, PlaceOf, measured, nowhere
from lns.outlets.formats.times import rfc3339_zulu, seconds_text

EVENT_TOPIC = "v3/{application_id}/devices/{device_id}/{event}"
COMMAND_TOPIC = "v3/{application_id}/devices/{device_id}/down/{command}"
ROUTING_KEY = "v3.{application_id}.devices.{device_id}.{event}"
KAFKA_TOPICS = {"*": "tts"}
NAMES = ("application_id", "device_id", "dev_eui")
EVENTS = frozenset(
    {"up", "up/normalized", "join", "down/sent", "down/ack", "down/nack", "down/failed", "location/solved"}
)

_ID = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,35}")
_FRAME_OCTETS = 1 + 7 + 4  # MHDR, FHDR without FOpts, MIC
_BANDS = {
    "EU868": "EU_863_870",
    "US915": "US_902_928",
    "AU915": "AU_915_928",
    "AS923-1": "AS_923",
    "AS923-2": "AS_923_2",
    "AS923-3": "AS_923_3",
    "AS923-4": "AS_923_4",
    "IN865": "IN_865_867",
    "KR920": "KR_920_923",
    "CN470": "CN_470_510",
    "CN779": "CN_779_787",
    "EU433": "EU_433",
    "RU864": "RU_864_870",
    "ISM2400": "ISM_2400",
}
_NORMALIZED = ("air", "soil", "wind", "rain", "water", "metering", "action", "position", "battery")
_DOWNLINKS = {"ack": "ack", "nack": "nack", "txack": "sent"}
_UP = frozenset({"up", "up/normalized", "location/solved"})
_EVENTS = {
    "join": frozenset({"join"}),
    "downlink": frozenset({"down/failed"}),
    **{kind: frozenset({f"down/{what}"}) for kind, what in _DOWNLINKS.items()},
}
_PRIORITIES = {number: name for name, number in PRIORITIES.items()}
_INVALID_ARGUMENT, _DEADLINE_EXCEEDED, _ABORTED = 3, 4, 10  # gRPC status codes
_FAILURES = {
    "failed": ("application_downlink_too_long", _INVALID_ARGUMENT),
    "expired": ("downlink_expired", _DEADLINE_EXCEEDED),
    "deleted": ("downlink_deleted", _ABORTED),
}


class TheThingsStack:
    """Turns records into The Things Stack's application messages. `given_id` empty: each application has its own."""

    joins = True

    def __init__(
        self, describe: Describe, net_id: str = "000000", given_id: str = "", place_of: PlaceOf = nowhere
    ) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._describe, self._net_id, self._given_id = describe, net_id.upper(), given_id
        self._place_of = place_of

    def forget(self) -> None:
        """Names are looked up for each message."""

    def events(self, stored: Stored) -> frozenset[str]:
        """What the messages of a record may be."""
        record = stored.record
        if isinstance(record, Event):
            return _EVENTS.get(record.kind, frozenset())
        return _UP if isinstance(record, Decoded) and not withheld(record) else frozenset()

    def messages(self, stored: Stored, uplink: Uplink | None) -> list[Outgoing]:
        """The messages of a record; `uplink` is the one that a decoded record belongs to."""
        record = stored.record
        try:
            if isinstance(record, Decoded):
                return self._decoded(stored, record, uplink)
            if isinstance(record, Event) and record.dev_eui is not None:
                return self._event(stored, record, record.dev_eui)
        except KeyError as error:
            raise ValueError(f"record {stored.seq} does not say its {error.args[0]}") from error
        except (OverflowError, TypeError, msgspec.MsgspecError) as error:
            raise ValueError(f"record {stored.seq} cannot be put into json: {error}") from error
        return []

    def _decoded(self, stored: Stored, decoded: Decoded, uplink: Uplink | None) -> list[Outgoing]:
        """A correction is `up` again with the same session key and counter, as is a decode that has failed before."""
        if uplink is None or withheld(decoded):
            return []
        known = self._known(decoded.device_id)
        ids = self._ids(known, decoded.application_id, decoded.dev_eui, uplink.dev_addr)
        message = self._uplink(decoded, uplink)
        normalized = normalized_payload(decoded.measurements, uplink.received_at_us)
        told = {**message, "normalized_payload": normalized} if normalized else message
        part = "failed" if decoded.failure is not None else ""
        messages = [self._outgoing(stored, ids, "up", {"uplink_message": told}, part)]
        for n, one in enumerate(normalized):
            own = {**message, "normalized_payload": one}
            messages.append(self._outgoing(stored, ids, "up/normalized", {"uplink_normalized": own}, str(n)))
        place = measured(decoded)
        if place is not None:
            solved = {"service": "frm-payload", "location": _location(place, "SOURCE_GPS")}
            messages.append(self._outgoing(stored, ids, "location/solved", {"location_solved": solved}))
        return messages

    def _uplink(self, decoded: Decoded, uplink: Uplink) -> dict[str, Any]:
        octets = _FRAME_OCTETS + (1 + len(uplink.data) if uplink.fport is not None else 0)
        place = measured(decoded)
        told: dict[str, Any] = {
            "session_key_id": base64.b64encode(uplink.id[:8]).decode(),
            "f_port": uplink.fport,
            "f_cnt": uplink.fcnt_up,
            "frm_payload": uplink.data,
            "decoded_payload": msgspec.Raw(decoded.data_json) if decoded.data_json not in (b"", b"{}") else None,
            "decoded_payload_warnings": decoded.warnings,
            "rx_metadata": [_rx_metadata(rx, self._place_of(rx.gateway_eui)) for rx in uplink.rx],
            "settings": _settings(uplink),
            "received_at": rfc3339_zulu(uplink.received_at_us),
            "confirmed": uplink.confirmed,
            # the record does not say how long the FOpts were: an answer to a MAC command makes it longer
            "consumed_airtime": seconds_text(airtime_us(uplink.modulation, octets, True) * 1000),
            "locations": {"frm-payload": _location(place, "SOURCE_GPS")} if place is not None else None,
            "version_ids": _present({"band_id": _BANDS.get(uplink.region, "")}),
            "network_ids": {"net_id": self._net_id},
        }
        return _present(told)

    def _event(self, stored: Stored, event: Event, dev_eui: str) -> list[Outgoing]:
        known = self._known(event.device_id)
        dev_addr = str(event.data.get("dev_addr") or known.dev_addr)
        ids = self._ids(known, event.application_id, dev_eui, dev_addr)
        at, data = rfc3339_zulu(event.at_us), event.data
        if event.kind == "join":
            return [self._outgoing(stored, ids, "join", {"join_accept": {"received_at": at}})]
        if event.kind in _DOWNLINKS:
            what = _DOWNLINKS[event.kind]
            return [self._outgoing(stored, ids, f"down/{what}", {f"downlink_{what}": _downlink(data)})]
        if event.kind == "downlink" and data.get("state") in _FAILURES:
            failed = {"downlink": _downlink(data), "error": _error(data, event.id.hex())}
            return [self._outgoing(stored, ids, "down/failed", {"downlink_failed": failed})]
        return []

    def _outgoing(
        self, stored: Stored, ids: dict[str, Any], event: str, told: dict[str, Any], part: str = ""
    ) -> Outgoing:
        record = stored.record
        at_us = record.at_us if isinstance(record, Event) else record.received_at_us
        head = {
            "end_device_ids": ids,
            "correlation_ids": [f"as:up:{record.id.hex()}"],
            "received_at": rfc3339_zulu(at_us),
        }
        body = self._encode({**head, **told})
        return Outgoing(message_id(stored, event, part), stored.seq, record.dev_eui or "", event, body, at_us)

    def _known(self, device_id: int | None) -> Described:
        return (self._describe(device_id) if device_id is not None else None) or UNKNOWN

    def _ids(self, known: Described, application_id: int | None, dev_eui: str, dev_addr: str) -> dict[str, Any]:
        ids = {
            "device_id": device_id(known.name, dev_eui),
            "application_ids": {"application_id": application_id_of(self._given_id, known, application_id)},
            "dev_eui": dev_eui.upper(),
            "join_eui": known.join_eui.upper(),
            "dev_addr": dev_addr.upper(),
        }
        return _present(ids)


def application_id_of(given: str, known: Described, number: int | None) -> str:
    """What readers know an application by: the id that was given, else its name, where that can be an id there."""
    return given or (known.application if _ID.fullmatch(known.application) else f"application-{number or 0}")


def names(known: Described, dev_eui: str, application_id: str) -> dict[str, str]:
    """What topics are made of."""
    return {"application_id": application_id, "device_id": device_id(known.name, dev_eui), "dev_eui": dev_eui}


def device_id(name: str, dev_eui: str) -> str:
    """The device's name where it can be an id there, else the id that The Things Stack itself makes of a DevEUI."""
    return name if _ID.fullmatch(name) else f"eui-{dev_eui}"


def normalized_payload(measurements: tuple[Measurement, ...], at_us: int) -> list[dict[str, Any]]:
    """The measurements by their normalised names, one object for each time that they were taken at."""
    by_time: dict[int, dict[str, Any]] = {}
    for m in measurements:
        if m.field.partition(".")[0] in _NORMALIZED:
            place = by_time.setdefault(m.time_us, {})
            *path, last = m.field.split(".")
            for name in path:
                place = place.setdefault(name, {})
            place[last] = m.value
    return [
        found if time_us == at_us else {"time": rfc3339_zulu(time_us), **found} for time_us, found in by_time.items()
    ]


def _present(told: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty, zero or false."""
    return {name: value for name, value in told.items() if value}


def _rx_metadata(rx: Rx, place: Place | None) -> dict[str, Any]:
    told = {
        "gateway_ids": {"gateway_id": f"eui-{rx.gateway_eui}", "eui": rx.gateway_eui.upper()},
        "time": rfc3339_zulu(rx.gateway_time_us) if rx.gateway_time_us is not None else None,
        "timestamp": rx.tmst_us,
        "fine_timestamp": str(rx.fine_time_ns) if rx.fine_time_ns else None,
        "gps_time": _gps_time(rx.gps_time_ms) if rx.gps_time_ms is not None else None,
        "received_at": rfc3339_zulu(rx.received_at_us),
        "rssi": rx.rssi_dbm,
        "channel_rssi": rx.rssi_dbm,
        "snr": rx.snr_db,
        "frequency_offset": str(rx.freq_offset_hz) if rx.freq_offset_hz else None,
        "antenna_index": rx.antenna,
        "channel_index": rx.chan,
        "location": _location(place, "SOURCE_REGISTRY") if place is not None else None,
    }
    return _present(told)


def _gps_time(gps_time_ms: int) -> str:
    seconds, ms = divmod(gps_time_ms, 1000)
    return rfc3339_zulu(int(unix_from_gps(seconds)) * 1_000_000 + ms * 1000)


def _settings(uplink: Uplink) -> dict[str, Any]:
    best = uplink.rx[0]
    told = {
        "data_rate": _data_rate(uplink.modulation),
        "frequency": str(uplink.freq_hz),
        "timestamp": best.tmst_us,
        "time": rfc3339_zulu(best.gateway_time_us) if best.gateway_time_us is not None else None,
    }
    return _present(told)


def _data_rate(modulation: Modulation) -> dict[str, Any]:
    if isinstance(modulation, Lora):
        told = {
            "bandwidth": modulation.bw_hz,
            "spreading_factor": modulation.sf,
            "coding_rate": modulation.coding_rate,
        }
        return {"lora": told}
    if isinstance(modulation, Fsk):
        return {"fsk": {"bit_rate": modulation.bitrate_bps}}
    return {"lrfhss": {"operating_channel_width": modulation.ocw_hz, "coding_rate": modulation.coding_rate}}


def _downlink(data: dict[str, Any]) -> dict[str, Any]:
    told = {
        "f_port": data.get("fport"),
        "f_cnt": data.get("fcnt_down"),
        "frm_payload": base64.b64encode(bytes.fromhex(data.get("payload", ""))).decode(),
        "confirmed": data.get("confirmed"),
        "priority": _PRIORITIES[max(-3, min(3, data.get("priority", 0)))],
        "correlation_ids": [f"as:downlink:{data['id']}"],
    }
    return _present(told)


def _error(data: dict[str, Any], correlation_id: str) -> dict[str, Any]:
    name, code = _FAILURES[data["state"]]
    return {
        "namespace": "pkg/networkserver",
        "name": name,
        "message_format": data.get("reason") or name.replace("_", " "),
        "correlation_id": correlation_id,
        "code": code,
    }


def _location(place: Place, source: str) -> dict[str, Any]:
    told = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "altitude": round(place.altitude_m or 0),
        "accuracy": round(place.accuracy_m or 0),
        "source": source,
    }
    return _present(told)
