"""A message as an outlet would send it, of a device that does not exist: to try a destination out."""

import msgspec

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Decoded, Measurement, Rx, Stored, Uplink
from lns.lorawan.modulation import Lora
from lns.outlets import kinds
from lns.outlets.definition import Filter, Outlet
from lns.outlets.formats.outgoing import Described

DEV_EUI = "0000000000000000"
_DEVICE = Described("sample", "sample")


def records(application_id: int, at_us: int, uplink_id: bytes) -> tuple[Stored, Stored]:
    """An uplink and what was decoded of it; neither seq 0 nor a codec version 0 exists."""
    rx = Rx("0000000000000000", -80.0, 7.5, 1_000_000, at_us)
    radio = (False, False, 5, 868_100_000, Lora(7, 125_000), at_us, (rx,), "EU868")
    uplink = Uplink(uplink_id, 0, application_id, DEV_EUI, "00000000", 1, 1, b"\x01\x02", *radio)
    values = (Measurement("temperature", at_us, 21.5, "°C"),)
    decoded = Decoded(uplink_id, 0, 0, application_id, DEV_EUI, 1, 1, at_us, 0, b'{"temperature":21.5}', values)
    return Stored(0, "uplink", uplink), Stored(0, "decoded", decoded)


async def message(outlet: Outlet, net_id: str, at_us: int, uplink_id: bytes) -> Outgoing:
    """The newest message that the outlet's format makes of a sample, whatever its filter says. ConfigError."""
    uplink, decoded = records(outlet.application_id, at_us, uplink_id)

    async def find(_: int) -> Stored:
        return uplink

    everything = msgspec.structs.replace(outlet, filter=Filter())
    render = kinds.renderer(everything, lambda _: _DEVICE, find, net_id)
    made = [*await render(uplink), *await render(decoded)]
    # an id of three parts: brokers retain the newest message of a device, but not one that comes out of turn
    return msgspec.structs.replace(made[-1], id=f"test_sample_{uplink_id.hex()}")
