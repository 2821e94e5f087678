"""Downlink commands as clients of ChirpStack and The Things Stack write them, and our own. Pure: text in, values out.

Errors are ValueErrors whose text says what is wrong in the words of the command's own format.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lns.lorawan.ids import parse_eui
from lns.outlets.formats.times import parse_rfc3339_us

MAX_DOWNLINKS = 100
"""Of one command; a queue that long takes days to empty anyway."""

PRIORITIES = {"LOWEST": -3, "LOW": -2, "BELOW_NORMAL": -1, "NORMAL": 0, "ABOVE_NORMAL": 1, "HIGH": 2, "HIGHEST": 3}


class Downlink(msgspec.Struct, frozen=True, kw_only=True):
    """One downlink to queue: either `payload` or `object`, which the device's codec encodes.

    `priority` is higher for what goes first; `at_us` is the earliest and `expires_at_us` the latest time, both UTC.
    """

    payload: bytes | None = None
    object: dict[str, Any] | None = None
    fport: int | None = None
    confirmed: bool = False
    priority: int = 0
    id: str | None = None
    at_us: int | None = None
    expires_at_us: int | None = None


class Command(msgspec.Struct, frozen=True):
    """What to do with a device's queue: `replace` empties it first. The device is named by one of the two."""

    downlinks: tuple[Downlink, ...]
    replace: bool = False
    dev_eui: str | None = None
    device_id: str | None = None


class _ChirpStackDown(msgspec.Struct, frozen=True, rename="camel"):
    """integration.proto, DownlinkCommand."""

    dev_eui: str = ""
    f_port: int = 0
    id: str = ""
    confirmed: bool = False
    data: bytes = b""
    object: dict[str, Any] | None = None
    expires_at: str = ""


class _QueueItem(_ChirpStackDown, frozen=True, rename="camel"):
    """api/device.proto, DeviceQueueItem."""

    is_encrypted: bool = False


class _Enqueue(msgspec.Struct, frozen=True, rename="camel"):
    queue_item: _QueueItem


class _AbsoluteTime(msgspec.Struct, frozen=True):
    absolute_time: str = ""


class _TtsDownlink(msgspec.Struct, frozen=True):
    f_port: int = 0
    frm_payload: bytes = b""
    decoded_payload: dict[str, Any] | None = None
    priority: str = "NORMAL"
    confirmed: bool = False
    class_b_c: _AbsoluteTime | None = None


class _TtsDownlinks(msgspec.Struct, frozen=True):
    downlinks: list[_TtsDownlink] = []


class _Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As the API takes it."""

    fport: int | None = None
    payload: str | None = None
    payload_base64: bytes | None = None
    object: dict[str, Any] | None = None
    confirmed: bool = False
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    at: str = ""
    expires_at: str = ""


_own = msgspec.json.Decoder(_Own | list[_Own])
_chirpstack = msgspec.json.Decoder(_ChirpStackDown)
_tts = msgspec.json.Decoder(_TtsDownlinks)
_any = msgspec.json.Decoder()


def inflight(names: dict[str, str], value: bytes) -> Command:
    """A message on our own `command/push` or `command/replace` topic: one downlink, or a list of them."""
    if names["command"] not in ("push", "replace"):
        raise ValueError(f"command is {names['command']!r}, only 'push' and 'replace' are known")
    told = _decoded(_own, value)
    downlinks = told if isinstance(told, list) else [told]
    if len(downlinks) > MAX_DOWNLINKS:
        raise ValueError(f"the list has {len(downlinks)} downlinks, at most {MAX_DOWNLINKS} are taken")
    dev_eui = parse_eui(names["dev_eui"])
    return Command(tuple(map(_own_downlink, downlinks)), replace=names["command"] == "replace", dev_eui=dev_eui)


def _own_downlink(told: _Own) -> Downlink:
    if sum(one is not None for one in (told.payload, told.payload_base64, told.object)) != 1:
        raise ValueError("one of payload, payload_base64 and object is needed, and no more than one")
    try:
        payload = bytes.fromhex(told.payload) if told.payload is not None else told.payload_base64
    except ValueError as error:
        raise ValueError(f"payload is {told.payload!r}, which is not hex") from error
    return Downlink(
        payload=payload,
        object=told.object,
        fport=None if told.fport is None and told.object is not None else _fport("fport", told.fport or 0),
        confirmed=told.confirmed,
        priority=told.priority,
        at_us=parse_rfc3339_us(told.at) if told.at else None,
        expires_at_us=parse_rfc3339_us(told.expires_at) if told.expires_at else None,
    )


def chirpstack(names: dict[str, str], value: bytes) -> Command:
    """A message on ChirpStack's command topic; `names` are what the topic says: dev_eui and command."""
    if names["command"] != "down":
        raise ValueError(f"command is {names['command']!r}, only 'down' is known")
    told = _decoded(_chirpstack, value)
    dev_eui = parse_eui(names["dev_eui"])
    if parse_eui(told.dev_eui) != dev_eui:
        raise ValueError(f"devEui is {told.dev_eui!r}, but the topic is of {dev_eui}")
    return Command((_chirpstack_downlink(told),), dev_eui=dev_eui)


