"""One thread, in order, and what it does with its spare time."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from lns.series import idle
from lns.series.idle import IdleExecutor


class Spare:
    """Spare work of some pieces, and who did them."""

    def __init__(self, pieces: int = 0) -> None:
        self.left = pieces
        self.turns = 0
        self.done = threading.Event()

    def __call__(self) -> bool:
        self.turns += 1
        self.left -= 1
        if self.left <= 0:
            self.done.set()
        return self.left > 0


@pytest.fixture
def spare() -> Spare:
    return Spare(3)


@pytest.fixture
def executor(spare: Spare) -> Iterator[IdleExecutor]:
    opened = IdleExecutor("one", spare)
    yield opened
    opened.shutdown()


def test_calls_run_in_order_in_one_thread(executor):
    seen: list[int] = []
    futures = [executor.submit(seen.append, n) for n in range(100)]
    names = {executor.submit(lambda: threading.current_thread().name).result(5) for _ in range(3)}
    assert [f.result(5) for f in futures] == [None] * 100
    assert (seen, names) == (list(range(100)), {"one"})


def test_what_a_call_raises_reaches_its_caller_and_the_thread_goes_on(executor):
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0).result(5)
    assert executor.submit(int, "11", base=2).result(5) == 3


def test_a_cancelled_call_does_not_run(executor):
    blocked, ran = threading.Event(), []
    first = executor.submit(blocked.wait, 5)
    second: Future[None] = executor.submit(ran.append, 1)
    assert second.cancel()
    blocked.set()
    assert first.result(5)
    executor.submit(int).result(5)
    assert ran == []


def test_spare_work_is_done_to_its_end_once_nothing_comes(executor, spare):
    executor.submit(int).result(5)
    assert spare.done.wait(10)
    assert spare.turns == 3


def test_spare_work_has_turns_under_load(executor, spare, monkeypatch):
    monkeypatch.setattr(idle, "_TURN_S", 0.01)
    release = threading.Event()
    waiting = [executor.submit(release.wait, 0.001) for _ in range(3)]
    while not spare.done.is_set():  # there is always a call to run
        waiting.append(executor.submit(release.wait, 0.001))
        assert not waiting.pop(0).result(5)
    assert spare.turns >= 3


def test_nothing_is_taken_after_the_end_and_what_was_given_before_is_run(spare):
    executor = IdleExecutor("two", spare)
    futures = [executor.submit(int, "7") for _ in range(50)]
    executor.shutdown()
    assert {future.result(0) for future in futures} == {7}
    with pytest.raises(RuntimeError, match=r"^the thread has ended$"):
        executor.submit(int)
    IdleExecutor("never started", spare).shutdown()
