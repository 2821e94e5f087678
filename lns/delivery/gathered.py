"""Calls of one kind that come while a thread is busy are made together: one hop and one transaction for them all.

A thread that takes the interpreter's lock once per call waits for a busy event loop each time, up to 5 ms.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")

MOST = 1000
"""Rows of calls that are made together: others have their turn at the thread in between."""


class Gathered(Generic[_Asked, _Answer]):
    """`together` answers each of what it is given, or raises and has done nothing; `rows` is how much a call is.

    Where calls fail together each is made alone, so that only the one that is at fault fails.
    """

    def __init__(
        self,
        thread: ThreadPoolExecutor,
        together: Callable[[Sequence[_Asked]], Sequence[_Answer]],
        rows: Callable[[_Asked], int],
    ) -> None:
        self._thread, self._together, self._rows = thread, together, rows
        self._waiting: deque[tuple[_Asked, asyncio.Future[_Answer]]] = deque()
        self._busy = False

    async def __call__(self, asked: _Asked) -> _Answer:
        future: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if not self._busy:
            self._start()
        return await future

    def _start(self) -> None:
        part, futures, rows = [], [], 0
        while self._waiting and rows < MOST:
            asked, future = self._waiting.popleft()
            if not future.cancelled():
                part.append(asked)
                futures.append(future)
                rows += self._rows(asked)
        self._busy = bool(part)
        if not part:
            return
        try:
            made = asyncio.get_running_loop().run_in_executor(self._thread, self._make, part)
        except RuntimeError as ended:
            for future in futures:
                future.set_exception(ended)
            self._start()
        else:
            made.add_done_callback(partial(self._made, futures))

    def _made(
        self, futures: Sequence[asyncio.Future[_Answer]], made: "asyncio.Future[list[_Answer | Exception]]"
    ) -> None:
        for future, end in zip(futures, made.result(), strict=True):
            if future.done():
                continue
            if isinstance(end, Exception):
                future.set_exception(end)
            else:
                future.set_result(end)
        self._start()

    def _make(self, asked: Sequence[_Asked]) -> list[_Answer | Exception]:
        try:
            return list(self._together(asked))
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            return [error] if len(asked) == 1 else [end for one in asked for end in self._make([one])]
