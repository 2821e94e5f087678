import asyncio
import threading

import pytest

from lns.outlets.threads import begin


async def test_a_call_runs_in_a_thread_that_nobody_waits_for() -> None:
    found = await begin("named", threading.current_thread)
    assert (found.name, found.daemon) == ("named", True)


async def test_what_a_call_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await begin("divides", lambda: 1 / 0)


async def test_a_call_that_is_given_up_ends_by_itself() -> None:
    go, gone = threading.Event(), threading.Event()

    def call() -> None:
        go.wait(10)
        gone.set()

    waiting = begin("late", call)
    waiting.cancel()
    go.set()
    assert await asyncio.to_thread(gone.wait, 10)
    await begin("after", lambda: None)  # whose answer comes after that one's
    assert waiting.cancelled()
