"""Relays (TS011): the keys between a relay and the devices behind it, and the frame in which it forwards an uplink.

The forwarded frame travels on FPort 226 under the relay's network key, NwkSKey or NwkSEncKey; downlinks to a device
behind a relay are the bare PHYPayload on the same port. The MAC commands of relays are in commands.py.
"""

import msgspec

from lns.lorawan.crypto import encrypt_blocks
from lns.lorawan.errors import FrameError
from lns.lorawan.ids import dev_addr_le

FPORT = 226


class ForwardedUplink(msgspec.Struct, frozen=True, gc=False):
    """A frame that a relay heard, and how: `rssi_dbm` is -142 to -15, `snr_db` -20 to 11."""

    wor_channel: int
    rssi_dbm: int
    snr_db: int
    dr: int
    freq_hz: int
    phy_payload: bytes


def parse_forwarded_uplink(payload: bytes) -> ForwardedUplink:
    """The ForwardUplinkReq in a decrypted FRMPayload; its PHYPayload is not looked into. FrameError when too short."""
    if len(payload) < 7:
        raise FrameError("malformed", f"forwarded uplink is {len(payload)} octets, at least 7 are needed")
    metadata = int.from_bytes(payload[:3], "little")
    return ForwardedUplink(
        metadata >> 16 & 3,
        -(metadata >> 9 & 0x7F) - 15,
        (metadata >> 4 & 0x1F) - 20,
        metadata & 15,
        100 * int.from_bytes(payload[3:6], "little"),
        payload[6:],
    )


def build_forwarded_uplink(uplink: ForwardedUplink) -> bytes:
    """The FRMPayload, in clear, that a relay sends; a signal value out of range is sent as the nearest in range."""
    rssi = min(max(-uplink.rssi_dbm - 15, 0), 0x7F)
    snr = min(max(uplink.snr_db + 20, 0), 0x1F)
    metadata = uplink.wor_channel << 16 | rssi << 9 | snr << 4 | uplink.dr
    return metadata.to_bytes(3, "little") + (uplink.freq_hz // 100).to_bytes(3, "little") + uplink.phy_payload


def root_wor_s_key(nwk_s_key: bytes) -> bytes:
    """RootWorSKey, from the NwkSKey of a 1.0 session or the NwkSEncKey of a 1.1 session."""
    return encrypt_blocks(nwk_s_key, b"\x01" + bytes(15))


def wor_keys(root_wor_s_key: bytes, dev_addr: str) -> tuple[bytes, bytes]:
    """WorSIntKey and WorSEncKey of a device."""
    address = dev_addr_le(dev_addr) + bytes(11)
    keys = encrypt_blocks(root_wor_s_key, b"\x01" + address + b"\x02" + address)
    return keys[:16], keys[16:]
