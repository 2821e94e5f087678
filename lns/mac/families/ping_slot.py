"""Class B ping slots: PingSlotInfoReq of the device, PingSlotChannelReq of the network."""

from lns.mac.families.family import Answered, Family, Fields, Reply, View, coded_hz, real_hz, request
from lns.mac.session import Session


def _wanted(view: View) -> bytes:
    own, radio = view.settings, view.radio
    if own.device_class != "B" or radio.ping_periodicity is None:
        return b""
    freq_hz, dr = own.ping_slot_freq_hz, own.ping_slot_dr
    if dr is None:
        dr = radio.ping_slot_dr
    if (freq_hz, dr) == (radio.ping_slot_freq_hz, radio.ping_slot_dr):
        return b""
    # 0 Hz: the region's frequency, or its hopping
    return request("PingSlotChannelReq", frequency_hz=coded_hz(view.region, freq_hz or 0), dr=dr)


def _settle(done: Answered) -> tuple[str, ...]:
    # LoRaWAN 1.0.3 and 1.1, PingSlotChannelAns: one bit of 0 and nothing changes
    if not all(done.answers[-1].values()):
        return (done.octets.hex(),)
    fields = done.requests[-1]
    done.radio.ping_slot_freq_hz = real_hz(done.region, fields["frequency_hz"]) or None
    done.radio.ping_slot_dr = fields["dr"]
    return ()


PING_SLOT = Family(
    name="ping_slot",
    request="PingSlotChannelReq",
    answer="PingSlotChannelAns",
    wanted=_wanted,
    settle=_settle,
    since="1.0.3",
    sticky_since="1.0.4",
)


def ping_slot_info(session: Session, fields: Fields) -> Reply:
    """PingSlotInfoReq: the device says how often it will listen; it may not switch to class B without the answer."""
    radio, periodicity = session.known_radio(), fields["periodicity"]
    changed = radio.ping_periodicity != periodicity
    radio.ping_periodicity = periodicity
    return Reply(request("PingSlotInfoAns"), None, changed)
