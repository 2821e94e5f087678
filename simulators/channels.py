"""A device's channels: which exist, which are switched on, and where RX1 of each is. Pure."""

from lns.lorawan.joinaccept import cflist_channels, cflist_masks
from lns.lorawan.regions.region import Channel, Region

_CFLIST_MAX_DR = 5  # of a channel that a CFList gives


class ChannelPlan:
    """Bit n of `mask` is channel n."""

    def __init__(self, region: Region, sub_band: int = 0) -> None:
        self.region = region
        self._default_count = len(region.uplink_channels)
        self._sub_band = sub_band
        self._factory_mask = region.channel_mask(sub_band)
        self.reset()

    def reset(self) -> None:
        """As it left the factory: default channels, in a fixed plan those of the sub-band switched on."""
        self.channels = {channel.index: channel for channel in self.region.uplink_channels}
        self.mask = self._factory_mask
        self.rx1_freq_hz: dict[int, int] = {}  # by channel, where DlChannelReq moved RX1

    @property
    def defined(self) -> int:
        """Bit n for each channel n that exists."""
        return sum(1 << index for index in self.channels)

    def usable(self, dr: int) -> tuple[Channel, ...]:
        """Channels that are on and may be used at `dr`."""
        return self.allowing(dr, self.mask)

    def allowing(self, dr: int, mask: int) -> tuple[Channel, ...]:
        """Channels of `mask` that may be used at `dr`."""
        return tuple([c for c in self.channels.values() if mask >> c.index & 1 and c.min_dr <= dr <= c.max_dr])

    def join_channels(self) -> tuple[Channel, ...]:
        """Channels that a join-request may be sent on."""
        return self.region.join_channels(self._sub_band)

    def use_cflist(self, cflist: bytes) -> None:
        """Take the channels, or the masks, of a join-accept."""
        if self.region.plan == "fixed":
            masks = cflist_masks(cflist)
            if masks is not None:
                self.mask = sum(mask << 16 * n for n, mask in enumerate(masks)) & self.defined
            return
        for n, steps_of_100_hz in enumerate(cflist_channels(cflist) or ()):
            freq_hz = steps_of_100_hz * self.region.freq_step_hz // 100
            self.set_channel(self._default_count + n, freq_hz, 0, _CFLIST_MAX_DR)

    def switch_defaults_on(self) -> None:
        """What a device that lost the network does last: every default channel, beside those that are on."""
        self.mask |= self._factory_mask

    def is_default(self, index: int) -> bool:
        return index < self._default_count

    def set_channel(self, index: int, freq_hz: int, min_dr: int, max_dr: int) -> None:
        """Add, replace or (frequency 0) remove a channel that is none of the defaults."""
        self.rx1_freq_hz.pop(index, None)  # NewChannelReq undoes DlChannelReq
        if freq_hz:
            self.channels[index] = Channel(index, freq_hz, min_dr, max_dr)
            self.mask |= 1 << index
        else:
            self.channels.pop(index, None)
            self.mask &= ~(1 << index)
