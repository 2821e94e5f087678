"""A region's channel plan as one value: the tables are data, the few rules that read them are here.

Chapters are those of RP002-1.0.4, LoRaWAN Regional Parameters.
"""

from collections.abc import Sequence

import msgspec

from lns.lorawan.class_b import BEACON_PERIOD_S
from lns.lorawan.modulation import LrFhss, Modulation

SUB_BAND_CHANNELS = 8
FIRST_500_KHZ_CHANNEL = 64
"""US915 and AU915 have 64 channels of 125 kHz, then 8 of 500 kHz; no other region has a second kind."""

_AS_WITHOUT_DWELL = -1


class Channel(msgspec.Struct, frozen=True, gc=False):
    """A channel and the data rates it may be used with, both ends included."""

    index: int
    freq_hz: int
    min_dr: int
    max_dr: int


class DataRate(msgspec.Struct, frozen=True):
    """A data rate in one direction; `max_macpayload` is M in octets without a repeater: FHDR, FPort and FRMPayload.

    `max_macpayload_dwell` is M under a dwell time limit of 400 ms: None where the data rate is unusable then, and the
    same as without where it is not given.
    """

    dr: int
    modulation: Modulation
    max_macpayload: int
    max_macpayload_dwell: int | None = _AS_WITHOUT_DWELL

    def __post_init__(self) -> None:
        if self.max_macpayload_dwell == _AS_WITHOUT_DWELL:
            msgspec.structs.force_setattr(self, "max_macpayload_dwell", self.max_macpayload)


class Band(msgspec.Struct, frozen=True, gc=False):
    """A sub-band from `min_hz` to `max_hz`: the share of time a transmitter may use, and the power to ask gateways for.

    `gateway_eirp_dbm` stays within the limit and is a whole number: forwarders cut the fraction off, and the older ones
    refuse a power that is not in their table. They subtract the gain of their antenna themselves.
    """

    min_hz: int
    max_hz: int
    duty_cycle: float
    gateway_eirp_dbm: float


class ClassB(msgspec.Struct, frozen=True, kw_only=True):
    """Where beacons and ping slots are; with several frequencies they take turns, one a beacon period.

    The octets of a beacon and its two RFU parts follow its spreading factor: 17, 1, 0 is the one of SF9.
    """

    beacon_freqs_hz: tuple[int, ...]
    beacon_dr: int
    beacon_size: int = 17
    beacon_rfu1: int = 1
    beacon_rfu2: int = 0
    ping_slot_freqs_hz: tuple[int, ...]
    ping_slot_dr: int

    @property
    def hopping(self) -> bool:
        """Whether the frequency of ping slots changes by itself."""
        return len(self.ping_slot_freqs_hz) > 1


class JoinChannel(msgspec.Struct, frozen=True):
    """A common join channel of CN470: where both windows of a join are, and what the session has from it.

    `class_b` is None where it is the region's.
    """

    freq_hz: int
    rx1_freq_hz: int
    rx2_freq_hz: int
    class_b: ClassB | None = None


