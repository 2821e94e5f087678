"""A second description of the data frame, written from the octet table alone, to judge the hand-written parser."""

from typing import Any

import construct as c


def _left(context: Any) -> int:
    return int(c.stream_size(context._io) - context._io.tell())


DATA_FRAME = c.Struct(
    "mhdr" / c.BitStruct("mtype" / c.BitsInteger(3), "rfu" / c.BitsInteger(3), "major" / c.BitsInteger(2)),
    "dev_addr" / c.Int32ul,
    "fctrl"
    / c.BitStruct(
        "adr" / c.Flag, "adr_ack_req" / c.Flag, "ack" / c.Flag, "bit4" / c.Flag, "fopts_len" / c.BitsInteger(4)
    ),
    "fcnt" / c.Int16ul,
    "fopts" / c.Bytes(c.this.fctrl.fopts_len),
    "fport" / c.If(lambda context: _left(context) > 4, c.Int8ub),
    "frm_payload" / c.Bytes(lambda context: _left(context) - 4),
    "mic" / c.Bytes(4),
    c.Terminated,
)
