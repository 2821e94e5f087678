"""ChirpStack v4's JSON of events: what its MQTT, AMQP and HTTP integrations send, field by field.

Source: `api/proto/integration/integration.proto` and `gw/gw.proto` of chirpstack/chirpstack 4.20, in the JSON mapping
of its build: fields of an event are there even when zero, fields of `rxInfo` and `txInfo` only when not; messages that
are not set are absent. An uplink is told once it is decoded, because `up` carries the decoded object.
"""

import base64
import zlib
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Decoded, Event, Rx, Stored, Uplink
from lns.lorawan.modulation import Fsk, Lora, Modulation
from lns.outlets.formats.outgoing import UNKNOWN, Describe, Described, message_id, withheld
from lns.outlets.formats.places import Place, PlaceOf, measured, nowhere
from lns.outlets.formats.times import rfc3339_offset, seconds_text

EVENT_TOPIC = "application/{application_id}/device/{dev_eui}/event/{event}"
COMMAND_TOPIC = "application/{application_id}/device/{dev_eui}/command/{command}"
ROUTING_KEY = "application.{application_id}.device.{dev_eui}.event.{event}"
KAFKA_TOPICS = {"*": "chirpstack"}
WEBHOOK_QUERY = "event={event}"
NAMES = ("application_id", "dev_eui")
EVENTS = frozenset({"up", "join", "ack", "txack", "status", "log", "location"})

_DEVICES_KEPT = 10_000
_UNKNOWN_BATTERY, _EXTERNAL_POWER = 255, 0  # LoRaWAN 1.0.4, 5.5: DevStatusAns
_CODE_RATES = {
    "1/3": "CR_2_6",
    "2/3": "CR_4_6",
    "4/5LI": "CR_LI_4_5",
    "4/6LI": "CR_LI_4_6",
    "4/8LI": "CR_LI_4_8",
}
_LOG_CODES = {"failed": "DOWNLINK_PAYLOAD_SIZE", "expired": "EXPIRED"}
_UP = frozenset({"up", "log", "location"})
_EVENTS = {name: frozenset({name}) for name in ("join", "ack", "txack", "status")} | {
    "nack": frozenset({"ack"}),
    "downlink": frozenset({"log"}),
}


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """The names ChirpStack has and this server has not; UUIDs by which an application's readers know it."""

    tenant_id: str = str(UUID(int=0))
    tenant_name: str = ""
    application_id: str = ""


