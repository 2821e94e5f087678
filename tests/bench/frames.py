"""Uplinks for the benchmarks that run inside one process: devices with real keys, as PHYPayloads and as datagrams."""

from base64 import b64encode

import msgspec

from lns.gateways import semtech
from lns.lorawan.regions import region
from lns.mac.frames import Reception
from simulators import identity, payloads
from simulators.device import Device
from simulators.rxpk import HEAD, Tails

SEED = 1
DATA_RATE = 5
REGION = region("EU868")

_CHANNEL = REGION.uplink_channels[0]
_BEGIN_US, _EVERY_US = 1_760_000_000_000_000, 125
_HEADER = b"\x02\x00\x00%c%b"


class Frame(msgspec.Struct, frozen=True):
    """One uplink; `copies` are the PUSH_DATA of the gateways that heard it."""

    at_us: int
    copies: tuple[bytes, ...]

    def receptions(self) -> list[Reception]:
        """What the listener makes of the copies."""
        found = []
        for datagram in self.copies:
            message = semtech.parse(datagram, self.at_us)
            assert isinstance(message, semtech.PushData)
            found += message.receptions
        return found


class Fleet:
    """ABP devices that take turns, and gateways that all hear them."""

    def __init__(self, devices: int, gateways: int) -> None:
        self.devices = [Device(number, identity.device(SEED, number), REGION, DATA_RATE) for number in range(devices)]
        for device in self.devices:
            device.personalise()
        self._gateways = [bytes.fromhex(identity.gateway_eui(SEED, number)) for number in range(gateways)]
        self._tails = Tails(REGION)
        self._sent = 0

    def frames(self, count: int) -> list[Frame]:
        """The next uplinks."""
        return [self._frame() for _ in range(count)]

    def _frame(self) -> Frame:
        counter, number = divmod(self._sent, len(self.devices))
        self._sent += 1
        phy = self.devices[number].uplink(payloads.FPORT, payloads.reading(number, counter))
        data = b64encode(phy)
        tail = self._tails.tail(_CHANNEL, DATA_RATE, -80 - number % 30, 7.5, data, len(phy))
        at_us = _BEGIN_US + self._sent * _EVERY_US
        return Frame(at_us, tuple([_push_data(eui, at_us & 0xFFFF_FFFF, tail) for eui in self._gateways]))


def _push_data(gateway_eui: bytes, tmst: int, tail: bytes) -> bytes:
    return _HEADER % (semtech.PUSH_DATA, gateway_eui) + b'{"rxpk":[' + HEAD + b"%d%b]}" % (tmst, tail)
