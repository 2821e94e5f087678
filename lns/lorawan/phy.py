"""PHYPayloads to values and back. The only place, with crypto.py, where octets are in air order.

Invariant: any bytes give a value or FrameError. Nothing here decrypts or checks a MIC.
"""

import struct
from enum import IntEnum

import msgspec

from lns.lorawan.errors import FrameError
from lns.lorawan.ids import dev_addr_le, eui_le

ADR = 0x80
ADR_ACK_REQ = 0x40  # uplink
ACK = 0x20
CLASS_B = 0x10  # uplink
FPENDING = 0x10  # downlink

MAX_MACPAYLOAD = 250  # octets: the largest of any region and data rate
MAX_FOPTS = 15  # octets: FOptsLen has 4 bits

_FHDR = struct.Struct("<B4sBH")
_JOIN_REQUEST = struct.Struct("<B8s8sH4s")


class MType(IntEnum):
    """MHDR bits 7 to 5."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_UP = 2
    UNCONFIRMED_DOWN = 3
    CONFIRMED_UP = 4
    CONFIRMED_DOWN = 5
    REJOIN_REQUEST = 6
    PROPRIETARY = 7


class DataFrame(msgspec.Struct, frozen=True, gc=False):
    """A data frame of either direction; `frm_payload` and 1.1 `fopts` are as on air, encrypted."""

    mtype: int
    dev_addr: str
    fctrl: int
    fcnt16: int
    fopts: bytes
    fport: int | None
    frm_payload: bytes
    mic: bytes

    @property
    def uplink(self) -> bool:
        return self.mtype & 1 == 0

    @property
    def confirmed(self) -> bool:
        return self.mtype >= MType.CONFIRMED_UP

    @property
    def adr(self) -> bool:
        return self.fctrl & ADR != 0

    @property
    def adr_ack_req(self) -> bool:
        """Bit 6 of an uplink; the specification has it ignored while `adr` is off."""
        return self.fctrl & ADR_ACK_REQ != 0 and self.mtype & 1 == 0

    @property
    def ack(self) -> bool:
        return self.fctrl & ACK != 0

    @property
    def class_b(self) -> bool:
        return self.fctrl & CLASS_B != 0 and self.mtype & 1 == 0

    @property
    def fpending(self) -> bool:
        return self.fctrl & FPENDING != 0 and self.mtype & 1 == 1


class JoinRequest(msgspec.Struct, frozen=True, gc=False):
    """A join-request."""

    join_eui: str
    dev_eui: str
    dev_nonce: int
    mic: bytes


class JoinAccept(msgspec.Struct, frozen=True, gc=False):
    """The fields of a join-accept in clear; `rx_delay` 0 and 1 both mean 1 s, `cflist` is 16 octets as on air."""

    join_nonce: int
    net_id: str
    dev_addr: str
    opt_neg: bool
    rx1_dr_offset: int
    rx2_data_rate: int
    rx_delay: int
    cflist: bytes | None


class EncryptedJoinAccept(msgspec.Struct, frozen=True, gc=False):
    """A join-accept as on air: 16 or 32 encrypted octets after the MHDR."""

    payload: bytes


class RejoinRequest(msgspec.Struct, frozen=True, gc=False):
    """A rejoin-request of 1.1: types 0 and 2 carry `net_id`, type 1 carries `join_eui`."""

    rejoin_type: int
    net_id: str | None
    join_eui: str | None
    dev_eui: str
    rj_count: int
    mic: bytes


class Proprietary(msgspec.Struct, frozen=True, gc=False):
    """A frame of MType 7: everything after the MHDR is its owner's."""

    payload: bytes


Frame = DataFrame | JoinRequest | EncryptedJoinAccept | RejoinRequest | Proprietary


def parse(phy: bytes) -> Frame:
    """The frame in `phy`, or FrameError."""
    if not phy:
        raise FrameError("malformed", "the frame is empty")
    mhdr = phy[0]
    if mhdr & 3:
        raise FrameError("unsupported_major", f"major version is {mhdr & 3}, only 0 is known")
    mtype = mhdr >> 5
    if 2 <= mtype <= 5:
        return _parse_data(phy, mtype)
    if mtype == MType.JOIN_REQUEST:
        return _parse_join_request(phy)
    if mtype == MType.JOIN_ACCEPT:
        if len(phy) not in (17, 33):
            raise FrameError("malformed", f"join-accept is {len(phy)} octets, 17 or 33 are needed")
        return EncryptedJoinAccept(phy[1:])
    if mtype == MType.REJOIN_REQUEST:
        return _parse_rejoin_request(phy)
    return Proprietary(phy[1:])


