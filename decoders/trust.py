"""Which codec versions may run beside the others: those that answered cleanly and have not cost too much since. Pure.

A version that is new to this process, or has run out of time or memory or killed a worker, runs in a worker of its own
kind until it has shown itself. So nothing that a hostile script does holds up a version that others rely on.
"""

PROBATION_S = 60.0
"""How long a version that cost too much is kept apart from its last offence on."""

SEASON_S = 10.0
"""So long a new version is kept apart while another one costs too much; where none does, its first clean answer is
enough. From then on a trusted version also goes before those that have only just come."""


class Trust:
    """Versions by key. None is trusted at first."""

    def __init__(self) -> None:
        self._clean: dict[str, float] = {}  # key: its first clean answer, monotonic seconds
        self._proven: dict[str, float] = {}  # key: trusted since
        self.doubted: dict[str, float] = {}
        """Versions that have offended, other than those that are only new, and until when that is held against them
        (monotonic seconds)."""

    def has(self, key: str) -> bool:
        """May the version run beside others?"""
        return key in self._proven

    def is_seasoned(self, key: str, now: float) -> bool:
        """Has the version been trusted for a while?"""
        return self._proven.get(key, now) <= now - SEASON_S

    def doubt(self, key: str, now: float) -> None:
        """The version cost too much at `now`."""
        self._proven.pop(key, None)
        self._clean.pop(key, None)
        self.doubted[key] = now + PROBATION_S

    def prove(self, key: str, now: float) -> bool:
        """The version answered cleanly at `now`; True when it is trusted from now on and was not before."""
        if key in self._proven or now < self.doubted.get(key, now):
            return False
        self.doubted.pop(key, None)
        if self.doubted and now < self._clean.setdefault(key, now) + SEASON_S:
            return False
        self._proven[key] = now
        return True
