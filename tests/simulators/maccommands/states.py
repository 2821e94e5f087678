"""A device's MAC state in a test, and what it answers."""

from typing import Any

from lns.lorawan.commands import Command, encode_command, parse_commands
from lns.lorawan.regions import region
from simulators.channels import ChannelPlan
from simulators.firmware import Firmware
from simulators.maccommands.answers import Answers
from simulators.maccommands.obey import obey
from simulators.maccommands.state import MacState
from simulators.misbehaviour import HONEST, Misbehaviour
from simulators.versions import VERSIONS


def mac(
    name: str = "EU868", version: str = "1.0.4", misbehaviour: Misbehaviour = HONEST, data_rate: int | None = None
) -> MacState:
    """A device with ADR, at the fastest data rate of its first channel."""
    firmware = Firmware(version=VERSIONS[version], misbehaviour=misbehaviour)
    fastest = region(name).uplink_channels[0].max_dr
    state = MacState(ChannelPlan(region(name)), fastest if data_rate is None else data_rate, firmware)
    state.adr = True
    return state


def req(name: str, **fields: Any) -> bytes:
    """A command of the network."""
    return encode_command(name, uplink=False, **fields)


def answered(state: MacState, octets: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Names and fields of what the device answers to the commands of one downlink."""
    answers = Answers(state.version.sticky, state.lapses)
    obey(state, octets, answers)
    return named(answers.take(100))


def named(octets: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Names and fields of a device's commands."""
    commands: list[Command] = parse_commands(octets, uplink=True)[0]
    return [(command.name, command.fields) for command in commands]
