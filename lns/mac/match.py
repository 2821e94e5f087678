"""Which session a data frame belongs to: by DevAddr, counter and MIC.

LoRaWAN sends 16 of 32 counter bits, so the MIC decides whether a guess of the upper half was right. Candidates are
tried in order of how plausible their counter is; a frame whose MIC fits no forward counter is tried once more
against the counters behind, only to tell a replay or a reset from a stranger.

The MIC of a 1.1 uplink also covers the data rate and the channel index it was sent with and the downlink counter it
acknowledges (LoRaWAN 1.1, chapter 4.4). Half of it does not, and says which session to look at closer.
"""

from collections.abc import Iterable, Sequence
from enum import Enum

import msgspec

from lns.lorawan.crypto import UP
from lns.lorawan.fcnt import MAX_FCNT_GAP, reconstruct
from lns.lorawan.phy import DataFrame
from lns.mac.families.channels import asked_for
from lns.mac.frames import Reception
from lns.mac.refusal import Reason, Refused
from lns.mac.session import Session


class Kind(Enum):
    """How the frame's counter relates to the session's."""

    NEW = "new"
    REPEATED = "repeated"
    RESET = "reset"


_LOOK_BACK = 16
"""Downlinks before the next one that an uplink may acknowledge: each gives a forger one chance more in 65,536."""

_NEW, _REPEATED, _RESET = Kind.NEW, Kind.REPEATED, Kind.RESET
"""Kept: on Python 3.11 an enum member by name costs 0.2 us."""


class Match(msgspec.Struct, frozen=True, gc=False):
    """The session of a frame and its full 32-bit FCntUp. `acks`: it acknowledges the outstanding downlink."""

    session: Session
    fcnt: int
    kind: Kind
    acks: bool = False


def match(
    frame: DataFrame, phy_payload: bytes, candidates: Iterable[Session], receptions: Sequence[Reception]
) -> Match | Refused:
    """Find the session whose key fits, or say why none does; `receptions` are the copies of the frame."""
    sessions = [(reconstruct(session.fcnt_up, frame.fcnt16), session) for session in candidates]
    if len(sessions) > 1:
        sessions.sort(key=_gap)
    message = phy_payload[:-4]
    for fcnt, session in sessions:
        if fcnt < session.fcnt_up:
            continue
        if session.keys_1_1 is None:
            if session.mic.mic(message, session.dev_addr_le, fcnt, UP) == frame.mic:
                return _judge(frame, session, fcnt, frame.ack)
        elif (conf_fcnt := _conf_fcnt(session, frame, message, fcnt, receptions)) is not None:
            return _judge(frame, session, fcnt, frame.ack and conf_fcnt in session.conf_fcnts_down)
    return _diagnose(frame, message, [session for _, session in sessions], receptions)


def _signed(session: Session, frame: DataFrame, message: bytes, fcnt: int, receptions: Sequence[Reception]) -> bool:
    if session.keys_1_1 is None:
        return session.mic.mic(message, session.dev_addr_le, fcnt, UP) == frame.mic
    return _conf_fcnt(session, frame, message, fcnt, receptions) is not None


def _conf_fcnt(
    session: Session, frame: DataFrame, message: bytes, fcnt: int, receptions: Sequence[Reception]
) -> int | None:
    """ConfFCnt under which the MIC is of this 1.1 session for a transmission that was heard; None: it is not."""
    mic, address = session.mic_1_1, session.dev_addr_le
    if not _half_signed(session, frame, message, fcnt):
        return None
    transmissions = _transmissions(session, receptions)
    for conf_fcnt in _acknowledgeable(session) if frame.ack else (0,):  # it counts only with ACK
        for dr, channel in transmissions:
            if mic.uplink(message, address, fcnt, conf_fcnt, dr, channel) == frame.mic:
                return conf_fcnt
    return None


def _acknowledgeable(session: Session) -> list[int]:
    """Downlinks that a device may acknowledge, likeliest first.

    Of several attempts it acknowledges the last that it heard, or an item that was given up before the uplink came.
    """
    attempts = session.conf_fcnts_down
    before = range(session.afcnt_down - 1, max(session.afcnt_down - 1 - _LOOK_BACK, -1), -1)
    return [*reversed(attempts), *(fcnt for fcnt in before if fcnt not in attempts)]


def _half_signed(session: Session, frame: DataFrame, message: bytes, fcnt: int) -> bool:
    return session.mic_1_1.uplink_f(message, session.dev_addr_le, fcnt) == frame.mic[2:]


