"""LinkADRReq: data rate, power, repetitions and channel mask, by itself or in a block. Pure."""

from collections.abc import Sequence

from lns.lorawan.chmask import LinkADR, Verdict, judge
from lns.lorawan.commands import Command
from simulators.maccommands.answers import Answers
from simulators.maccommands.state import MacState
from simulators.versions import LinkAdrAnswers

KEEP = 15
"""DataRate and TXPower that leave the present value, from 1.0.4 on."""

_REFUSED = Verdict(0, False, False, False)


def link_adr(mac: MacState, block: Sequence[Command], answers: Answers) -> None:
    """Act on adjacent requests, and answer as often as the version has it."""
    if mac.version.link_adr is LinkAdrAnswers.EACH_ALONE:
        for request in block:
            _answer(answers, _act(mac, [request]), 1)
    else:
        _answer(answers, _act(mac, block), 1 if mac.version.link_adr is LinkAdrAnswers.ONE else len(block))


def _act(mac: MacState, block: Sequence[Command]) -> Verdict:
    """Judge requests as one, masks in order and the rest as the last one says, and apply them all or not at all."""
    if "LinkADRReq" in mac.misbehaviour.refuses:
        return _REFUSED
    last = block[-1].fields
    steps = tuple((request.fields["ch_mask_cntl"], request.fields["ch_mask"]) for request in block)
    asked = LinkADR(steps, _wanted(mac, last["data_rate"], mac.data_rate), _wanted(mac, last["tx_power"], mac.tx_power))
    verdict = judge(mac.region, mac.plan.channels, mac.plan.mask, asked, mac.uplink_dwell)
    if verdict.accepted:
        mac.plan.mask = verdict.mask
        mac.data_rate, mac.tx_power, mac.nb_trans = asked.dr, asked.tx_power, _nb_trans(mac, last["nb_trans"])
    return verdict


def _answer(answers: Answers, verdict: Verdict, times: int) -> None:
    for _ in range(times):
        answers.add(
            "LinkADRAns",
            channel_mask_ack=verdict.channel_mask_ack,
            data_rate_ack=verdict.data_rate_ack,
            power_ack=verdict.power_ack,
        )


def _wanted(mac: MacState, value: int, present: int) -> int:
    # without ADR the network may set the mask only: data rate and power stay, as LoRaMac-node has it
    return present if not mac.adr or (value == KEEP and mac.version.keeps_15) else value


def _nb_trans(mac: MacState, value: int) -> int:
    if not mac.adr:
        return mac.nb_trans
    return value or (mac.nb_trans if mac.version.keeps_nb_trans_0 else 1)
