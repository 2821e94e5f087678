"""Which codec decodes which device and what is stored of it, in memory: an uplink costs a few dictionary look-ups."""

import asyncio

import msgspec

from decoders.change import Rule
from lns.config import Measurements as MeasurementsConfig
from lns.decoding import link
from lns.registry.registry import Registry
from lns.registry.rows import NetworkSnapshot

_NO_VARIABLES: dict[str, str] = {}

Rules = dict[str, Rule]


class Codec(msgspec.Struct, frozen=True):
    """One codec version in use; `key` names its source in the decoder pool."""

    version_id: int
    name: str
    key: str
    source: str

    def __hash__(self) -> int:
        return self.version_id


class Assignment(msgspec.Struct, frozen=True):
    """What decides how a device is decoded; shared by all devices that have the same."""

    codec_id: int | None
    template_id: int


class Codecs:
    """Assignments of devices to the active codec versions and to store-on-change rules."""

    def __init__(self, registry: Registry, config: MeasurementsConfig) -> None:
        self._registry = registry
        self._link_rules = _link_rules(config)
        self._active: dict[int, Codec] = {}
        self._rules: dict[int, Rules] = {}
        self._assigned: dict[int, Assignment] = {}
        self._shared: dict[Assignment, Assignment] = {}
        self._variables: dict[int, dict[str, str]] = {}

    async def load(self) -> None:
        """Read the active codec versions; devices come through `take`."""
        versions = await asyncio.to_thread(self._registry.codecs.active)
        self._active = {v.codec_id: Codec(v.id, v.codec, v.sha256, v.source) for v in versions}

    def take(self, snapshot: NetworkSnapshot) -> None:
        """Devices were loaded: note their codec, variables and rules."""
        for template in snapshot.templates.values():
            self._rules[template.id] = {**self._link_rules, **msgspec.convert(template.rules, Rules)}
        for device in snapshot.devices:
            assignment = Assignment(device.codec_id, device.template_id)
            self._assigned[device.id] = self._shared.setdefault(assignment, assignment)
            if device.variables:
                self._variables[device.id] = device.variables
            else:
                self._variables.pop(device.id, None)

    def of(self, device_id: int) -> Codec | None:
        """The codec of a device, or None when it has none."""
        assignment = self._assigned.get(device_id)
        if assignment is None or assignment.codec_id is None:
            return None
        return self._active.get(assignment.codec_id)

    def variables(self, device_id: int) -> dict[str, str]:
        """What the script sees as `variables`."""
        return self._variables.get(device_id, _NO_VARIABLES)

    def rules(self, device_id: int) -> Rules:
        """Store-on-change rules of the device's template over those of link metadata."""
        assignment = self._assigned.get(device_id)
        return self._link_rules if assignment is None else self._rules.get(assignment.template_id, self._link_rules)


def _link_rules(config: MeasurementsConfig) -> Rules:
    heartbeat_s = config.heartbeat_s
    return {
        link.RSSI: Rule(deadband_abs=config.link_rssi_deadband_db, heartbeat_s=heartbeat_s),
        link.SNR: Rule(deadband_abs=config.link_snr_deadband_db, heartbeat_s=heartbeat_s),
        link.DR: Rule(heartbeat_s=heartbeat_s),
        link.GATEWAYS: Rule(heartbeat_s=heartbeat_s),
    }
