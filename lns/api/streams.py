"""Live events as server-sent events: one stream a watcher, all of them ended when the server stops."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from lns.api.hints import hinted
from lns.live import Live

KEEP_ALIVE_S = 15.0
_EVENTS_PER_WRITE = 200
_END: dict[str, Any] = {"kind": "end"}


class Streams:
    """All open streams."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._open: set[asyncio.Queue[dict[str, Any]]] = set()
        self._closing = False

    async def events(self) -> AsyncGenerator[bytes]:
        """The events from now on as `data:` lines; a comment now and then keeps proxies from closing the connection."""
        with self._live.watch() as queue:
            self._open.add(queue)
            try:
                yield b": connected\n\n"
                while not self._closing:
                    events = await _next(queue)
                    if events and events[-1] is _END:
                        return
                    yield (
                        b"".join(b"data: %b\n\n" % msgspec.json.encode(hinted(event)) for event in events) or b": \n\n"
                    )
            finally:
                self._open.discard(queue)

    def close(self) -> None:
        """End all streams; new ones end at once."""
        self._closing = True
        for queue in self._open:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(_END)


async def _next(queue: asyncio.Queue[dict[str, Any]]) -> list[dict[str, Any]]:
    """What waits in the queue; nothing when nothing came for a while."""
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            events = [await queue.get()]
    except TimeoutError:
        return []
    while not queue.empty() and len(events) < _EVENTS_PER_WRITE:
        events.append(queue.get_nowait())
    return events
