"""Deduplication: the copies of one PHYPayload that several gateways heard become one frame.

Copies are collected for a window that opens with the first of them. The same octets on another frequency or data
rate are the same frame (a ghost image of a strong signal). A copy that comes after the window from a gateway that
was not among the collected ones is late; from one that was, it is a repetition by the device and a new frame.
"""

from collections import deque
from enum import Enum

from lns.mac.frames import Reception


class Copy(Enum):
    """What one reception turned out to be."""

    FIRST = "first"
    COPY = "copy"
    LATE = "late"
    SAME_RECEPTION = "same_reception"


_FIRST, _COPY, _LATE, _SAME_RECEPTION = Copy.FIRST, Copy.COPY, Copy.LATE, Copy.SAME_RECEPTION
"""Kept: on Python 3.11 an enum member by name costs 0.2 us."""


class Heard:
    """One frame and its receptions; `opened_at` is when its first copy came (monotonic seconds)."""

    __slots__ = ("opened_at", "receptions")

    def __init__(self, reception: Reception, opened_at: float) -> None:
        self.receptions = [reception]
        self.opened_at = opened_at


class Deduplicator:
    """Collects copies; `expire` hands out the frames whose window has closed, oldest first."""

    def __init__(self, window_s: float, late_s: float) -> None:
        self._window_s = window_s
        self._late_s = late_s
        self._open: dict[bytes, Heard] = {}
        self._order: deque[tuple[float, bytes]] = deque()
        self._closed: dict[bytes, Heard] = {}
        self._closed_order: deque[tuple[float, bytes, Heard]] = deque()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, reception: Reception, now: float) -> Copy:
        """Take one reception at `now` (monotonic seconds)."""
        phy_payload = reception.phy_payload
        heard = self._open.get(phy_payload)
        if heard is not None:
            if _known(heard, reception):
                return _SAME_RECEPTION
            heard.receptions.append(reception)
            return _COPY
        closed = self._closed.get(phy_payload)
        if closed is not None:
            if _known(closed, reception):
                return _SAME_RECEPTION
            if all(reception.gateway_eui != r.gateway_eui for r in closed.receptions):
                closed.receptions.append(reception)
                return _LATE
        self._open[phy_payload] = Heard(reception, now)
        self._order.append((now + self._window_s, phy_payload))
        return _FIRST

    def deadline(self) -> float | None:
        """When `expire` has something to hand out, in monotonic seconds."""
        return self._order[0][0] if self._order else None

    def expire(self, now: float) -> list[Heard]:
        """Frames whose window has closed by `now`; also forgets frames past the late window."""
        while self._closed_order and self._closed_order[0][0] <= now:
            _, phy_payload, heard = self._closed_order.popleft()
            if self._closed.get(phy_payload) is heard:
                del self._closed[phy_payload]
        ready = []
        while self._order and self._order[0][0] <= now:
            closes_at, phy_payload = self._order.popleft()
            heard = self._open.pop(phy_payload)
            self._closed[phy_payload] = heard
            self._closed_order.append((closes_at + self._late_s, phy_payload, heard))
            ready.append(heard)
        return ready

    def drain(self) -> list[Heard]:
        """Every open frame at once, for an orderly stop."""
        return self.expire(float("inf"))


def _known(heard: Heard, reception: Reception) -> bool:
    """The very same reception again: a datagram that the network or the forwarder doubled."""
    for r in heard.receptions:
        if (
            r.gateway_eui == reception.gateway_eui
            and r.tmst_us == reception.tmst_us
            and r.antenna == reception.antenna
            and r.freq_hz == reception.freq_hz
        ):
            return reception.tmst_us is not None
    return False
