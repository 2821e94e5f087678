"""Which codec decodes which device and what is stored of it, in memory: an uplink costs a few dictionary look-ups."""

import asyncio
from typing import TypeVar

import msgspec

from decoders.change import Rule
from lns.config import Measurements as MeasurementsConfig
from lns.decoding import link
from lns.registry.registry import Registry
from lns.registry.rows import CodecVersion, NetworkSnapshot

_NO_VARIABLES: dict[str, str] = {}

Rules = dict[str, Rule]
V = TypeVar("V")


class Codec(msgspec.Struct, frozen=True):
    """One codec version in use; `key` names its source in the decoder pool."""

    version_id: int
    name: str
    key: str
    source: str

    def __hash__(self) -> int:
        return self.version_id


class Codecs:
    """Assignments of devices to the active codec versions and to store-on-change rules."""

    def __init__(self, registry: Registry, config: MeasurementsConfig) -> None:
        self._registry = registry
        self._link_rules = _link_rules(config)
        self._active: dict[int, Codec] = {}
        self._codec_id: dict[int, int] = {}
        self._variables: dict[int, dict[str, str]] = {}
        self._template_rules: dict[int, Rules] = {}
        self._template_id: dict[int, int] = {}

    async def load(self) -> None:
        """Read all assignments from the registry."""
        versions, snapshot = await asyncio.to_thread(self._read)
        self._active = {v.codec_id: Codec(v.id, v.codec, v.sha256, v.source) for v in versions}
        self._codec_id, self._variables, self._template_id, self._template_rules = {}, {}, {}, {}
        self.take(snapshot)

    def _read(self) -> tuple[list[CodecVersion], NetworkSnapshot]:
        return self._registry.codecs.active(), self._registry.load_network()

    def take(self, snapshot: NetworkSnapshot) -> None:
        """Devices were loaded: note their codec, variables and rules."""
        for template in snapshot.templates.values():
            self._template_rules[template.id] = {**self._link_rules, **msgspec.convert(template.rules, Rules)}
        for device in snapshot.devices:
            self._template_id[device.id] = device.template_id
            _note(self._codec_id, device.id, device.codec_id)
            _note(self._variables, device.id, device.variables or None)

    def of(self, device_id: int) -> Codec | None:
        """The codec of a device, or None when it has none."""
        codec_id = self._codec_id.get(device_id)
        return None if codec_id is None else self._active.get(codec_id)

    def variables(self, device_id: int) -> dict[str, str]:
        """What the script sees as `variables`."""
        return self._variables.get(device_id, _NO_VARIABLES)

    def rules(self, device_id: int) -> Rules:
        """Store-on-change rules of the device's template over those of link metadata."""
        return self._template_rules.get(self._template_id.get(device_id, -1), self._link_rules)


def _link_rules(config: MeasurementsConfig) -> Rules:
    heartbeat_s = config.heartbeat_s
    return {
        link.RSSI: Rule(deadband_abs=config.link_rssi_deadband_db, heartbeat_s=heartbeat_s),
        link.SNR: Rule(deadband_abs=config.link_snr_deadband_db, heartbeat_s=heartbeat_s),
        link.DR: Rule(heartbeat_s=heartbeat_s),
        link.GATEWAYS: Rule(heartbeat_s=heartbeat_s),
    }


def _note(table: dict[int, V], device_id: int, value: V | None) -> None:
    if value is None:
        table.pop(device_id, None)
    else:
        table[device_id] = value
