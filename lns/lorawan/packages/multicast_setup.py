"""TS005 Remote Multicast Setup: groups and their sessions on a device, on FPort 200.

Versions 1 and 2 of the package differ in the error "start_missed", which is new in 2.
"""

import construct as c

from lns.lorawan.layout import DEV_ADDR, FREQUENCY, RFU, Hex, Names, Row, Table, octets, u
from lns.lorawan.packages.version import PACKAGE_VERSION_ANS, PACKAGE_VERSION_REQ

FPORT = 200

_GROUP = octets(RFU(6), "mc_group_id" / u(2))
_SESSION_TIME = c.Struct("session_time_gps" / c.Int32ul)  # in class B a multiple of the beacon period
_CHANNEL = octets("dl_freq_hz" / FREQUENCY, "dr" / u(8))

# A session that cannot start has no time to start; one whose start was missed has.
_SESSION_ANS = (
    octets(
        RFU(2),
        "errors" / Names("dr_error", "freq_error", "mc_group_undefined", "start_missed"),
        "mc_group_id" / u(2),
    ),
    c.Struct("time_to_start_s" / c.If(lambda this: not set(this._params.errors) - {"start_missed"}, c.Int24ul)),
)

_UPLINK = (
    PACKAGE_VERSION_ANS,
    Row(
        0x01,
        "McGroupStatusAns",
        (
            octets(RFU(1), "nb_total_groups" / u(3), "ans_group_mask" / u(4)),
            c.Struct(
                "groups"
                / c.Array(
                    lambda this: this._params.ans_group_mask.bit_count(),
                    c.ExprAdapter(
                        c.Struct("id" / c.Int8ul, "mc_addr" / DEV_ADDR),
                        lambda group, _: {"id": group.id, "mc_addr": group.mc_addr},
                        lambda group, _: group,
                    ),
                )
            ),
        ),
    ),
    Row(0x02, "McGroupSetupAns", (octets(RFU(5), "id_error" / c.Flag, "mc_group_id" / u(2)),)),
    Row(0x03, "McGroupDeleteAns", (octets(RFU(5), "mc_group_undefined" / c.Flag, "mc_group_id" / u(2)),)),
    Row(0x04, "McClassCSessionAns", _SESSION_ANS),
    Row(0x05, "McClassBSessionAns", _SESSION_ANS),
)

_DOWNLINK = (
    PACKAGE_VERSION_REQ,
    Row(0x01, "McGroupStatusReq", (octets(RFU(4), "req_group_mask" / u(4)),)),
    Row(
        0x02,
        "McGroupSetupReq",
        (
            _GROUP,
            c.Struct("mc_addr" / DEV_ADDR, "mc_key_encrypted" / Hex(c.Bytes(16))),
            c.Struct("min_mc_fcnt" / c.Int32ul, "max_mc_fcnt" / c.Int32ul),
        ),
    ),
    Row(0x03, "McGroupDeleteReq", (_GROUP,)),
    # The session lasts 2**time_out_exp seconds in class C, as many beacon periods in class B.
    Row(0x04, "McClassCSessionReq", (_GROUP, _SESSION_TIME, octets(RFU(4), "time_out_exp" / u(4)), _CHANNEL)),
    Row(
        0x05,
        "McClassBSessionReq",
        (_GROUP, _SESSION_TIME, octets(RFU(1), "periodicity" / u(3), "time_out_exp" / u(4)), _CHANNEL),
    ),
)

_TABLE = Table(_UPLINK, _DOWNLINK)
parse = _TABLE.parse
encode = _TABLE.encode
