"""Which codec versions are not run any more, because they kill workers or waste their time, and the evidence. Pure."""

from collections import deque

import msgspec

from decoders.contract import Request

WINDOW_S = 600.0
LIMIT = 300
"""Points within the window that park a version."""

DEATH = 100
"""Points of an uplink that killed its worker: three park the version."""

OVERRUN = 3
"""Points of an uplink that ran out of time or memory. A payload that a script cannot read may do that in honest use, so
it takes a hundred, which is ten seconds of a core, to park the version."""


class Offence(msgspec.Struct, frozen=True):
    """An uplink that cost too much: why, and when that was, UTC."""

    why: str
    request: Request
    at_us: int


class Evidence(msgspec.Struct, frozen=True):
    """What is held against a version: its last offence, or the one that parked it, and how many of each kind there
    were within the window."""

    offence: Offence
    deaths: int
    overruns: int


class Strikes:
    """Points by codec version. A parked version stays parked until it is forgiven."""

    def __init__(self) -> None:
        self._points: dict[str, deque[tuple[float, int]]] = {}
        self.parked: dict[str, str] = {}  # key: why
        self.evidence: dict[str, Evidence] = {}  # of every version that has points, parked or not

    def add(self, key: str, points: int, now: float, offence: Offence) -> bool:
        """Count `points` against `key` at `now` (monotonic seconds); True when this parks it."""
        counted = self._points.setdefault(key, deque())
        counted.append((now, points))
        while counted[0][0] <= now - WINDOW_S:
            counted.popleft()
        if key in self.parked:
            return False
        kinds = [points for _, points in counted]
        self.evidence[key] = Evidence(offence, kinds.count(DEATH), kinds.count(OVERRUN))
        if sum(kinds) < LIMIT:
            return False
        self.parked[key] = offence.why
        return True

    def forgive(self, key: str) -> None:
        """Forget everything counted against `key`."""
        self._points.pop(key, None)
        self.parked.pop(key, None)
        self.evidence.pop(key, None)
