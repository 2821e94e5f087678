"""Our own transmissions of each gateway, so that no two are given to it for one moment. Pure.

A gateway has one transmitter and hears nothing while it sends. Its queue would refuse the second frame
(COLLISION_PACKET), but only after a round trip that the device's window may not leave. Times are monotonic seconds.
"""

from bisect import bisect_left, insort

GUARD_S = 0.01
"""Kept free between two frames: sx1302 forwarders want 2.5 ms, and our idea of a window differs by network jitter."""

Span = tuple[float, float]


class AirPlan:
    """Reserved spans (start, end) by gateway. What has ended is dropped when its gateway is next reserved."""

    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = {}

    def blocker(self, gateway_eui: str, start: float, end: float) -> Span | None:
        """The reserved span that a frame from `start` to `end` would collide with; None when the air is free."""
        spans = self._spans.get(gateway_eui)
        if not spans:
            return None
        # spans do not overlap, so only the last one that begins before our end can reach into us
        index = bisect_left(spans, (end + GUARD_S,))
        if index and spans[index - 1][1] + GUARD_S > start:
            return spans[index - 1]
        return None

    def reserve(self, gateway_eui: str, start: float, end: float, now: float) -> None:
        """Plan a frame; the caller has asked for a `blocker` before."""
        spans = self._spans.get(gateway_eui)
        if spans is None:
            spans = self._spans[gateway_eui] = []
        ended = 0
        while ended < len(spans) and spans[ended][1] < now:
            ended += 1
        if ended:
            del spans[:ended]
        insort(spans, (start, end))

    def release(self, gateway_eui: str, start: float, end: float) -> None:
        """A planned frame is not sent after all."""
        spans = self._spans.get(gateway_eui, [])
        if (start, end) in spans:
            spans.remove((start, end))

    def next_free(self, gateway_eui: str, earliest: float, airtime_s: float) -> float:
        """The first moment from `earliest` on at which a frame of that length meets no other one."""
        start = earliest
        while (blocker := self.blocker(gateway_eui, start, start + airtime_s)) is not None:
            # it begins before we would end, so no gap in front of it is long enough
            start = blocker[1] + GUARD_S
        return start

    def forget(self, gateway_eui: str) -> None:
        """A gateway was removed."""
        self._spans.pop(gateway_eui, None)
