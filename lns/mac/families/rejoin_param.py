"""RejoinParamSetupReq and ForceRejoinReq (1.1): when a device sends rejoin-requests of type 0, and one on demand."""

from lns.mac.families.family import Answered, Family, View, request

_SELDOM = 15
"""Exponent of the longest period, for the half of the request that nobody has set."""


def _wanted(view: View) -> bytes:
    own, radio = view.settings, view.radio
    time_n, count_n = own.rejoin_max_time_n, own.rejoin_max_count_n
    if time_n in (None, radio.rejoin_time_n) and count_n in (None, radio.rejoin_count_n):
        return b""
    return request(
        "RejoinParamSetupReq",
        max_time_n=_given(time_n, radio.rejoin_time_n),
        max_count_n=_given(count_n, radio.rejoin_count_n),
    )


def _given(own: int | None, present: int | None) -> int:
    return own if own is not None else present if present is not None else _SELDOM


def _settle(done: Answered) -> tuple[str, ...]:
    fields = done.requests[-1]
    # LoRaWAN 1.1, RejoinParamSetupAns: without TimeOK the device counts uplinks only
    done.radio.rejoin_count_n = fields["max_count_n"]
    if not done.answers[-1]["time_ok"]:
        return (done.octets.hex(),)
    done.radio.rejoin_time_n = fields["max_time_n"]
    return ()


REJOIN_PARAM = Family(
    name="rejoin_param",
    request="RejoinParamSetupReq",
    answer="RejoinParamSetupAns",
    wanted=_wanted,
    settle=_settle,
    since="1.1",
)


# LoRaWAN 1.1, ForceRejoinReq: no answer, the rejoin-request is it
FORCE_REJOIN = Family(
    name="force_rejoin",
    request="ForceRejoinReq",
    answer=None,
    wanted=lambda view: b"",
    settle=lambda done: (),
    since="1.1",
    by_hand=True,
)
