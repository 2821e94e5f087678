"""TXParamSetupReq: dwell time limits and the highest EIRP, in the regions that have it.

Elsewhere a device drops it without an answer (LoRaWAN 1.0.2, TXParamSetupReq), so there it is never asked.
"""

from lns.mac.families.family import Answered, Family, View, request

_CODED_DBM = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)


def _wanted(view: View) -> bytes:
    if not view.region.has_tx_param_setup:
        return b""
    own, network, radio = view.settings, view.network, view.radio
    uplink = _first(own.uplink_dwell_400ms, network.uplink_dwell_400ms, radio.uplink_dwell)
    downlink = _first(own.downlink_dwell_400ms, network.downlink_dwell_400ms, radio.downlink_dwell)
    present_dbm = _coded_dbm(radio.max_eirp_dbm)
    eirp_dbm = present_dbm if own.max_eirp_dbm is None else _coded_dbm(own.max_eirp_dbm)
    if (uplink, downlink, eirp_dbm) == (radio.uplink_dwell, radio.downlink_dwell, present_dbm):
        return b""
    return request("TXParamSetupReq", uplink_dwell_400ms=uplink, downlink_dwell_400ms=downlink, max_eirp_dbm=eirp_dbm)


def _first(own: bool | None, network: bool | None, present: bool) -> bool:
    return own if own is not None else network if network is not None else present


def _coded_dbm(dbm: float) -> int:
    """The highest value that can be told and is not above `dbm`."""
    return max((coded for coded in _CODED_DBM if coded <= dbm), default=_CODED_DBM[0])


def _settle(done: Answered) -> tuple[str, ...]:
    fields, radio = done.requests[-1], done.radio
    radio.uplink_dwell = bool(fields["uplink_dwell_400ms"])
    radio.downlink_dwell = bool(fields["downlink_dwell_400ms"])
    radio.max_eirp_dbm = fields["max_eirp_dbm"]
    return ()


TX_PARAM = Family(
    name="tx_param",
    request="TXParamSetupReq",
    answer="TXParamSetupAns",
    wanted=_wanted,
    settle=_settle,
    since="1.0.2",
    sticky_since="1.0.4",
)
