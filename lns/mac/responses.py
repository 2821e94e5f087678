"""Confirmed downlinks of class B and C that wait for the device's next uplink. Pure; times are monotonic seconds.

A class A device answers with its next uplink, whenever that comes. One of class B or C has to answer within a time
(CLASS_B_RESP_TIMEOUT, CLASS_C_RESP_TIMEOUT), or the downlink counts as not received.
"""


class Responses:
    """At most one wait for each device."""

    def __init__(self) -> None:
        self._until: dict[int, tuple[float, str]] = {}

    def wait(self, device_id: int, item_id: str, until: float) -> None:
        """A confirmed item has been sent; `until` counts from the end of its frame."""
        self._until[device_id] = (until, item_id)

    def heard(self, device_id: int) -> None:
        """An uplink has come, with the acknowledgement or without: the wait is over."""
        self._until.pop(device_id, None)

    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        return min((until for until, _ in self._until.values()), default=None)

    def expire(self, now: float) -> list[tuple[int, str]]:
        """Devices that did not answer in time and the item they owe it for, the longest overdue first."""
        overdue = sorted((until, device_id, item) for device_id, (until, item) in self._until.items() if until <= now)
        for _, device_id, _ in overdue:
            del self._until[device_id]
        return [(device_id, item) for _, device_id, item in overdue]
