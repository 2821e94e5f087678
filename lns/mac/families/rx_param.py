"""RXParamSetupReq: RX1 data rate offset, RX2 data rate and frequency."""

from lns.mac.families.family import Answered, Family, View, coded_hz, real_hz, request


def _wanted(view: View) -> bytes:
    session, own, network = view.session, view.settings, view.network
    offset = network.rx1_dr_offset if own.rx1_dr_offset is None else own.rx1_dr_offset
    # RX2 may depend on where the device joined, so only what somebody has set is asked for
    dr = _first(own.rx2_dr, network.rx2_dr, session.rx2_dr)
    freq_hz = _first(own.rx2_freq_hz, network.rx2_freq_hz, session.rx2_freq_hz)
    if (offset, dr, freq_hz) == (session.rx1_dr_offset, session.rx2_dr, session.rx2_freq_hz):
        return b""
    return request(
        "RXParamSetupReq", rx1_dr_offset=offset, rx2_data_rate=dr, frequency_hz=coded_hz(view.region, freq_hz)
    )


def _first(own: int | None, network: int | None, present: int) -> int:
    return own if own is not None else network if network is not None else present


def _settle(done: Answered) -> tuple[str, ...]:
    # LoRaWAN 1.0.3 and 1.1, RXParamSetupAns: one bit of 0 and all old values stay; else the device uses the new ones
    # since it heard the request, so the windows of the uplink that carries the answer are the new ones already
    if not all(done.answers[-1].values()):
        return (done.octets.hex(),)
    fields, session = done.requests[-1], done.session
    session.rx1_dr_offset = fields["rx1_dr_offset"]
    session.rx2_dr = fields["rx2_data_rate"]
    session.rx2_freq_hz = real_hz(done.region, fields["frequency_hz"])
    return ()


RX_PARAM = Family(
    name="rx_param",
    request="RXParamSetupReq",
    answer="RXParamSetupAns",
    wanted=_wanted,
    settle=_settle,
    sticky_since="1.0.2",
)
