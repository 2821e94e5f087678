"""The fields of a join-accept in clear, without MIC: a construct layout, because it is sent once a session."""

import construct as c

from lns.lorawan.errors import FrameError
from lns.lorawan.phy import JoinAccept

_LAYOUT = c.Struct(
    "mhdr" / c.Const(b"\x20"),
    "join_nonce" / c.Int24ul,
    "net_id" / c.Int24ul,
    "dev_addr" / c.Int32ul,
    "dl_settings" / c.BitStruct("opt_neg" / c.Flag, "rx1_dr_offset" / c.BitsInteger(3), "rx2_dr" / c.BitsInteger(4)),
    "rx_delay" / c.BitStruct(c.Padding(4), "value" / c.BitsInteger(4)),
    "cflist" / c.GreedyBytes,
)


def join_accept_fields(accept: JoinAccept) -> bytes:
    """MHDR to CFList, in clear: what the MIC covers."""
    return bytes(
        _LAYOUT.build(
            {
                "join_nonce": accept.join_nonce,
                "net_id": int(accept.net_id, 16),
                "dev_addr": int(accept.dev_addr, 16),
                "dl_settings": {
                    "opt_neg": accept.opt_neg,
                    "rx1_dr_offset": accept.rx1_dr_offset,
                    "rx2_dr": accept.rx2_data_rate,
                },
                "rx_delay": {"value": accept.rx_delay},
                "cflist": accept.cflist or b"",
            }
        )
    )


def parse_join_accept_fields(clear: bytes) -> JoinAccept:
    """The fields of 13 or 29 octets, MHDR to CFList, in clear. FrameError for any other length."""
    if len(clear) not in (13, 29):
        raise FrameError("malformed", f"join-accept fields are {len(clear)} octets, 13 or 29 are needed")
    fields = _LAYOUT.parse(clear)
    return JoinAccept(
        fields.join_nonce,
        f"{fields.net_id:06x}",
        f"{fields.dev_addr:08x}",
        fields.dl_settings.opt_neg,
        fields.dl_settings.rx1_dr_offset,
        fields.dl_settings.rx2_dr,
        fields.rx_delay.value,
        fields.cflist or None,
    )


def cflist_channels(cflist: bytes, step_hz: int = 100) -> list[int] | None:
    """The five frequencies in Hz of a CFList of type 0 (0: unused); None for another type. At 2.4 GHz steps are 200."""
    if cflist[15] != 0:
        return None
    return [step_hz * int.from_bytes(cflist[at : at + 3], "little") for at in range(0, 15, 3)]


def cflist_masks(cflist: bytes) -> list[int] | None:
    """The seven 16-bit channel masks of a CFList of type 1; None for another type."""
    if cflist[15] != 1:
        return None
    return [int.from_bytes(cflist[at : at + 2], "little") for at in range(0, 14, 2)]
