"""What a device with ADR does when it hears nothing more: it asks, then gets louder, then slower. Pure."""

from lns.lorawan.phy import ADR_ACK_REQ
from simulators.maccommands.state import MacState


def count_uplink(mac: MacState) -> int:
    """Count a new uplink of a device with ADR; gives ADRACKReq for its FCtrl when it has to ask, else 0."""
    unanswered = mac.adr_ack_cnt
    mac.adr_ack_cnt = unanswered + 1
    if unanswered < mac.adr_ack_limit:
        return 0
    steps, rest = divmod(unanswered - mac.adr_ack_limit, mac.adr_ack_delay)
    if steps and not rest:
        step_back(mac)
    return ADR_ACK_REQ


def step_back(mac: MacState) -> None:
    """One step of the back-off: full power, then one data rate less, at last all default channels once each."""
    slower = [dr for dr in range(mac.data_rate) if mac.may_use(dr) and mac.plan.usable(dr)]
    if mac.tx_power:
        mac.tx_power = 0
    elif slower:
        mac.data_rate = slower[-1]
    else:
        mac.plan.switch_defaults_on()
        mac.nb_trans = 1