def parse_uplink(phy: bytes) -> DataFrame | JoinRequest | RejoinRequest:
    """The frame in `phy` if a device may send it and a network can use it, or FrameError."""
    frame = parse(phy)
    if isinstance(frame, DataFrame):
        if frame.mtype & 1:
            raise FrameError("unexpected_direction", f"mtype is {frame.mtype}, a data frame that only a network sends")
        return frame
    if isinstance(frame, EncryptedJoinAccept):
        raise FrameError("unexpected_direction", "mtype is 1, a join-accept that only a network sends")
    if isinstance(frame, Proprietary):
        raise FrameError("proprietary", f"proprietary frame of {len(phy)} octets")
    return frame


def _parse_data(phy: bytes, mtype: int) -> DataFrame:
    size = len(phy)
    if size < 12:
        raise FrameError("malformed", f"data frame is {size} octets, at least 12 are needed")
    if size > MAX_MACPAYLOAD + 5:
        raise FrameError("payload_too_long", f"macpayload is {size - 5} octets, at most {MAX_MACPAYLOAD} fit")
    _, addr, fctrl, fcnt16 = _FHDR.unpack_from(phy)
    fopts_end = 8 + (fctrl & 15)
    mic_at = size - 4
    dev_addr = addr[::-1].hex()
    if fopts_end < mic_at:
        fport = phy[fopts_end]
        if fport == 0 and fctrl & 15:
            raise FrameError("fopts_with_fport0", f"fport is 0 with {fctrl & 15} octets of fopts")
        return DataFrame(
            mtype, dev_addr, fctrl, fcnt16, phy[8:fopts_end], fport, phy[fopts_end + 1 : mic_at], phy[mic_at:]
        )
    if fopts_end > mic_at:
        raise FrameError("malformed", f"foptslen is {fctrl & 15}, only {mic_at - 8} octets follow")
    return DataFrame(mtype, dev_addr, fctrl, fcnt16, phy[8:mic_at], None, b"", phy[mic_at:])


def _parse_join_request(phy: bytes) -> JoinRequest:
    if len(phy) != 23:
        raise FrameError("malformed", f"join-request is {len(phy)} octets, 23 are needed")
    _, join_eui, dev_eui, dev_nonce, mic = _JOIN_REQUEST.unpack(phy)
    return JoinRequest(join_eui[::-1].hex(), dev_eui[::-1].hex(), dev_nonce, mic)


def _parse_rejoin_request(phy: bytes) -> RejoinRequest:
    if len(phy) < 2:
        raise FrameError("malformed", "rejoin-request is 1 octet, its type is missing")
    rejoin_type = phy[1]
    needed = {0: 19, 1: 24, 2: 19}.get(rejoin_type)
    if needed is None:
        raise FrameError("malformed", f"rejoin type is {rejoin_type}, 0 to 2 are known")
    if len(phy) != needed:
        raise FrameError("malformed", f"rejoin-request type {rejoin_type} is {len(phy)} octets, {needed} are needed")
    rj_count, mic = int.from_bytes(phy[-6:-4], "little"), phy[-4:]
    dev_eui = phy[-14:-6][::-1].hex()
    origin = phy[2:-14][::-1].hex()
    if rejoin_type == 1:
        return RejoinRequest(rejoin_type, None, origin, dev_eui, rj_count, mic)
    return RejoinRequest(rejoin_type, origin, None, dev_eui, rj_count, mic)


def build_data(
    mtype: int, dev_addr: str, fctrl_flags: int, fcnt: int, fopts: bytes, fport: int | None, frm_payload: bytes
) -> bytes:
    """MHDR to FRMPayload, without MIC; `frm_payload` is already encrypted. FrameError when the parts do not fit."""
    if len(fopts) > MAX_FOPTS:
        raise FrameError("malformed", f"fopts is {len(fopts)} octets, at most {MAX_FOPTS} fit")
    header = _FHDR.pack(mtype << 5, dev_addr_le(dev_addr), fctrl_flags | len(fopts), fcnt & 0xFFFF) + fopts
    if fport is None:
        if frm_payload:
            raise FrameError("malformed", f"frm_payload is {len(frm_payload)} octets without an fport")
        return header
    if fport == 0 and fopts:
        raise FrameError("fopts_with_fport0", f"fport is 0 with {len(fopts)} octets of fopts")
    message = header + bytes((fport,)) + frm_payload
    if len(message) > MAX_MACPAYLOAD + 1:
        raise FrameError("payload_too_long", f"macpayload is {len(message) - 1} octets, at most {MAX_MACPAYLOAD} fit")
    return message


def build_join_request(join_eui: str, dev_eui: str, dev_nonce: int) -> bytes:
    """A join-request without MIC."""
    return b"\x00" + eui_le(join_eui) + eui_le(dev_eui) + dev_nonce.to_bytes(2, "little")


def build_rejoin(rejoin_type: int, origin: str, dev_eui: str, rj_count: int) -> bytes:
    """A rejoin-request without MIC; `origin` is the NetID for types 0 and 2, the JoinEUI for type 1."""
    return bytes((0xC0, rejoin_type)) + bytes.fromhex(origin)[::-1] + eui_le(dev_eui) + rj_count.to_bytes(2, "little")
