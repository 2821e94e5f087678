"""What a matched data frame means: decrypted payload, MAC commands, and what must be answered."""

from collections.abc import Sequence

import msgspec

from lns.lorawan.commands import Command, parse_commands
from lns.lorawan.crypto import UP
from lns.lorawan.phy import DataFrame
from lns.mac.answers import answer
from lns.mac.frames import Reception
from lns.mac.match import Match


class Handled(msgspec.Struct, frozen=True):
    """One handled uplink. `answers` are encoded MAC answers; `wants_downlink` that the device waits for something."""

    fport: int | None
    data: bytes
    commands: tuple[Command, ...]
    answers: bytes
    wants_downlink: bool
    problem: str | None


_NOTHING: tuple[Command, ...] = ()


def handle(frame: DataFrame, found: Match, receptions: Sequence[Reception]) -> Handled:
    """Decrypt and read `frame`; it changes nothing, the caller advances the session."""
    fport = frame.fport
    data = found.session.crypt(frame.frm_payload, fport, found.fcnt, UP) if frame.frm_payload else b""
    # an ADRACKReq without ADR is ignored; with it any downlink is the answer (LoRaWAN 1.0.x, ADR back-off)
    wants = frame.confirmed or (frame.adr and frame.adr_ack_req)
    octets = frame.fopts
    if fport == 0:
        octets, data = data, b""
    if not octets:
        return Handled(fport, data, _NOTHING, b"", wants, None)
    commands, problem = parse_commands(octets, uplink=True)
    answers = answer(commands, receptions)
    return Handled(fport, data, tuple(commands), answers, wants or bool(answers), problem)