def chirpstack_queue(dev_eui: str, body: bytes) -> Command:
    """The body of ChirpStack's `POST /api/devices/{dev_eui}/queue`: one `queueItem`, its names in either spelling."""
    told = _decoded(_any, body)
    item = told.get("queueItem", told.get("queue_item")) if isinstance(told, dict) else None
    if not isinstance(item, dict):
        raise ValueError("the command cannot be read: it has no object queueItem")
    try:
        found = msgspec.convert({"queueItem": {_camel(name): value for name, value in item.items()}}, _Enqueue)
    except msgspec.ValidationError as error:
        raise ValueError(f"the command cannot be read: {error}") from error
    if found.queue_item.dev_eui and parse_eui(found.queue_item.dev_eui) != parse_eui(dev_eui):
        raise ValueError(f"devEui is {found.queue_item.dev_eui!r}, but the address is of {dev_eui}")
    if found.queue_item.is_encrypted:
        raise ValueError("isEncrypted is true: payloads are encrypted here, send the plain one")
    return Command((_chirpstack_downlink(found.queue_item),), dev_eui=parse_eui(dev_eui))


def _chirpstack_downlink(told: _ChirpStackDown) -> Downlink:
    return Downlink(
        payload=None if told.object is not None else told.data,
        object=told.object,
        fport=_fport("fPort", told.f_port),
        confirmed=told.confirmed,
        id=told.id or None,
        expires_at_us=parse_rfc3339_us(told.expires_at) if told.expires_at else None,
    )


def tts(names: dict[str, str], value: bytes) -> Command:
    """A message on The Things Stack's `down/push` or `down/replace` topic; `names`: device_id and command."""
    if names["command"] not in ("push", "replace"):
        raise ValueError(f"command is {names['command']!r}, only 'push' and 'replace' are known")
    told = _decoded(_tts, value)
    if len(told.downlinks) > MAX_DOWNLINKS:
        raise ValueError(f"downlinks has {len(told.downlinks)} items, at most {MAX_DOWNLINKS} are taken")
    downlinks = tuple(_tts_downlink(one) for one in told.downlinks)
    return Command(downlinks, replace=names["command"] == "replace", **device_of(names["device_id"]))


def _tts_downlink(told: _TtsDownlink) -> Downlink:
    if told.priority not in PRIORITIES:
        raise ValueError(f"priority is {told.priority!r}, expected one of {', '.join(PRIORITIES)}")
    at = told.class_b_c.absolute_time if told.class_b_c is not None else ""
    return Downlink(
        payload=None if told.decoded_payload is not None else told.frm_payload,
        object=told.decoded_payload,
        fport=None if told.f_port == 0 and told.decoded_payload is not None else _fport("f_port", told.f_port),
        confirmed=told.confirmed,
        priority=PRIORITIES[told.priority],
        at_us=parse_rfc3339_us(at) if at else None,
    )


def device_of(device_id: str) -> dict[str, str]:
    """How a device id of The Things Stack names a device: `eui-` and a DevEUI, else by its name."""
    if device_id.startswith("eui-"):
        return {"dev_eui": parse_eui(device_id.removeprefix("eui-"))}
    return {"device_id": device_id}


def _decoded(decoder: msgspec.json.Decoder[Any], value: bytes) -> Any:
    try:
        return decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"the command cannot be read: {error}") from error


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(part.capitalize() for part in more)


def _fport(name: str, fport: int) -> int:
    if not 1 <= fport <= 223:
        raise ValueError(f"{name} is {fport}, expected 1 to 223")
    return fport
