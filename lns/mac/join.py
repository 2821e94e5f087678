"""Joins and rejoins: nonce rules by version, the new session's keys and parameters, the join-accept.

Nothing is changed here: the caller stores nonces and session durably before the join-accept leaves.
"""

import msgspec

from lns.lorawan.crypto import encrypt_join_accept, join_request_mic
from lns.lorawan.joining import (
    JOIN,
    JoinContext,
    SessionKeys,
    encrypt_join_accept_1_1,
    js_int_key,
    rejoin_mic,
    session_keys,
)
from lns.lorawan.phy import JoinAccept, JoinRequest, RejoinRequest
from lns.mac.refusal import Reason, Refused
from lns.mac.session import Device, Session
from lns.mac.settings import RegionSettings

MAX_JOIN_NONCE = 0xFF_FFFF
KEEP_RADIO = 2
"""Type of a rejoin-request after which only keys and DevAddr are new."""


class Windows(msgspec.Struct, frozen=True, gc=False):
    """Receive-window parameters of a session."""

    rx1_delay_s: int
    rx1_dr_offset: int
    rx2_dr: int
    rx2_freq_hz: int


class Joined(msgspec.Struct, frozen=True):
    """A granted join: the new session's values and the encrypted join-accept."""

    join_nonce: int
    dev_addr: str
    keys: SessionKeys
    minor: int
    windows: Windows
    cflist: bytes | None
    accept: bytes


def check(request: JoinRequest, phy_payload: bytes, device: Device) -> Refused | None:
    """Why `device` may not join with this request, or None."""
    key = device.root_key
    if device.disabled:
        return _refuse(Reason.DEVICE_DISABLED, device, f"device {device.dev_eui} is disabled")
    if key is None or device.activation != "otaa":
        return _refuse(Reason.JOIN_NOT_ALLOWED, device, f"device {device.dev_eui} is activated by abp")
    if device.join_eui is not None and device.join_eui != request.join_eui:
        return _refuse(
            Reason.JOIN_EUI_MISMATCH, device, f"join_eui {request.join_eui} asked, {device.join_eui} is registered"
        )
    if join_request_mic(key, phy_payload[:-4]) != request.mic:
        return _refuse(
            Reason.JOIN_MIC_FAILED, device, f"mic {request.mic.hex()} does not fit the registered {_key_name(device)}"
        )
    return _check_join_nonce(device) or _check_dev_nonce(request, device)


def _key_name(device: Device) -> str:
    return "nwk_key" if device.lorawan_version == "1.1" else "app_key"


def _check_join_nonce(device: Device) -> Refused | None:
    if device.join_nonce >= MAX_JOIN_NONCE:
        return _refuse(Reason.JOIN_NONCES_EXHAUSTED, device, f"all {MAX_JOIN_NONCE} join nonces are used")
    return None


def _check_dev_nonce(request: JoinRequest, device: Device) -> Refused | None:
    used = device.nonces
    if not used:
        return None
    # LoRaWAN 1.0.4 and 1.1: a counter that only grows; 1.0.0 to 1.0.3: random, so only a repeated value is refused
    if device.counts_dev_nonces and request.dev_nonce <= max(used):
        return _refuse(
            Reason.DEV_NONCE_NOT_INCREASING,
            device,
            f"dev_nonce {request.dev_nonce} is not above the last one {max(used)},"
            f" as lorawan {device.lorawan_version} asks",
        )
    if request.dev_nonce in used:
        return _refuse(
            Reason.DEV_NONCE_REUSED,
            device,
            f"dev_nonce {request.dev_nonce} was used before (last one {used[-1]}): a replay, or poor random numbers",
        )
    return None


def check_rejoin(request: RejoinRequest, phy_payload: bytes, device: Device, net_id: str) -> Refused | None:
    """Why `device` gets no answer to its rejoin-request, or None (LoRaWAN 1.1, chapter 6.2.4)."""
    if device.disabled:
        return _refuse(Reason.DEVICE_DISABLED, device, f"device {device.dev_eui} is disabled")
    sessions = [session for session in (device.session, device.pending) if session is not None and session.minor]
    if device.nwk_key is None or device.activation != "otaa" or not (sessions or request.rejoin_type == 1):
        text = f"device {device.dev_eui} has no session of lorawan 1.1 that it joined"
        return _refuse(Reason.REJOIN_NOT_ALLOWED, device, text)
    if request.rejoin_type == 1:
        keys, last = [js_int_key(device.nwk_key, device.dev_eui)], device.rj_count1
        if device.join_eui is not None and device.join_eui != request.join_eui:
            text = f"join_eui {request.join_eui} asked, {device.join_eui} is registered"
            return _refuse(Reason.JOIN_EUI_MISMATCH, device, text)
    else:
        keys = [session.keys.s_nwk_s_int_key for session in sessions]
        # RJcount0 starts anew with every session (LoRaWAN 1.1, chapter 6.2.4)
        last = -1 if signed_by_pending(request, phy_payload, device) else device.rj_count0
        if request.net_id != net_id:
            return _refuse(Reason.REJOIN_NOT_ALLOWED, device, f"net_id {request.net_id} asked, this one is {net_id}")
    if request.mic not in [rejoin_mic(key, phy_payload[:-4]) for key in keys]:
        text = f"mic {request.mic.hex()} of the rejoin-request type {request.rejoin_type} is wrong"
        return _refuse(Reason.REJOIN_MIC_FAILED, device, text)
    if request.rj_count <= last:
        text = f"rj_count {request.rj_count} is not above the last one {last}: a replay"
        return _refuse(Reason.RJ_COUNT_NOT_ABOVE_LAST, device, text)
    return _check_join_nonce(device)


