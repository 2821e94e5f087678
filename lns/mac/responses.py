"""Confirmed downlinks of class B and C that wait for the device's next uplink. Pure; times are monotonic seconds.

A class A device answers with its next uplink, whenever that comes. One of class B or C has to answer within a time
(CLASS_B_RESP_TIMEOUT, CLASS_C_RESP_TIMEOUT), or the downlink counts as not received.
"""

from heapq import heappop, heappush

Wait = tuple[float, int, str]


class Responses:
    """At most one wait for each device: until when, device, item."""

    def __init__(self) -> None:
        self._current: dict[int, Wait] = {}
        self._queue: list[Wait] = []  # also holds waits that are over, until they come to the top

    def wait(self, device_id: int, item_id: str, until: float) -> None:
        """A confirmed item has been sent; `until` counts from the end of its frame."""
        one = self._current[device_id] = (until, device_id, item_id)
        heappush(self._queue, one)

    def heard(self, device_id: int) -> None:
        """An uplink has come, with the acknowledgement or without: the wait is over."""
        self._current.pop(device_id, None)

    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        queue, current = self._queue, self._current
        while queue and current.get(queue[0][1]) is not queue[0]:
            heappop(queue)
        return queue[0][0] if queue else None

    def expire(self, now: float) -> list[tuple[int, str]]:
        """Devices that did not answer in time and the item they owe it for, the longest overdue first."""
        overdue = []
        while (until := self.deadline()) is not None and until <= now:
            _, device_id, item_id = heappop(self._queue)
            del self._current[device_id]
            overdue.append((device_id, item_id))
        return overdue
