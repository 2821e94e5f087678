"""Who the simulated devices and gateways are: identifiers and keys that follow from a seed. Pure."""

from hashlib import sha256

import msgspec

from lns.lorawan.ids import make_dev_addr

JOIN_EUI = "1f1e000000000000"


class Identity(msgspec.Struct, frozen=True):
    """A device's identifiers and keys.

    An OTAA device joins with `app_key`, and `nwk_key` if it is a 1.1 one. An ABP device has its session's keys:
    `nwk_s_key` and `app_s_key`, as a 1.1 one `app_s_key` and the three after `nwk_key`.
    """

    dev_eui: str
    join_eui: str
    app_key: bytes
    dev_addr: str
    nwk_s_key: bytes
    app_s_key: bytes
    nwk_key: bytes = b""
    f_nwk_s_int_key: bytes = b""
    s_nwk_s_int_key: bytes = b""
    nwk_s_enc_key: bytes = b""
    gen_app_key: bytes = b""  # root of a 1.0.x device's multicast keys (TS005)


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
        nwk_key=_key(seed, number, "NwkKey"),
        f_nwk_s_int_key=_key(seed, number, "FNwkSIntKey"),
        s_nwk_s_int_key=_key(seed, number, "SNwkSIntKey"),
        nwk_s_enc_key=_key(seed, number, "NwkSEncKey"),
        gen_app_key=_key(seed, number, "GenAppKey"),
    )


def gateway_eui(seed: int, number: int) -> str:
    """Gateway `number` of the fleet `seed`."""
    return f"{0xAA55_5A00_0000_0000 + (seed % 0x1_0000 << 16) + number:016x}"


def _key(seed: int, number: int, name: str) -> bytes:
    return sha256(f"{seed}/{number}/{name}".encode()).digest()[:16]
