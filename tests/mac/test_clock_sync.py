import pytest

from lns.lorawan.packages.clock_sync import parse
from lns.mac import clock_sync

REQUEST = bytes.fromhex("0136d6562716")  # tests/vectors/lorawan.json, pub-app_layer-020: 660002358 s, token 6
DEVICE_TIME_S = 660_002_358


def answered(payload, ended_gps_s, airtime_s=0.0):
    commands, problem = parse(clock_sync.answers(payload, ended_gps_s, airtime_s), uplink=False)
    assert problem is None
    return [(command.name, command.fields) for command in commands]


def test_the_clock_is_compared_with_the_start_of_the_uplink():
    # a device reads its clock before it transmits, SF12 takes more than a second
    (answer,) = answered(REQUEST, DEVICE_TIME_S + 1.6, 1.5)
    assert answer == ("AppTimeAns", {"time_correction_s": 0, "token": 6})
    (answer,) = answered(REQUEST, DEVICE_TIME_S + 11.6, 1.5)
    assert answer == ("AppTimeAns", {"time_correction_s": 10, "token": 6})


def test_a_clock_that_is_ahead_is_put_back():
    assert answered(REQUEST, DEVICE_TIME_S - 5)[0][1]["time_correction_s"] == -5


def test_a_right_clock_is_told_so_only_if_it_asks():
    unasked = REQUEST[:-1] + b"\x06"
    assert answered(unasked, DEVICE_TIME_S + 0.5) == []
    assert answered(unasked, DEVICE_TIME_S + 2) == [("AppTimeAns", {"time_correction_s": 2, "token": 6})]


@pytest.mark.parametrize(
    "payload", [b"", b"\x01\x02", b"\xff\x00", bytes.fromhex("000102"), bytes.fromhex("020100000000")]
)
def test_what_is_no_request_gets_no_answer(payload):
    assert clock_sync.answers(payload, 0.0, 0.0) == b""


@pytest.mark.parametrize(("interval_s", "period"), [(0, 0), (128, 0), (255, 0), (256, 1), (86_400, 9), (10**9, 15)])
def test_a_device_is_asked_for_the_longest_interval_that_is_short_enough(interval_s, period):
    (command,), _ = parse(clock_sync.ask_every(interval_s), uplink=False)
    assert (command.name, command.fields) == ("DeviceAppTimePeriodicityReq", {"period": period})


def test_a_device_is_made_to_ask_now():
    (command,), _ = parse(clock_sync.resynchronise(3), uplink=False)
    assert (command.name, command.fields) == ("ForceDeviceResyncReq", {"nb_transmissions": 3})


@pytest.mark.parametrize("requests", [0, 8])
def test_a_number_of_requests_that_does_not_fit_is_refused(requests):
    with pytest.raises(ValueError) as refused:
        clock_sync.resynchronise(requests)
    assert str(refused.value) == f"requests are {requests}, 1 to 7 can be asked for"
