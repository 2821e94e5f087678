"""Records as the network and the decoder write them, and a check against the packaged JSON schemas."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema

from lns.exchange.records import Decoded, Event, Failure, Measurement, Rx, Stored, Uplink
from lns.lorawan.modulation import Lora

AT_US = 1_795_258_489_131_123  # 2026-11-21T10:54:49.131123Z
DEVICES = 20


def dev_eui(device: int) -> str:
    return f"{device:016x}"


def record_id(n: int) -> bytes:
    return n.to_bytes(16, "big")


def uplink(n: int, **changes: Any) -> Uplink:
    """The n-th uplink of a fleet of `DEVICES` that send in turn."""
    fields: dict[str, Any] = {
        "id": record_id(n),
        "device_id": n % DEVICES,
        "application_id": 1,
        "dev_eui": dev_eui(n % DEVICES),
        "dev_addr": "01020304",
        "fcnt_up": n // DEVICES,
        "fport": 2,
        "data": bytes.fromhex("00d70128"),
        "confirmed": False,
        "adr": True,
        "dr": 5,
        "freq_hz": 868_100_000,
        "modulation": Lora(7, 125_000),
        "received_at_us": AT_US,
        "rx": (Rx("aa555a0000000001", -77.0, 9.5, 123_456, AT_US, 1, 0),),
        "region": "EU868",
    }
    return Uplink(**fields | changes)


def decoded(n: int, **changes: Any) -> Decoded:
    """What a codec made of `uplink(n)`."""
    fields: dict[str, Any] = {
        "id": record_id(n),
        "uplink_seq": 1 + n,
        "device_id": n % DEVICES,
        "application_id": 1,
        "dev_eui": dev_eui(n % DEVICES),
        "fcnt_up": n // DEVICES,
        "fport": 2,
        "received_at_us": AT_US,
        "codec_version_id": 3,
        "data_json": b'{"temperature":21.5,"open":true}',
        "measurements": (Measurement("temperature", AT_US, 21.5, "Cel"), Measurement("open", AT_US, True)),
    }
    return Decoded(**fields | changes)


def failed(n: int) -> Decoded:
    failure = Failure("script_error", "TypeError: x is undefined", 3, 14)
    return decoded(n, data_json=b"", measurements=(), failure=failure)


def event(n: int, **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "id": record_id(n),
        "kind": "join",
        "at_us": AT_US,
        "device_id": n % DEVICES,
        "application_id": 1,
        "dev_eui": dev_eui(n % DEVICES),
        "gateway_eui": "aa555a0000000001",
        "data": {"dev_addr": "01020304", "dev_nonce": 7},
    }
    return Event(**fields | changes)


def mixed(count: int, first: int = 0) -> list[Stored]:
    """Uplink, decoded and event records in turn, with `seq` from `first` + 1, many devices each."""
    makers = (("uplink", uplink), ("decoded", decoded), ("event", event))
    stored = []
    for n in range(first, first + count):
        topic, make = makers[n % 3]
        stored.append(Stored(n + 1, topic, make(n // 3)))
    return stored


def uplinks(count: int, first: int = 0) -> list[Stored]:
    return [Stored(n + 1, "uplink", uplink(n)) for n in range(first, first + count)]


def check_schema(value: bytes) -> dict[str, Any]:
    """The message as a dict; jsonschema.ValidationError unless its schema describes every one of its fields."""
    message: dict[str, Any] = json.loads(value)
    _validator(message["schema"]).validate(message)
    return message


@cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    name = schema.removeprefix("inflight.")
    text = (files("lns.outlets") / "schemas" / f"{name}.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(_closed(json.loads(text)))


def _closed(schema: Any) -> Any:
    """Refuses undocumented fields, which the published schema allows so that fields can be added."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items() if key not in ("if", "then", "allOf")}
    conditions = {key: schema[key] for key in ("if", "then", "allOf") if key in schema}
    if "properties" in schema and schema.get("type") == "object":
        closed["additionalProperties"] = False
    return closed | conditions
