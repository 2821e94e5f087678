"""Channel masks as integers, bit n for channel n: what LinkADRReq makes of them, and how to ask for one.

ChMaskCntl is read as the LinkADRReq chapter of each region in RP002-1.0.4 has it; the number of channels tells which.
"""

from collections.abc import Iterable, Mapping

import msgspec

from lns.lorawan.regions.region import FIRST_500_KHZ_CHANNEL, Channel, Region

Step = tuple[int, int]
"""ChMaskCntl and ChMask of one LinkADRReq."""

_ALL_125_KHZ = (1 << FIRST_500_KHZ_CHANNEL) - 1
_BANKS = 5


class _Controls(msgspec.Struct, frozen=True):
    """ChMaskCntl below `groups` chooses sixteen channels; `all_on` and `all_off` are the ones for all at once."""

    groups: int
    all_on: int
    all_off: int | None = None
    has_500_khz: bool = False


_CONTROLS = {
    16: _Controls(1, 6),  # dynamic plans
    48: _Controls(3, 3, 4),  # CN470, 26 MHz
    64: _Controls(4, 6, 7),  # CN470, 20 MHz
    72: _Controls(5, 6, 7, True),  # US915, AU915: 6 and 7 are for the 125 kHz channels, ChMask has the others
    96: _Controls(6, 6),  # CN470 as it was
}


class LinkADR(msgspec.Struct, frozen=True):
    """What a block of LinkADRReq asks for: its masks in order, data rate and power of its last command."""

    steps: tuple[Step, ...]
    dr: int
    tx_power: int


class Verdict(msgspec.Struct, frozen=True):
    """A device's answer: the three bits of LinkADRAns, and the mask that it has if all of them are set."""

    mask: int
    channel_mask_ack: bool
    data_rate_ack: bool
    power_ack: bool

    @property
    def accepted(self) -> bool:
        return self.channel_mask_ack and self.data_rate_ack and self.power_ack


def mask_of(channels: Iterable[Channel]) -> int:
    """Bit n for each channel."""
    return sum(1 << channel.index for channel in channels)


def apply(region: Region, mask: int, defined: int, cntl: int, bits: int) -> int | None:
    """What a device with channels `defined` makes of one ChMaskCntl and ChMask; None when it refuses them."""
    controls = _CONTROLS[region.max_channels]
    if cntl < controls.groups:
        chosen = bits << 16 * cntl
        if region.plan == "dynamic" and chosen & ~defined:
            return None  # a channel that does not exist
        return (mask & ~(0xFFFF << 16 * cntl) | chosen) & defined  # bits beyond a fixed plan are RFU
    narrow = defined & _ALL_125_KHZ if controls.has_500_khz else defined
    wide = (bits & 0xFF) << FIRST_500_KHZ_CHANNEL if controls.has_500_khz else 0
    if cntl == controls.all_on:
        return narrow | wide
    if cntl == controls.all_off:
        return wide
    if cntl == _BANKS and controls.has_500_khz:
        # bit n is channels 8n to 8n+7 and the n-th 500 kHz channel; bit 8 and above are RFU by the erratum of 2023
        return wide | sum(0xFF << 8 * bank for bank in range(8) if bits >> bank & 1)
    return None


def acceptable(region: Region, mask: int, dr: int) -> bool:
    """Whether a device may end with `mask` at `dr`, as far as the region alone says."""
    if region.plan == "dynamic":
        return mask != 0 and region.max_macpayload(dr) is not None
    return mask & region.channels_allowing(dr) != 0 and _hops_enough(region, mask, dr)


