"""PingSlotInfoAns, PingSlotChannelReq and BeaconFreqReq. Pure."""

from functools import partial

from simulators.maccommands.judged import Fields, Judged
from simulators.maccommands.state import MacState
from simulators.maccommands.windows import may_listen


def ping_slot_channel(mac: MacState, fields: Fields) -> Judged:
    """Frequency 0 goes back to the region's, which may hop."""
    freq_hz, dr = fields["frequency_hz"], fields["dr"]

    def apply() -> None:
        mac.ping_slot_freq_hz, mac.ping_slot_dr = freq_hz, dr

    bits = {
        "channel_frequency_ok": freq_hz == 0 or may_listen(mac, freq_hz),
        "data_rate_ok": mac.region.max_macpayload(dr, downlink=True) is not None,
    }
    return Judged("PingSlotChannelAns", bits, apply)


def beacon_freq(mac: MacState, fields: Fields) -> Judged:
    """Frequency 0 goes back to the region's."""
    freq_hz = fields["frequency_hz"]
    bits = {"beacon_frequency_ok": freq_hz == 0 or may_listen(mac, freq_hz)}
    return Judged("BeaconFreqAns", bits, partial(setattr, mac, "beacon_freq_hz", freq_hz))
