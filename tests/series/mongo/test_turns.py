"""Who waits for whom."""

import asyncio

import pytest

from lns.series.mongo.turns import Turns


class Scene:
    """Readers and changes that stay in their turn until they are let go."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.turns, self._tasks = Turns(), tasks
        self.inside: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}

    def enter(self, name: str) -> asyncio.Task[None]:
        self._leave[name] = asyncio.Event()
        return self._tasks.create_task(self._stay(name))

    async def leave(self, name: str) -> None:
        self._leave[name].set()
        await self.settle()

    async def settle(self) -> None:
        """Let every task run until it waits."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def _stay(self, name: str) -> None:
        turn = self.turns.changing() if name.startswith("change") else self.turns.reading()
        async with turn:
            self.inside.append(name)
            await self._leave[name].wait()
            self.inside.remove(name)


async def test_readers_share():
    async with asyncio.TaskGroup() as tasks:
        scene = Scene(tasks)
        for name in ("read 1", "read 2"):
            scene.enter(name)
        await scene.settle()
        assert scene.inside == ["read 1", "read 2"]
        for name in ("read 1", "read 2"):
            await scene.leave(name)


async def test_a_change_waits_for_readers_and_later_readers_wait_for_it():
    async with asyncio.TaskGroup() as tasks:
        scene = Scene(tasks)
        for name in ("read 1", "change", "read 2"):
            scene.enter(name)
            await scene.settle()
        assert scene.inside == ["read 1"]
        await scene.leave("read 1")
        assert scene.inside == ["change"]
        await scene.leave("change")
        assert scene.inside == ["read 2"]
        await scene.leave("read 2")


@pytest.mark.parametrize("gone", ["change", "read 2"])
async def test_one_that_is_cancelled_while_it_waits_holds_up_nobody(gone):
    async with asyncio.TaskGroup() as tasks:
        scene = Scene(tasks)
        waiting = {}
        for name in ("read 1", "change", "read 2"):
            waiting[name] = scene.enter(name)
            await scene.settle()
        waiting[gone].cancel()
        await scene.leave("read 1")
        for name in {"change", "read 2"} - {gone}:
            assert scene.inside == [name]
            await scene.leave(name)
        scene.enter("change last")
        await scene.settle()
        assert scene.inside == ["change last"]
        await scene.leave("change last")


async def test_a_change_that_fails_lets_readers_in():
    turns = Turns()
    with pytest.raises(ValueError, match="x"):
        async with turns.changing():
            raise ValueError("x")
    async with turns.reading():
        pass
