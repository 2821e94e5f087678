"""What the registry hands out: frozen values, one per table, plus the lean ones the network and the decoder load.

EUIs and DevAddr are lower-case hex in display order, keys 16 octets, times UTC microseconds.
"""

from typing import Any

import msgspec

from lns.library.item import Item
from lns.mac.multicast import MulticastDownlink
from lns.mac.queue import DownlinkItem
from lns.mac.settings import MacSettings
from lns.outlets.definition import Outlet


class Application(msgspec.Struct, frozen=True):
    """A group of devices that belong to one use."""

    id: int
    name: str
    description: str
    created_at_us: int
    devices: int = 0


class DeviceTemplate(msgspec.Struct, frozen=True):
    """What devices of one kind share. `rules` say by field what of it is kept; `codec` is a codec's name.

    `network` are the given fields of MacSettings, `fields` label, unit and plausible range by measurement field;
    `codec_version` is the version it is pinned to, None where it follows the active one; `library_item` is where it
    comes from in the template library.
    """

    id: int
    name: str
    region: str | None
    lorawan_version: str
    supports_join: bool
    codec: str | None
    fcnt_reset_allowed: bool
    uplink_interval_s: int | None
    rules: dict[str, Any]
    network: dict[str, Any]
    created_at_us: int
    devices: int = 0
    codec_version: int | None = None
    description: str = ""
    fields: dict[str, Any] = {}
    library_item: str | None = None
    max_measurements_per_hour: int | None = None


class SessionRow(msgspec.Struct, frozen=True, gc=False):
    """One activation. `fcnt_up` is the last one accepted (-1: none yet), the others the next to use.

    `keys` are unsealed: NwkSKey | AppSKey in a session of LoRaWAN 1.0 (`minor` 0), FNwkSIntKey | SNwkSIntKey |
    NwkSEncKey | AppSKey in one of 1.1, whose `fcnt_down` is the NFCntDown. `radio` is a `Radio.dump`, None: defaults.
    """

    id: int
    device_id: int
    region: str
    dev_addr: str
    keys: bytes
    minor: int
    fcnt_up: int
    fcnt_down: int
    afcnt_down: int
    rx1_delay_s: int
    rx1_dr_offset: int
    rx2_dr: int
    rx2_freq_hz: int
    state: str
    created_at_us: int
    last_uplink_at_us: int | None
    radio: bytes | None


class Device(msgspec.Struct, frozen=True):
    """A device as people see it; `codec` and `fcnt_reset_allowed` are its own settings, None means the template's.

    `network` are the fields of MacSettings in which it differs from its template, `rules` those of fields that it has
    instead of the template's; `max_measurements_per_hour` None: the template's, 0: no limit.
    """

    id: int
    dev_eui: str
    name: str
    application: str
    template: str
    activation: str
    join_eui: str | None
    has_nwk_key: bool
    has_app_key: bool
    has_gen_app_key: bool
    codec: str | None
    fcnt_reset_allowed: bool | None
    disabled: bool
    tags: dict[str, str]
    variables: dict[str, str]
    network: dict[str, Any]
    created_at_us: int
    last_seen_at_us: int | None
    session: SessionRow | None
    rules: dict[str, Any] = {}
    max_measurements_per_hour: int | None = None


class DeviceRow(msgspec.Struct, frozen=True):
    """A device as the network and the decoder need it: the template's settings are filled in, except for `rules` and
    `max_measurements_per_hour`.

    `rj_count0` and `rj_count1` are the last ones accepted (-1: none). Equal `settings` are one object.
    """

    id: int
    application_id: int
    template_id: int
    dev_eui: str
    name: str
    activation: str
    join_eui: str | None
    nwk_key: bytes | None
    app_key: bytes | None
    gen_app_key: bytes | None
    join_nonce: int
    rj_count0: int
    rj_count1: int
    region: str
    lorawan_version: str
    codec_id: int | None
    fcnt_reset_allowed: bool
    disabled: bool
    tags: dict[str, str]
    variables: dict[str, str]
    settings: MacSettings
    rules: dict[str, Any] = {}
    max_measurements_per_hour: int | None = None


class TemplateRow(msgspec.Struct, frozen=True):
    """The part of a device template that the decoder needs. `codec_version_id` is the version it is pinned to."""

    id: int
    rules: dict[str, Any]
    codec_version_id: int | None = None
    fields: dict[str, Any] = {}
    max_measurements_per_hour: int | None = None


