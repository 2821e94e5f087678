"""One frame or beacon explained, as a JSON-ready dict: what `lns inspect HEX` prints."""

from datetime import UTC, datetime
from typing import Any

from lns.lorawan.class_b import parse_beacon
from lns.lorawan.crypto import decrypt_join_accept, join_request_mic
from lns.lorawan.errors import FrameError
from lns.lorawan.gpstime import unix_from_gps
from lns.lorawan.inspect_data import Checked, Keys, Known, show_data
from lns.lorawan.joinaccept import cflist_channels, cflist_masks
from lns.lorawan.joining import JoinContext, decrypt_join_accept_any, js_int_key, rejoin_mic
from lns.lorawan.phy import DataFrame, EncryptedJoinAccept, JoinAccept, JoinRequest, MType, RejoinRequest, parse


def inspect(phy: bytes, keys: Keys = Keys(), known: Known = Known()) -> dict[str, Any]:
    """Everything in `phy` that the keys open; `mic_ok` is None where it cannot be told. FrameError as `phy.parse`."""
    frame = parse(phy)
    shown: dict[str, Any] = {"mhdr": {"mtype": MType(phy[0] >> 5).name.lower(), "major": phy[0] & 3}}
    if isinstance(frame, DataFrame):
        return shown | show_data(phy, frame, keys, known)
    if isinstance(frame, JoinRequest):
        return shown | _identity(frame, dev_nonce=frame.dev_nonce) | _join_request_mic(phy, frame, keys)
    if isinstance(frame, EncryptedJoinAccept):
        return shown | _join_accept(phy, keys, known)
    if isinstance(frame, RejoinRequest):
        identity = _identity(frame, rejoin_type=frame.rejoin_type, net_id=frame.net_id, rj_count=frame.rj_count)
        return shown | identity | _rejoin_mic(phy, frame, keys)
    return shown | {"payload": frame.payload.hex()}


def inspect_beacon(payload: bytes) -> dict[str, Any]:
    """A class B beacon as a gateway sends it. FrameError when it is none."""
    beacon = parse_beacon(payload)
    position = beacon.position_deg
    return {
        "time_gps_s": beacon.time_gps_s,
        "time": datetime.fromtimestamp(unix_from_gps(beacon.time_gps_s), UTC).isoformat(),
        "param": beacon.param,
        "gw_specific": beacon.gw_specific and beacon.gw_specific.hex(),
        "info_desc": beacon.gw_specific and beacon.gw_specific[0],
        "position_deg": position and {"latitude": position[0], "longitude": position[1]},
    }


def _identity(frame: JoinRequest | RejoinRequest, **more: Any) -> dict[str, Any]:
    return {"join_eui": frame.join_eui, "dev_eui": frame.dev_eui, **more}


def _join_request_mic(phy: bytes, frame: JoinRequest, keys: Keys) -> dict[str, Any]:
    roots = [key for key in (keys.app_key, keys.nwk_key) if key is not None]  # 1.0 devices have the one, 1.1 the other
    mic_ok = any(join_request_mic(key, phy[:-4]) == frame.mic for key in roots) if roots else None
    return {"mic": frame.mic.hex(), "mic_ok": mic_ok}


def _rejoin_mic(phy: bytes, frame: RejoinRequest, keys: Keys) -> dict[str, Any]:
    key = keys.s_nwk_s_int_key
    if frame.rejoin_type == 1:
        key = None if keys.nwk_key is None else js_int_key(keys.nwk_key, frame.dev_eui)
    mic_ok = None if key is None else rejoin_mic(key, phy[:-4]) == frame.mic
    return {"mic": frame.mic.hex(), "mic_ok": mic_ok}


def _join_accept(phy: bytes, keys: Keys, known: Known) -> dict[str, Any]:
    accept, (mic_ok, more) = _open_join_accept(phy, keys, known)
    if accept is None:
        return {"encrypted": phy[1:].hex(), "mic_ok": mic_ok, **more}
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


def _open_join_accept(phy: bytes, keys: Keys, known: Known) -> tuple[JoinAccept | None, Checked]:
    if keys.nwk_key is None:
        return (None, (None, {})) if keys.app_key is None else _open_1_0(phy, keys.app_key)
    if known.join_eui is None or known.dev_eui is None or known.dev_nonce is None:
        accept, _ = _open_1_0(phy, keys.nwk_key)
        hint = "a join-accept of 1.1 is checked with join_eui, dev_eui and dev_nonce of the request, too"
        return accept, (None, {"mic_hint": hint})
    context = JoinContext(known.join_req_type, known.join_eui, known.dev_nonce)
    try:
        return decrypt_join_accept_any(phy, context, keys.nwk_key, known.dev_eui), (True, {})
    except FrameError:
        return None, (False, {})


def _open_1_0(phy: bytes, key: bytes) -> tuple[JoinAccept | None, Checked]:
    try:
        return decrypt_join_accept(key, phy), (True, {})
    except FrameError:
        return None, (False, {})


def _cflist(cflist: bytes) -> dict[str, Any]:
    return {
        "type": cflist[15],
        "raw": cflist.hex(),
        "frequencies_hz": cflist_channels(cflist),
        "ch_masks": cflist_masks(cflist),
    }
