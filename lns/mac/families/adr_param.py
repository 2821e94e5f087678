"""ADRParamSetupReq (1.1): after how many uplinks a device asks for an answer, and backs off without one."""

from lns.mac.families.family import Answered, Family, View, request


def _wanted(view: View) -> bytes:
    own, radio = view.settings, view.radio
    limit = radio.adr_ack_limit_exp if own.adr_ack_limit_exp is None else own.adr_ack_limit_exp
    delay = radio.adr_ack_delay_exp if own.adr_ack_delay_exp is None else own.adr_ack_delay_exp
    if (limit, delay) == (radio.adr_ack_limit_exp, radio.adr_ack_delay_exp):
        return b""
    return request("ADRParamSetupReq", limit_exp=limit, delay_exp=delay)


def _settle(done: Answered) -> tuple[str, ...]:
    fields = done.requests[-1]
    done.radio.adr_ack_limit_exp, done.radio.adr_ack_delay_exp = fields["limit_exp"], fields["delay_exp"]
    return ()


ADR_PARAM = Family(
    name="adr_param",
    request="ADRParamSetupReq",
    answer="ADRParamSetupAns",
    wanted=_wanted,
    settle=_settle,
    since="1.1",
)
