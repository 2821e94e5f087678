"""TS003 answered by the server: a device asks for the time on FPort 202 and is told how wrong its clock is. Pure."""

from lns.lorawan.packages.clock_sync import FPORT, answer, encode, parse

__all__ = ["FPORT", "answers", "ask_every", "resynchronise"]

_SHORTEST_INTERVAL_S = 128
_LAST_PERIOD = 15
_MOST_REQUESTS = 7


def answers(payload: bytes, ended_gps_s: float, airtime_s: float) -> bytes:
    """The AppTimeAns to an uplink's AppTimeReq; empty where none is needed.

    TS003-2.0.0, 3.2: the device reads its clock immediately before it transmits, so it is compared with the start of
    the uplink, which at SF12 is more than a second before its end.
    """
    commands, _ = parse(payload, uplink=True)
    started_gps_s = int(ended_gps_s - airtime_s)
    for command in commands:
        if command.name == "AppTimeReq":
            fields = command.fields
            return answer(fields["device_time_gps"], fields["token"], fields["ans_required"], started_gps_s) or b""
    return b""


def ask_every(interval_s: int) -> bytes:
    """DeviceAppTimePeriodicityReq: ask for the time every 128 s * 2**n, the longest of them up to `interval_s`."""
    period = 0
    while period < _LAST_PERIOD and _SHORTEST_INTERVAL_S << period + 1 <= interval_s:
        period += 1
    return encode("DeviceAppTimePeriodicityReq", False, period=period)


def resynchronise(requests: int) -> bytes:
    """ForceDeviceResyncReq: ask for the time now, up to so many times. ValueError for more than 7, or for none."""
    if not 1 <= requests <= _MOST_REQUESTS:
        raise ValueError(f"requests are {requests}, 1 to {_MOST_REQUESTS} can be asked for")
    return encode("ForceDeviceResyncReq", False, nb_transmissions=requests)
