"""RXParamSetupReq and RXTimingSetupReq: when, where and how fast the receive windows of an uplink are. Pure."""

from simulators.maccommands.judged import Fields, Judged
from simulators.maccommands.state import MacState


def rx_param_setup(mac: MacState, fields: Fields) -> Judged:
    """All three values or none."""
    offset, rx2_dr, freq_hz = fields["rx1_dr_offset"], fields["rx2_data_rate"], fields["frequency_hz"]

    def apply() -> None:
        mac.rx1_dr_offset, mac.rx2_dr, mac.rx2_freq_hz = offset, rx2_dr, freq_hz

    region = mac.region
    bits = {
        "channel_ack": may_listen(mac, freq_hz),
        "rx2_data_rate_ack": region.max_macpayload(rx2_dr, downlink=True) is not None,
        "rx1_dr_offset_ack": any(offset < len(row) for row in region.rx1_dr.values()),
    }
    return Judged("RXParamSetupAns", bits, apply)


def rx_timing_setup(mac: MacState, fields: Fields) -> Judged:
    """Always taken; 0 means 1 s."""

    def apply() -> None:
        mac.rx1_delay_s = fields["delay"] or 1

    return Judged("RXTimingSetupAns", apply=apply)


def may_listen(mac: MacState, freq_hz: int) -> bool:
    """Whether downlinks exist at this frequency."""
    region = mac.region
    if region.plan == "fixed":
        return freq_hz in region.downlink_channels_hz or freq_hz == region.rx2_freq_hz
    return region.uplink_channel_allowed(freq_hz)
