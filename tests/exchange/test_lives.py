"""A log that is not the one a consumer has read: restored from a backup, or new beside a store that was kept.

No seq is given out twice, and nothing that a log holds is passed over.
"""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from lns.exchange.loop import run_consumer
from lns.exchange.records import Measurement
from lns.series.consumer import SeriesConsumer
from lns.series.sqlite import SqliteSeries
from tests.exchange.build import running, until, uplink
from tests.series.build import T0, Row, Rows
from tests.series.test_consumer import decoded

UPLINK = frozenset({"uplink"})


class Store:
    """A consumer with a store of its own that outlives exchanges; it cannot be reached while `away`."""

    name, topics, max_batch = "series.kept", UPLINK, 10

    def __init__(self) -> None:
        self.seq, self.away, self.held = 0, False, set[int]()

    async def position(self) -> int:
        if self.away:
            raise OSError("connection refused")
        return self.seq

    async def handle(self, batch) -> None:
        if self.away:
            raise OSError("connection refused")
        self.held |= {stored.record.fcnt_up for stored in batch}
        self.seq = max(self.seq, batch[-1].seq)


class FollowingStore(Store):
    """One that also knows of which log it is."""

    name = "series.follows"

    def __init__(self) -> None:
        super().__init__()
        self.of = ""

    async def log(self) -> str:
        return self.of

    async def follow(self, log_id) -> None:
        self.of = log_id


@asynccontextmanager
async def consumed(path: Path, *consumers: Store):
    """A server's life: consumers are asked where they are before anything is written."""
    async with running(path) as exchange, asyncio.TaskGroup() as tasks:
        running_tasks = [tasks.create_task(run_consumer(exchange, c), name=c.name) for c in consumers]
        await exchange.positions_told([c.name for c in consumers], 10)
        try:
            yield exchange
        finally:
            for task in running_tasks:
                task.cancel()


async def put(exchange, first: int, last: int) -> int:
    return await exchange.append([("uplink", uplink(n)) for n in range(first, last + 1)])


