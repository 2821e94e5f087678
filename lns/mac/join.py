"""The join procedure of LoRaWAN 1.0.x: DevNonce rules by version, session keys, join-accept.

Nothing is changed here: the caller stores nonce and session durably before the join-accept leaves.
"""

import msgspec

from lns.lorawan.crypto import encrypt_join_accept, join_request_mic, session_keys_1_0
from lns.lorawan.phy import JoinAccept, JoinRequest
from lns.mac.refusal import Reason, Refused
from lns.mac.session import Device

MAX_JOIN_NONCE = 0xFF_FFFF


class JoinSettings(msgspec.Struct, frozen=True):
    """What the network gives to joining devices. `rx1_delay_s` is 1 to 15."""

    net_id: str
    rx1_delay_s: int
    extra_channels_hz: tuple[int, ...] = ()
    sub_band: int = 0


class Joined(msgspec.Struct, frozen=True):
    """A granted join: the new session's values and the encrypted join-accept."""

    dev_nonce: int
    join_nonce: int
    dev_addr: str
    nwk_s_key: bytes
    app_s_key: bytes
    rx1_delay_s: int
    accept: bytes


def check(request: JoinRequest, phy_payload: bytes, device: Device) -> Refused | None:
    """Why `device` may not join with this request, or None."""
    if device.disabled:
        return _refuse(Reason.DEVICE_DISABLED, request, f"device {device.dev_eui} is disabled")
    if device.app_key is None or device.activation != "otaa":
        return _refuse(Reason.JOIN_NOT_ALLOWED, request, f"device {device.dev_eui} is activated by abp")
    if device.join_eui is not None and device.join_eui != request.join_eui:
        return _refuse(
            Reason.JOIN_EUI_MISMATCH, request, f"join_eui {request.join_eui} asked, {device.join_eui} is registered"
        )
    if join_request_mic(device.app_key, phy_payload[:-4]) != request.mic:
        return _refuse(Reason.JOIN_MIC_FAILED, request, f"mic {request.mic.hex()} does not fit the registered app_key")
    if device.join_nonce >= MAX_JOIN_NONCE:
        return _refuse(Reason.JOIN_NONCES_EXHAUSTED, request, f"all {MAX_JOIN_NONCE} join nonces are used")
    return _check_nonce(request, device)


def _check_nonce(request: JoinRequest, device: Device) -> Refused | None:
    used = device.nonces
    if not used:
        return None
    # LoRaWAN 1.0.4: a counter that only grows; 1.0.0 to 1.0.3: random, so only a repeated value is refused
    if device.counts_dev_nonces and request.dev_nonce <= max(used):
        return _refuse(
            Reason.DEV_NONCE_NOT_INCREASING,
            request,
            f"dev_nonce {request.dev_nonce} is not above the last one {max(used)}, as lorawan 1.0.4 asks",
        )
    if request.dev_nonce in used:
        return _refuse(
            Reason.DEV_NONCE_REUSED,
            request,
            f"dev_nonce {request.dev_nonce} was used before (last one {used[-1]}): a replay, or poor random numbers",
        )
    return None


def accept(request: JoinRequest, device: Device, dev_addr: str, settings: JoinSettings) -> Joined:
    """Grant a checked join with the device's next JoinNonce and the given DevAddr."""
    assert device.app_key is not None
    join_nonce = device.join_nonce + 1
    region = device.region
    answer = JoinAccept(
        join_nonce=join_nonce,
        net_id=settings.net_id,
        dev_addr=dev_addr,
        opt_neg=False,
        rx1_dr_offset=0,
        rx2_data_rate=region.rx2_dr,
        rx_delay=settings.rx1_delay_s,
        cflist=region.cflist(extra_channels_hz=settings.extra_channels_hz, sub_band=settings.sub_band),
    )
    nwk_s_key, app_s_key = session_keys_1_0(device.app_key, join_nonce, settings.net_id, request.dev_nonce)
    return Joined(
        dev_nonce=request.dev_nonce,
        join_nonce=join_nonce,
        dev_addr=dev_addr,
        nwk_s_key=nwk_s_key,
        app_s_key=app_s_key,
        rx1_delay_s=settings.rx1_delay_s,
        accept=encrypt_join_accept(device.app_key, answer),
    )


def _refuse(reason: Reason, request: JoinRequest, text: str) -> Refused:
    return Refused(reason, text, None, request.dev_eui)
