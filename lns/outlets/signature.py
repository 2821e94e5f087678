"""Signatures of Standard Webhooks 1.0.0, symmetric (v1): `whsec_` and 24 to 64 bytes in base64. Pure.

The signed text is `id.timestamp.body`, the timestamp being that of the attempt in Unix seconds.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64


def key_of(secret: str) -> bytes:
    """The key in a secret; ValueError when it is not one."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"secret does not begin with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"secret is not base64 after {PREFIX}") from error
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"secret is {len(key)} bytes, from {LEAST_BYTES} to {MOST_BYTES} fit")
    return key


def headers(keys: Sequence[bytes], message_id: str, at_s: int, body: bytes) -> list[tuple[str, str]]:
    """The headers of an attempt; one signature for each key, so that a receiver may hold the old or the new one."""
    signed = f"{message_id}.{at_s}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys]
    unsigned = [("webhook-id", message_id), ("webhook-timestamp", str(at_s))]
    return [*unsigned, ("webhook-signature", " ".join(f"v1,{s}" for s in signatures))] if keys else unsigned
