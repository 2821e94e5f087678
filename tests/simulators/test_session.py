"""A device's account of downlink counters: every reuse is seen."""

from lns.lorawan.crypto import DOWN, DataMic
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import MType, build_data
from simulators.session import Fault, Session

ADDR, NWK, APP = "01020304", bytes(range(16)), bytes(range(16, 32))


def session(fcnt_down: int = -1) -> Session:
    made = Session(ADDR, NWK, APP)
    made.fcnt_down = fcnt_down
    return made


def downlink(fcnt: int, flags: int = 0, nwk_s_key: bytes = NWK) -> bytes:
    message = build_data(MType.UNCONFIRMED_DOWN, ADDR, flags, fcnt, b"", None, b"")
    return message + DataMic(nwk_s_key).mic(message, dev_addr_le(ADDR), fcnt, DOWN)


def take(device: Session, phy: bytes) -> int | Fault:
    return device.take_downlink(phy, int.from_bytes(phy[6:8], "little"))


def test_counters_go_up():
    device = session()
    assert [take(device, downlink(fcnt)) for fcnt in (0, 1, 5)] == [0, 1, 5]
    assert device.fcnt_down == 5


def test_the_same_frame_again_is_a_repetition():
    device = session()
    assert [take(device, downlink(3)) for _ in range(2)] == [3, Fault.REPEATED]


def test_another_frame_under_a_used_counter_is_told():
    device = session()
    assert [take(device, downlink(3)), take(device, downlink(3, flags=0x20))] == [3, Fault.FCNT_REUSED]


def test_a_used_counter_is_remembered_after_later_ones():
    device = session()
    assert [take(device, downlink(fcnt)) for fcnt in (3, 4)] == [3, 4]
    assert take(device, downlink(3, flags=0x20)) is Fault.FCNT_REUSED


def test_a_counter_counts_as_used_when_the_device_did_not_hear_it():
    device = session()
    assert device.note_downlink(downlink(3), 3) == 3
    assert device.fcnt_down == -1
    assert take(device, downlink(3, flags=0x20)) is Fault.FCNT_REUSED


def test_a_counter_behind_that_was_never_used_is_told():
    device = session()
    take(device, downlink(9))
    assert take(device, downlink(8)) is Fault.FCNT_BEHIND


def test_the_16_bits_on_air_roll_over():
    device = session(fcnt_down=0xFFFF)
    assert take(device, downlink(0x10000)) == 0x10000


def test_a_wrong_key_is_a_bad_mic():
    assert take(session(), downlink(0, nwk_s_key=APP)) is Fault.MIC


def test_a_counter_behind_with_a_wrong_key_is_a_bad_mic():
    assert take(session(fcnt_down=7), downlink(3, nwk_s_key=APP)) is Fault.MIC


def test_the_account_is_bounded():
    device = session()
    for fcnt in range(5000):
        device.note_downlink(downlink(fcnt), fcnt)
    assert take(device, downlink(0, flags=0x20)) == 0, "the oldest are forgotten"
    assert take(device, downlink(4999, flags=0x20)) is Fault.FCNT_REUSED
