"""NewChannelReq and DlChannelReq, which a fixed plan never answers. Pure."""

from functools import partial

from simulators.maccommands.judged import Fields, Judged
from simulators.maccommands.state import MacState


def new_channel(mac: MacState, fields: Fields) -> Judged | None:
    """A default channel cannot change; frequency 0 removes a channel."""
    if not mac.region.has_new_channel:
        return None
    index, freq_hz, min_dr, max_dr = (fields[name] for name in ("ch_index", "frequency_hz", "min_dr", "max_dr"))
    free = not mac.plan.is_default(index) and index < mac.region.max_channels
    bits = {
        "channel_frequency_ok": free and (freq_hz == 0 or mac.region.uplink_channel_allowed(freq_hz)),
        "data_rate_range_ok": free and min_dr <= max_dr and mac.region.max_macpayload(max_dr) is not None,
    }
    return Judged("NewChannelAns", bits, partial(mac.plan.set_channel, index, freq_hz, min_dr, max_dr))


def dl_channel(mac: MacState, fields: Fields) -> Judged | None:
    """RX1 of one channel moves to another frequency."""
    if not mac.region.has_new_channel:
        return None
    index, freq_hz = fields["ch_index"], fields["frequency_hz"]
    bits = {
        "channel_frequency_ok": mac.region.uplink_channel_allowed(freq_hz),
        "uplink_frequency_exists": index in mac.plan.channels,
    }
    return Judged("DlChannelAns", bits, partial(mac.plan.rx1_freq_hz.__setitem__, index, freq_hz))
