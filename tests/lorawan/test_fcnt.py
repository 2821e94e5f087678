import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.crypto import UP, DataMic
from lns.lorawan.fcnt import MAX_FCNT, MAX_FCNT_GAP, reconstruct
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import DataFrame, parse
from tests.lorawan import vectors


@pytest.mark.parametrize(
    ("last", "fcnt16", "expected"),
    [
        (-1, 0, 0),  # the first frame of a session
        (-1, 1, 1),  # LoRaMac-node starts at 1
        (-1, 0xFFFF, 0xFFFF),  # an ABP device the network learns of late
        (0, 0, 0),  # repetition
        (5, 6, 6),
        (5, 5, 5),
        (5, 4, 0x1_0004),  # a replay, or 65535 frames lost: the MIC tells
        (0xFFFF, 0, 0x1_0000),  # rollover of the 16 bits on air
        (0xFFFE, 2, 0x1_0002),
        (0x1_FFFF, 0xFFFF, 0x1_FFFF),
        (MAX_FCNT - 1, 0xFFFF, MAX_FCNT),
        (MAX_FCNT, 0xFFFF, MAX_FCNT),
        (MAX_FCNT, 0, 0xFFFF_0000),  # no counter is left: below the last, so a replay
    ],
)
def test_fcnt_is_the_next_with_these_lower_bits(last: int, fcnt16: int, expected: int) -> None:
    assert reconstruct(last, fcnt16) == expected


@given(st.integers(-1, MAX_FCNT), st.integers(0, 0xFFFF))
def test_fcnt_keeps_its_lower_bits_and_never_leaves_32_bits(last: int, fcnt16: int) -> None:
    fcnt = reconstruct(last, fcnt16)
    assert fcnt & 0xFFFF == fcnt16
    assert 0 <= fcnt <= MAX_FCNT
    assert fcnt < last + 0x10000 or last == -1


@given(st.integers(0, MAX_FCNT), st.integers(0, 0xFFFF))
def test_fcnt_is_found_as_long_as_fewer_than_65536_frames_were_lost(last: int, lost: int) -> None:
    fcnt = min(last + lost, MAX_FCNT)
    assert reconstruct(last, fcnt & 0xFFFF) == fcnt


@given(st.integers(0, MAX_FCNT))
def test_repeated_frame_gives_the_same_fcnt(last: int) -> None:
    assert reconstruct(last, last & 0xFFFF) == last


def _frame(vector: dict) -> tuple[bytes, DataFrame]:
    phy = bytes.fromhex(vector["phy_payload"])
    frame = parse(phy)
    assert isinstance(frame, DataFrame)
    return phy, frame


def test_replayed_frame_gets_a_counter_under_which_its_mic_is_wrong() -> None:
    (vector,) = vectors.of("negative", expect="fcnt_replay_or_mic_error")
    phy, frame = _frame(vector)
    fcnt = reconstruct(vector["server_fcnt_up_last"], frame.fcnt16)
    assert fcnt == vector["fcnt_tried"]
    mic = DataMic(vectors.keys(vector)["NwkSKey"])
    addr = dev_addr_le(frame.dev_addr)
    assert mic.mic(phy[:-4], addr, fcnt, UP) != frame.mic
    assert mic.mic(phy[:-4], addr, vector["fcnt"], UP) == frame.mic


def test_max_fcnt_gap_separates_the_vector_that_older_versions_refuse() -> None:
    (vector,) = vectors.of("negative", expect="fcnt_gap_lt_1_0_4")
    _, frame = _frame(vector)
    fcnt = reconstruct(vector["server_fcnt_up_last"], frame.fcnt16)
    assert fcnt == vector["fcnt"]
    assert fcnt - vector["server_fcnt_up_last"] > MAX_FCNT_GAP == 16384
