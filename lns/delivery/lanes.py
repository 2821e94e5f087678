"""The order in which one outlet's deliveries may leave: a lane per device, one of a lane under way at a time. Pure.

Only the head of a lane can leave; a head that waits to be tried again holds its own lane and no other.
"""

from bisect import bisect_left, insort
from heapq import heappop, heappush
from typing import Literal

import msgspec

Ordering = Literal["strict", "latest"]
"""strict: all, in order. latest: a newer message takes the place of those of its lane that have not left."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """A delivery that is to be sent from `due_us` on; ids grow in the order of the log."""

    id: int
    lane: str
    due_us: int


class Lanes:
    """What is still to be sent, by lane; ids only, what they carry stays in the table."""

    def __init__(self, ordering: Ordering = "strict") -> None:
        self._ordering = ordering
        self._lanes: dict[str, list[int]] = {}
        self._due: dict[int, int] = {}
        self._lane_of: dict[int, str] = {}
        self._busy: dict[str, int] = {}
        self._again: dict[int, Item] = {}
        self._heap: list[tuple[int, int, str]] = []

    def __len__(self) -> int:
        return len(self._due)

    @property
    def in_flight(self) -> int:
        """How many are under way."""
        return len(self._busy)

    def add(self, item: Item) -> list[int]:
        """Take in one more; returns the ids it takes the place of. One that is here already is left as it is.

        One that is under way may have ended in the table and been opened again: it is taken in when it is done.
        """
        if item.id in self._due:
            if self._busy.get(item.lane) == item.id:
                self._again[item.id] = item
            return []
        replaced = self._replaced(item) if self._ordering == "latest" else []
        for id_ in replaced:
            self.remove(id_)
        insort(self._lanes.setdefault(item.lane, []), item.id)
        self._due[item.id] = item.due_us
        self._lane_of[item.id] = item.lane
        self._offer(item.lane)
        return replaced

    def take(self, limit: int, now_us: int) -> list[int]:
        """Up to `limit` heads that are due, of different lanes, longest due first; they are under way from now on."""
        taken: list[int] = []
        while len(taken) < limit and self._live() and self._heap[0][0] <= now_us:
            _, id_, lane = heappop(self._heap)
            self._busy[lane] = id_
            taken.append(id_)
        return taken

    def done(self, id_: int) -> None:
        """It is delivered, dead or dropped: the next of its lane may leave."""
        again = self._again.pop(id_, None)
        self.remove(id_)
        if again is not None:
            self.add(again)

    def wait(self, id_: int, due_us: int) -> None:
        """It is to be tried again, not before `due_us`."""
        lane = self._lane_of.get(id_)
        if lane is not None:
            self._again.pop(id_, None)
            if self._busy.get(lane) == id_:
                del self._busy[lane]
            self._due[id_] = due_us
            self._offer(lane)

    def remove(self, id_: int) -> None:
        """It will not be sent any more."""
        if self._due.pop(id_, None) is None:
            return
        lane = self._lane_of.pop(id_)
        queue = self._lanes[lane]
        del queue[bisect_left(queue, id_)]
        if self._busy.get(lane) == id_:
            del self._busy[lane]
        if queue:
            self._offer(lane)
        else:
            del self._lanes[lane]

    def wake(self, now_us: int) -> None:
        """Whatever waits is due now."""
        for lane, queue in self._lanes.items():
            if self._due[queue[0]] > now_us:
                self._due[queue[0]] = now_us
                self._offer(lane)

    def deadline_us(self) -> int | None:
        """When the next head is due; None while nothing waits."""
        return self._heap[0][0] if self._live() else None

    def _replaced(self, item: Item) -> list[int]:
        busy = self._busy.get(item.lane)
        return [id_ for id_ in self._lanes.get(item.lane, ()) if id_ != busy and id_ < item.id]

    def _offer(self, lane: str) -> None:
        head = self._lanes[lane][0]
        if lane not in self._busy:
            heappush(self._heap, (self._due[head], head, lane))

    def _live(self) -> bool:
        """Drop entries of the heap that no longer hold; False when none is left."""
        while self._heap:
            due_us, id_, lane = self._heap[0]
            queue = self._lanes.get(lane)
            if queue and queue[0] == id_ and self._due[id_] == due_us and lane not in self._busy:
                return True
            heappop(self._heap)
        return False