class ChirpStack:
    """Turns records into ChirpStack's events."""

    joins = True

    def __init__(self, describe: Describe, tenant: Tenant = Tenant(), place_of: PlaceOf = nowhere) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._describe, self._tenant, self._place_of = describe, tenant, place_of
        self._device_info = lru_cache(_DEVICES_KEPT)(self._device)

    def forget(self) -> None:
        """Look the names of devices and applications up again."""
        self._device_info.cache_clear()

    def events(self, stored: Stored) -> frozenset[str]:
        """What the messages of a record may be."""
        record = stored.record
        if isinstance(record, Event):
            return _EVENTS.get(record.kind, frozenset())
        return _UP if isinstance(record, Decoded) and not withheld(record) else frozenset()

    def messages(self, stored: Stored, uplink: Uplink | None) -> list[Outgoing]:
        """The events of a record; `uplink` is the one that a decoded record belongs to."""
        record = stored.record
        try:
            if isinstance(record, Decoded):
                return self._decoded(stored, record, uplink)
            if isinstance(record, Event):
                return self._event(stored, record)
        except KeyError as error:
            raise ValueError(f"record {stored.seq} does not say its {error.args[0]}") from error
        except (OverflowError, TypeError, msgspec.MsgspecError) as error:
            raise ValueError(f"record {stored.seq} cannot be put into json: {error}") from error
        return []

    def _decoded(self, stored: Stored, decoded: Decoded, uplink: Uplink | None) -> list[Outgoing]:
        """A correction is `up` again with the same deduplicationId, as is a decode that has failed before."""
        if uplink is None or withheld(decoded):
            return []
        up = self._up(decoded, uplink)
        if decoded.failure is None:
            place = measured(decoded)
            found = [self._outgoing(stored, decoded, "up", up)]
            if place is not None:
                head = self._head(decoded, decoded.received_at_us)
                told = {**head, "location": {**_location(place), "source": "GPS"}}
                found.append(self._outgoing(stored, decoded, "location", told))
            return found
        log = self._log(decoded, decoded.received_at_us, "UPLINK_CODEC", decoded.failure.text(), {})
        return [
            self._outgoing(stored, decoded, "up", up, "failed"),
            self._outgoing(stored, decoded, "log", log, str(stored.seq)),
        ]

    def _up(self, decoded: Decoded, uplink: Uplink) -> dict[str, Any]:
        region = _region_name(uplink.region)
        told: dict[str, Any] = {
            "deduplicationId": str(UUID(bytes=uplink.id)),
            "time": rfc3339_offset(uplink.received_at_us),
            "deviceInfo": self._info(decoded),
            "devAddr": uplink.dev_addr,
            "adr": uplink.adr,
            "dr": uplink.dr,
            "fCnt": uplink.fcnt_up,
            "fPort": uplink.fport or 0,
            "confirmed": uplink.confirmed,
            "data": uplink.data,
        }
        if decoded.codec_version_id is not None and decoded.failure is None:
            told["object"] = msgspec.Raw(decoded.data_json)
        told["rxInfo"] = [_rx_info(uplink, rx, region, self._place_of(rx.gateway_eui)) for rx in uplink.rx]
        told["txInfo"] = {"frequency": uplink.freq_hz, "modulation": _modulation(uplink.modulation)}
        told["regionConfigId"] = _region_id(region)
        return told

    def _event(self, stored: Stored, event: Event) -> list[Outgoing]:
        if event.dev_eui is None:
            return []
        name, told = self._told(event)
        return [self._outgoing(stored, event, name, told)] if told is not None else []

    def _told(self, event: Event) -> tuple[str, dict[str, Any] | None]:
        head, data = self._head(event, event.at_us), event.data
        match event.kind:
            case "join":
                region = self._known(event.device_id).region
                return "join", {**head, "devAddr": data["dev_addr"], "regionConfigId": _region_id(_region_name(region))}
            case "ack" | "nack":
                return "ack", {**head, **_queue_item(data, acknowledged=event.kind == "ack")}
            case "txack":
                return "txack", self._tx_ack(event)
            case "status":
                return "status", {**head, **_status(data["battery"], data["margin_db"])}
            case "downlink" if data.get("state") in _LOG_CODES:
                about = {"queue_item_id": str(data["id"])}
                return "log", self._log(event, event.at_us, _LOG_CODES[data["state"]], data["reason"] or "", about)
        return event.kind, None

    def _head(self, record: Decoded | Event, at_us: int) -> dict[str, Any]:
        return {
            "deduplicationId": str(UUID(bytes=record.id)),
            "time": rfc3339_offset(at_us),
            "deviceInfo": self._info(record),
        }

    def _tx_ack(self, event: Event) -> dict[str, Any]:
        told = {
            "downlinkId": zlib.crc32(event.id),
            "time": rfc3339_offset(event.at_us),
            "deviceInfo": self._info(event),
            "queueItemId": str(event.data["id"]),
            "fCntDown": event.data["fcnt_down"] or 0,
            "gatewayId": event.data["gateway_eui"],
        }
        return {**told, "txInfo": _tx_info(event.data)} if "modulation" in event.data else told

    def _log(
        self, about: Decoded | Event, at_us: int, code: str, description: str, context: dict[str, str]
    ) -> dict[str, Any]:
        return {
            "time": rfc3339_offset(at_us),
            "deviceInfo": self._info(about),
            "level": "ERROR",
            "code": code,
            "description": description,
            "context": {"deduplication_id": str(UUID(bytes=about.id)), **context},
        }

    def _outgoing(
        self, stored: Stored, record: Decoded | Event, event: str, told: dict[str, Any], part: str = ""
    ) -> Outgoing:
        at_us = record.received_at_us if isinstance(record, Decoded) else record.at_us
        id_, lane = message_id(stored, event, part), record.dev_eui or ""
        return Outgoing(id_, stored.seq, lane, event, self._encode(told), at_us)

    def _info(self, record: Decoded | Event) -> msgspec.Raw:
        return self._device_info(record.device_id, record.application_id, record.dev_eui or "")

    def _device(self, device_id: int | None, application_id: int | None, dev_eui: str) -> msgspec.Raw:
        known = self._known(device_id)
        info = {
            "tenantId": self._tenant.tenant_id,
            "tenantName": self._tenant.tenant_name,
            "applicationId": application_id_of(self._tenant.application_id, application_id),
            "applicationName": known.application,
            "deviceProfileId": str(UUID(int=0)),
            "deviceProfileName": known.profile,
            "deviceName": known.name,
            "devEui": dev_eui,
            "deviceClassEnabled": f"CLASS_{known.device_class}",
            "tags": known.tags,
        }
        return msgspec.Raw(self._encode(info))

    def _known(self, device_id: int | None) -> Described:
        return (self._describe(device_id) if device_id is not None else None) or UNKNOWN


def application_id_of(given: str, number: int | None) -> str:
    """What readers know an application by: the id that was given, else a UUID of its number."""
    return given or str(UUID(int=number or 0))


