"""The queue of transmissions inside a gateway, with the refusals of the Semtech forwarder. Pure; times in microseconds.

Margins are those of sx1302_hal: a packet must come 42.5 ms before its time, at most 512 s before,
and the space between two of them is as long as it takes to start the transmitter.
"""

from bisect import insort

MAX_QUEUED = 32
MIN_LEAD_US = 42_500
MAX_LEAD_US = 512_000_000
IMMEDIATE_LEAD_US = 80_000
GUARD_US = 2_500


class JitQueue:
    """Accepted transmissions as (start, end). A real gateway has one transmitter; 0 stands for as many as it takes."""

    def __init__(self, transmitters: int = 1) -> None:
        self._transmitters = transmitters
        self._queued: list[tuple[int, int]] = []

    def offer(self, now_us: int, start_us: int, airtime_us: int) -> str | None:
        """Take a transmission, or say why not in the words of TX_ACK: TOO_LATE, TOO_EARLY, COLLISION_PACKET."""
        self._queued = [(start, end) for start, end in self._queued if end > now_us]
        if start_us - now_us <= MIN_LEAD_US:
            return "TOO_LATE"
        if start_us - now_us > MAX_LEAD_US:
            return "TOO_EARLY"
        end_us = start_us + airtime_us
        if self._transmitters:
            overlapping = sum(start_us - GUARD_US < end and start < end_us + GUARD_US for start, end in self._queued)
            if overlapping >= self._transmitters or len(self._queued) >= MAX_QUEUED * self._transmitters:
                return "COLLISION_PACKET"  # the forwarder says the same of a full queue
            insort(self._queued, (start_us, end_us))
        return None
