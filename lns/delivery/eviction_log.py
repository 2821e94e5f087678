"""Says what the delivery log has forgotten before its days were over: counted at once, logged once a minute at most."""

import asyncio
import logging
from collections import Counter

from lns import metrics
from lns.delivery.evictions import Evicted
from lns.delivery.machine import ENDED, State

_logger = logging.getLogger(__name__)

EVERY_S = 60.0
NAMED = 3
"""Outlets that are named of each state, those first that have lost most."""


class EvictionLog:
    """In the event loop; `close` says what is still to be said."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._unsaid: Counter[tuple[str, State]] = Counter()
        self._later: asyncio.TimerHandle | None = None

    def add(self, gone: Evicted) -> None:
        """These have been evicted."""
        for (outlet, state), count in gone.items():
            metrics.outlet_evicted.inc(outlet.partition("#")[0], state.value, n=count)
        self._unsaid.update(gone)
        if self._later is None:
            self._say()

    def close(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._unsaid:
            _logger.warning("%s", _sentence(self._unsaid))
            self._unsaid.clear()

    def _say(self) -> None:
        self._later = None
        if self._unsaid:
            _logger.warning("%s", _sentence(self._unsaid))
            self._unsaid.clear()
            self._later = asyncio.get_running_loop().call_later(self._every_s, self._say)


def _sentence(gone: Counter[tuple[str, State]]) -> str:
    parts = []
    for state in ENDED:
        lost = Counter({outlet: count for (outlet, whose), count in gone.items() if whose is state})
        if lost:
            named = [f"{outlet} {count}" for outlet, count in lost.most_common(NAMED)]
            more = [f"{len(lost) - NAMED} more"] if len(lost) > NAMED else []
            parts.append(f"{lost.total()} {state.value} ({', '.join(named + more)})")
    return f"the delivery log is full, forgotten before their days were over: {', '.join(parts)}"
