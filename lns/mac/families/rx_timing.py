"""RXTimingSetupReq: the delay of RX1; RX2 opens one second later."""

from lns.mac.families.family import Answered, Family, View, request


def _wanted(view: View) -> bytes:
    delay_s = view.settings.rx1_delay_s or view.network.rx1_delay_s
    return b"" if delay_s == view.session.rx1_delay_s else request("RXTimingSetupReq", delay=delay_s)


def _settle(done: Answered) -> tuple[str, ...]:
    # as with RXParamSetupAns, the uplink that carries the answer opens its windows by the new delay
    done.session.rx1_delay_s = done.requests[-1]["delay"] or 1  # 0 means 1 s
    return ()


RX_TIMING = Family(
    name="rx_timing",
    request="RXTimingSetupReq",
    answer="RXTimingSetupAns",
    wanted=_wanted,
    settle=_settle,
    sticky_since="1.0.2",
)
