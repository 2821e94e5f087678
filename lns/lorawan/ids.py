"""EUIs, keys, NetID and DevAddr: text in display order, octets reversed only where they go on air.

People paste identifiers as `70B3D57ED0000001`, `70-B3-...` or `70:B3:...`; inside, all are lower-case hex.
"""

import re

# NwkID bits of NetID types 0 to 7; a DevAddr of type t starts with t ones and a zero.
_NWK_ID_BITS = (6, 6, 9, 11, 12, 13, 15, 17)


def _pattern(octets: int) -> re.Pattern[str]:
    return re.compile(rf"[0-9a-f]{{2}}([-:]?)[0-9a-f]{{2}}(?:\1[0-9a-f]{{2}}){{{octets - 2}}}")


_PATTERNS = {octets: _pattern(octets) for octets in (3, 4, 8, 16)}


def _hex(text: str, octets: int) -> str | None:
    """Lower-case hex without separators; None when `text` is anything else than `octets` octets."""
    lower = text.strip().lower()
    return re.sub("[-:]", "", lower) if _PATTERNS[octets].fullmatch(lower) else None


def parse_eui(text: str) -> str:
    """An EUI-64 as 16 lower-case hex digits. ValueError names the value."""
    if (value := _hex(text, 8)) is None:
        raise ValueError(f"{text!r} is not an EUI: 16 hex digits are needed")
    return value


def parse_dev_addr(text: str) -> str:
    """A DevAddr as 8 lower-case hex digits. ValueError names the value."""
    if (value := _hex(text, 4)) is None:
        raise ValueError(f"{text!r} is not a DevAddr: 8 hex digits are needed")
    return value


def parse_net_id(text: str) -> str:
    """A NetID as 6 lower-case hex digits. ValueError names the value."""
    if (value := _hex(text, 3)) is None:
        raise ValueError(f"{text!r} is not a NetID: 6 hex digits are needed")
    return value


def parse_key(text: str) -> bytes:
    """An AES-128 key of 16 octets. The ValueError does not repeat it: keys stay out of logs."""
    if (value := _hex(text, 16)) is None:
        size = len(re.sub(r"[-:\s]", "", text))
        wrong = "is not hex" if size == 32 else f"has {size} characters"
        raise ValueError(f"the key {wrong}: 32 hex digits are needed")
    return bytes.fromhex(value)


def eui_le(eui: str) -> bytes:
    """The 8 octets of an EUI as they go on air."""
    return bytes.fromhex(eui)[::-1]


def dev_addr_le(dev_addr: str) -> bytes:
    """The 4 octets of a DevAddr as they go on air and into the cipher blocks."""
    return bytes.fromhex(dev_addr)[::-1]


def dev_addr_prefix(net_id: str) -> tuple[int, int]:
    """The first DevAddr of a network as a 32-bit integer, and how many leading bits all its DevAddrs share."""
    value = int(net_id, 16)
    net_id_type = value >> 21
    nwk_id_bits = _NWK_ID_BITS[net_id_type]
    bits = net_id_type + 1 + nwk_id_bits
    ones = (1 << net_id_type) - 1  # followed by a zero
    nwk_id = value & ((1 << nwk_id_bits) - 1)
    return (ones << 1 << nwk_id_bits | nwk_id) << (32 - bits), bits


def make_dev_addr(net_id: str, nwk_addr: int) -> str:
    """The DevAddr number `nwk_addr` of a network. ValueError when the network has not that many."""
    prefix, bits = dev_addr_prefix(net_id)
    if not 0 <= nwk_addr < 1 << (32 - bits):
        raise ValueError(f"nwk_addr is {nwk_addr}, net_id {net_id} has 0 to {(1 << (32 - bits)) - 1}")
    return f"{prefix | nwk_addr:08x}"
