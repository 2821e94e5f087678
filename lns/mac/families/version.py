"""ResetInd and RekeyInd (1.1): a device says which version it speaks, until the network confirms it."""

from lns.mac.families.family import IGNORED, Fields, Reply, request
from lns.mac.radio import Radio
from lns.mac.session import Session

MINOR = 1
"""The highest minor version of LoRaWAN 1 that is spoken here."""


def reset(session: Session, fields: Fields) -> Reply:
    """ResetInd of an ABP device: its radio is as from the factory again, its counters are not."""
    if not session.abp or session.minor == 0:
        return IGNORED
    region = session.device.region
    session.radio, session.radio_octets = Radio(region), None
    session.rx1_delay_s, session.rx1_dr_offset = 1, 0
    session.rx2_dr, session.rx2_freq_hz = region.rx2_dr, region.rx2_freq_hz
    if session.history is not None:
        session.history.changed(0)
        session.history.look_in = 0
    minor = min(fields["minor"], MINOR)
    return Reply(request("ResetConf", minor=minor), ("reset", {"minor": minor}), True)


def rekey(session: Session, fields: Fields) -> Reply:
    """RekeyInd of an OTAA device: it uses the keys of its last join, so the ones before are of no more use."""
    # LoRaWAN 1.1, RekeyInd: OTAA only, one from an ABP device is ignored
    if session.abp or session.minor == 0:
        return IGNORED
    minor = min(fields["minor"], MINOR)
    return Reply(request("RekeyConf", minor=minor), ("rekeyed", {"minor": minor}))