def backup(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def restore(copy: Path, path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").unlink()
    backup(copy, path)


async def restored(folder: Path, store: Store) -> Path:
    """A log that was copied at seq 20, went on to 60 with its store, and was put back."""
    path = folder / "x.db"
    async with consumed(path, store) as exchange:
        await put(exchange, 1, 20)
        await exchange.caught_up()
    backup(path, folder / "copy.db")
    async with consumed(path, store) as exchange:
        await put(exchange, 21, 60)
        await exchange.caught_up()
    restore(folder / "copy.db", path)
    return path


async def test_after_a_restore_the_log_goes_on_above_what_a_store_has_seen(tmp_path):
    store = Store()
    path = await restored(tmp_path, store)
    async with consumed(path, store) as exchange:
        assert exchange.head_seq <= 60
        assert await put(exchange, 101, 110) == 70
        await exchange.caught_up()
        status = await exchange.status()
        assert [s.seq for s in (await exchange.read(15, UPLINK, 100))[0]] == [*range(16, 21), *range(61, 71)]
    assert store.held == {*range(1, 61), *range(101, 111)}
    (notice,) = status["notices"]
    assert (notice["kind"], notice["first_seq"], notice["last_seq"]) == ("gap", 21, 60)
    assert notice["text"] == (
        "series.kept is at seq 60, the log was at 20: it is another log, or was restored from a backup"
    )
    assert (status["head_seq"], status["records"]) == (70, 30)


async def test_what_was_raised_stays_raised_when_nothing_was_written_in_between(tmp_path):
    store = Store()
    path = await restored(tmp_path, store)
    async with consumed(path, store) as exchange:
        await until(lambda: exchange.head_seq == 60)
    async with running(path) as exchange:
        assert (exchange.head_seq, await put(exchange, 1, 1)) == (60, 61)
        assert [n["last_seq"] for n in (await exchange.status())["notices"]] == [60]
        assert [kind for kind, _ in exchange.notices.alerts()] == ["gap"]


async def test_a_store_that_is_away_at_the_start_after_a_restore_misses_nothing(tmp_path):
    store = Store()
    path = await restored(tmp_path, store)
    store.away = True
    async with consumed(path, store) as exchange:
        assert await put(exchange, 101, 105) == 25  # nobody could tell that these numbers were given before
        store.away = False
        await exchange.caught_up()
        assert await put(exchange, 106, 110) == 65
        await exchange.caught_up()
    assert store.held == {*range(1, 61), *range(101, 111)}


async def test_a_store_that_is_away_for_whole_lives_of_the_server_after_a_restore_misses_nothing(tmp_path):
    store = Store()
    path = await restored(tmp_path, store)
    store.away = True
    for first in (101, 151):
        async with consumed(path, store) as exchange:
            head = await put(exchange, first, first + 49)
    assert head == 120 > store.seq
    store.away = False
    async with consumed(path, store) as exchange:
        await exchange.caught_up()
    assert store.held == {*range(1, 61), *range(101, 201)}


async def test_a_new_log_gives_a_store_that_was_kept_all_it_holds(tmp_path):
    store, other = Store(), FollowingStore()
    store.seq, other.seq, other.of = 1000, 900, "of another log"
    async with consumed(tmp_path / "x.db", store, other) as exchange:
        assert await put(exchange, 1, 10) == 1010
        await exchange.caught_up()
        store.away = other.away = True
        await put(exchange, 11, 20)
    store.away = other.away = False
    async with consumed(tmp_path / "x.db", store, other) as exchange:
        await put(exchange, 21, 30)
        await exchange.caught_up()
        assert other.of == exchange.log_id
    assert store.held == other.held == set(range(1, 31))


async def test_a_store_of_another_log_is_read_to_from_the_beginning_and_only_once(tmp_path):
    store, other = FollowingStore(), FollowingStore()
    async with consumed(tmp_path / "x.db", store) as exchange:
        await put(exchange, 1, 30)
        await exchange.caught_up()
        assert (store.name, exchange.known_position(store.name)) == (other.name, 30)
    other.seq, other.of = 20, "of another log"  # the operator has named another database
    async with consumed(tmp_path / "x.db", other) as exchange:
        await exchange.caught_up()
        await until(lambda: other.of == exchange.log_id)
    assert other.held == set(range(1, 31))
    other.held.clear()
    async with consumed(tmp_path / "x.db", other) as exchange:
        await exchange.caught_up()
    assert other.held == set()


async def test_a_store_that_was_restored_itself_catches_up_from_where_it_is(tmp_path):
    store = Store()
    async with consumed(tmp_path / "x.db", store) as exchange:
        await put(exchange, 1, 30)
        await exchange.caught_up()
    store.seq, store.held = 12, set(range(1, 13))
    async with consumed(tmp_path / "x.db", store) as exchange:
        await exchange.caught_up()
    assert store.held == set(range(1, 31))


async def test_a_reader_whose_place_is_given_goes_on_there_and_the_log_above_it(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        held = exchange.cursor("outlet.a", UPLINK, 50)
        assert (held.position, held.lag, exchange.known_position("outlet.a")) == (50, 0, 50)
        assert await put(exchange, 1, 3) == 53
        assert [s.seq for s in (await held.next(10))[0]] == [51, 52, 53]


async def test_who_does_not_tell_a_position_holds_a_start_up_for_a_moment_only(tmp_path, caplog):
    async with running(tmp_path / "x.db") as exchange:
        exchange.cursor("hangs", UPLINK, None)
        await exchange.positions_told(["hangs"], 0.05)
    assert "not waited for to tell how far they have read: hangs" in caplog.messages


async def test_measurements_of_a_new_log_reach_a_series_store_that_a_longer_one_has_filled(tmp_path):
    def records(first, last):
        return [("decoded", decoded(n, 1, Measurement("t", T0 + n, 1.0)).record) for n in range(first, last + 1)]

    store = SqliteSeries(tmp_path / "series.db")
    await store.open()
    await store.write(Rows.of([Row(1, "t", T0 - 10**9, 1.0, None, 1)]), 1000)
    consumer = SeriesConsumer(store)
    for first in (1, 11):
        async with consumed(tmp_path / "x.db", consumer) as exchange:
            await exchange.append(records(first, first + 4))
            await exchange.caught_up()
        async with running(tmp_path / "x.db") as exchange:  # the store is away
            await exchange.append(records(first + 5, first + 9))
    async with consumed(tmp_path / "x.db", consumer) as exchange:
        await exchange.caught_up()
        assert await store.log() == exchange.log_id
    assert [t - T0 for t in (await store.scan(T0, T0 + 1000, 100)).times_us] == list(range(1, 21))
    await store.close()
