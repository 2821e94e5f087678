"""Downlink commands from outside into the queues of devices, whichever way and in whose words they came."""

import msgspec

from decoders.contract import Downlink as Encodable
from decoders.pool import Pool
from lns.clock import now_us
from lns.decoding.codecs import Codecs
from lns.mac.session import Device
from lns.network import DownlinkRefused, Network
from lns.outlets.formats import tts
from lns.outlets.formats.commands import Command, Downlink

DEFAULT_FPORT = 1
"""What a codec is told where nobody names an FPort and it may name its own."""


class NoDevice(ValueError):
    """The command names a device that is not there, or is of another application."""


class Commands:
    """Queues what commands ask for."""

    def __init__(self, network: Network, codecs: Codecs, pool: Pool) -> None:
        self._network, self._codecs, self._pool = network, codecs, pool

    async def take(self, command: Command, application_id: int | None = None) -> list[str]:
        """Queue all downlinks of a command; returns their ids. With `application_id` only for its devices.

        ValueError says what is wrong: nothing is queued then but what a full queue still took. NoDevice: no device.
        """
        device = self.device(command, application_id)
        made = [await self._encoded(device, downlink) for downlink in command.downlinks]
        if command.replace:
            await self._network.flush_downlinks(device.dev_eui)
        ids = []
        for downlink, (fport, payload) in zip(command.downlinks, made, strict=True):
            what, when = (
                (fport, payload, downlink.confirmed),
                (downlink.expires_at_us, downlink.priority, downlink.at_us),
            )
            item = await self._network.enqueue(device.dev_eui, *what, *when)
            ids.append(item.id)
        return ids

    def device(self, command: Command, application_id: int | None) -> Device:
        """The device a command names, by DevEUI or by the name that The Things Stack's format gives it."""
        devices = self._network.devices
        if command.dev_eui is not None:
            found = devices.by_eui.get(command.dev_eui)
            if found is None or application_id not in (None, found.application_id):
                raise NoDevice(f"device {command.dev_eui} does not exist" + _here(application_id))
            return found
        named = [
            device
            for device in devices.by_id.values()
            if application_id in (None, device.application_id)
            and tts.device_id(device.name, device.dev_eui) == command.device_id
        ]
        if not named:
            raise NoDevice(f"device {command.device_id!r} does not exist" + _here(application_id))
        if len(named) > 1:
            raise NoDevice(f"{len(named)} devices are called {command.device_id!r}: name it by eui- and its dev_eui")
        return named[0]

    async def _encoded(self, device: Device, downlink: Downlink) -> tuple[int, bytes]:
        """FPort and payload; an object goes through the device's codec."""
        if downlink.object is None:
            if downlink.fport is None:
                raise DownlinkRefused("the fport is missing: only a codec can name it, for an object")
            return downlink.fport, downlink.payload or b""
        codec = self._codecs.of(device.id)
        if codec is None:
            raise DownlinkRefused(f"device {device.dev_eui} has no codec that could encode an object: give the payload")
        fcnt = 0 if device.session is None else device.session.fcnt_down
        value, variables = msgspec.json.encode(downlink.object), self._codecs.variables(device.id)
        asked = Encodable(value, downlink.fport or DEFAULT_FPORT, now_us(), device.dev_eui, fcnt, variables)
        made = await self._pool.encode_downlink(codec.key, codec.source, asked, codec.convention)
        if made.error is not None:
            raise DownlinkRefused(f"codec {codec.name!r} does not encode this object: {made.error.text()}")
        return downlink.fport or made.fport, made.payload


def _here(application_id: int | None) -> str:
    return "" if application_id is None else " in this application"
