"""Reads the MAC commands of one downlink and acts on them as the device's version does. Pure."""

from collections.abc import Callable, Mapping
from itertools import groupby, takewhile

from lns.lorawan.commands import Command, parse_commands
from simulators.maccommands import class_b, limits, plan, rejoin, windows
from simulators.maccommands.answers import Answers
from simulators.maccommands.judged import Fields, Judged
from simulators.maccommands.link_adr import link_adr
from simulators.maccommands.state import MacState

_CLASSES = {0: "A", 2: "C"}

_REQUESTS: Mapping[str, Callable[[MacState, Fields], Judged | None]] = {
    "DutyCycleReq": limits.duty_cycle,
    "RXParamSetupReq": windows.rx_param_setup,
    "NewChannelReq": plan.new_channel,
    "RXTimingSetupReq": windows.rx_timing_setup,
    "TXParamSetupReq": limits.tx_param_setup,
    "DlChannelReq": plan.dl_channel,
    "ADRParamSetupReq": limits.adr_param_setup,
    "ForceRejoinReq": rejoin.force_rejoin,
    "RejoinParamSetupReq": rejoin.rejoin_param_setup,
    "PingSlotChannelReq": class_b.ping_slot_channel,
    "BeaconFreqReq": class_b.beacon_freq,
}


def obey(mac: MacState, octets: bytes, answers: Answers) -> tuple[str, ...]:
    """Act on the commands of one downlink, add what they ask for to `answers`, and name them."""
    read, _ = parse_commands(octets, uplink=False)
    # the length of a command that the version does not have is not known to the device either
    commands = list(takewhile(lambda command: command.name not in mac.version.unknown, read))
    for name, group in groupby(commands, lambda command: command.name):
        if name in mac.misbehaviour.ignores:
            continue
        block = list(group)
        if name == "LinkADRReq":
            link_adr(mac, block, answers)
            continue
        for command in block:
            _act(mac, command, answers)
    return tuple([command.name for command in commands])


def _act(mac: MacState, command: Command, answers: Answers) -> None:
    request = _REQUESTS.get(command.name)
    if request is None:
        _take_answer(mac, command, answers)
        return
    judged = request(mac, _in_hz(mac, command.fields))
    if judged is None:
        return
    if command.name in mac.misbehaviour.refuses and judged.bits:
        judged = judged.refused()
    if judged.accepted:
        judged.apply()
    answers.add(judged.answer, **judged.bits)


def _in_hz(mac: MacState, fields: Fields) -> Fields:
    """The command table reads frequencies in steps of 100 Hz; ISM2400 has steps of 200 Hz."""
    if "frequency_hz" not in fields:
        return fields
    return {**fields, "frequency_hz": fields["frequency_hz"] * mac.region.freq_step_hz // 100}


def _take_answer(mac: MacState, command: Command, answers: Answers) -> None:
    """DevStatusReq, and the network's answers to requests of the device."""
    fields = command.fields
    match command.name:
        case "DevStatusReq":
            answers.add("DevStatusAns", battery=mac.battery, margin=mac.last_snr_db)
        case "LinkCheckAns":
            mac.link_check = fields["margin"], fields["gw_cnt"]
        case "DeviceTimeAns":
            mac.gps_time_s = fields["gps_seconds"] + fields["fraction_256"] / 256
        case "ResetConf" if answers.asks_for("ResetConf"):
            mac.reset()  # the counters go on
            answers.settle("ResetConf")
        case "RekeyConf" | "PingSlotInfoAns":
            answers.settle(command.name)
        case "DeviceModeConf" if fields["class"] in _CLASSES:
            mac.device_class = _CLASSES[fields["class"]]
            answers.settle("DeviceModeConf")
        case _:
            pass  # an answer nobody asked for, or what relays say to each other
