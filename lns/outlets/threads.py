"""Threads of their own for calls that a foreign machine may hold up.

The threads that everything else shares are few, and a call cannot be taken back: a name server that is silent for 20 s
would stop whoever reads the registry. These are daemons: a stop of the server does not wait for them either.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


def begin(name: str, call: Callable[[], _T]) -> "asyncio.Future[_T]":
    """What the call returns or raises; how many there are at once is the caller's business."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def work() -> None:
        try:
            answer = call()
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            told, value = _failed, error
        else:
            told, value = _done, answer  # type: ignore[assignment]
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(told, future, value)

    try:
        threading.Thread(target=work, name=name, daemon=True).start()
    except RuntimeError as error:  # the system has no more of them
        _failed(future, OSError(str(error)))
    return future


def _done(future: "asyncio.Future[_T]", answer: _T) -> None:
    if not future.done():
        future.set_result(answer)


def _failed(future: "asyncio.Future[_T]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody may be waiting for it any more
