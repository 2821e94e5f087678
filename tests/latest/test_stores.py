"""What every store of latest values must do; Redis is a real server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lns.config import ConfigError
from lns.errors import StoreError
from lns.latest.health import Health, State
from lns.latest.memory import MemoryLatest
from lns.latest.redis import RedisLatest
from lns.latest.store import Changes, LatestStore, LostError, Subject
from lns.latest.values import FieldKey, Latest
from tests.redis_server import RedisServer

DEVICE, GATEWAY = Subject("device", "7"), Subject("gateway", "a84041000181c061")
HEALTH = Health(State.BACK, 1, 5, 3, (2, 2), 1, 2, 1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[LatestStore]:
    store: LatestStore = MemoryLatest()
    if request.param == "redis":
        store = RedisLatest(request.getfixturevalue("server").url)
    await store.open()
    yield store
    await store.close()


def changes(values=None, healths=None, position=None) -> Changes:
    return Changes(values or {}, healths or {}, position)


async def test_a_new_store_is_empty_and_has_no_position(store):
    assert await store.position() is None
    assert (await store.values(7), await store.healths(), await store.known([FieldKey(7, "t")])) == ({}, {}, {})


async def test_values_of_every_type_come_back_by_field_in_order(store):
    values = {
        "t": Latest(21.0, "C", 5, 1),
        "open": Latest(True, None, 6, 2),
        "°": Latest("x", "", 7, 3),
    }
    await store.save(changes({FieldKey(7, field): latest for field, latest in values.items()}, position=9))
    found = await store.values(7)
    assert list(found.items()) == sorted(values.items())
    assert [type(latest.value) for latest in found.values()] == [bool, float, str]
    assert await store.position() == 9
    assert await store.known([FieldKey(7, "t"), FieldKey(7, "u"), FieldKey(8, "t")]) == {FieldKey(7, "t"): values["t"]}
    assert await store.known([]) == {}


async def test_a_value_that_was_taken_back_is_gone(store):
    await store.save(changes({FieldKey(7, "t"): Latest(1.0, None, 1, 1), FieldKey(7, "u"): Latest(1.0, None, 1, 1)}))
    await store.save(changes({FieldKey(7, "t"): None, FieldKey(9, "t"): None}))
    assert list(await store.values(7)) == ["u"]


async def test_healths_of_devices_and_gateways_come_back(store):
    await store.save(changes(healths={DEVICE: HEALTH, GATEWAY: HEALTH}))
    assert await store.healths() == {DEVICE: HEALTH, GATEWAY: HEALTH}


async def test_what_is_forgotten_leaves_the_others(store):
    await store.save(
        changes(
            {FieldKey(7, "t"): Latest(1.0, None, 1, 1), FieldKey(8, "t"): Latest(1.0, None, 1, 1)}, {DEVICE: HEALTH}
        )
    )
    await store.forget(DEVICE)
    await store.forget(GATEWAY)
    assert (await store.values(7), list(await store.values(8)), await store.healths()) == ({}, ["t"], {})


async def test_a_store_that_is_to_be_filled_has_no_position(store):
    await store.save(changes({FieldKey(7, "t"): Latest(1.0, None, 1, 1)}, position=3))
    await store.renew()
    await store.save(changes({FieldKey(7, "u"): Latest(1.0, None, 1, 1)}))
    assert await store.position() is None
    await store.save(changes(position=2))
    assert (await store.position(), sorted(await store.values(7))) == (2, ["t", "u"])


async def test_redis_writes_nothing_where_its_position_is_not_the_last_that_was_written(server):
    store, other = RedisLatest(server.url), RedisLatest(server.url)
    await store.save(changes({FieldKey(7, "t"): Latest(1.0, None, 1, 1)}, position=3))
    await other.save(changes(position=2))
    for position in (None, 4):
        with pytest.raises(LostError, match="redis lost what it held: its position is 2, not 3"):
            await store.save(changes({FieldKey(7, "t"): None}, {DEVICE: HEALTH}, position))
    assert (list(await store.values(7)), await store.healths()) == (["t"], {})
    await other.close()
    await store.close()


async def test_redis_that_wrote_a_batch_and_could_not_say_so_has_not_lost_it(server):
    store = RedisLatest(server.url)
    await store.save(changes({FieldKey(7, "t"): Latest(1.0, None, 1, 1)}, position=1))
    batch = changes({FieldKey(7, "t"): Latest(2.0, None, 2, 2)}, position=2)
    server.freeze()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):  # the request is on its way, its answer is not waited for
            await store.save(batch)
    server.thaw()
    await store.save(changes(healths={DEVICE: HEALTH}))
    await store.save(batch)
    assert (await store.position(), list(await store.healths())) == (2, [DEVICE])
    await store.close()


@pytest.mark.parametrize(
    "url", ["redi://:hunter2@h/0", "redis://u:hun/ter2@h:x/0", "hunter2@h", "http://h/?password=hunter2"]
)
def test_a_password_in_a_url_that_cannot_be_used_is_not_shown(url):
    with pytest.raises(ConfigError, match=r"latest\.redis_url is '.*': it must begin with redis://") as raised:
        RedisLatest(url)
    assert "ter2" not in str(raised.value)


async def test_redis_keeps_values_and_position_through_kill_9(server):
    store = RedisLatest(server.url)
    for n in range(1, 6):
        await store.save(changes({FieldKey(7, "t"): Latest(float(n), None, n, n)}, {DEVICE: HEALTH}, n))
        server.kill()
        with pytest.raises(StoreError, match="redis cannot be used"):
            await store.position()
        server.start()
        assert (await store.position(), (await store.values(7))["t"].seq) == (n, n)
    await store.close()
