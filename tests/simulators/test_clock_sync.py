"""The client of TS003 against the vectors and against the server's half of the protocol."""

import pytest

from lns.lorawan.packages import clock_sync
from simulators.clock_sync import ClockSync, DeviceClock
from tests.lorawan import vectors

NOW_S = 1_400_000_000.0
VECTORS = [v for v in vectors.of("app_layer", package="TS003 clock sync") if v["name"] == "AppTimeReq"]


def down(name: str, **fields: int) -> bytes:
    return clock_sync.encode(name, uplink=False, **fields)


@pytest.mark.parametrize("vector", VECTORS, ids=vectors.name)
def test_the_request_is_the_vector(vector):
    fields = vector["fields"]
    client = ClockSync(DeviceClock())
    for token in range(fields["token"]):  # each answer moves the token on
        client.receive(down("AppTimeAns", time_correction_s=0, token=token), 0.0)
    assert client.request(fields["device_time_gps"], fields["ans_required"]).hex() == vector["encoded"]


def test_a_correction_sets_the_clock_and_its_repetition_does_not():
    clock = DeviceClock(error_s=-100.0)
    client = ClockSync(clock)
    commands, _ = clock_sync.parse(client.request(NOW_S), uplink=True)
    assert commands[0].fields == {"device_time_gps": int(NOW_S) - 100, "ans_required": False, "token": 0}
    answer = clock_sync.answer(**commands[0].fields, received_gps_s=int(NOW_S))
    assert answer is not None
    for _ in range(2):
        assert client.receive(answer, NOW_S) == b""
    assert clock.gps_s(NOW_S) == NOW_S


def test_a_clock_drifts_from_where_it_was_set():
    clock = DeviceClock(drift_ppm=50.0)
    assert clock.gps_s(NOW_S) == NOW_S
    clock.set(NOW_S + 1, NOW_S)
    assert clock.gps_s(NOW_S + 86_400) == pytest.approx(NOW_S + 86_400 + 1 + 4.32)


def test_the_client_answers_what_the_server_asks():
    client = ClockSync(DeviceClock())
    asked = down("PackageVersionReq") + down("DeviceAppTimePeriodicityReq", period=3)
    asked += down("ForceDeviceResyncReq", nb_transmissions=2)
    answers, problem = clock_sync.parse(client.receive(asked, NOW_S), uplink=True)
    assert problem is None
    assert [(answer.name, answer.fields) for answer in answers] == [
        ("PackageVersionAns", {"package_identifier": 1, "package_version": 1}),
        ("DeviceAppTimePeriodicityAns", {"not_supported": False, "device_time_gps": int(NOW_S)}),
    ]
    assert (client.periodicity_s, client.resyncs) == (1024, 2)
    client.request(NOW_S)
    assert client.resyncs == 1
