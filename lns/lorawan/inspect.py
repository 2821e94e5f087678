"""One frame explained, as a JSON-ready dict: what `lns inspect HEX` prints."""

from typing import Any

from lns.lorawan.commands import parse_commands
from lns.lorawan.crypto import DOWN, UP, DataMic, PayloadCipher, decrypt_join_accept, join_request_mic
from lns.lorawan.errors import FrameError
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.joinaccept import cflist_channels, cflist_masks
from lns.lorawan.phy import DataFrame, EncryptedJoinAccept, JoinRequest, MType, RejoinRequest, parse


def inspect(
    phy: bytes,
    *,
    nwk_s_key: bytes | None = None,
    app_s_key: bytes | None = None,
    app_key: bytes | None = None,
    fcnt_msb: int = 0,
) -> dict[str, Any]:
    """Everything in `phy` that the given 1.0.x keys open; `mic_ok` is None where the key for it is missing.

    `fcnt_msb` is the upper half of the frame counter, which is not on air. FrameError as `phy.parse`.
    """
    frame = parse(phy)
    shown: dict[str, Any] = {"mhdr": {"mtype": MType(phy[0] >> 5).name.lower(), "major": phy[0] & 3}}
    if isinstance(frame, DataFrame):
        return shown | _data(phy, frame, nwk_s_key, app_s_key, fcnt_msb)
    if isinstance(frame, JoinRequest):
        mic_ok = None if app_key is None else join_request_mic(app_key, phy[:-4]) == frame.mic
        return shown | _identity(frame, dev_nonce=frame.dev_nonce) | {"mic": frame.mic.hex(), "mic_ok": mic_ok}
    if isinstance(frame, EncryptedJoinAccept):
        return shown | _join_accept(phy, app_key)
    if isinstance(frame, RejoinRequest):
        identity = _identity(frame, rejoin_type=frame.rejoin_type, net_id=frame.net_id, rj_count=frame.rj_count)
        return shown | identity | {"mic": frame.mic.hex(), "mic_ok": None}
    return shown | {"payload": frame.payload.hex()}


def _identity(frame: JoinRequest | RejoinRequest, **more: Any) -> dict[str, Any]:
    return {"join_eui": frame.join_eui, "dev_eui": frame.dev_eui, **more}


def _data(
    phy: bytes, frame: DataFrame, nwk_s_key: bytes | None, app_s_key: bytes | None, fcnt_msb: int
) -> dict[str, Any]:
    direction = UP if frame.uplink else DOWN
    fcnt = fcnt_msb << 16 | frame.fcnt16
    addr = dev_addr_le(frame.dev_addr)
    payload_key = nwk_s_key if frame.fport == 0 else app_s_key
    payload = frame.frm_payload
    if payload_key is not None:
        payload = PayloadCipher(payload_key).apply(payload, addr, fcnt, direction)
    shown: dict[str, Any] = {
        "dev_addr": frame.dev_addr,
        "fctrl": {
            "adr": frame.adr,
            "adr_ack_req": frame.adr_ack_req,
            "ack": frame.ack,
            "fpending": frame.fpending,
            "class_b": frame.class_b,
        },
        "fcnt": fcnt,
        **_commands("fopts", frame.fopts, frame.uplink),
        "fport": frame.fport,
        "frm_payload": payload.hex(),
        "decrypted": payload_key is not None,
        "mic": frame.mic.hex(),
        "mic_ok": None if nwk_s_key is None else DataMic(nwk_s_key).mic(phy[:-4], addr, fcnt, direction) == frame.mic,
    }
    if frame.fport == 0 and nwk_s_key is not None:
        shown |= _commands("mac_commands", payload, frame.uplink)
    return shown


def _commands(key: str, octets: bytes, uplink: bool) -> dict[str, Any]:
    commands, problem = parse_commands(octets, uplink)
    listed = [{"name": command.name, "cid": command.cid, "fields": command.fields} for command in commands]
    return {key: listed} if problem is None else {key: listed, f"{key}_problem": problem}


def _join_accept(phy: bytes, app_key: bytes | None) -> dict[str, Any]:
    if app_key is None:
        return {"encrypted": phy[1:].hex(), "mic_ok": None}
    try:
        accept = decrypt_join_accept(app_key, phy)
    except FrameError:
        return {"encrypted": phy[1:].hex(), "mic_ok": False}
    return {
        "join_nonce": accept.join_nonce,
        "net_id": accept.net_id,
        "dev_addr": accept.dev_addr,
        "dl_settings": {
            "opt_neg": accept.opt_neg,
            "rx1_dr_offset": accept.rx1_dr_offset,
            "rx2_data_rate": accept.rx2_data_rate,
        },
        "rx_delay": accept.rx_delay,
        "cflist": accept.cflist and _cflist(accept.cflist),
        "mic_ok": True,
    }


def _cflist(cflist: bytes) -> dict[str, Any]:
    return {
        "type": cflist[15],
        "raw": cflist.hex(),
        "frequencies_hz": cflist_channels(cflist),
        "ch_masks": cflist_masks(cflist),
    }