def power_steps(last: int) -> tuple[float, ...]:
    """Offsets to the maximum EIRP by TXPower 0 to `last`: every region steps by 2 dB."""
    return tuple(-2.0 * tx_power for tx_power in range(last + 1))


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """Channels, data rates and limits of one region.

    A `plan` is "dynamic" (few default channels, the network adds others) or "fixed" (all channels given, masks choose).
    `downlink_channels_hz` are the RX1 frequencies of a fixed plan; a dynamic one answers on the uplink's frequency.
    """

    name: str
    plan: str
    max_channels: int = 16
    freq_step_hz: int = 100  # of the 24-bit frequencies in commands and in the CFList
    uplink_channels: tuple[Channel, ...]
    downlink_channels_hz: tuple[int, ...] = ()
    uplink_rates: tuple[DataRate, ...]
    downlink_rates: tuple[DataRate, ...]
    rx1_dr: dict[int, tuple[int, ...]]  # uplink data rate -> downlink data rate by rx1_dr_offset
    rx1_dr_dwell: dict[int, tuple[int, ...]] | None = None  # the same under a downlink dwell time limit
    rx2_freq_hz: int
    rx2_dr: int
    bands: tuple[Band, ...]
    max_eirp_dbm: float  # of devices, at TXPower 0
    tx_power_offsets_db: tuple[float, ...] = power_steps(7)  # by TXPower
    max_adr_dr: int
    join_drs: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    join_only_freqs_hz: tuple[int, ...] = ()  # where older revisions let devices join beside the default channels
    common_join_channels: tuple[JoinChannel, ...] = ()  # where a fixed plan does not join on all of its channels
    join_accept_delay1_s: int = 5
    has_tx_param_setup: bool = False
    uplink_dwell_400ms: bool = False  # what a device has after its start, until TXParamSetupReq changes it
    downlink_dwell_400ms: bool = False
    class_b: ClassB

    # Look-ups made from the tables above.
    _uplink: dict[int, DataRate] = {}
    _downlink: dict[int, DataRate] = {}
    _dr_by_modulation: dict[Modulation, int] = {}
    _channel_by_freq: dict[int, Channel] = {}
    _mask_by_dr: dict[int, int] = {}
    _join_by_freq: dict[int, JoinChannel] = {}

    def __post_init__(self) -> None:
        self._uplink.update((rate.dr, rate) for rate in self.uplink_rates)
        self._downlink.update((rate.dr, rate) for rate in self.downlink_rates)
        self._dr_by_modulation.update((rate.modulation, rate.dr) for rate in self.uplink_rates)
        self._channel_by_freq.update((channel.freq_hz, channel) for channel in self.uplink_channels)
        self._join_by_freq.update((channel.freq_hz, channel) for channel in self.common_join_channels)
        for dr in self._uplink:
            allowing = (c for c in self.uplink_channels if c.min_dr <= dr <= c.max_dr)
            self._mask_by_dr[dr] = sum(1 << channel.index for channel in allowing)

    @property
    def has_new_channel(self) -> bool:
        """Whether devices know NewChannelReq and DlChannelReq: those of a fixed plan never answer them."""
        return self.plan == "dynamic"

    @property
    def max_tx_power(self) -> int:
        """The largest TXPower, that is the least power."""
        return len(self.tx_power_offsets_db) - 1

    def uplink_dr(self, modulation: Modulation) -> int | None:
        """The data rate of an uplink heard with `modulation`; None when the region has none such."""
        if isinstance(modulation, LrFhss):
            modulation = LrFhss(modulation.ocw_hz, modulation.coding_rate)  # the grid is no part of the data rate
        return self._dr_by_modulation.get(modulation)

    def uplink_modulation(self, dr: int) -> Modulation:
        """The modulation of an uplink data rate; KeyError when the region has none such."""
        return self._uplink[dr].modulation

    def downlink_modulation(self, dr: int) -> Modulation:
        """The modulation of a downlink data rate; KeyError when the region has none such."""
        return self._downlink[dr].modulation

    def max_macpayload(self, dr: int, downlink: bool = False, dwell: bool = False) -> int | None:
        """M in octets: FHDR, FPort and FRMPayload. None when `dr` does not exist in that direction or with `dwell`."""
        rate = (self._downlink if downlink else self._uplink).get(dr)
        if rate is None:
            return None
        return rate.max_macpayload_dwell if dwell else rate.max_macpayload

    def uplink_channel_allowed(self, freq_hz: int) -> bool:
        """Whether a device may be heard at `freq_hz`: on a channel of a fixed plan, in a band of a dynamic one."""
        if self.plan == "fixed":
            return freq_hz in self._channel_by_freq
        return self._band(freq_hz) is not None

    def uplink_channel_index(self, freq_hz: int, dr: int) -> int | None:
        """The index of the plan's own channel at `freq_hz`, if that one may be used at `dr`."""
        channel = self._channel_by_freq.get(freq_hz)
        return channel.index if channel is not None and channel.min_dr <= dr <= channel.max_dr else None

    def channels_allowing(self, dr: int) -> int:
        """Bit n for each of the plan's own channels that may be used at `dr`."""
        return self._mask_by_dr.get(dr, 0)

    def rx1(self, freq_hz: int, uplink_dr: int, rx1_dr_offset: int, dwell: bool = False) -> tuple[int, int]:
        """Frequency and data rate of RX1 after an uplink. ValueError when the region has no such uplink or offset."""
        table = self.rx1_dr_dwell if dwell and self.rx1_dr_dwell is not None else self.rx1_dr
        row = table.get(uplink_dr, ())
        if not 0 <= rx1_dr_offset < len(row):
            raise ValueError(f"{self.name} has no rx1 for uplink dr {uplink_dr} with rx1_dr_offset {rx1_dr_offset}")
        if self.plan == "dynamic":
            return freq_hz, row[rx1_dr_offset]
        channel = self._channel_by_freq.get(freq_hz)
        if channel is None:
            raise ValueError(f"{self.name} has no uplink channel at {freq_hz} Hz")
        return self.downlink_channels_hz[channel.index % len(self.downlink_channels_hz)], row[rx1_dr_offset]

    def downlink_eirp_dbm(self, freq_hz: int) -> float:
        """The power to ask a gateway for. ValueError outside the region's bands."""
        band = self._band(freq_hz)
        if band is None:
            raise ValueError(f"{self.name} has no band at {freq_hz} Hz")
        return band.gateway_eirp_dbm

    def device_eirp_dbm(self, tx_power: int, max_eirp_dbm: float | None = None) -> float:
        """The power of a device told `tx_power`, with a maximum of its own or the region's. ValueError if undefined."""
        if not 0 <= tx_power <= self.max_tx_power:
            raise ValueError(f"tx power is {tx_power}, 0 to {self.max_tx_power} are defined in {self.name}")
        return (self.max_eirp_dbm if max_eirp_dbm is None else max_eirp_dbm) + self.tx_power_offsets_db[tx_power]

    def join_channel_allowed(self, freq_hz: int) -> bool:
        """Whether the region lets a device send a join-request at `freq_hz`."""
        if self.common_join_channels:
            return freq_hz in self._join_by_freq
        return freq_hz in self._channel_by_freq or freq_hz in self.join_only_freqs_hz

    def join_channels(self, sub_band: int = 0) -> tuple[Channel, ...]:
        """Channels that a join-request is sent on, each at those `join_drs` that it has; `sub_band` as `channel_mask`.

        All of them where a sub-band has none: CN470's 20 and 26 MHz plans join on a few channels only.
        """
        joinable = tuple(channel for channel in self.uplink_channels if self.join_channel_allowed(channel.freq_hz))
        mask = self.channel_mask(sub_band)
        return tuple(channel for channel in joinable if mask >> channel.index & 1) or joinable

    def join_rx1(self, freq_hz: int, uplink_dr: int) -> tuple[int, int]:
        """Frequency and data rate of RX1 after a join-request. ValueError when it cannot be one of this region."""
        usual_hz, dr = self.rx1(freq_hz, uplink_dr, 0, self.downlink_dwell_400ms)
        if not self.common_join_channels:
            return usual_hz, dr
        return self._join_channel(freq_hz).rx1_freq_hz, dr

    def join_rx2(self, freq_hz: int) -> tuple[int, int]:
        """Frequency and data rate of RX2 after a join-request. ValueError when it cannot be one of this region."""
        if not self.common_join_channels:
            return self.rx2_freq_hz, self.rx2_dr
        return self._join_channel(freq_hz).rx2_freq_hz, self.rx2_dr

    def session_rx2(self, join_freq_hz: int) -> tuple[int, int]:
        """RX2 of a session until it is told another: where its join-accept could have come."""
        return self.join_rx2(join_freq_hz)

    def channel_mask(self, sub_band: int = 0) -> int:
        """Bit n for each channel of a sub-band; all of the plan's own with 0, and in a dynamic plan, which has none.

        Sub-band n of a fixed plan is channels 8(n-1) to 8n-1 and the n-th 500 kHz channel. ValueError beyond the last.
        """
        if self.plan == "dynamic" or sub_band == 0:
            return sum(1 << channel.index for channel in self.uplink_channels)
        narrow, wide = SUB_BAND_CHANNELS * (sub_band - 1), FIRST_500_KHZ_CHANNEL + sub_band - 1
        two_kinds = self.max_channels == FIRST_500_KHZ_CHANNEL + SUB_BAND_CHANNELS
        last = (FIRST_500_KHZ_CHANNEL if two_kinds else self.max_channels) // SUB_BAND_CHANNELS
        if not 1 <= sub_band <= last:
            raise ValueError(f"sub-band is {sub_band}, 1 to {last} exist")
        return 0xFF << narrow | (1 << wide if two_kinds else 0)

    def cflist(self, extra_channels_hz: Sequence[int] = (), sub_band: int = 0) -> bytes | None:
        """The 16 octets of a join-accept's CFList, None when there is nothing to tell.

        A dynamic plan lists up to five extra channels (type 0), a fixed one the channel mask of a sub-band (type 1):
        chapters Join-Accept CFList Type 0 and Type 1.
        """
        if self.plan == "fixed":
            return None if sub_band == 0 else self.channel_mask(sub_band).to_bytes(15, "little") + b"\x01"
        if not extra_channels_hz:
            return None
        if len(extra_channels_hz) > 5:
            raise ValueError(f"{len(extra_channels_hz)} extra channels are given, at most 5 fit")
        step_hz = self.freq_step_hz
        for freq_hz in extra_channels_hz:
            if freq_hz % step_hz or self._band(freq_hz) is None:
                raise ValueError(
                    f"extra channel {freq_hz} Hz is not a multiple of {step_hz} Hz in a band of {self.name}"
                )
        listed = [(freq_hz // step_hz).to_bytes(3, "little") for freq_hz in extra_channels_hz]
        return b"".join(listed).ljust(16, b"\x00")

    def beacon_freq_hz(self, beacon_time_gps_s: int) -> int:
        """Where the beacon of that time is sent."""
        freqs_hz = self.class_b.beacon_freqs_hz
        return freqs_hz[beacon_time_gps_s // BEACON_PERIOD_S % len(freqs_hz)]

    def ping_slot_freq_hz(self, dev_addr: str, beacon_time_gps_s: int, join_freq_hz: int | None = None) -> int:
        """Where a device listens in its ping slots after that beacon, unless PingSlotChannelReq said otherwise.

        `join_freq_hz` is where its session began: CN470's 20 MHz plans depend on it.
        """
        join_channel = None if join_freq_hz is None else self._join_by_freq.get(join_freq_hz)
        class_b = join_channel.class_b if join_channel is not None else None
        freqs_hz = (class_b or self.class_b).ping_slot_freqs_hz
        return freqs_hz[(int(dev_addr, 16) + beacon_time_gps_s // BEACON_PERIOD_S) % len(freqs_hz)]

    def _join_channel(self, freq_hz: int) -> JoinChannel:
        channel = self._join_by_freq.get(freq_hz)
        if channel is None:
            raise ValueError(f"{self.name} has no join channel at {freq_hz} Hz")
        return channel

    def _band(self, freq_hz: int) -> Band | None:
        for band in self.bands:
            if band.min_hz <= freq_hz <= band.max_hz:
                return band
        return None
