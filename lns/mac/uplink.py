"""What a matched data frame says: its payload and MAC commands in clear."""

import msgspec

from lns.lorawan.commands import Command, parse_commands
from lns.lorawan.crypto import UP
from lns.lorawan.phy import DataFrame
from lns.mac.match import Match


class Handled(msgspec.Struct, frozen=True, gc=False):
    """One uplink in clear. `problem` says what ended the run of MAC commands before its end."""

    fport: int | None
    data: bytes
    commands: tuple[Command, ...]
    wants_downlink: bool
    problem: str | None


_NOTHING: tuple[Command, ...] = ()


def handle(frame: DataFrame, found: Match) -> Handled:
    """Decrypt and read `frame`; it changes nothing, the caller advances the session."""
    fport, session = frame.fport, found.session
    data = session.crypt(frame.frm_payload, fport, found.fcnt, UP) if frame.frm_payload else b""
    # an ADRACKReq without ADR is ignored; with it any downlink is the answer (LoRaWAN 1.0.x, ADR back-off)
    wants = frame.confirmed or (frame.adr and frame.adr_ack_req)
    octets = frame.fopts
    if fport == 0:
        octets, data = data, b""
    elif octets and session.keys_1_1 is not None:
        octets = session.crypt_fopts(octets, found.fcnt, UP, False)
    if not octets:
        return Handled(fport, data, _NOTHING, wants, None)
    commands, problem = parse_commands(octets, uplink=True)
    return Handled(fport, data, tuple(commands), wants, problem)
