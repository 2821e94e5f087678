"""DutyCycleReq: the share of time, 1 / 2**n over all sub-bands, that a device may send."""

from lns.mac.families.family import Answered, Family, View, request


def _wanted(view: View) -> bytes:
    wanted = view.settings.max_duty_cycle
    return b"" if wanted in (None, view.radio.max_duty_cycle) else request("DutyCycleReq", max_duty_cycle=wanted)


def _settle(done: Answered) -> tuple[str, ...]:
    done.radio.max_duty_cycle = done.requests[-1]["max_duty_cycle"]
    return ()


DUTY_CYCLE = Family(name="duty_cycle", request="DutyCycleReq", answer="DutyCycleAns", wanted=_wanted, settle=_settle)
