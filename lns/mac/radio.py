"""What the network believes a device has: channels, data rate, power, class, and the requests that are under way.

A Radio changes only by what the device answered or did, never by what was asked of it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lns.lorawan.chmask import mask_of
from lns.lorawan.joinaccept import cflist_channels, cflist_masks
from lns.lorawan.regions.region import Channel, Region

REFUSALS = 2
"""A value refused so often is not asked for again."""


class Asked(msgspec.Struct, frozen=True):
    """A request under way: its octets, the FCntDown of its last frame, how often it was sent, the FCntUp by then."""

    octets: bytes
    fcnt_down: int
    times: int
    fcnt_up: int


class Radio:
    """A new one is what a device has after a join without CFList, or from its factory.

    `channels` are those of a dynamic plan; the dict is replaced, never changed. Bit n of `mask` is channel n. `dr` is
    the data rate commanded or used last, None before. `tx_power` is the TXPower index, `adr_ack_limit_exp`,
    `adr_ack_delay_exp`, `max_duty_cycle`, `rejoin_time_n` and `rejoin_count_n` are exponents of two. A
    `ping_slot_freq_hz` or `beacon_freq_hz` of None is the region's. `battery` is 0 (external), 1 to 254 or 255
    (unknown). `asked` goes by family, `answered` holds the FCntUp of a family's last answer, `refused` counts by
    family and value, `wishes` are requests that people make once.
    `gateways` are EUIs and SNRs, the best first, kept for devices that are reached without an uplink.
    """

    __slots__ = (
        "adr_ack_delay_exp",
        "adr_ack_limit_exp",
        "answered",
        "asked",
        "battery",
        "beacon_freq_hz",
        "channels",
        "device_class",
        "dl_freq_hz",
        "downlink_dwell",
        "dr",
        "gateways",
        "margin_db",
        "mask",
        "max_duty_cycle",
        "max_eirp_dbm",
        "nb_trans",
        "ping_periodicity",
        "ping_slot_dr",
        "ping_slot_freq_hz",
        "refused",
        "rejoin_count_n",
        "rejoin_time_n",
        "status_at_us",
        "status_fcnt_up",
        "tx_power",
        "uplink_dwell",
        "wishes",
    )

    def __init__(self, region: Region) -> None:
        self.dr: int | None = None
        self.tx_power = 0
        self.nb_trans = 1
        self.channels: dict[int, Channel] = {}
        if region.plan == "dynamic":
            self.channels = {channel.index: channel for channel in region.uplink_channels}
        self.mask = region.channel_mask()
        self.dl_freq_hz: dict[int, int] = {}
        self.uplink_dwell = region.uplink_dwell_400ms
        self.downlink_dwell = region.downlink_dwell_400ms
        self.max_eirp_dbm = region.max_eirp_dbm
        self.max_duty_cycle = 0
        self.adr_ack_limit_exp = 6
        self.adr_ack_delay_exp = 5
        self.rejoin_time_n: int | None = None
        self.rejoin_count_n: int | None = None
        self.device_class = "A"
        self.ping_periodicity: int | None = None
        self.ping_slot_freq_hz: int | None = None
        self.ping_slot_dr = region.class_b.ping_slot_dr
        self.beacon_freq_hz: int | None = None
        self.battery: int | None = None
        self.margin_db: int | None = None
        self.status_at_us: int | None = None
        self.status_fcnt_up = 0
        self.asked: dict[str, Asked] = {}
        self.answered: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.wishes: dict[str, bytes] = {}
        self.gateways: tuple[tuple[str, float], ...] = ()

    def use_cflist(self, region: Region, cflist: bytes) -> None:
        """Take what a join-accept told: channels of a dynamic plan (type 0) or masks of a fixed one (type 1)."""
        if region.plan == "fixed":
            masks = cflist_masks(cflist)
            if masks is not None:
                self.mask &= sum([mask << 16 * n for n, mask in enumerate(masks)])
            return
        first = len(region.uplink_channels)
        for n, freq_hz in enumerate(cflist_channels(cflist, region.freq_step_hz) or ()):
            self.set_channel(region, first + n, freq_hz)

    def set_channel(self, region: Region, index: int, freq_hz: int) -> None:
        """Add, replace or (0 Hz) remove an extra channel, which has the data rates of the default ones."""
        self.dl_freq_hz.pop(index, None)  # LoRaWAN 1.0.2: NewChannelReq undoes DlChannelReq
        channels = dict(self.channels)
        if freq_hz:
            default = region.uplink_channels[0]
            channels[index] = Channel(index, freq_hz, default.min_dr, default.max_dr)
            self.mask |= 1 << index
        else:
            channels.pop(index, None)
            self.mask &= ~(1 << index)
        self.channels = channels

    def forget_channels(self, region: Region) -> None:
        """Believe in the default channels only: the device has shown that it has not what was told it."""
        fresh = Radio(region)
        self.channels, self.mask, self.dl_freq_hz = fresh.channels, fresh.mask, {}

    def restart_counts(self) -> None:
        """FCntUp starts anew, and the device has kept its radio: a counter reset, or a rejoin-request of type 2."""
        self.asked = {family: msgspec.structs.replace(asked, fcnt_up=-1) for family, asked in self.asked.items()}
        self.answered = {}
        self.status_fcnt_up = 0

    def uncertain(self, family: str) -> bool:
        """Whether the device may have what was asked of it and is not believed yet: its answer may be lost."""
        return family in self.asked

    def refuses(self, family: str, value: str) -> bool:
        """Whether the device has refused that value often enough."""
        return self.refused.get(f"{family}:{value}", 0) >= REFUSALS

    def note_refusal(self, family: str, value: str) -> int:
        """Count a refusal; returns how many there were."""
        key = f"{family}:{value}"
        count = self.refused[key] = self.refused.get(key, 0) + 1
        return count

    def dump(self) -> bytes:
        """As JSON, for the database and for exports."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["mask"] = f"{self.mask:x}"  # may have more bits than a JSON number
        return msgspec.json.encode(_Stored(**values))

    @classmethod
    def load(cls, region: Region, octets: bytes) -> "Radio":
        """From what `dump` made. ValueError where it is something else."""
        radio = cls(region)
        stored = msgspec.json.decode(octets, type=_Stored)
        for name in cls.__slots__:
            setattr(radio, name, getattr(stored, name))
        radio.mask = int(stored.mask, 16)
        known = mask_of(radio.channels.values()) if region.plan == "dynamic" else region.channel_mask()
        if not radio.mask or radio.mask & ~known:
            raise ValueError(f"channel mask {stored.mask} is empty or has channels beyond {known:x}")
        return radio


class _Stored(msgspec.Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """A Radio as JSON: the same names, only what differs from the defaults of every region."""

    dr: int | None = None
    tx_power: int = 0
    nb_trans: int = 1
    channels: dict[int, Channel] = {}
    mask: Annotated[str, Meta(pattern="^[0-9a-f]{1,24}$")]
    dl_freq_hz: dict[int, int] = {}
    uplink_dwell: bool = False
    downlink_dwell: bool = False
    max_eirp_dbm: float
    max_duty_cycle: int = 0
    adr_ack_limit_exp: int = 6
    adr_ack_delay_exp: int = 5
    rejoin_time_n: int | None = None
    rejoin_count_n: int | None = None
    device_class: Literal["A", "B", "C"] = "A"
    ping_periodicity: int | None = None
    ping_slot_freq_hz: int | None = None
    ping_slot_dr: int
    beacon_freq_hz: int | None = None
    battery: int | None = None
    margin_db: int | None = None
    status_at_us: int | None = None
    status_fcnt_up: int = 0
    asked: dict[str, Asked] = {}
    answered: dict[str, int] = {}
    refused: dict[str, int] = {}
    wishes: dict[str, bytes] = {}
    gateways: tuple[tuple[str, float], ...] = ()
