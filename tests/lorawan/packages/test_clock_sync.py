import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.layout import Command
from lns.lorawan.packages.clock_sync import answer, encode, parse, time_correction_s


@pytest.mark.parametrize(
    ("device", "received", "correction"),
    [
        (100, 130, 30),
        (130, 100, -30),
        (2**32 - 5, 5, 10),  # the device's counter is about to roll over
        (0, 2**32 - 1, -1),
        (0, 1_415_000_000, 1_415_000_000),  # a clock that was never set
    ],
)
def test_correction_is_the_shorter_way_round(device: int, received: int, correction: int) -> None:
    assert time_correction_s(device, received) == correction


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**33))
def test_corrected_clock_shows_the_time(device: int, received: int) -> None:
    correction = time_correction_s(device, received)
    assert (device + correction - received) % 2**32 == 0
    assert -(2**31) <= correction < 2**31


def test_answer_carries_correction_and_token() -> None:
    octets = answer(100, 5, ans_required=False, received_gps_s=130)
    assert octets is not None
    assert parse(octets, uplink=False) == ([Command(1, "AppTimeAns", {"time_correction_s": 30, "token": 5})], None)


def test_right_clock_is_answered_only_when_it_asks_for_that() -> None:
    assert answer(100, 5, ans_required=False, received_gps_s=100) is None
    assert answer(100, 5, ans_required=True, received_gps_s=100) == encode(
        "AppTimeAns", False, time_correction_s=0, token=5
    )


# Octets from the tests of ChirpStack's `lrwn`.
@pytest.mark.parametrize(
    ("name", "uplink", "fields", "octets"),
    [
        ("DeviceAppTimePeriodicityReq", False, {"period": 15}, "020f"),
        ("DeviceAppTimePeriodicityAns", True, {"not_supported": True, "device_time_gps": 1024}, "020100040000"),
        ("ForceDeviceResyncReq", False, {"nb_transmissions": 7}, "0307"),
    ],
)
def test_other_commands(name: str, uplink: bool, fields: dict, octets: str) -> None:
    assert encode(name, uplink, **fields).hex() == octets
    assert parse(bytes.fromhex(octets), uplink) == ([Command(int(octets[:2], 16), name, fields)], None)
