"""A device's channels: which exist, which are switched on, and what LinkADRReq and NewChannelReq do to them. Pure."""

from collections.abc import Sequence

import msgspec

from lns.lorawan.commands import Command
from lns.lorawan.joinaccept import cflist_channels, cflist_masks
from lns.lorawan.regions.region import Channel, Region

KEEP = 15
"""DataRate and TXPower of a LinkADRReq that leave the present value."""

_MAX_TX_POWER = {"EU868": 7, "US915": 14}
_ALL_125_KHZ = (1 << 64) - 1


class LinkADR(msgspec.Struct, frozen=True):
    """What a block of LinkADRReq asks for and the three bits of its answer; it applies when all are set."""

    data_rate: int
    tx_power: int
    nb_trans: int
    mask: int
    channel_mask_ack: bool
    data_rate_ack: bool
    power_ack: bool

    @property
    def accepted(self) -> bool:
        return self.channel_mask_ack and self.data_rate_ack and self.power_ack


class ChannelPlan:
    """Bit n of `mask` is channel n."""

    def __init__(self, region: Region, sub_band: int = 0) -> None:
        self.region = region
        self.channels = {channel.index: channel for channel in region.uplink_channels}
        self.mask = sum(1 << channel.index for channel in region.join_channels(sub_band))
        self.rx1_freq_hz: dict[int, int] = {}  # by channel, where DlChannelReq moved RX1
        self._default_count = len(region.uplink_channels)

    def usable(self, dr: int) -> tuple[Channel, ...]:
        """Channels that are on and may be used at `dr`."""
        return self._allowing(dr, self.mask)

    def use_cflist(self, cflist: bytes) -> None:
        """Take the channels, or the masks, of a join-accept."""
        if self.region.plan == "fixed":
            masks = cflist_masks(cflist)
            if masks is not None:
                self.mask = sum(mask << 16 * n for n, mask in enumerate(masks)) & (1 << 72) - 1
            return
        for n, freq_hz in enumerate(cflist_channels(cflist) or ()):
            self.set_channel(self._default_count + n, freq_hz, 0, 5)

    def set_channel(self, index: int, freq_hz: int, min_dr: int, max_dr: int) -> None:
        """Add, replace or (frequency 0) remove a channel that is none of the defaults."""
        self.rx1_freq_hz.pop(index, None)  # NewChannelReq undoes DlChannelReq
        if freq_hz:
            self.channels[index] = Channel(index, freq_hz, min_dr, max_dr)
            self.mask |= 1 << index
        else:
            self.channels.pop(index, None)
            self.mask &= ~(1 << index)

    def new_channel(self, index: int, freq_hz: int, min_dr: int, max_dr: int) -> tuple[bool, bool]:
        """The two bits of NewChannelAns, frequency and data rate range; applied when both are set."""
        free = self._default_count <= index < 16
        frequency_ok = free and (freq_hz == 0 or self.region.uplink_channel_allowed(freq_hz))
        range_ok = free and min_dr <= max_dr and self.region.max_macpayload(max_dr) is not None
        if frequency_ok and range_ok:
            self.set_channel(index, freq_hz, min_dr, max_dr)
        return frequency_ok, range_ok

    def link_adr(self, block: Sequence[Command], data_rate: int, tx_power: int) -> LinkADR:
        """Judge a block of adjacent LinkADRReq; `data_rate` and `tx_power` are the present ones."""
        mask, mask_ok = self.mask, True
        for request in block:
            changed = self._masked(mask, request.fields["ch_mask_cntl"], request.fields["ch_mask"])
            if changed is None:
                mask_ok = False
            else:
                mask = changed
        last = block[-1].fields
        dr = data_rate if last["data_rate"] == KEEP else last["data_rate"]
        power = tx_power if last["tx_power"] == KEEP else last["tx_power"]
        return LinkADR(
            dr,
            power,
            last["nb_trans"] or 1,  # before 1.1, 0 is the default
            mask,
            mask_ok and mask != 0 and not self._too_few(mask, dr),
            bool(self._allowing(dr, mask)),
            power <= _MAX_TX_POWER[self.region.name],
        )

    def _masked(self, mask: int, control: int, bits: int) -> int | None:
        """`mask` after one ChMaskCntl and ChMask; None when they name what does not exist."""
        if self.region.plan == "dynamic":
            if control == 6:
                return sum(1 << index for index in self.channels)
            undefined = any(bits >> index & 1 and index not in self.channels for index in range(16))
            return None if control != 0 or undefined else bits
        if control <= 3:
            return mask & ~(0xFFFF << 16 * control) | bits << 16 * control
        wide = (bits & 0xFF) << 64
        if control == 4:
            return mask & _ALL_125_KHZ | wide
        if control == 5:
            return sum(0xFF << 8 * bank | 1 << 64 + bank for bank in range(8) if bits >> bank & 1)
        return (_ALL_125_KHZ if control == 6 else 0) | wide

    def _too_few(self, mask: int, dr: int) -> bool:
        # US915: fewer than two 125 kHz channels are refused below DR4
        return self.region.plan == "fixed" and dr < 4 and (mask & _ALL_125_KHZ).bit_count() < 2

    def _allowing(self, dr: int, mask: int) -> tuple[Channel, ...]:
        return tuple(c for c in self.channels.values() if mask >> c.index & 1 and c.min_dr <= dr <= c.max_dr)
