"""A thread that runs what it is given, one after the other, and uses its spare time.

Spare work waits until nothing has come for a moment; where something always comes, it gets a turn a second.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, TypeVar

_IDLE_S = 0.05  # without a call before spare work starts
_PAUSE_S = 0.02  # between pieces of it: other threads want the processor
_TURN_S = 1.0  # under load
_REST_S = 60.0  # once there is nothing left to do

_T = TypeVar("_T")
_Call = tuple["Future[Any]", Callable[[], Any]]


class IdleExecutor(Executor):
    """One thread called `name`. `spare` does a short piece of work and returns whether there is more; it never raises.

    The thread starts with the first call.
    """

    def __init__(self, name: str, spare: Callable[[], bool]) -> None:
        self._spare = spare
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._starting = Lock()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._ended = False

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> "Future[_T]":
        """See `Executor.submit`."""
        future: Future[_T] = Future()
        with self._starting:
            if self._ended:
                raise RuntimeError("the thread has ended")
            if self._thread.ident is None:
                self._thread.start()
            self._calls.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Run what was given, then end; nothing is cancelled."""
        with self._starting:
            self._ended = True
            self._calls.put(None)
        if wait and self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        wait_s, last_spare = _IDLE_S, monotonic()
        while True:
            try:
                call = self._calls.get(timeout=wait_s)
            except Empty:
                wait_s = _PAUSE_S if self._spare() else _REST_S
                last_spare = monotonic()
                continue
            if call is None:
                return
            _answer(*call)
            wait_s = _IDLE_S
            if monotonic() - last_spare > _TURN_S:
                self._spare()
                last_spare = monotonic()


def _answer(future: "Future[Any]", call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - whoever waits for the future gets it
        future.set_exception(error)
    else:
        future.set_result(result)
