"""Which session a data frame belongs to: by DevAddr, counter and MIC.

LoRaWAN sends 16 of 32 counter bits, so the MIC decides whether a guess of the upper half was right. Candidates are
tried in order of how plausible their counter is; a frame whose MIC fits no forward counter is tried once more
against the counters behind, only to tell a replay or a reset from a stranger.
"""

from collections.abc import Iterable
from enum import Enum

import msgspec

from lns.lorawan.crypto import UP
from lns.lorawan.fcnt import MAX_FCNT_GAP, reconstruct
from lns.lorawan.phy import DataFrame
from lns.mac.refusal import Reason, Refused
from lns.mac.session import Session


class Kind(Enum):
    """How the frame's counter relates to the session's."""

    NEW = "new"
    REPEATED = "repeated"
    RESET = "reset"


_NEW, _REPEATED, _RESET = Kind.NEW, Kind.REPEATED, Kind.RESET
"""Kept: on Python 3.11 an enum member by name costs 0.2 us."""


class Match(msgspec.Struct, frozen=True, gc=False):
    """The session of a frame and its full 32-bit FCntUp."""

    session: Session
    fcnt: int
    kind: Kind


def match(frame: DataFrame, phy_payload: bytes, candidates: Iterable[Session]) -> Match | Refused:
    """Find the session whose key fits, or say why none does."""
    sessions = [(reconstruct(session.fcnt_up, frame.fcnt16), session) for session in candidates]
    if len(sessions) > 1:
        sessions.sort(key=_gap)
    message = phy_payload[:-4]
    for fcnt, session in sessions:
        if fcnt >= session.fcnt_up and session.mic.mic(message, session.dev_addr_le, fcnt, UP) == frame.mic:
            return _judge(frame, session, fcnt)
    return _diagnose(frame, message, [session for _, session in sessions])


def _gap(candidate: tuple[int, Session]) -> int:
    fcnt, session = candidate
    return fcnt - session.fcnt_up


def _judge(frame: DataFrame, session: Session, fcnt: int) -> Match | Refused:
    device = session.device
    if device.disabled:
        return _refuse(Reason.DEVICE_DISABLED, session, f"device {device.dev_eui} is disabled")
    if fcnt == session.fcnt_up:
        return Match(session, fcnt, _REPEATED)
    gap = fcnt - max(session.fcnt_up, 0)
    # MAX_FCNT_GAP: LoRaWAN 1.0.0 to 1.0.3 only
    if gap > MAX_FCNT_GAP and device.limits_fcnt_gap:
        if device.fcnt_reset_allowed and fcnt == frame.fcnt16:
            return Match(session, fcnt, _RESET)
        return _refuse(
            Reason.FCNT_GAP,
            session,
            f"fcnt {fcnt} is {gap} above the last one, at most {MAX_FCNT_GAP}",
        )
    return Match(session, fcnt, _NEW)


def _diagnose(frame: DataFrame, message: bytes, sessions: list[Session]) -> Match | Refused:
    """No forward counter fits: a counter behind the last one may, and only then is it a reset or a replay."""
    for session in sessions:
        behind = {frame.fcnt16, (session.fcnt_up & ~0xFFFF) | frame.fcnt16} if session.fcnt_up > 0 else set()
        for fcnt in sorted(behind):
            if fcnt < session.fcnt_up and session.mic.mic(message, session.dev_addr_le, fcnt, UP) == frame.mic:
                return _judge_behind(frame, session, fcnt)
        if reconstruct(session.fcnt_up, frame.fcnt16) < session.fcnt_up:
            return _refuse(Reason.FCNT_EXHAUSTED, session, "the 32-bit counter is used up, the device must join again")
    known = ", ".join(session.device.dev_eui for session in sessions[:3])
    return Refused(
        Reason.MIC_FAILED,
        f"mic {frame.mic.hex()} fits none of {len(sessions)} device(s) with dev_addr {frame.dev_addr} ({known})",
        frame.dev_addr,
        sessions[0].device.dev_eui if len(sessions) == 1 else None,
    )


def _judge_behind(frame: DataFrame, session: Session, fcnt: int) -> Match | Refused:
    device = session.device
    if device.disabled:
        return _refuse(Reason.DEVICE_DISABLED, session, f"device {device.dev_eui} is disabled")
    if device.fcnt_reset_allowed and fcnt == frame.fcnt16:
        return Match(session, fcnt, _RESET)
    return _refuse(
        Reason.FCNT_NOT_ABOVE_LAST,
        session,
        f"fcnt {fcnt} is not above the last one {session.fcnt_up}: a replay, or the device reset its counter",
    )


def _refuse(reason: Reason, session: Session, text: str) -> Refused:
    return Refused(reason, text, session.dev_addr, session.device.dev_eui)
