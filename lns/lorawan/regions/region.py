"""A region's channel plan as one value: the tables are data, the few rules that read them are here."""

from collections.abc import Sequence

import msgspec

from lns.lorawan.modulation import LrFhss, Modulation


class Channel(msgspec.Struct, frozen=True, gc=False):
    """A channel and the data rates it may be used with, both ends included."""

    index: int
    freq_hz: int
    min_dr: int
    max_dr: int


class DataRate(msgspec.Struct, frozen=True):
    """A data rate in one direction; `max_macpayload` is M in octets without a repeater: FHDR, FPort and FRMPayload."""

    dr: int
    modulation: Modulation
    max_macpayload: int


class Band(msgspec.Struct, frozen=True, gc=False):
    """A sub-band from `min_hz` to `max_hz`: the share of time a transmitter may use, and the power to ask gateways for.

    `gateway_eirp_dbm` stays within the limit and is a whole number: forwarders cut the fraction off, and the older ones
    refuse a power that is not in their table.
    """

    min_hz: int
    max_hz: int
    duty_cycle: float
    gateway_eirp_dbm: float


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """Channels, data rates and limits of one region.

    A `plan` is "dynamic" (few default channels, the network adds others) or "fixed" (all channels given, masks choose).
    `downlink_channels_hz` are the RX1 frequencies of a fixed plan; a dynamic one answers on the uplink's frequency.
    """

    name: str
    plan: str
    uplink_channels: tuple[Channel, ...]
    downlink_channels_hz: tuple[int, ...] = ()
    uplink_rates: tuple[DataRate, ...]
    downlink_rates: tuple[DataRate, ...]
    rx1_dr: dict[int, tuple[int, ...]]  # uplink data rate -> downlink data rate by rx1_dr_offset
    rx2_freq_hz: int
    rx2_dr: int
    bands: tuple[Band, ...]
    max_eirp_dbm: float  # of devices, at TXPower 0
    max_adr_dr: int
    join_accept_delay1_s: int = 5

    # Look-ups made from the tables above.
    _uplink: dict[int, DataRate] = {}
    _downlink: dict[int, DataRate] = {}
    _dr_by_modulation: dict[Modulation, int] = {}
    _channel_by_freq: dict[int, Channel] = {}

    def __post_init__(self) -> None:
        self._uplink.update((rate.dr, rate) for rate in self.uplink_rates)
        self._downlink.update((rate.dr, rate) for rate in self.downlink_rates)
        self._dr_by_modulation.update((rate.modulation, rate.dr) for rate in self.uplink_rates)
        self._channel_by_freq.update((channel.freq_hz, channel) for channel in self.uplink_channels)

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

    def max_macpayload(self, dr: int, downlink: bool = False) -> int | None:
        """M in octets: FHDR, FPort and FRMPayload. None when `dr` does not exist in that direction."""
        rate = (self._downlink if downlink else self._uplink).get(dr)
        return rate.max_macpayload if rate else None

    def uplink_channel_allowed(self, freq_hz: int) -> bool:
        """Whether a device may be heard at `freq_hz`: on a channel of a fixed plan, in a band of a dynamic one."""
        if self.plan == "fixed":
            return freq_hz in self._channel_by_freq
        return self._band(freq_hz) is not None

    def rx1(self, freq_hz: int, uplink_dr: int, rx1_dr_offset: int) -> tuple[int, int]:
        """Frequency and data rate of RX1 after an uplink. ValueError when the region has no such uplink or offset."""
        row = self.rx1_dr.get(uplink_dr, ())
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

    def join_channels(self, sub_band: int = 0) -> tuple[Channel, ...]:
        """Channels that a join-request is sent on, at their `min_dr`; `sub_band` 1 to 8 narrows a fixed plan."""
        if self.plan == "dynamic" or sub_band == 0:
            return self.uplink_channels
        mask = _sub_band_channels(sub_band)
        return tuple(channel for channel in self.uplink_channels if mask >> channel.index & 1)

    def cflist(self, extra_channels_hz: Sequence[int] = (), sub_band: int = 0) -> bytes | None:
        """The 16 octets of a join-accept's CFList, None when there is nothing to tell.

        A dynamic plan lists up to five extra channels (type 0), a fixed one the channel mask of a sub-band (type 1).
        """
        if self.plan == "fixed":
            return None if sub_band == 0 else _sub_band_channels(sub_band).to_bytes(15, "little") + b"\x01"
        if not extra_channels_hz:
            return None
        if len(extra_channels_hz) > 5:
            raise ValueError(f"{len(extra_channels_hz)} extra channels are given, at most 5 fit")
        for freq_hz in extra_channels_hz:
            if freq_hz % 100 or self._band(freq_hz) is None:
                raise ValueError(f"extra channel {freq_hz} Hz is not a multiple of 100 Hz in a band of {self.name}")
        return b"".join([(freq_hz // 100).to_bytes(3, "little") for freq_hz in extra_channels_hz]).ljust(16, b"\x00")

    def _band(self, freq_hz: int) -> Band | None:
        for band in self.bands:
            if band.min_hz <= freq_hz <= band.max_hz:
                return band
        return None


def _sub_band_channels(sub_band: int) -> int:
    """Bit n for channel n: the eight 125 kHz channels of sub-band 1 to 8 and its 500 kHz channel."""
    if not 1 <= sub_band <= 8:
        raise ValueError(f"sub-band is {sub_band}, 1 to 8 exist")
    return 0xFF << 8 * (sub_band - 1) | 1 << 63 + sub_band
