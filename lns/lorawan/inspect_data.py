"""A data frame explained: its fields, its MIC by the rules of 1.0 or 1.1, and what its keys open."""

from itertools import product
from typing import Any

import msgspec

from lns.lorawan import relay
from lns.lorawan.commands import parse_commands
from lns.lorawan.crypto import DOWN, UP, DataMic, PayloadCipher
from lns.lorawan.crypto11 import DataMic11, FOptsCipher
from lns.lorawan.errors import FrameError
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.joining import JOIN
from lns.lorawan.layout import Command
from lns.lorawan.packages import clock_sync, firmware, fragmentation, multicast_setup
from lns.lorawan.phy import DataFrame

MAX_TX_DR = 15
MAX_TX_CH = 95  # the largest channel index of any region


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys at hand. Those of a 1.0 session also serve a multicast group: McNwkSKey and McAppSKey."""

    nwk_s_key: bytes | None = None
    app_s_key: bytes | None = None
    f_nwk_s_int_key: bytes | None = None
    s_nwk_s_int_key: bytes | None = None
    nwk_s_enc_key: bytes | None = None
    app_key: bytes | None = None
    nwk_key: bytes | None = None

    @property
    def session_1_1(self) -> bool:
        return any(key is not None for key in (self.f_nwk_s_int_key, self.s_nwk_s_int_key, self.nwk_s_enc_key))

    @property
    def encryption_key(self) -> bytes | None:
        """What the network encrypts with: FPort 0, relayed frames and, in 1.1, FOpts."""
        return self.nwk_s_enc_key if self.session_1_1 else self.nwk_s_key


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is not in a frame but in its MIC or cipher; None where it is not known.

    `fcnt_msb` is the upper half of the frame counter, `conf_fcnt` the counter of the frame that an ACK is for. A
    join-accept answers the request of `join_eui`, `dev_eui` and `dev_nonce`, for a rejoin-request its RJcount.
    """

    fcnt_msb: int = 0
    conf_fcnt: int | None = None
    tx_dr: int | None = None
    tx_ch: int | None = None
    join_eui: str | None = None
    dev_eui: str | None = None
    dev_nonce: int | None = None
    join_req_type: int = JOIN


Checked = tuple[bool | None, dict[str, Any]]
"""Whether a MIC is right (None: cannot be told), and what to show beside that."""


def show_data(phy: bytes, frame: DataFrame, keys: Keys, known: Known) -> dict[str, Any]:
    """The fields of a data frame, decrypted where `keys` allow it."""
    fcnt = known.fcnt_msb << 16 | frame.fcnt16
    mic_ok, more = _check_mic(phy[:-4], frame, fcnt, keys, known)
    payload, opened = _payload(frame, fcnt, keys)
    return {
        "dev_addr": frame.dev_addr,
        "fctrl": {
            "adr": frame.adr,
            "adr_ack_req": frame.adr_ack_req,
            "ack": frame.ack,
            "fpending": frame.fpending,
            "class_b": frame.class_b,
        },
        "fcnt": fcnt,
        **_fopts(frame, fcnt, keys),
        "fport": frame.fport,
        "frm_payload": payload.hex(),
        "decrypted": opened,
        **(_contents(frame, payload) if opened else {}),
        "mic": frame.mic.hex(),
        "mic_ok": mic_ok,
        **more,
    }


def _check_mic(msg: bytes, frame: DataFrame, fcnt: int, keys: Keys, known: Known) -> Checked:
    addr = dev_addr_le(frame.dev_addr)
    if not keys.session_1_1:
        if keys.nwk_s_key is None:
            return None, {}
        return DataMic(keys.nwk_s_key).mic(msg, addr, fcnt, UP if frame.uplink else DOWN) == frame.mic, {}
    if frame.uplink:
        return _check_uplink_1_1(msg, frame, fcnt, keys, known)
    if keys.s_nwk_s_int_key is None:
        return None, {"mic_hint": "a 1.1 downlink is checked with SNwkSIntKey"}
    if frame.ack and known.conf_fcnt is None:
        return None, {"mic_hint": "the frame acknowledges a confirmed uplink: its counter, conf_fcnt, is in the mic"}
    mic = DataMic11(keys.s_nwk_s_int_key, keys.s_nwk_s_int_key)
    return mic.downlink(msg, addr, fcnt, _conf_fcnt(frame, known)) == frame.mic, {}


def _conf_fcnt(frame: DataFrame, known: Known) -> int:
    return known.conf_fcnt or 0 if frame.ack else 0


