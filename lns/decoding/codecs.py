"""Which codec decodes which device and what is stored of it, in memory: an uplink costs a few dictionary look-ups."""

import asyncio

import msgspec

from decoders.change import Rule
from decoders.conventions import CONVENTIONS
from decoders.naming import FieldSpec, Naming
from lns.config import Measurements as MeasurementsConfig
from lns.decoding import link
from lns.decoding.context import Contexts
from lns.decoding.needs import PORTABLE, Needs, needs
from lns.registry.registry import Registry
from lns.registry.rows import CodecVersion, NetworkSnapshot, TemplateRow

_NO_VARIABLES: dict[str, str] = {}

Rules = dict[str, Rule]


class Codec(msgspec.Struct, frozen=True):
    """One codec version in use; `key` names its source in the decoder pool."""

    version_id: int
    name: str
    key: str
    source: str
    convention: str | None = None
    needs: Needs = PORTABLE

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
        self.contexts = Contexts()
        self._link_rules = _link_rules(config)
        self._active: dict[int, Codec] = {}
        self._versions: dict[int, tuple[int, Codec]] = {}
        self._pins: dict[int, int] = {}
        self._rules: dict[int, Rules] = {}
        self._assigned: dict[int, Assignment] = {}
        self._shared: dict[Assignment, Assignment] = {}
        self._variables: dict[int, dict[str, str]] = {}
        self._fields: dict[int, dict[str, FieldSpec]] = {}
        self._namings: dict[tuple[int, int], Naming] = {}

    async def load(self) -> None:
        """Read the codec versions in use, active or pinned; devices come through `take`."""
        self._versions, self._active = await asyncio.to_thread(self._read)

    def _read(self) -> tuple[dict[int, tuple[int, Codec]], dict[int, Codec]]:
        versions = self._registry.codecs.in_use()
        found = {v.id: (v.codec_id, codec_of(v)) for v in versions}
        return found, {v.codec_id: found[v.id][1] for v in versions if v.state == "active"}

    def take(self, snapshot: NetworkSnapshot) -> None:
        """Devices were loaded: note their codec, variables and rules."""
        self.contexts.take(snapshot.gateways)
        for template in snapshot.templates.values():
            self._learn(template)
            if template.codec_version_id is None:
                self._pins.pop(template.id, None)
            else:
                self._pins[template.id] = template.codec_version_id
        for device in snapshot.devices:
            assignment = Assignment(device.codec_id, device.template_id)
            self._assigned[device.id] = self._shared.setdefault(assignment, assignment)
            if device.variables:
                self._variables[device.id] = device.variables
            else:
                self._variables.pop(device.id, None)

    def forget(self, device_id: int) -> None:
        """A device is gone."""
        self._assigned.pop(device_id, None)
        self._variables.pop(device_id, None)

    def _learn(self, template: TemplateRow) -> None:
        rules = {**self._link_rules, **msgspec.convert(template.rules, Rules)}
        fields = msgspec.convert(template.fields, dict[str, FieldSpec])
        if (self._rules.get(template.id), self._fields.get(template.id)) != (rules, fields):
            self._rules[template.id], self._fields[template.id] = rules, fields
            self._namings = {key: naming for key, naming in self._namings.items() if key[1] != template.id}

    def of(self, device_id: int) -> Codec | None:
        """The codec of a device, or None when it has none."""
        assignment = self._assigned.get(device_id)
        if assignment is None or assignment.codec_id is None:
            return None
        if assignment.template_id in self._pins:
            codec_id, pinned = self._versions.get(self._pins[assignment.template_id], (None, None))
            if codec_id == assignment.codec_id:  # not where the device has a codec of its own
                return pinned
        return self._active.get(assignment.codec_id)

    def variables(self, device_id: int) -> dict[str, str]:
        """What the script sees as `variables`."""
        return self._variables.get(device_id, _NO_VARIABLES)

    def remember(self, codec_id: int | None) -> bool:
        """Whether a version in use, of this codec or of any, builds on what came of a device's uplink before."""
        return any(codec.needs.memory for of, codec in self._versions.values() if codec_id in (None, of))

    def codec_id(self, device_id: int) -> int | None:
        """The codec of a device, whichever of its versions decodes; None when it has none or is not known."""
        assignment = self._assigned.get(device_id)
        return None if assignment is None else assignment.codec_id

    def naming(self, device_id: int, codec: Codec | None) -> Naming:
        """Names, units, ranges and store-on-change rules for what a codec version makes of a device's uplinks."""
        assignment = self._assigned.get(device_id)
        template_id = 0 if assignment is None else assignment.template_id
        key = (0 if codec is None else codec.version_id, template_id)
        naming = self._namings.get(key)
        if naming is None:
            rules = self._rules.get(template_id, self._link_rules)
            naming = self._namings[key] = Naming(self._fields.get(template_id), rules)
        return naming


def _link_rules(config: MeasurementsConfig) -> Rules:
    heartbeat_s = config.heartbeat_s
    return {
        link.RSSI: Rule(deadband_abs=config.link_rssi_deadband_db, heartbeat_s=heartbeat_s),
        link.SNR: Rule(deadband_abs=config.link_snr_deadband_db, heartbeat_s=heartbeat_s),
        link.DR: Rule(heartbeat_s=heartbeat_s),
        link.GATEWAYS: Rule(heartbeat_s=heartbeat_s),
    }


def codec_of(version: CodecVersion) -> Codec:
    """A version as the decoders take it; blocking, as `needs` says."""
    convention = _forced(version.convention)
    own = (version.id, version.codec, version.sha256, version.source)
    return Codec(*own, convention, needs(version.source, convention))


def _forced(convention: str) -> str | None:
    """What the pool is told of a script's form; a codec without script has none."""
    return convention if convention in CONVENTIONS else None
