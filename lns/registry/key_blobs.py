"""What the sealed columns `keys` hold, unsealed: the root keys of a device, the keys of a session or a group."""

import msgspec

KEY_OCTETS = 16
SESSION_KEYS = (
    ("nwk_s_key", "app_s_key"),
    ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key"),
)
"""The keys of a session in their stored order, by its minor version."""
GROUP_KEYS = ("mc_nwk_s_key", "mc_app_s_key", "mc_key")
"""The keys of a multicast group; the last is left out where it is not known."""


class DeviceKeys(msgspec.Struct, frozen=True):
    """The root keys of a device, 16 octets each; the GenAppKey is that of multicast for LoRaWAN 1.0.x (TS005)."""

    nwk_key: bytes | None = None
    app_key: bytes | None = None
    gen_app_key: bytes | None = None


NO_KEYS = DeviceKeys()


def pack_device(keys: DeviceKeys) -> bytes | None:
    """An octet with a bit for each key that follows, 1 NwkKey, 2 AppKey, 4 GenAppKey; None without a key."""
    given = [(bit, key) for bit, key in enumerate((keys.nwk_key, keys.app_key, keys.gen_app_key)) if key is not None]
    if not given:
        return None
    return bytes([sum(1 << bit for bit, _ in given)]) + b"".join(key for _, key in given)


def unpack_device(octets: bytes) -> DeviceKeys:
    """The keys that `pack_device` has packed."""
    at, found = 1, []
    for bit in range(3):
        present = octets[0] >> bit & 1
        found.append(octets[at : at + KEY_OCTETS] if present else None)
        at += KEY_OCTETS * present
    return DeviceKeys(*found)


def session_minor(octets: bytes) -> int:
    """The minor version of LoRaWAN that a session with these keys speaks."""
    return 0 if len(octets) == 2 * KEY_OCTETS else 1


def named(names: tuple[str, ...], octets: bytes) -> dict[str, str]:
    """Keys in hex by their names."""
    parts = [octets[at : at + KEY_OCTETS].hex() for at in range(0, len(octets), KEY_OCTETS)]
    return dict(zip(names, parts, strict=False))


def share_a_key(one: bytes, other: bytes) -> bool:
    """Whether two sessions have a network key in common, so that the downlink counters of one bind the other."""
    return not set(_network(one)).isdisjoint(_network(other))


def _network(octets: bytes) -> list[bytes]:
    """All keys of a session but the AppSKey, which is the last."""
    return [octets[at : at + KEY_OCTETS] for at in range(0, len(octets) - KEY_OCTETS, KEY_OCTETS)]
