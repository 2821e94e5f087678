import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lns.delivery.gathered import MOST, Gathered


class Made:
    """Doubles what it is given, and notes what came together; refuses a negative one, and waits while it is held."""

    def __init__(self):
        self.go = threading.Event()
        self.go.set()
        self.calls = []

    def __call__(self, asked):
        assert self.go.wait(20)
        self.calls.append(list(asked))
        if min(asked) < 0:
            raise ValueError(f"{min(asked)} is negative")
        return [2 * one for one in asked]


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as found:
        yield found


async def together(made, gathered, *asked):
    """Ask the first, and the others while the thread is busy with it."""
    made.go.clear()
    ends = asyncio.gather(*map(gathered, asked), return_exceptions=True)
    await asyncio.sleep(0)
    made.go.set()
    return await ends


async def test_what_comes_while_the_thread_is_busy_is_made_together_and_answered_each(thread):
    made = Made()
    gathered = Gathered(thread, made, lambda _: 1)
    assert await together(made, gathered, 1, 2, 3, 4) == [2, 4, 6, 8]
    assert made.calls == [[1], [2, 3, 4]]
    assert await gathered(5) == 10


async def test_only_the_call_that_is_at_fault_fails(thread):
    made = Made()
    gathered = Gathered(thread, made, lambda _: 1)
    ends = await together(made, gathered, 1, 2, -3, 4)
    assert (ends[:2], str(ends[2]), ends[3]) == ([2, 4], "-3 is negative", 8)
    assert made.calls == [[1], [2, -3, 4], [2], [-3], [4]]


async def test_others_have_their_turn_at_the_thread_after_so_many_rows(thread):
    made = Made()
    gathered = Gathered(thread, made, lambda _: MOST // 2)
    assert await together(made, gathered, 1, 2, 3, 4) == [2, 4, 6, 8]
    assert made.calls == [[1], [2, 3], [4]]


async def test_a_call_that_is_given_up_before_its_turn_is_not_made(thread):
    made = Made()
    gathered = Gathered(thread, made, lambda _: 1)
    made.go.clear()
    async with asyncio.TaskGroup() as tasks:
        first, given_up, last = [tasks.create_task(gathered(one)) for one in (1, 2, 3)]
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        made.go.set()
    assert (first.result(), given_up.cancelled(), last.result()) == (2, True, 6)
    assert made.calls == [[1], [3]]


async def test_after_the_thread_has_ended_every_call_says_so(thread):
    made = Made()
    gathered = Gathered(thread, made, lambda _: MOST)
    made.go.clear()
    asked = asyncio.gather(*map(gathered, (1, 2, 3)), return_exceptions=True)
    await asyncio.sleep(0)
    thread.shutdown(wait=False)
    made.go.set()
    ends = await asked
    assert ends[0] == 2
    assert [type(end) for end in ends[1:]] == [RuntimeError, RuntimeError]
