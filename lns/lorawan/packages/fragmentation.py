"""TS004 Fragmented Data Block Transport: the commands, on FPort 201, the parity fragments and the MIC of a block.

Version 2 of the package changed three commands and brought FragDataBlockReceivedReq: each version has its table.
"""

import construct as c

from lns.lorawan.crypto import cmac4, encrypt_blocks
from lns.lorawan.layout import RFU, Hex, Names, Row, Table, le_bits, octets, u
from lns.lorawan.packages.version import PACKAGE_VERSION_ANS, PACKAGE_VERSION_REQ

FPORT = 201

_INDEX = octets(RFU(6), "frag_index" / u(2))
_RECEIVED = le_bits("frag_index" / u(2), "nb_frag_received" / u(14))
_MISSING = c.Struct("missing_frag" / c.Int8ul)
_SESSION = (
    octets(RFU(2), "frag_index" / u(2), "mc_group_bit_mask" / u(4)),
    c.Struct("nb_frag" / c.Int16ul, "frag_size" / c.Int8ul),
)
_BLOCK = c.Struct("padding" / c.Int8ul, "descriptor" / Hex(c.Bytes(4)))
_SETUP_ERRORS = ("encoding_unsupported", "not_enough_memory", "frag_index_unsupported", "wrong_descriptor")

_DELETE_ANS = Row(
    0x03, "FragSessionDeleteAns", (octets(RFU(5), "session_does_not_exist" / c.Flag, "frag_index" / u(2)),)
)

_UPLINK_1 = (
    PACKAGE_VERSION_ANS,
    Row(
        0x01,
        "FragSessionStatusAns",
        (_RECEIVED, _MISSING, octets(RFU(7), "not_enough_matrix_memory" / c.Flag)),
    ),
    Row(0x02, "FragSessionSetupAns", (octets("frag_index" / u(2), RFU(2), "errors" / Names(*_SETUP_ERRORS)),)),
    _DELETE_ANS,
)

_UPLINK_2 = (
    PACKAGE_VERSION_ANS,
    Row(
        0x01,
        "FragSessionStatusAns",
        (octets(RFU(5), "errors" / Names("memory_error", "mic_error", "session_does_not_exist")), _RECEIVED, _MISSING),
    ),
    Row(
        0x02,
        "FragSessionSetupAns",
        (octets("frag_index" / u(2), RFU(1), "errors" / Names(*_SETUP_ERRORS, "session_cnt_replay")),),
    ),
    _DELETE_ANS,
    Row(0x04, "FragDataBlockReceivedReq", (octets(RFU(5), "mic_error" / c.Flag, "frag_index" / u(2)),)),
)

_DOWNLINK = (
    PACKAGE_VERSION_REQ,
    Row(0x01, "FragSessionStatusReq", (octets(RFU(5), "frag_index" / u(2), "participants" / c.Flag),)),
    Row(0x03, "FragSessionDeleteReq", (_INDEX,)),
    # A fragment has no length of its own: it is the rest of the payload. `n` counts from 1.
    Row(
        0x08,
        "DataFragment",
        (le_bits("frag_index" / u(2), "n" / u(14)), c.Struct("fragment" / Hex(c.GreedyBytes))),
    ),
)

_DOWNLINK_1 = (
    *_DOWNLINK,
    Row(
        0x02,
        "FragSessionSetupReq",
        (*_SESSION, octets(RFU(2), "fragmentation_matrix" / u(3), "block_ack_delay" / u(3)), _BLOCK),
    ),
)

_DOWNLINK_2 = (
    *_DOWNLINK,
    Row(
        0x02,
        "FragSessionSetupReq",
        (
            *_SESSION,
            octets(RFU(1), "ack_reception" / c.Flag, "frag_algo" / u(3), "block_ack_delay" / u(3)),
            _BLOCK,
            c.Struct("session_cnt" / c.Int16ul, "mic" / Hex(c.Bytes(4))),
        ),
    ),
    Row(0x04, "FragDataBlockReceivedAns", (_INDEX,)),
)

TABLES = {1: Table(_UPLINK_1, _DOWNLINK_1), 2: Table(_UPLINK_2, _DOWNLINK_2)}
"""By the version of the package that a device told in PackageVersionAns."""


def _prbs23(state: int) -> int:
    return state >> 1 | ((state ^ state >> 5) & 1) << 22


def matrix_line(n: int, nb_frag: int) -> int:
    """Which fragments parity fragment `n`, from 1, is the XOR of: bit 0 for the first of `nb_frag`.

    Every draw counts, also of a fragment that was drawn before, as in LoRaMac-node and unlike ChirpStack: there a
    device would combine other fragments than the server did.
    """
    # A power of two would make the generator's low bits the whole choice, so the modulus is one more.
    modulus = nb_frag + (nb_frag & (nb_frag - 1) == 0)
    state = 1 + 1001 * n
    line = 0
    for _ in range(nb_frag // 2):
        drawn = nb_frag
        while drawn >= nb_frag:
            state = _prbs23(state)
            drawn = state % modulus
        line |= 1 << drawn
    return line


def fragments(block: bytes, frag_size: int, redundancy: int) -> list[bytes]:
    """The fragments of `block`, padded with zeros, and `redundancy` parity fragments: DataFragment 1 and on."""
    data = [block[at : at + frag_size].ljust(frag_size, b"\x00") for at in range(0, len(block), frag_size)]
    numbers = [int.from_bytes(fragment, "big") for fragment in data]
    for n in range(1, redundancy + 1):
        line = matrix_line(n, len(numbers))
        parity = 0
        for index, number in enumerate(numbers):
            if line >> index & 1:
                parity ^= number
        data.append(parity.to_bytes(frag_size, "big"))
    return data


def data_block_int_key(app_key: bytes) -> bytes:
    """DataBlockIntKey of version 2, from the GenAppKey of a 1.0.x device or the AppKey of a 1.1 device."""
    return encrypt_blocks(app_key, b"\x30" + bytes(15))


def data_block_mic(int_key: bytes, session_cnt: int, frag_index: int, descriptor: bytes, block: bytes) -> bytes:
    """The 4 octets over a whole block, without padding, in FragSessionSetupReq of version 2."""
    header = b"\x49" + session_cnt.to_bytes(2, "little") + bytes((frag_index,)) + descriptor + bytes(4)
    return cmac4(int_key, header + len(block).to_bytes(4, "little") + block)
