"""Keys at rest: octets sealed with AES-GCM under the key-encryption key (KEK), as every key in the database is.

A sealed blob is key id (4) | nonce (12) | ciphertext and tag. The id is a digest of the KEK, so that a wrong one is
told before anything is opened, and a rotation knows what it has done. Opening costs about 1 us.
"""

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lns.errors import StoreError

ID_OCTETS = 4
_NONCE_OCTETS = 12
_HEAD_OCTETS = ID_OCTETS + _NONCE_OCTETS


class Seal:
    """Seals and opens under one KEK of 16 or 32 octets; `origin` says to people where the KEK comes from.

    A random nonce of 96 bits may be drawn 2**32 times under one key (NIST SP 800-38D, 8.3): a server would have to
    grant a hundred joins a second for more than a year before the KEK has to be rotated.
    """

    def __init__(self, kek: bytes, origin: str = "the key given") -> None:
        self.key_id = hashlib.sha256(b"inflight key-encryption key" + kek).digest()[:ID_OCTETS]
        self.origin = origin
        self._aead = AESGCM(kek)

    def seal(self, octets: bytes) -> bytes:
        """`octets` under the KEK, with a fresh nonce."""
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        return self.key_id + nonce + self._aead.encrypt(nonce, octets, None)

    def open(self, blob: bytes) -> bytes:
        """What was sealed. StoreError: under another KEK, or the blob was changed."""
        if blob[:ID_OCTETS] != self.key_id:
            raise StoreError(self.mismatch(blob[:ID_OCTETS]))
        try:
            return self._aead.decrypt(blob[ID_OCTETS:_HEAD_OCTETS], blob[_HEAD_OCTETS:], None)
        except InvalidTag:
            text = f"a sealed key of {len(blob)} octets does not open with key-encryption key {self.key_id.hex()}"
            raise StoreError(f"{text}: the database is damaged, restore a backup") from None

    def mismatch(self, found: bytes) -> str:
        """The sentence for keys that are sealed under the KEK with the id `found`."""
        return (
            f"the keys in the database are sealed with key-encryption key {found.hex()}, but {self.origin} holds "
            f"{self.key_id.hex()}: put the right one there, or restore the backup that belongs to it"
        )
