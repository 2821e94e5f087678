"""Keys of multicast groups (TS005 Remote Multicast Setup); the frames of a group are 1.0 frames under its keys."""

from lns.lorawan.crypto import decrypt_blocks, encrypt_blocks
from lns.lorawan.ids import dev_addr_le


def mc_root_key_1_0(gen_app_key: bytes) -> bytes:
    """McRootKey of a 1.0.x device, from the GenAppKey that such devices have for this purpose only."""
    return encrypt_blocks(gen_app_key, bytes(16))


def mc_root_key_1_1(app_key: bytes) -> bytes:
    """McRootKey of a 1.1 device."""
    return encrypt_blocks(app_key, b"\x20" + bytes(15))


def mc_ke_key(mc_root_key: bytes) -> bytes:
    """McKEKey, under which a group's key is sent to one device."""
    return encrypt_blocks(mc_root_key, bytes(16))


def encrypt_mc_key(mc_ke_key: bytes, mc_key: bytes) -> bytes:
    """McKey_encrypted for McGroupSetupReq; the server runs AES backwards, so that a device needs only the forward."""
    return decrypt_blocks(mc_ke_key, mc_key)


def decrypt_mc_key(mc_ke_key: bytes, mc_key_encrypted: bytes) -> bytes:
    """McKey as a device reads it."""
    return encrypt_blocks(mc_ke_key, mc_key_encrypted)


def mc_keys(mc_key: bytes, mc_addr: str) -> tuple[bytes, bytes]:
    """McNwkSKey and McAppSKey of a group."""
    address = dev_addr_le(mc_addr) + bytes(11)
    keys = encrypt_blocks(mc_key, b"\x02" + address + b"\x01" + address)
    return keys[:16], keys[16:]
