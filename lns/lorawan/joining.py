"""Joining by LoRaWAN 1.1: session keys, join server keys, join-accepts of joins and rejoins, MIC of rejoin-requests.

What 1.0 devices and 1.0 sessions need of it comes from crypto.py.
"""

import msgspec

from lns.lorawan.crypto import clear_join_accept, cmac4, decrypt_blocks, encrypt_blocks, session_keys_1_0
from lns.lorawan.errors import FrameError
from lns.lorawan.ids import eui_le
from lns.lorawan.joinaccept import join_accept_fields, parse_join_accept_fields
from lns.lorawan.phy import JoinAccept

JOIN = 0xFF  # JoinReqType of a join-request; that of a rejoin-request is its type


class SessionKeys(msgspec.Struct, frozen=True, gc=False):
    """The four keys of a session; in a 1.0 session the three network keys are all the NwkSKey."""

    f_nwk_s_int_key: bytes
    s_nwk_s_int_key: bytes
    nwk_s_enc_key: bytes
    app_s_key: bytes


class JoinContext(msgspec.Struct, frozen=True, gc=False):
    """The request that a join-accept answers; `dev_nonce` is the RJcount of a rejoin-request."""

    join_req_type: int
    join_eui: str
    dev_nonce: int


def session_keys(
    accept_join_nonce: int,
    net_id: str,
    join_eui: str,
    dev_nonce: int,
    app_key: bytes,
    nwk_key: bytes | None,
    opt_neg: bool,
) -> SessionKeys:
    """The keys both ends derive from a join-accept; `dev_nonce` is the RJcount after a rejoin-request.

    Without `opt_neg` the 1.0 formula holds, with NwkKey as the only root where there is one. ValueError for `opt_neg`
    without `nwk_key`.
    """
    if not opt_neg:
        nwk_s_key, app_s_key = session_keys_1_0(nwk_key or app_key, accept_join_nonce, net_id, dev_nonce)
        return SessionKeys(nwk_s_key, nwk_s_key, nwk_s_key, app_s_key)
    if nwk_key is None:
        raise ValueError("opt_neg is set, but there is no nwk_key to derive 1.1 session keys from")
    nonces = accept_join_nonce.to_bytes(3, "little") + eui_le(join_eui) + dev_nonce.to_bytes(2, "little") + bytes(2)
    network = encrypt_blocks(nwk_key, b"\x01" + nonces + b"\x03" + nonces + b"\x04" + nonces)
    return SessionKeys(network[:16], network[16:32], network[32:], encrypt_blocks(app_key, b"\x02" + nonces))


def js_enc_key(nwk_key: bytes, dev_eui: str) -> bytes:
    """JSEncKey, which encrypts the join-accept that answers a rejoin-request."""
    return encrypt_blocks(nwk_key, b"\x05" + eui_le(dev_eui) + bytes(7))


def js_int_key(nwk_key: bytes, dev_eui: str) -> bytes:
    """JSIntKey, for the MIC of a rejoin-request of type 1 and of every join-accept with OptNeg."""
    return encrypt_blocks(nwk_key, b"\x06" + eui_le(dev_eui) + bytes(7))


def rejoin_mic(key: bytes, msg: bytes) -> bytes:
    """The 4 octets over a rejoin-request before its MIC: under SNwkSIntKey for types 0 and 2, JSIntKey for type 1."""
    return cmac4(key, msg)


def encrypt_join_accept_1_1(accept: JoinAccept, context: JoinContext, nwk_key: bytes, dev_eui: str) -> bytes:
    """The whole PHYPayload for a device with a NwkKey; `accept.opt_neg` decides between the MICs of 1.1 and 1.0."""
    clear = join_accept_fields(accept)
    sealed = clear[1:] + _join_accept_mic(clear, accept.opt_neg, context, nwk_key, dev_eui)
    return clear[:1] + decrypt_blocks(_encryption_key(context, nwk_key, dev_eui), sealed)


def decrypt_join_accept_any(phy: bytes, context: JoinContext, nwk_key: bytes, dev_eui: str) -> JoinAccept:
    """What a device with a NwkKey reads from a join-accept of a 1.1 or 1.0 network, told apart by OptNeg.

    FrameError "mic" when a key, the context or the octets are wrong.
    """
    clear = clear_join_accept(_encryption_key(context, nwk_key, dev_eui), phy)
    accept = parse_join_accept_fields(clear[:-4])
    if _join_accept_mic(clear[:-4], accept.opt_neg, context, nwk_key, dev_eui) != clear[-4:]:
        raise FrameError("mic", "the mic of the join-accept is wrong")
    return accept


def decrypt_join_accept_1_1(phy: bytes, context: JoinContext, nwk_key: bytes, dev_eui: str) -> JoinAccept:
    """As `decrypt_join_accept_any`, for a device that takes nothing less than a 1.1 session: FrameError "mic"."""
    accept = decrypt_join_accept_any(phy, context, nwk_key, dev_eui)
    if not accept.opt_neg:
        raise FrameError("mic", "the mic of the join-accept is that of 1.0")
    return accept


def _encryption_key(context: JoinContext, nwk_key: bytes, dev_eui: str) -> bytes:
    return nwk_key if context.join_req_type == JOIN else js_enc_key(nwk_key, dev_eui)


def _join_accept_mic(clear: bytes, opt_neg: bool, context: JoinContext, nwk_key: bytes, dev_eui: str) -> bytes:
    if not opt_neg:
        return cmac4(nwk_key, clear)
    request = (
        bytes((context.join_req_type,)) + eui_le(context.join_eui) + context.dev_nonce.to_bytes(2, "little") + clear
    )
    return cmac4(js_int_key(nwk_key, dev_eui), request)
