"""Looks host names up, so that a name server that does not answer holds up nobody but those who ask for that name.

A host is looked up once at a time, in a thread of its own; whoever else asks for it waits for the same answer.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Any
from weakref import WeakKeyDictionary

from lns.outlets.threads import begin

AT_ONCE = 200
"""Threads; what more hosts ask waits for one to be free."""

Query = tuple[Any, Any, int, int, int, int]
"""As `socket.getaddrinfo` takes it: host, port, family, type, protocol, flags."""
Found = list[tuple[Any, ...]]
"""As `socket.getaddrinfo` gives it."""


class Lookups:
    """Of one loop. `find` blocks."""

    def __init__(self, find: Callable[..., Found] | None = None, at_once: int = AT_ONCE) -> None:
        self._find, self._at_once = find, at_once
        self._under_way: dict[Query, asyncio.Future[Found]] = {}
        self._waiting: deque[Query] = deque()
        self._running = 0

    async def __call__(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Found:
        """OSError: there is no such host. UnicodeError: there can be none."""
        if _needs_nobody(host):
            return socket.getaddrinfo(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
        query = (host, port, family, type, proto, flags)
        answer = self._under_way.get(query)
        if answer is None:
            answer = self._under_way[query] = asyncio.get_running_loop().create_future()
            self._waiting.append(query)
            self._start()
        return await asyncio.shield(answer)

    def _start(self) -> None:
        while self._waiting and self._running < self._at_once:
            query = self._waiting.popleft()
            self._running += 1
            find = self._find or socket.getaddrinfo
            begin(f"look-up of {query[0]}", partial(find, *query)).add_done_callback(partial(self._answered, query))

    def _answered(self, query: Query, found: "asyncio.Future[Found]") -> None:
        self._running -= 1
        answer = self._under_way.pop(query)
        if (error := found.exception()) is None:
            answer.set_result(found.result())
        else:
            answer.set_exception(error)
            answer.exception()  # who asked may have given up
        self._start()


def _needs_nobody(host: Any) -> bool:
    """Whether it is an address, or every one of this machine."""
    if not isinstance(host, str):
        return host is None
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Lookups] = WeakKeyDictionary()


def running() -> Lookups:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = Lookups()
    return found