def judge(
    region: Region, channels: Mapping[int, Channel], mask: int, asked: LinkADR, uplink_dwell: bool = False
) -> Verdict:
    """What a device with these channels by index, and `mask` of them on, answers to a block of LinkADRReq.

    `asked` has real values: what keeps a data rate or power (15, from LoRaWAN 1.0.4 on) is for the caller to replace.
    """
    defined, mask_ok = mask_of(channels.values()), True
    for cntl, bits in asked.steps:
        changed = apply(region, mask, defined, cntl, bits)
        if changed is None:
            mask_ok = False
        else:
            mask = changed
    allowed = any(mask >> c.index & 1 and c.min_dr <= asked.dr <= c.max_dr for c in channels.values())
    return Verdict(
        mask,
        mask_ok and mask != 0 and _hops_enough(region, mask, asked.dr),
        allowed and region.max_macpayload(asked.dr, dwell=uplink_dwell) is not None,
        asked.tx_power <= region.max_tx_power,
    )


def sequence(region: Region, current: int, wanted: int, defined: int) -> tuple[Step, ...]:
    """The shortest block of LinkADRReq masks from `current` to `wanted`, one at least: it carries the data rate too.

    Only the end counts, as devices of LoRaWAN 1.0.2 and later take a block as one; for older ones see `single_steps`.
    ValueError when `wanted` is empty or has channels that are not `defined`.
    """
    if not wanted or wanted & ~defined:
        raise ValueError(f"channel mask {wanted:#x} is empty or beyond the defined channels {defined:#x}")
    return min(_ways(region, current, wanted, defined), key=len)


def single_steps(region: Region, current: int, wanted: int, dr: int) -> tuple[Step, ...]:
    """Masks from `current` to `wanted` of which each can stand alone, as LoRaWAN 1.0.0 and 1.0.1 devices take them.

    Where one of the two is not acceptable at `dr` itself this may be impossible: then it is the shortest way.
    """
    defined = current | wanted if region.plan == "dynamic" else region.channel_mask()
    ways = _ways(region, current, wanted, defined)
    standing = [way for way in ways if _stands(region, current, defined, way, dr)]
    return min(standing or ways, key=len)


def _hops_enough(region: Region, mask: int, dr: int) -> bool:
    # US915: at least two 125 kHz channels below the data rates of the 500 kHz ones (FCC 15.247); LoRaMac-node asks
    # the same in AU915
    if not _CONTROLS[region.max_channels].has_500_khz:
        return True
    return dr >= region.uplink_channels[FIRST_500_KHZ_CHANNEL].min_dr or (mask & _ALL_125_KHZ).bit_count() >= 2


def _ways(region: Region, current: int, wanted: int, defined: int) -> list[tuple[Step, ...]]:
    """By groups alone, after all on, after all off. ChMaskCntl 5 is never asked: stacks read its 500 kHz part apart."""
    controls = _CONTROLS[region.max_channels]
    if region.plan == "dynamic":
        return [((0, wanted),)]
    ways = [_by_group(controls.groups, current, wanted) or ((0, wanted & 0xFFFF),)]
    wide = wanted >> FIRST_500_KHZ_CHANNEL & 0xFF if controls.has_500_khz else 0
    for cntl in (controls.all_on, controls.all_off):
        if cntl is not None:
            start = apply(region, current, defined, cntl, wide)
            assert start is not None
            ways.append(((cntl, wide), *_by_group(controls.groups, start, wanted)))
    return ways


def _by_group(groups: int, current: int, wanted: int) -> tuple[Step, ...]:
    """A step for each group that differs, those first that switch more channels on: the count never dips in between."""
    steps = []
    for cntl in range(groups):
        before, after = current >> 16 * cntl & 0xFFFF, wanted >> 16 * cntl & 0xFFFF
        if before != after:
            steps.append((before.bit_count() - after.bit_count(), cntl, after))
    return tuple((cntl, bits) for _, cntl, bits in sorted(steps))


def _stands(region: Region, mask: int, defined: int, way: tuple[Step, ...], dr: int) -> bool:
    for cntl, bits in way:
        changed = apply(region, mask, defined, cntl, bits)
        if changed is None or not acceptable(region, changed, dr):
            return False
        mask = changed
    return True