class Gateway(msgspec.Struct, frozen=True):
    """A gateway that was accepted, named or seen."""

    eui: str
    name: str
    region: str | None
    accepted: bool
    first_seen_at_us: int | None
    last_seen_at_us: int | None
    latitude: float | None
    longitude: float | None
    altitude_m: float | None
    tags: dict[str, str]
    created_at_us: int


class NetworkSnapshot(msgspec.Struct, frozen=True):
    """Everything the network keeps in memory.

    `nonces` are the DevNonces used by device id, oldest first; `downlinks` those that wait or await an
    acknowledgement, in queue order.
    """

    devices: list[DeviceRow]
    sessions: list[SessionRow]
    nonces: dict[int, list[int]]
    downlinks: list[DownlinkItem]
    gateways: list[Gateway]
    templates: dict[int, TemplateRow]
    applications: dict[int, str]


class StoredDownlink(msgspec.Struct, frozen=True):
    """A downlink in any state with the time of its last change; `place` counts in the order of queueing."""

    item: DownlinkItem
    updated_at_us: int
    place: int


class MulticastGroup(msgspec.Struct, frozen=True):
    """Devices that hear the same downlinks, in class B or C. `fcnt` is the next one to use.

    `keys` are unsealed: McNwkSKey | McAppSKey, and the McKey where it is known.
    """

    id: int
    application_id: int
    application: str
    name: str
    device_class: str
    region: str
    mc_addr: str
    keys: bytes
    fcnt: int
    dr: int
    freq_hz: int
    ping_periodicity: int | None
    expires_at_us: int | None
    created_at_us: int
    members: int = 0


class MulticastSnapshot(msgspec.Struct, frozen=True):
    """The groups the network serves; `members` are device ids by group id, `downlinks` wait, oldest first."""

    groups: list[MulticastGroup]
    members: dict[int, list[int]]
    downlinks: list[MulticastDownlink]


class StoredOutlet(msgspec.Struct, frozen=True):
    """An outlet as it is kept, and the application's name."""

    id: int
    application: str
    outlet: Outlet
    created_at_us: int
    changed_at_us: int

    @property
    def key(self) -> str:
        """What the delivery log knows it by: one that is added again under its name begins anew."""
        return f"{self.outlet.key}#{self.id}"


class Codec(msgspec.Struct, frozen=True):
    """A codec with its versions' numbers; `active_version` is the number in use."""

    id: int
    name: str
    active_version: int | None
    versions: int
    created_at_us: int


class CodecVersion(msgspec.Struct, frozen=True):
    """One uploaded source. `sha256` is its key in the decoder pool (`builtin:...` for a codec without source).

    `author` is the name of the API key that added it; `state` is draft (never in use), active, or retired. `examples`
    are in the format of TS013, `passed` and `failed` count them as of the last time they were run.
    """

    id: int
    codec_id: int
    codec: str
    number: int
    sha256: str
    source: str
    convention: str
    note: str
    created_at_us: int
    author: str = ""
    state: str = "draft"
    examples: list[dict[str, Any]] = []
    passed: int = 0
    failed: int = 0


class Activation(msgspec.Struct, frozen=True):
    """A version was put in use. `replaced` is the number used before; `reason` is why although examples failed."""

    version: int
    replaced: int | None
    rollback: bool
    author: str
    reason: str | None
    at_us: int


class LibraryCodec(msgspec.Struct, frozen=True):
    """A codec of an imported library, by the hash of its source. `problem` is why it cannot run at all."""

    sha256: str
    source: str
    convention: str
    examples: list[dict[str, Any]]
    passed: int
    failed: int
    problem: str | None


class LibraryEntry(msgspec.Struct, frozen=True):
    """An item of the template library with the results of its codec's examples."""

    item: Item
    passed: int
    failed: int


class ApiKey(msgspec.Struct, frozen=True):
    """An API key without its secret, of which only the SHA-256 is stored."""

    id: str
    name: str
    hash: bytes
    permissions: tuple[str, ...]
    created_at_us: int
    expires_at_us: int | None
    last_used_at_us: int | None


class DecodeFailure(msgspec.Struct, frozen=True):
    """An uplink that its codec could not decode."""

    uplink_seq: int
    dev_eui: str
    device: str
    codec: str | None
    codec_version: int | None
    reason: str
    message: str
    line: int | None
    column: int | None
    at_us: int
    state: str


class RowResult(msgspec.Struct, frozen=True):
    """What became of one row of an import; `line` counts from 1, `error` is None when the row is good."""

    line: int
    dev_eui: str | None
    error: str | None
