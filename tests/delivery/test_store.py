from contextlib import asynccontextmanager

import msgspec
import pytest

from lns.delivery.machine import Settled, State
from lns.delivery.rows import Attempted, Query
from lns.delivery.store import Deliveries, Kept
from lns.errors import StoreError
from tests.delivery.build import DELIVERED, NOW_US, TROUBLE, messages

DAY_US = 86_400_000_000


@asynccontextmanager
async def opened(path):
    store = Deliveries(path)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def test_success_is_kept_shorter_than_failure(tmp_path):
    async with opened(tmp_path / "d.db") as store:
        await store.enqueue("x", messages(1, 1200), 1200, NOW_US)
        ends = [(State.DELIVERED, DELIVERED), (State.DEAD, TROUBLE)]
        for first in (1, 2):
            state, outcome = ends[first - 1]
            ids = range(first, 1201, 2)
            await store.settle([Attempted(id_, Settled(state, 1, 0), outcome, NOW_US, 1) for id_ in ids])
        assert await store.expire(Kept(), NOW_US + 4 * DAY_US) == 600
        assert await store.count(Query()) == {"dead": 600}
        assert await store.expire(Kept(failure_most=10), NOW_US) == 590
        assert await store.expire(Kept(), NOW_US + 31 * DAY_US) == 10


async def test_a_store_in_memory_serves_too():
    async with opened(None) as store:
        assert len(await store.enqueue("x", messages(1, 3), 3, NOW_US)) == 3


async def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "d.db"
    path.write_bytes(b"no database " * 100)
    with pytest.raises(StoreError, match=r"^the database .*d\.db is damaged"):
        async with opened(path):
            pass


async def test_a_closed_store_says_so():
    with pytest.raises(StoreError, match=r"^the delivery log is not open$"):
        await Deliveries(None).open_items("x")


async def test_what_was_dropped_and_is_sent_again_is_sent_as_it_is_now(tmp_path):
    async with opened(tmp_path / "d.db") as store:
        await store.enqueue("x", messages(1, 2), 2, NOW_US)
        assert await store.drop(Query(), NOW_US) == [("x", 1), ("x", 2)]
        assert await store.claim([1]) == []
        now = [msgspec.structs.replace(one, body=b"{}") for one in messages(1, 2)]
        assert len(await store.enqueue("x", now, None, NOW_US, again=True)) == 2
        assert [one.message for one in await store.claim([2, 1])] == now[::-1]


async def test_a_removed_outlets_messages_are_not_claimed(tmp_path):
    async with opened(tmp_path / "d.db") as store:
        await store.enqueue("x", messages(1, 1), 1, NOW_US)
        await store.enqueue("y", messages(2, 3), 3, NOW_US)
        await store.forget("x")
        assert [one.id for one in await store.claim([1, 2, 3])] == [2, 3]
