"""BeaconFreqReq: where a class B device listens for beacons."""

from lns.mac.families.family import Answered, Family, View, coded_hz, real_hz, request


def _wanted(view: View) -> bytes:
    wanted_hz = view.settings.beacon_freq_hz
    if view.settings.device_class != "B" or wanted_hz == view.radio.beacon_freq_hz:
        return b""
    return request("BeaconFreqReq", frequency_hz=coded_hz(view.region, wanted_hz or 0))  # 0 Hz: the region's


def _settle(done: Answered) -> tuple[str, ...]:
    if not done.answers[-1]["beacon_frequency_ok"]:
        return (done.octets.hex(),)
    done.radio.beacon_freq_hz = real_hz(done.region, done.requests[-1]["frequency_hz"]) or None
    return ()


BEACON_FREQ = Family(
    name="beacon_freq",
    request="BeaconFreqReq",
    answer="BeaconFreqAns",
    wanted=_wanted,
    settle=_settle,
    since="1.0.3",
)
