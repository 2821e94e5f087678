"""Which codec decodes which device, held in memory so that an uplink costs two dictionary look-ups."""

import asyncio
from typing import Any

import msgspec

from lns.registry.registry import Registry

_NO_VARIABLES: dict[str, str] = {}


class Codec(msgspec.Struct, frozen=True):
    """One codec version in use; `key` names its source in the decoder pool."""

    version_id: int
    name: str
    key: str
    source: str

    def __hash__(self) -> int:
        return self.version_id


class Codecs:
    """Assignments of devices and templates to the active codec versions."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._active: dict[int, Codec] = {}
        self._codec_id: dict[int, int] = {}
        self._variables: dict[int, dict[str, str]] = {}
        self._rules: dict[int, dict[str, Any]] = {}

    async def load(self) -> None:
        """Read all assignments from the registry."""
        versions, snapshot = await asyncio.to_thread(self._read)
        self._active = {v.codec_id: Codec(v.id, v.codec, v.sha256, v.source) for v in versions}
        self._codec_id = {d.id: d.codec_id for d in snapshot.devices if d.codec_id is not None}
        self._variables = {d.id: d.variables for d in snapshot.devices if d.variables}
        templates = {t.id: t.rules for t in snapshot.templates.values() if t.rules}
        self._rules = {d.id: templates[d.template_id] for d in snapshot.devices if d.template_id in templates}

    def of(self, device_id: int) -> Codec | None:
        """The codec of a device, or None when it has none."""
        codec_id = self._codec_id.get(device_id)
        return None if codec_id is None else self._active.get(codec_id)

    def variables(self, device_id: int) -> dict[str, str]:
        """What the script sees as `variables`."""
        return self._variables.get(device_id, _NO_VARIABLES)

    def rules(self, device_id: int) -> dict[str, Any] | None:
        """Store-on-change rules of the device's template."""
        return self._rules.get(device_id)