def names(dev_eui: str, application_id: str) -> dict[str, str]:
    """What topics are made of."""
    return {"application_id": application_id, "dev_eui": dev_eui}


def _queue_item(data: dict[str, Any], acknowledged: bool) -> dict[str, Any]:
    return {"queueItemId": str(data["id"]), "acknowledged": acknowledged, "fCntDown": data["fcnt_down"] or 0}


def _status(battery: int, margin_db: int) -> dict[str, Any]:
    measured = battery not in (_EXTERNAL_POWER, _UNKNOWN_BATTERY)
    return {
        "margin": margin_db,
        "externalPowerSource": battery == _EXTERNAL_POWER,
        "batteryLevelUnavailable": battery == _UNKNOWN_BATTERY,
        "batteryLevel": round(battery / 254 * 100, 2) if measured else 0.0,
    }


def _location(place: Place) -> dict[str, Any]:
    told = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "altitude": place.altitude_m,
        "accuracy": place.accuracy_m,
    }
    return {name: value for name, value in told.items() if value}


def _tx_info(data: dict[str, Any]) -> dict[str, Any]:
    """How a downlink went out: class A after an uplink, others at a GPS time or as soon as the gateway can."""
    modulation = _modulation(msgspec.convert(data["modulation"], Modulation))
    if "lora" in modulation:
        modulation["lora"]["polarizationInversion"] = True  # so that gateways do not hear each other
    timing: dict[str, dict[str, str]] = {"immediately": {}}
    if data.get("delay_s") is not None:
        timing = {"delay": {"delay": f"{data['delay_s']}s"}}
    elif data.get("gps_time_ms") is not None:
        timing = {"gpsEpoch": {"timeSinceGpsEpoch": seconds_text(data["gps_time_ms"] * 1_000_000)}}
    power = {"power": round(data["power_dbm"])} if data.get("power_dbm") else {}
    return {"frequency": data["freq_hz"], **power, "modulation": modulation, "timing": timing}


def _rx_info(uplink: Uplink, rx: Rx, region: str, place: Place | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "gatewayId": rx.gateway_eui,
        "uplinkId": zlib.crc32(uplink.id + bytes.fromhex(rx.gateway_eui)),
        "gwTime": rfc3339_offset(rx.gateway_time_us) if rx.gateway_time_us is not None else None,
        "nsTime": rfc3339_offset(rx.received_at_us),
        "timeSinceGpsEpoch": seconds_text(rx.gps_time_ms * 1_000_000) if rx.gps_time_ms is not None else None,
        "fineTimeSinceGpsEpoch": _fine_time(rx),
        "rssi": round(rx.rssi_dbm or 0),
        "snr": rx.snr_db,
        "channel": rx.chan,
        "rfChain": rx.rf_chain,
        "antenna": rx.antenna,
        "location": _location(place) if place is not None else None,
        # the concentrator's clock, which a forwarder of Semtech's protocol wants back with an answer
        "context": base64.b64encode(rx.tmst_us.to_bytes(4, "big")).decode() if rx.tmst_us is not None else None,
        "metadata": {"region_config_id": _region_id(region), "region_common_name": region},
        "crcStatus": "CRC_OK",  # a frame with a bad CRC has no valid MIC
    }
    return {name: value for name, value in told.items() if value}


def _fine_time(rx: Rx) -> str | None:
    """The fine timestamp is nanoseconds within the second that the GPS time names."""
    if rx.fine_time_ns is None or rx.gps_time_ms is None:
        return None
    return seconds_text(rx.gps_time_ms // 1000 * 1_000_000_000 + rx.fine_time_ns)


def _modulation(modulation: Modulation) -> dict[str, Any]:
    if isinstance(modulation, Lora):
        told = {
            "bandwidth": modulation.bw_hz,
            "spreadingFactor": modulation.sf,
            "codeRate": _code_rate(modulation.coding_rate),
        }
        return {"lora": told}
    if isinstance(modulation, Fsk):
        return {"fsk": {"datarate": modulation.bitrate_bps}}
    hopping = {"operatingChannelWidth": modulation.ocw_hz, "codeRate": _code_rate(modulation.coding_rate)}
    return {"lrFhss": {**hopping, "gridSteps": modulation.grid_steps} if modulation.grid_steps else hopping}


def _code_rate(coding_rate: str) -> str:
    return _CODE_RATES.get(coding_rate) or "CR_" + coding_rate.replace("/", "_")


def _region_name(region: str) -> str:
    """ChirpStack's common name: it has one CN470, and its first AS923 has no number."""
    if region.startswith("CN470"):
        return "CN470"
    return "AS923" if region == "AS923-1" else region


def _region_id(region: str) -> str:
    return region.lower().replace("-", "_")
