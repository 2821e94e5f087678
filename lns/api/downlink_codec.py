"""Downlinks through the codec of their device: objects become octets, and octets are shown as objects."""

from collections.abc import Sequence
from typing import Any

import msgspec

from decoders.contract import Downlink, Request
from lns.api.outcomes import shown_error
from lns.api.problems import ApiProblem
from lns.api.services import Services
from lns.clock import now_us
from lns.decoding.codecs import Codec
from lns.mac.queue import DownlinkItem
from lns.mac.session import Device

DEFAULT_FPORT = 1
"""What a codec is told where nobody names an FPort and it may name its own."""


class Encoded(msgspec.Struct, frozen=True):
    """The octets of an object and the FPort to send them on."""

    payload: bytes
    fport: int


async def encode(services: Services, device: Device, value: dict[str, Any], fport: int | None) -> Encoded:
    """`value` by `encodeDownlink` of the device's codec; a given `fport` goes before the codec's.

    ApiProblem where the device has no codec, the codec cannot encode, or says that it does not want to.
    """
    codec = _codec(services, device)
    fcnt = 0 if device.session is None else device.session.fcnt_down
    variables = services.codecs.variables(device.id)
    asked = Downlink(msgspec.json.encode(value), fport or DEFAULT_FPORT, now_us(), device.dev_eui, fcnt, variables)
    made = await services.decoder_pool.encode_downlink(codec.key, codec.source, asked, codec.convention)
    if made.error is not None:
        excerpt = shown_error(made.error, codec.source)["excerpt"]
        text = f"codec {codec.name!r} does not encode this object: {made.error.text()}"
        raise ApiProblem(422, "not_encoded", f"{text}\n{excerpt}" if excerpt else text)
    return Encoded(made.payload, fport or made.fport)


async def decode(services: Services, device: Device, items: Sequence[DownlinkItem]) -> list[dict[str, Any]]:
    """What `decodeDownlink` of the device's codec makes of queued downlinks: `object`, or `object_error`."""
    codec = services.codecs.of(device.id)
    if codec is None:
        return [{"object": None, "object_error": "the device has no codec"} for _ in items]
    variables = services.codecs.variables(device.id)
    requests = [
        Request(item.payload, item.fport, item.enqueued_at_us, device.dev_eui, item.fcnt_down or 0, variables)
        for item in items
    ]
    results = await services.decoder_pool.decode_downlink(codec.key, codec.source, requests, codec.convention)
    return [
        {"object": None, "object_error": result.error.text()}
        if result.error is not None
        else {"object": msgspec.json.decode(result.data_json) if result.data_json else None, "object_error": None}
        for result in results
    ]


def _codec(services: Services, device: Device) -> Codec:
    codec = services.codecs.of(device.id)
    if codec is None:
        text = f"device {device.dev_eui} has no codec: give the payload, or the device a codec that encodes"
        raise ApiProblem(422, "not_encoded", text)
    return codec
