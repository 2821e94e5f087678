"""MIC and FOpts cipher of a LoRaWAN 1.1 session; the FRMPayload cipher is that of 1.0.

The contexts are kept and copied for the same reason as in crypto.py.
"""

import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.cmac import CMAC

from lns.lorawan.crypto import DOWN, UP

# Blocks B0 and B1: 49 | ConfFCnt | TxDr | TxCh | direction | DevAddr | FCnt | 00 | length (LoRaWAN 1.1 chapter 4.4).
# B0 has zeros for TxDr and TxCh, and for ConfFCnt too in an uplink.
_B = struct.Struct("<BHBBB4sIxB")
# Block A of FOpts: 01 | 3 zeros | k | direction | DevAddr | FCnt | 00 | 01, or 00 at the end before the erratum.
_A = struct.Struct("<B3xBB4sIxB")


class DataMic11:
    """Message integrity code of 1.1 data frames under FNwkSIntKey and SNwkSIntKey."""

    __slots__ = ("_forwarding", "_serving")

    def __init__(self, f_nwk_s_int_key: bytes, s_nwk_s_int_key: bytes) -> None:
        self._forwarding = CMAC(AES128(f_nwk_s_int_key))
        self._serving = CMAC(AES128(s_nwk_s_int_key))

    def uplink(self, msg: bytes, dev_addr_le: bytes, fcnt32: int, conf_fcnt: int, tx_dr: int, tx_ch: int) -> bytes:
        """The 4 octets over `msg`, MHDR to FRMPayload.

        `conf_fcnt` is the counter of the confirmed downlink that this frame acknowledges, 0 without ACK. `tx_dr` and
        `tx_ch` are the data rate and the channel index of this very transmission: a repetition has another MIC.
        """
        cmac = self._serving.copy()
        cmac.update(_B.pack(0x49, conf_fcnt & 0xFFFF, tx_dr, tx_ch, UP, dev_addr_le, fcnt32, len(msg)) + msg)
        return cmac.finalize()[:2] + self.uplink_f(msg, dev_addr_le, fcnt32)

    def uplink_f(self, msg: bytes, dev_addr_le: bytes, fcnt32: int) -> bytes:
        """The last 2 octets of an uplink's MIC, which depend on nothing but the frame and FNwkSIntKey."""
        cmac = self._forwarding.copy()
        cmac.update(_B.pack(0x49, 0, 0, 0, UP, dev_addr_le, fcnt32, len(msg)) + msg)
        return cmac.finalize()[:2]

    def downlink(self, msg: bytes, dev_addr_le: bytes, fcnt32: int, conf_fcnt: int) -> bytes:
        """The 4 octets over `msg`; `conf_fcnt` is the counter of the confirmed uplink acknowledged, 0 without ACK."""
        cmac = self._serving.copy()
        cmac.update(_B.pack(0x49, conf_fcnt & 0xFFFF, 0, 0, DOWN, dev_addr_le, fcnt32, len(msg)) + msg)
        return cmac.finalize()[:4]


class FOptsCipher:
    """The FOpts cipher of a 1.1 session under NwkSEncKey (LoRaWAN 1.1 chapter 4.3.1.6 with the FOpts erratum)."""

    __slots__ = ("_ctr",)

    def __init__(self, nwk_s_enc_key: bytes) -> None:
        # FOpts has at most 15 octets, so one block of counter mode is the specification's XOR with one AES block.
        self._ctr = Cipher(AES128(nwk_s_enc_key), CTR(bytes(16))).encryptor()

    def apply(
        self, fopts: bytes, dev_addr_le: bytes, fcnt32: int, direction: int, afcnt: bool, before_erratum: bool = False
    ) -> bytes:
        """Encrypt or decrypt, which is the same.

        `afcnt`: the counter is AFCntDown, that is, a downlink with FPort above 0. `before_erratum`: as devices of
        exactly 1.1.0 have it, where the block names neither the counter nor a block number.
        """
        which = 0 if before_erratum else 1 + afcnt
        self._ctr.reset_nonce(_A.pack(1, which, direction, dev_addr_le, fcnt32, 0 if before_erratum else 1))
        return self._ctr.update(fopts)
