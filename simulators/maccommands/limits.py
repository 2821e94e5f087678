"""DutyCycleReq, TXParamSetupReq and ADRParamSetupReq. Pure."""

from simulators.maccommands.judged import Fields, Judged
from simulators.maccommands.state import MacState


def duty_cycle(mac: MacState, fields: Fields) -> Judged:
    """A share of 1 / 2**n of the time; 255 switched a 1.0.0 device off, later ones read 4 bits."""
    off = mac.version.off_at_255 and fields["max_duty_cycle"] == 255

    def apply() -> None:
        mac.is_off = off
        mac.max_duty_cycle = fields["max_duty_cycle"] & 15

    return Judged("DutyCycleAns", apply=apply)


def tx_param_setup(mac: MacState, fields: Fields) -> Judged | None:
    """Devices of other regions ignore it and never answer."""
    if not mac.region.has_tx_param_setup:
        return None

    def apply() -> None:
        mac.uplink_dwell = bool(fields["uplink_dwell_400ms"])
        mac.downlink_dwell = bool(fields["downlink_dwell_400ms"])
        mac.max_eirp_dbm = float(fields["max_eirp_dbm"])

    return Judged("TXParamSetupAns", apply=apply)


def adr_param_setup(mac: MacState, fields: Fields) -> Judged:
    """ADR_ACK_LIMIT and ADR_ACK_DELAY."""

    def apply() -> None:
        mac.adr_ack_limit, mac.adr_ack_delay = 1 << fields["limit_exp"], 1 << fields["delay_exp"]

    return Judged("ADRParamSetupAns", apply=apply)
