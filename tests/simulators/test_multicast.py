"""A member of a multicast group against the vectors."""

import pytest

from lns.lorawan.crypto import DOWN, DataMic, PayloadCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import DataFrame, build_data, parse
from simulators.multicast import Group
from simulators.session import Fault
from tests.lorawan import vectors

ADDR, KEYS = "11223344", (b"n" * 16, b"a" * 16)


def read(phy: bytes) -> DataFrame:
    frame = parse(phy)
    assert isinstance(frame, DataFrame)
    return frame


@pytest.mark.parametrize("vector", vectors.of("multicast_frame"), ids=vectors.name)
def test_frame_of_the_vector(vector):
    keys = vectors.keys(vector)
    group = Group(vector["McAddr"], (keys["McNwkSKey"], keys["McAppSKey"]), vector["fcnt"] - 1)
    phy = bytes.fromhex(vector["phy_payload"])
    assert group.receive(read(phy), phy) == (vector["fcnt"], bytes.fromhex(vector["frm_payload"]))


def frame(fcnt: int, mtype: int = 3, flags: int = 0, fport: int | None = 5) -> bytes:
    address = dev_addr_le(ADDR)
    payload = b"" if fport is None else PayloadCipher(KEYS[1]).apply(b"on", address, fcnt, DOWN)
    message = build_data(mtype, ADDR, flags, fcnt, b"", fport, payload)
    return message + DataMic(KEYS[0]).mic(message, address, fcnt, DOWN)


@pytest.mark.parametrize(
    ("phy", "outcome"),
    [
        (frame(3), (3, b"on")),
        (frame(3, mtype=5), Fault.MALFORMED),  # confirmed
        (frame(3, flags=0x20), Fault.MALFORMED),  # ACK
        (frame(3, flags=0x10), Fault.MALFORMED),  # FPending
        (frame(3, fport=0), Fault.MALFORMED),
        (frame(3, fport=None), Fault.MALFORMED),
        (frame(3)[:-1] + b"\x00", Fault.MIC),
        (frame(0), Fault.FCNT_BEHIND),
    ],
)
def test_what_a_group_may_be_sent(phy, outcome):
    assert Group(ADDR, KEYS, 0).receive(read(phy), phy) == outcome


def test_a_counter_is_taken_once():
    group = Group(ADDR, KEYS)
    assert group.receive(read(frame(0)), frame(0)) == (0, b"on")
    assert group.receive(read(frame(0)), frame(0)) is Fault.REPEATED
