"""TS003 Application Layer Clock Synchronization: a device asks the server for the time, on FPort 202."""

import construct as c

from lns.lorawan.layout import RFU, Row, Table, flags, octets, u
from lns.lorawan.packages.version import PACKAGE_VERSION_ANS, PACKAGE_VERSION_REQ

FPORT = 202

_TIME = c.Struct("device_time_gps" / c.Int32ul)

_UPLINK = (
    PACKAGE_VERSION_ANS,
    Row(0x01, "AppTimeReq", (_TIME, octets(RFU(3), "ans_required" / c.Flag, "token" / u(4)))),
    Row(0x02, "DeviceAppTimePeriodicityAns", (*flags("not_supported"), _TIME)),
)

_DOWNLINK = (
    PACKAGE_VERSION_REQ,
    Row(0x01, "AppTimeAns", (c.Struct("time_correction_s" / c.Int32sl), octets(RFU(4), "token" / u(4)))),
    Row(0x02, "DeviceAppTimePeriodicityReq", (octets(RFU(4), "period" / u(4)),)),  # 128 s * 2**period
    Row(0x03, "ForceDeviceResyncReq", (octets(RFU(5), "nb_transmissions" / u(3)),)),  # ...Cmd in version 2
)

_TABLE = Table(_UPLINK, _DOWNLINK)
parse = _TABLE.parse
encode = _TABLE.encode


def time_correction_s(device_time_gps: int, received_gps_s: int) -> int:
    """What a device has to add to its clock; both counters are seconds of GPS time modulo 2**32."""
    return (received_gps_s - device_time_gps + 2**31) % 2**32 - 2**31


def answer(device_time_gps: int, token: int, ans_required: bool, received_gps_s: int) -> bytes | None:
    """The AppTimeAns to the fields of an AppTimeReq, None when the clock is right and the device needs no answer.

    `received_gps_s` is the time at which the uplink that carried the request was received.
    """
    correction = time_correction_s(device_time_gps, received_gps_s)
    if correction == 0 and not ans_required:
        return None
    return encode("AppTimeAns", False, time_correction_s=correction, token=token)
