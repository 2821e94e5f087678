"""Who the simulated devices and gateways are: identifiers and keys that follow from a seed. Pure."""

from hashlib import sha256

import msgspec

from lns.lorawan.ids import make_dev_addr

JOIN_EUI = "1f1e000000000000"


class Identity(msgspec.Struct, frozen=True):
    """A device's identifiers and keys; an OTAA device uses `app_key`, an ABP device the others."""

    dev_eui: str
    join_eui: str
    app_key: bytes
    dev_addr: str
    nwk_s_key: bytes
    app_s_key: bytes


def device(seed: int, number: int, net_id: str = "000000", devices_per_address: int = 1) -> Identity:
    """Device `number` of the fleet `seed`; so many ABP devices share a DevAddr as `devices_per_address` says."""
    address = (seed % 0x100 << 17) + number // devices_per_address
    return Identity(
        dev_eui=f"{0x1F1E_0100_0000_0000 + (seed % 0x1_0000 << 24) + number:016x}",
        join_eui=JOIN_EUI,
        app_key=_key(seed, number, "AppKey"),
        dev_addr=make_dev_addr(net_id, address),
        nwk_s_key=_key(seed, number, "NwkSKey"),
        app_s_key=_key(seed, number, "AppSKey"),
    )


def gateway_eui(seed: int, number: int) -> str:
    """Gateway `number` of the fleet `seed`."""
    return f"{0xAA55_5A00_0000_0000 + (seed % 0x1_0000 << 16) + number:016x}"


def _key(seed: int, number: int, name: str) -> bytes:
    return sha256(f"{seed}/{number}/{name}".encode()).digest()[:16]
