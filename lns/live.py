"""What happens now, for people who look: a small ring of recent things and a queue for each watcher."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any


def time_text(at_us: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Live:
    """Fans events out to watchers. A watcher that does not keep up loses the oldest and is told how many."""

    def __init__(self, kept: int = 1000, queue_size: int = 1000) -> None:
        self.recent_refusals: deque[dict[str, Any]] = deque(maxlen=kept)
        self._queue_size = queue_size
        self._watchers: set[asyncio.Queue[dict[str, Any]]] = set()

    @property
    def watched(self) -> bool:
        """True while somebody looks: hot code asks before it builds an event."""
        return bool(self._watchers)

    def publish(self, event: dict[str, Any]) -> None:
        """Give `event`, which has a `kind` key and is JSON-ready, to every watcher."""
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    def refuse(self, event: dict[str, Any]) -> None:
        """Keep and publish a refusal."""
        self.recent_refusals.append(event)
        if self._watchers:
            self.publish(event)

    @contextmanager
    def watch(self) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        """A queue of events for as long as the block lasts."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(self._queue_size)
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)
