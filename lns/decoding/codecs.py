"""Which codec decodes which device and what is stored of it, in memory: an uplink costs a few dictionary look-ups."""

import asyncio
from collections.abc import Callable

import msgspec

from decoders.change import Rule
from decoders.conventions import CONVENTIONS
from decoders.naming import FieldSpec, Naming
from lns.config import Measurements as MeasurementsConfig
from lns.decoding import link
from lns.decoding.context import Contexts
from lns.decoding.needs import PORTABLE, Needs, needs
from lns.registry.registry import Registry
from lns.registry.rows import CodecVersion, DeviceRow, NetworkSnapshot, TemplateRow

_NO_VARIABLES: dict[str, str] = {}
_NAMINGS = 4096

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
    """What decides how a device is decoded; shared by all devices that have the same.

    `own` names what the device has of its own beside its template's rules; empty: nothing. `kind` numbers the pairs of
    `template_id` and `own`, for one number is looked up faster than two values.
    """

    codec_id: int | None
    template_id: int
    own: bytes
    kind: int


_UNASSIGNED = Assignment(None, 0, b"", 0)


class Own(msgspec.Struct, frozen=True):
    """What a device, or a template, says of what is kept: rules by field, measurements per hour (None: not said)."""

    rules: Rules = {}
    max_per_hour: int | None = None


_NOTHING = Own()


class Codecs:
    """Assignments of devices to the active codec versions and to the rules of what is kept."""

    def __init__(self, registry: Registry, config: MeasurementsConfig) -> None:
        self._registry = registry
        self.contexts = Contexts()
        self._link_rules = _link_rules(config)
        self._active: dict[int, Codec] = {}
        self._versions: dict[int, tuple[int, Codec]] = {}
        self._pins: dict[int, int] = {}
        self._rules: dict[int, Own] = {}
        self._own: dict[bytes, Own] = {b"": _NOTHING}
        self._assigned: dict[int, Assignment] = {}
        self._shared: dict[Assignment, Assignment] = {}
        self._variables: dict[int, dict[str, str]] = {}
        self._fields: dict[int, dict[str, FieldSpec]] = {}
        self._kinds: dict[tuple[int, bytes], int] = {(0, b""): 0}
        self._namings: dict[tuple[int, int], Naming] = {}
        self.on_forgotten: list[Callable[[int], None]] = []

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
            own = self._own_of(device)
            kind = self._kinds.setdefault((device.template_id, own), len(self._kinds))
            assignment = Assignment(device.codec_id, device.template_id, own, kind)
            self._assigned[device.id] = self._shared.setdefault(assignment, assignment)
            if device.variables:
                self._variables[device.id] = device.variables
            else:
                self._variables.pop(device.id, None)

    def forget(self, device_id: int) -> None:
        """A device is gone."""
        self._assigned.pop(device_id, None)
        self._variables.pop(device_id, None)
        for forget in self.on_forgotten:
            forget(device_id)

    def _own_of(self, device: DeviceRow) -> bytes:
        """The name of what a device has of its own, which is noted; equal ones share it."""
        if not device.rules and device.max_measurements_per_hour is None:
            return b""
        own = Own(msgspec.convert(device.rules, Rules), device.max_measurements_per_hour)
        name = msgspec.json.encode(own, order="sorted")
        self._own[name] = own
        return name

    def _learn(self, template: TemplateRow) -> None:
        rules = Own(msgspec.convert(template.rules, Rules), template.max_measurements_per_hour)
        fields = msgspec.convert(template.fields, dict[str, FieldSpec])
        if (self._rules.get(template.id), self._fields.get(template.id)) != (rules, fields):
            self._rules[template.id], self._fields[template.id] = rules, fields
            kinds = {kind for (template_id, _), kind in self._kinds.items() if template_id == template.id}
            self._namings = {key: naming for key, naming in self._namings.items() if key[1] not in kinds}

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
        """Names, units, ranges and the policy of what is kept for what a codec version makes of a device's uplinks."""
        assignment = self._assigned.get(device_id, _UNASSIGNED)
        key = (0 if codec is None else codec.version_id, assignment.kind)
        naming = self._namings.get(key)
        if naming is None:
            if len(self._namings) >= _NAMINGS:  # of templates that are gone, of rules that have changed
                self._namings.clear()
            naming = self._namings[key] = self._naming(assignment)
        return naming

    def _naming(self, assignment: Assignment) -> Naming:
        """A device's rules go before those of its template, and these before those of the link."""
        own, template = self._own[assignment.own], self._rules.get(assignment.template_id, _NOTHING)
        rules = {**self._link_rules, **template.rules, **own.rules}
        most = template.max_per_hour if own.max_per_hour is None else own.max_per_hour
        return Naming(self._fields.get(assignment.template_id), rules, most or 0)


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
