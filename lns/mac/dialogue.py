"""The dialogue of MAC commands with a device: what it is asked, what it answered, what is asked again.

The network believes a value when the device has accepted it, asks again what stays unanswered, ever more seldom, and
asks no third time what was refused twice. A device that has what it should have costs `needs` and nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lns.lorawan.commands import Command, parse_commands
from lns.mac.adr import next_look
from lns.mac.answers import answer
from lns.mac.families import BY_ANSWER, BY_NAME, BY_REQUEST, FAMILIES, OF_DEVICES, channels, link_adr
from lns.mac.families.dev_status import due_at_us, uplinks_left
from lns.mac.families.family import Answered, Family, Fields, View, request
from lns.mac.frames import Reception
from lns.mac.history import NEVER_S
from lns.mac.radio import REFUSALS, Asked
from lns.mac.session import Session
from lns.mac.settings import RegionSettings

_LONGEST_WAIT = 64
"""Uplinks between two requests to a device that never answers."""
_UNANSWERED_TIMES = 3
"""How often a request is sent that devices do not answer."""
_PATIENCE = 8
"""An answer that would be repeated and did not come after so many requests was never given: none was heard."""
_NEVER = 1 << 30

Event = tuple[str, Fields]


class UplinkFacts(msgspec.Struct, frozen=True, gc=False):
    """What the dialogue needs to know of an uplink; `receptions` are its copies, best first, `at_us` is UTC.

    `one_way_s` is what a frame takes from each gateway to the server, as far as that is known.
    """

    receptions: Sequence[Reception]
    fcnt_up: int
    dr: int
    adr: bool
    at_us: int
    one_way_s: Mapping[str, float] = {}


class Taken(msgspec.Struct, frozen=True):
    """What the commands of an uplink brought about.

    `answers` belong into this uplink's windows, which use the session's parameters as they are now. `changed`: radio
    or window parameters must be stored. `wants`: the device waits for a downlink, even an empty one.
    """

    answers: bytes
    events: tuple[Event, ...]
    changed: bool
    wants: bool


class Request(msgspec.Struct, frozen=True):
    """Commands for a device; those of a `block` hold together and may not be split over two frames."""

    family: str
    octets: bytes
    block: bool


def needs(session: Session) -> bool:
    """Whether `due` is worth calling after this uplink; asked of every uplink."""
    history = session.history
    return history is None or history.look_in <= 0 or history.at_s >= history.look_at_s


def again(session: Session) -> None:
    """Settings have changed: look at the device with its next uplink."""
    if session.history is not None:
        session.history.look_in = 0


def take(session: Session, commands: Sequence[Command], facts: UplinkFacts) -> Taken:
    """Act on the MAC commands of a new uplink (not of a repeated one)."""
    answers = answer(commands, facts.receptions, facts.one_way_s)
    by_name: dict[str, list[Fields]] = {}
    for command in commands:
        by_name.setdefault(command.name, []).append(command.fields)
    events: list[Event] = []
    changed = wants = False
    for name, said in by_name.items():
        if name in OF_DEVICES:
            reply = OF_DEVICES[name](session, said[-1])
            answers += reply.answer
            events += [reply.event] if reply.event else []
            changed |= reply.changed
        elif name in BY_ANSWER:
            family = BY_ANSWER[name]
            wants |= family.sticky(session)  # any downlink ends the repetition
            changed |= _answered(session, family, said, facts, events)
    return Taken(answers, tuple(events), changed, wants or bool(answers))


def _answered(session: Session, family: Family, said: list[Fields], facts: UplinkFacts, events: list[Event]) -> bool:
    """Settle what the family asked; False for an answer to nothing, which may be a repeated one."""
    radio = session.known_radio()
    radio.answered[family.name] = facts.fcnt_up
    if session.history is not None:
        session.history.look_in = 0
    asked = radio.asked.pop(family.name, None)
    if asked is None:
        return False
    radio.wishes.pop(family.name, None)
    refused = family.settle(Answered(session, radio, asked.octets, said, facts.fcnt_up, facts.at_us))
    if refused:
        times = max([radio.note_refusal(family.name, value) for value in refused])
        events.append(("mac_refused", _refusal(family, asked, said, times)))
    elif family.name == "dev_status":
        events.append(("status", {"battery": radio.battery, "margin_db": radio.margin_db}))
    return True


def _refusal(family: Family, asked: Asked, said: list[Fields], times: int) -> dict[str, Any]:
    requests = [command.fields for command in parse_commands(asked.octets, uplink=False)[0]]
    return {
        "command": family.request,
        "requests": requests,
        "answers": said,
        "times": times,
        "asked_again": times < REFUSALS,
    }


def due(session: Session, network: RegionSettings, now_us: int) -> list[Request]:
    """What the device should be asked with the next downlink, the most urgent first. Call `sent` for what left."""
    untouched = session.radio is None
    radio = session.known_radio()
    view = View(session, radio, network, now_us)
    if link_adr.observe(session):
        untouched = False
    channels.assume_factory(view)
    requests = []
    waiting = _NEVER
    for family in FAMILIES:
        if not family.known_to(session):
            continue
        octets = radio.wishes.get(family.name) or family.wanted(view)
        if not octets:
            octets = _left_over(session, family)
        if not octets or radio.refuses(family.name, octets.hex()):
            continue
        octets, wait = _timed(session, family, octets)
        waiting = min(waiting, wait)
        if wait <= 0:
            requests.append(Request(family.name, octets, family.block))
    if session.history is not None:
        _rest(view, waiting)
    if untouched and waiting == _NEVER:
        session.radio = None  # it has what it should have: no need to remember that of each device
    return requests


def _left_over(session: Session, family: Family) -> bytes:
    """A request without an answer that nobody wants any more: the device may have heard it, so it must be settled."""
    asked = session.known_radio().asked
    if family.name not in asked:
        return b""
    if family.sticky(session) and asked[family.name].times >= _PATIENCE:
        del asked[family.name]
        return b""
    return asked[family.name].octets


def _timed(session: Session, family: Family, octets: bytes) -> tuple[bytes, int]:
    """What to ask of a family, and after how many more uplinks."""
    radio, fcnt_up = session.radio, session.fcnt_up
    assert radio is not None
    asked = radio.asked.get(family.name)
    if family.sticky(session):
        # LoRaWAN 1.0.2 and later repeat these answers until a downlink is heard. An answer to the last request would
        # be taken for one to a newer request, so that one waits for an uplink without it.
        if radio.answered.get(family.name) == fcnt_up:
            return octets, 1
        if asked is not None and asked.times < _PATIENCE:
            octets = asked.octets
    if asked is None:
        return octets, 0
    pause = min(1 << asked.times - 1, _LONGEST_WAIT) if octets == asked.octets else 1
    return octets, asked.fcnt_up + pause - fcnt_up


def _rest(view: View, waiting: int) -> None:
    """Say when the next look is worth while."""
    history, settings = view.session.history, view.settings
    assert history is not None
    looks = [waiting]
    adr = next_look(history, settings.adr) if history.adr else None
    for uplinks in (adr, uplinks_left(view)):
        if uplinks is not None:
            looks.append(max(1, uplinks))
    at_us = due_at_us(view)
    # one that is due but not answered must not bring a look with every uplink
    until_s = NEVER_S if at_us is None or at_us <= view.now_us else at_us // 1_000_000
    history.rest(min(looks), until_s)


def sent(session: Session, requests: Sequence[Request], fcnt_down: int) -> None:
    """These requests left with `fcnt_down`."""
    radio = session.known_radio()
    for sending in requests:
        before = radio.asked.get(sending.family)
        times = 1 if before is None else before.times + 1
        radio.asked[sending.family] = Asked(sending.octets, fcnt_down, times, session.fcnt_up)
        if BY_NAME[sending.family].answer is None and times >= _UNANSWERED_TIMES:
            radio.wishes.pop(sending.family, None)
            del radio.asked[sending.family]
    if session.history is not None:
        session.history.look_in = 0


def ask(session: Session, name: str, **fields: int) -> None:
    """A person wants a device asked once, by the name of the request. ValueError when that cannot be."""
    family = BY_REQUEST.get(name)
    if family is None or not family.by_hand:
        known = ", ".join(sorted(family.request for family in FAMILIES if family.by_hand))
        raise ValueError(f"{name} cannot be asked for, {known} can")
    if not family.known_to(session):
        raise ValueError(f"{name} came with lorawan {family.since}, the session is older")
    radio, octets = session.known_radio(), request(name, **fields)
    if name == "DlChannelReq" and fields["ch_index"] not in radio.channels:
        raise ValueError(f"the device has no channel {fields['ch_index']} whose rx1 could be moved")
    radio.asked.pop(family.name, None)
    radio.refused.pop(f"{family.name}:{octets.hex()}", None)
    radio.wishes[family.name] = octets
    again(session)