def signed_by_pending(request: RejoinRequest, phy_payload: bytes, device: Device) -> bool:
    """Whether a rejoin-request of type 0 or 2 is signed with the keys of the last join: then the device has them."""
    session = device.pending
    if session is None or session.minor == 0 or request.rejoin_type == 1:
        return False
    return rejoin_mic(session.keys.s_nwk_s_int_key, phy_payload[:-4]) == request.mic


class Grant(msgspec.Struct, frozen=True):
    """What the network gives in a join-accept; `join_freq_hz` is where the request was heard."""

    net_id: str
    dev_addr: str
    join_freq_hz: int
    settings: RegionSettings


def accept(request: JoinRequest, device: Device, grant: Grant) -> Joined:
    """Answer a checked join-request with the device's next JoinNonce."""
    windows = first_windows(device, grant.join_freq_hz, grant.settings)
    settings = grant.settings
    cflist = device.region.cflist(extra_channels_hz=settings.extra_channels_hz[:5], sub_band=settings.sub_band)
    return _join(device, JoinContext(JOIN, request.join_eui, request.dev_nonce), grant, windows, cflist)


def accept_rejoin(request: RejoinRequest, device: Device, grant: Grant) -> Joined:
    """Answer a checked rejoin-request. After type 2 the radio parameters stay: they are repeated, without a CFList."""
    # types 0 and 2 do not carry the JoinEUI, the session keys need the one the device joined with
    join_eui = request.join_eui or device.join_eui or "0" * 16
    context = JoinContext(request.rejoin_type, join_eui, request.rj_count)
    session = device.session or device.pending
    if request.rejoin_type == KEEP_RADIO and session is not None:
        windows = Windows(session.rx1_delay_s, session.rx1_dr_offset, session.rx2_dr, session.rx2_freq_hz)
        return _join(device, context, grant, windows, None)
    settings = grant.settings
    cflist = device.region.cflist(extra_channels_hz=settings.extra_channels_hz[:5], sub_band=settings.sub_band)
    return _join(device, context, grant, first_windows(device, grant.join_freq_hz, settings), cflist)


def first_windows(device: Device, join_freq_hz: int, settings: RegionSettings) -> Windows:
    """The windows a device is told when it joins; the frequency of RX2 is not told, so it is the region's."""
    own = device.settings
    freq_hz, dr = device.region.session_rx2(join_freq_hz)
    return Windows(
        own.rx1_delay_s or settings.rx1_delay_s,
        settings.rx1_dr_offset if own.rx1_dr_offset is None else own.rx1_dr_offset,
        next(given for given in (own.rx2_dr, settings.rx2_dr, dr) if given is not None),
        freq_hz,
    )


def _join(device: Device, context: JoinContext, grant: Grant, windows: Windows, cflist: bytes | None) -> Joined:
    minor = 1 if device.lorawan_version == "1.1" and device.nwk_key is not None else 0
    join_nonce = device.join_nonce + 1
    answer = JoinAccept(
        join_nonce=join_nonce,
        net_id=grant.net_id,
        dev_addr=grant.dev_addr,
        opt_neg=minor == 1,
        rx1_dr_offset=windows.rx1_dr_offset,
        rx2_data_rate=windows.rx2_dr,
        rx_delay=windows.rx1_delay_s,
        cflist=cflist,
    )
    root, app_key = device.root_key, device.app_key
    assert root is not None
    keys = session_keys(
        join_nonce, grant.net_id, context.join_eui, context.dev_nonce, app_key or root, device.nwk_key, minor == 1
    )
    if minor:
        octets = encrypt_join_accept_1_1(answer, context, root, device.dev_eui)
    else:
        octets = encrypt_join_accept(root, answer)
    return Joined(join_nonce, grant.dev_addr, keys, minor, windows, cflist, octets)


def open_session(session_id: int, device: Device, joined: Joined) -> Session:
    """The session that a join gives, with what its device has by then."""
    session = Session.of(session_id, device, joined.dev_addr, joined.keys, joined.minor)
    windows = joined.windows
    session.rx1_delay_s, session.rx1_dr_offset = windows.rx1_delay_s, windows.rx1_dr_offset
    session.rx2_dr, session.rx2_freq_hz = windows.rx2_dr, windows.rx2_freq_hz
    return session


def _refuse(reason: Reason, device: Device, text: str) -> Refused:
    return Refused(reason, text, None, device.dev_eui)
