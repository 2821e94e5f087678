"""A good packet, ways to spoil it, and what a server hears of it."""

import json
from typing import Any

from lns.gateways import semtech
from lns.gateways.semtech import PushData
from lns.lorawan.modulation import Lora
from lns.mac.frames import Reception

EUI = "ce0513ae8d021d81"
HEADER = bytes.fromhex("02a07a00" + EUI)

CUT_HZ = 512_000_014
"""A frequency that is 1 Hz lower when `1e6 * freq` is cut to an integer instead of rounded."""

GOOD = {
    "tmst": 5,
    "freq": 868.1,
    "modu": "LORA",
    "datr": "SF7BW125",
    "codr": "4/5",
    "stat": 1,
    "rssi": -50,
    "lsnr": 7.5,
    "size": 3,
    "data": "AAEC",
}
HEARD = Reception(b"\0\1\2", EUI, 868_100_000, Lora(7, 125_000), -50.0, 7.5, 5, 7)


def push(body: str | bytes) -> PushData:
    """The body of a PUSH_DATA as the server reads it."""
    message = semtech.parse(HEADER + (body if isinstance(body, bytes) else body.encode()), 7)
    assert isinstance(message, PushData)
    return message


def rxpk(**changes: Any) -> str:
    """GOOD with changes; None leaves a field out."""
    return json.dumps({name: value for name, value in (GOOD | changes).items() if value is not None})
