"""MIC, payload cipher, join and session keys of LoRaWAN 1.0.x, and the two AES primitives that everything else uses.

OpenSSL contexts cost 2 us (CMAC) and 4 us (cipher) to make and about 1 kB each to keep; using a kept one takes 0.7 us.
"""

import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from lns.lorawan.errors import FrameError
from lns.lorawan.joinaccept import join_accept_fields, parse_join_accept_fields
from lns.lorawan.phy import JoinAccept

UP = 0
DOWN = 1

# Block B0: 49 | 4 zeros | direction | DevAddr | FCnt | 00 | length
_B0 = struct.Struct("<B4xB4sIxB")
# Block A1: 01 | 4 zeros | direction | DevAddr | FCnt | 00 | 01
_A1 = struct.Struct("<B4xB4sIxB")


class DataMic:
    """Message integrity code of 1.0.x data frames under one NwkSKey."""

    __slots__ = ("_keyed",)

    def __init__(self, nwk_s_key: bytes) -> None:
        self._keyed = CMAC(AES128(nwk_s_key))

    def mic(self, msg: bytes, dev_addr_le: bytes, fcnt32: int, direction: int) -> bytes:
        """The 4 octets over `msg`, MHDR to FRMPayload; `dev_addr_le` in air order, `direction` UP or DOWN."""
        cmac = self._keyed.copy()
        cmac.update(_B0.pack(0x49, direction, dev_addr_le, fcnt32, len(msg)) + msg)
        return cmac.finalize()[:4]


class PayloadCipher:
    """The FRMPayload cipher under one key: NwkSKey for FPort 0, else AppSKey."""

    __slots__ = ("_ctr",)

    def __init__(self, key: bytes) -> None:
        # The blocks A1, A2, ... differ in their last octet only: they are a counter, and this is AES in counter mode.
        self._ctr = Cipher(AES128(key), CTR(bytes(16))).encryptor()

    def apply(self, payload: bytes, dev_addr_le: bytes, fcnt32: int, direction: int) -> bytes:
        """Encrypt or decrypt, which is the same."""
        self._ctr.reset_nonce(_A1.pack(1, direction, dev_addr_le, fcnt32, 1))
        return self._ctr.update(payload)


def encrypt_blocks(key: bytes, blocks: bytes) -> bytes:
    """AES-128 of each 16 octets by themselves, which is how every LoRaWAN key is derived from another."""
    return Cipher(AES128(key), ECB()).encryptor().update(blocks)


def decrypt_blocks(key: bytes, blocks: bytes) -> bytes:
    """AES-128 backwards: what a server sends when the receiver is to need only the forward cipher."""
    return Cipher(AES128(key), ECB()).decryptor().update(blocks)


def cmac4(key: bytes, msg: bytes) -> bytes:
    """The first 4 octets of the AES-CMAC, which every MIC outside data frames is."""
    cmac = CMAC(AES128(key))
    cmac.update(msg)
    return cmac.finalize()[:4]


def join_request_mic(app_key: bytes, msg: bytes) -> bytes:
    """The 4 octets over the 19 octets of a join-request before its MIC."""
    return cmac4(app_key, msg)


def encrypt_join_accept(app_key: bytes, accept: JoinAccept) -> bytes:
    """The whole PHYPayload. The network runs AES backwards, so that a device needs only the forward cipher."""
    clear = join_accept_fields(accept)
    return clear[:1] + decrypt_blocks(app_key, clear[1:] + cmac4(app_key, clear))


def clear_join_accept(key: bytes, phy: bytes) -> bytes:
    """MHDR to MIC of a join-accept in clear, the MIC not yet checked. FrameError for octets that are no join-accept."""
    if len(phy) not in (17, 33):
        raise FrameError("malformed", f"join-accept is {len(phy)} octets, 17 or 33 are needed")
    if phy[0] != 0x20:
        raise FrameError("malformed", f"join-accept starts with {phy[0]:02x}, 20 is needed")
    return phy[:1] + encrypt_blocks(key, phy[1:])


def decrypt_join_accept(app_key: bytes, phy: bytes) -> JoinAccept:
    """What a device reads from a 1.0 join-accept. FrameError "mic" when the key or the bytes are wrong."""
    clear = clear_join_accept(app_key, phy)
    if cmac4(app_key, clear[:-4]) != clear[-4:]:
        raise FrameError("mic", "the mic of the join-accept is wrong")
    return parse_join_accept_fields(clear[:-4])


def session_keys_1_0(app_key: bytes, join_nonce: int, net_id: str, dev_nonce: int) -> tuple[bytes, bytes]:
    """NwkSKey and AppSKey of a 1.0.x session."""
    nonces = join_nonce.to_bytes(3, "little") + bytes.fromhex(net_id)[::-1] + dev_nonce.to_bytes(2, "little") + bytes(7)
    keys = encrypt_blocks(app_key, b"\x01" + nonces + b"\x02" + nonces)
    return keys[:16], keys[16:]