def _check_uplink_1_1(msg: bytes, frame: DataFrame, fcnt: int, keys: Keys, known: Known) -> Checked:
    """The half under FNwkSIntKey first, then the half that also covers data rate, channel and acknowledged counter."""
    if keys.f_nwk_s_int_key is None:
        return None, {"mic_hint": "a 1.1 uplink is checked with FNwkSIntKey and SNwkSIntKey"}
    mic = DataMic11(keys.f_nwk_s_int_key, keys.s_nwk_s_int_key or keys.f_nwk_s_int_key)
    if mic.uplink_f(msg, dev_addr_le(frame.dev_addr), fcnt) != frame.mic[2:]:
        return False, {"mic_hint": "the half under FNwkSIntKey is wrong: its key, the counter or the octets"}
    if keys.s_nwk_s_int_key is None:
        return None, {"mic_hint": "the half under FNwkSIntKey is right, SNwkSIntKey checks the other"}
    if frame.ack and known.conf_fcnt is None:
        return None, {"mic_hint": "the frame acknowledges a confirmed downlink: its counter, conf_fcnt, is in the mic"}
    sent = _sent_with(mic, msg, frame, fcnt, known)
    told = [one for one in sent if known.tx_dr in (None, one["tx_dr"]) and known.tx_ch in (None, one["tx_ch"])]
    if told:
        return True, {"sent_with": told}
    if sent:
        right = " or ".join([f"tx_dr {one['tx_dr']} with tx_ch {one['tx_ch']}" for one in sent])
        return False, {"mic_hint": f"the mic is right for {right}"}
    what = "SNwkSIntKey or conf_fcnt" if frame.ack else "SNwkSIntKey"
    return False, {"mic_hint": f"the half under FNwkSIntKey is right: {what} is wrong"}


def _sent_with(mic: DataMic11, msg: bytes, frame: DataFrame, fcnt: int, known: Known) -> list[dict[str, int]]:
    """Every data rate and channel index that make the MIC right: nearly always one pair, and 3 ms to try them all."""
    addr, conf_fcnt = dev_addr_le(frame.dev_addr), _conf_fcnt(frame, known)
    return [
        {"tx_dr": tx_dr, "tx_ch": tx_ch}
        for tx_dr, tx_ch in product(range(MAX_TX_DR + 1), range(MAX_TX_CH + 1))
        if mic.uplink(msg, addr, fcnt, conf_fcnt, tx_dr, tx_ch) == frame.mic
    ]


def _fopts(frame: DataFrame, fcnt: int, keys: Keys) -> dict[str, Any]:
    """The MAC commands in FOpts; a form that reads to the end is taken for the one that was sent."""
    if not keys.session_1_1 or not frame.fopts:
        return show_commands("fopts", parse_commands(frame.fopts, frame.uplink))
    if keys.nwk_s_enc_key is None:
        return {"fopts": [], "fopts_problem": f"{frame.fopts.hex()} is encrypted with NwkSEncKey"}
    cipher, addr = FOptsCipher(keys.nwk_s_enc_key), dev_addr_le(frame.dev_addr)
    direction, afcnt = (UP, False) if frame.uplink else (DOWN, bool(frame.fport))
    shown, before_erratum = (
        show_commands(
            "fopts",
            parse_commands(cipher.apply(frame.fopts, addr, fcnt, direction, afcnt, old), frame.uplink),
        )
        for old in (False, True)
    )
    if "fopts_problem" in shown and "fopts_problem" not in before_erratum:
        return before_erratum | {"fopts_hint": "encrypted as before the erratum of 1.1, by a 1.1.0 device"}
    return shown


def _payload(frame: DataFrame, fcnt: int, keys: Keys) -> tuple[bytes, bool]:
    """FRMPayload in clear, or as it came with False."""
    key = keys.encryption_key if frame.fport in (0, relay.FPORT) else keys.app_s_key
    if key is None:
        return frame.frm_payload, False
    direction = UP if frame.uplink else DOWN
    return PayloadCipher(key).apply(frame.frm_payload, dev_addr_le(frame.dev_addr), fcnt, direction), True


_PACKAGES = {
    multicast_setup.FPORT: (multicast_setup.parse,),
    fragmentation.FPORT: tuple(table.parse for table in fragmentation.TABLES.values()),
    clock_sync.FPORT: (clock_sync.parse,),
    firmware.FPORT: (firmware.parse,),
}


def _contents(frame: DataFrame, payload: bytes) -> dict[str, Any]:
    """What a decrypted payload says, on the ports where the specifications give it a meaning."""
    if frame.fport == 0:
        return show_commands("mac_commands", parse_commands(payload, frame.uplink))
    if frame.fport == relay.FPORT:
        return {"relayed": _relayed(payload) if frame.uplink else {"phy_payload": payload.hex()}}
    for parse in _PACKAGES.get(frame.fport or 0, ()):
        commands, problem = parse(payload, frame.uplink)
        if problem is None:  # else it is the port of some application after all
            return show_commands("package_commands", (commands, None))
    return {}


def _relayed(payload: bytes) -> dict[str, Any]:
    try:
        uplink = relay.parse_forwarded_uplink(payload)
    except FrameError as error:
        return {"problem": str(error)}
    return msgspec.structs.asdict(uplink) | {"phy_payload": uplink.phy_payload.hex()}


def show_commands(key: str, parsed: tuple[list[Command], str | None]) -> dict[str, Any]:
    """A run of commands under `key`, and what ended it under `key`_problem."""
    commands, problem = parsed
    listed = [{"name": command.name, "cid": command.cid, "fields": command.fields} for command in commands]
    return {key: listed} if problem is None else {key: listed, f"{key}_problem": problem}