def _transmissions(session: Session, receptions: Sequence[Reception]) -> set[tuple[int, int]]:
    """Data rate and channel index of each copy; two channels of a device may have one frequency."""
    region = session.device.region
    found: set[tuple[int, int]] = set()
    for reception in receptions:
        dr = region.uplink_dr(reception.modulation)
        if dr is not None:
            found.update((dr, channel) for channel in _channels(session, reception.freq_hz))
    return found


def _channels(session: Session, freq_hz: int) -> list[int]:
    region = session.device.region
    if region.plan == "fixed":
        return [channel.index for channel in region.uplink_channels if channel.freq_hz == freq_hz]
    radio = session.known_radio()
    # a device uses a channel from when it hears of it, which is before its answer is heard here
    known = [(channel.index, channel.freq_hz) for channel in radio.channels.values()]
    return [index for index, channel_hz in (*known, *asked_for(session)) if channel_hz == freq_hz]


def _gap(candidate: tuple[int, Session]) -> int:
    fcnt, session = candidate
    return fcnt - session.fcnt_up


def _judge(frame: DataFrame, session: Session, fcnt: int, acks: bool) -> Match | Refused:
    device = session.device
    if device.disabled:
        return _refuse(Reason.DEVICE_DISABLED, session, f"device {device.dev_eui} is disabled")
    if fcnt == session.fcnt_up:
        return Match(session, fcnt, _REPEATED, acks)
    gap = fcnt - max(session.fcnt_up, 0)
    # MAX_FCNT_GAP: LoRaWAN 1.0.0 to 1.0.3 only
    if gap > MAX_FCNT_GAP and device.limits_fcnt_gap:
        if device.fcnt_reset_allowed and fcnt == frame.fcnt16:
            return Match(session, fcnt, _RESET, acks)
        return _refuse(
            Reason.FCNT_GAP,
            session,
            f"fcnt {fcnt} is {gap} above the last one, at most {MAX_FCNT_GAP}",
        )
    return Match(session, fcnt, _NEW, acks)


def _diagnose(
    frame: DataFrame, message: bytes, sessions: list[Session], receptions: Sequence[Reception]
) -> Match | Refused:
    """No forward counter fits: a counter behind the last one may, and only then is it a reset or a replay."""
    for session in sessions:
        behind = {frame.fcnt16, (session.fcnt_up & ~0xFFFF) | frame.fcnt16} if session.fcnt_up > 0 else set()
        for fcnt in sorted(behind):
            if fcnt < session.fcnt_up and _signed(session, frame, message, fcnt, receptions):
                return _judge_behind(frame, session, fcnt)
        forward = reconstruct(session.fcnt_up, frame.fcnt16)
        if forward < session.fcnt_up:
            return _refuse(Reason.FCNT_EXHAUSTED, session, "the 32-bit counter is used up, the device must join again")
        if session.keys_1_1 is not None and _half_signed(session, frame, message, forward):
            return _refuse(Reason.MIC_OTHER_TRANSMISSION, session, _other_transmission(frame, session, receptions))
    known = ", ".join(session.device.dev_eui for session in sessions[:3])
    return Refused(
        Reason.MIC_FAILED,
        f"mic {frame.mic.hex()} fits none of {len(sessions)} device(s) with dev_addr {frame.dev_addr} ({known})",
        frame.dev_addr,
        sessions[0].device.dev_eui if len(sessions) == 1 else None,
    )


def _other_transmission(frame: DataFrame, session: Session, receptions: Sequence[Reception]) -> str:
    """What was heard, which the device has signed otherwise."""
    heard = sorted(_transmissions(session, receptions))
    seen = ", ".join(f"dr {dr} on channel {channel}" for dr, channel in heard) or f"{receptions[0].freq_hz} Hz"
    acknowledged = f" acknowledging a downlink before {session.afcnt_down}" if frame.ack else ""
    what = "half of the mic fits: the device signed another data rate, channel or acknowledgement than"
    return f"{what} {seen}{acknowledged}"


def _judge_behind(frame: DataFrame, session: Session, fcnt: int) -> Match | Refused:
    device = session.device
    if device.disabled:
        return _refuse(Reason.DEVICE_DISABLED, session, f"device {device.dev_eui} is disabled")
    if device.fcnt_reset_allowed and fcnt == frame.fcnt16:
        return Match(session, fcnt, _RESET, frame.ack)
    return _refuse(
        Reason.FCNT_NOT_ABOVE_LAST,
        session,
        f"fcnt {fcnt} is not above the last one {session.fcnt_up}: a replay, or the device reset its counter",
    )


def _refuse(reason: Reason, session: Session, text: str) -> Refused:
    return Refused(reason, text, session.dev_addr, session.device.dev_eui)
