"""What goes first when the delivery log is full, and that no outlet's flood takes another's dead letters."""

import logging
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lns import metrics
from lns.clock import DAY_US
from lns.delivery.evictions import MOST
from lns.delivery.machine import Settled, State
from lns.delivery.outcome import Outgoing
from lns.delivery.rows import Attempted, Query
from lns.delivery.store import Deliveries, Kept
from lns.delivery.table import Table
from tests.delivery.build import DELIVERED, NOW_US, TROUBLE, messages

COMMITTED = Path(__file__).with_name("deliveries_0.sql")
"""The schema of files that were made before dead letters were counted by outlet."""


def ended(ids, state=State.DEAD, outcome=TROUBLE, at_us=NOW_US):
    return [Attempted(id_, Settled(state, 1, 0), outcome, at_us + id_, 0) for id_ in ids]


class Full:
    """A table that is always near its bound, and what it has told to have evicted."""

    def __init__(self, most_bytes: int, path: Path | None = None) -> None:
        self.gone: Counter = Counter()
        self.table = Table(path, most_bytes, self.gone.update)
        self.added = 0

    def end(self, outlet: str, count: int, state: State, size: int = 10) -> None:
        """`count` messages of `size` bytes end in a state, in one transaction."""
        names = range(self.added, self.added + count)
        self.added += count
        found = self.table.enqueue(outlet, [Outgoing(f"{n}", n, "a", "uplink", b"x" * size) for n in names], None, 1)
        outcome = DELIVERED if state is State.DELIVERED else TROUBLE
        if state is State.DROPPED:
            self.table.drop(Query(ids=tuple(item.id for item in found)), NOW_US + self.added, count)
        else:
            self.table.settle(ended([item.id for item in found], state, outcome))

    def dead_bytes(self) -> dict[str, int]:
        """Added up row by row."""
        query = "SELECT outlet, sum(600 + attempt_bytes + length(body)) FROM delivery WHERE state = 'dead' GROUP BY 1"
        return dict(self.table._db.execute(query))

    def counted(self) -> dict[str, int]:
        return dict(self.table._db.execute("SELECT outlet, bytes FROM dead_letters WHERE rows > 0"))


def test_dead_letters_stay_while_another_outlet_delivers():
    full = Full(100_000)
    with closing(full.table) as table:
        full.end("1/quiet#1", 50, State.DEAD)
        for _ in range(20):
            full.end("1/busy#2", 100, State.DELIVERED)
        assert table.dead() == {"1/quiet#1": 50}
        assert table.ended_bytes() <= 100_000
        assert full.gone == {("1/busy#2", State.DELIVERED): 2000 - table.ended(State.DELIVERED)}


def test_delivered_ones_go_first_then_dropped_ones_and_dead_ones_last():
    full = Full(300_000)
    with closing(full.table) as table:
        for state in (State.DEAD, State.DROPPED, State.DELIVERED):
            full.end("x", 120, state)
        seen = []
        while not full.gone["y", State.DEAD]:
            full.end("y", 20, State.DEAD)
            seen.append(tuple(table.ended(state) for state in (State.DELIVERED, State.DROPPED)))
        for delivered, dropped in seen:
            assert delivered == 0 or dropped == 120
        assert seen[-1] == (0, 0)
        assert full.gone["x", State.DEAD] == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 7),
            st.integers(1, 30),
            st.sampled_from([State.DEAD, State.DEAD, State.DELIVERED, State.DROPPED]),
            st.integers(0, 3000),
        ),
        max_size=40,
    )
)
def test_the_outlet_that_holds_most_loses_dead_letters_and_no_other(batches):
    full, ever = Full(60_000), Counter()
    with closing(full.table) as table:
        for n, count, state, size in batches:
            before = Counter(full.gone)
            full.end(f"{n}", count, state, size)
            ever[f"{n}"] += count if state is State.DEAD else 0
            held = full.dead_bytes()
            assert table.ended_bytes() <= 60_000
            assert full.counted() == held
            losers = [outlet for outlet, state in full.gone - before if state is State.DEAD]
            assert not losers or table.ended(State.DELIVERED) == table.ended(State.DROPPED) == 0
            largest = 700 + 3000 + len(TROUBLE.error)
            assert all(held.get(one, 0) + largest >= max(held.values(), default=0) for one in losers)
        now = table.dead()
        assert {one: count - now.get(one, 0) for one, count in ever.items() if count > now.get(one, 0)} == {
            one: count for (one, state), count in full.gone.items() if state is State.DEAD
        }
        assert table.evicted() == {one: ever[one] - now.get(one, 0) for one in ever if ever[one] > now.get(one, 0)}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), min_size=20, max_size=40))
def test_an_outlet_within_its_share_loses_nothing_to_any_flood(floods):
    full, share = Full(100_000), 100_000 // 20
    with closing(full.table) as table:
        for n in range(10):
            full.end(f"small {n}", 5, State.DEAD)
        assert max(full.dead_bytes().values()) <= share
        for n, count in floods:
            full.end(f"flood {n}", count, State.DEAD)
        assert {f"small {n}": 5 for n in range(10)}.items() <= table.dead().items()


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.integers(0, 9), st.integers(1, 40), min_size=1), st.integers(0, 400))
def test_past_a_number_of_rows_the_outlet_with_most_loses_them(held, count):
    full = Full(10**9)
    with closing(full.table) as table:
        for n, dead in held.items():
            full.end(f"{n}", dead, State.DEAD, size=1000 * n)
        assert table.evict(State.DEAD, count) == min(count, sum(held.values()))
        left = {n: table.dead().get(f"{n}", 0) for n in held}
        assert sum(left.values()) == max(0, sum(held.values()) - count)
        lost = [n for n in held if left[n] < held[n]]
        assert all(left[n] + 1 >= max(left.values()) for n in lost)


def test_what_is_rolled_back_was_not_evicted():
    full = Full(50_000)
    with closing(full.table) as table:
        full.end("x", 100, State.DEAD)
        before = full.gone.copy(), table.dead(), table.evicted()
        table._db.execute("CREATE TRIGGER full AFTER DELETE ON delivery BEGIN SELECT raise(ABORT, 'disk full'); END")
        with pytest.raises(sqlite3.IntegrityError, match=r"^disk full$"):
            full.end("x", 100, State.DEAD)
        assert (full.gone, table.dead(), table.evicted()) == before
        table._db.execute("DROP TRIGGER full")
        full.end("x", 1, State.DELIVERED)
        assert full.gone == before[0] + Counter({("x", State.DELIVERED): 1})


def test_a_bound_that_was_lowered_is_reached_in_steps(tmp_path):
    path = tmp_path / "d.db"
    with closing(Table(path)) as table:
        for first in range(1, MOST + 1000, 1000):
            table.enqueue("x", messages(first, first + 999), None, NOW_US)
            table.settle(ended(range(first, first + 1000), State.DELIVERED, DELIVERED))
    full = Full(100_000, path)
    with closing(full.table) as table:
        assert table.shrink() == full.gone.total() == MOST
        assert table.ended_bytes() > 100_000
        assert 0 < table.shrink() < 1000
        assert (table.shrink(), table.ended_bytes() <= 100_000) == (0, True)


def test_evicted_dead_letters_are_known_until_their_days_are_over_or_somebody_has_seen_to_the_rest(tmp_path):
    path = tmp_path / "d.db"
    full = Full(20_000, path)
    with closing(full.table) as table:
        full.end("x", 60, State.DEAD)
        full.end("y", 1, State.DEAD)
        lost = table.evicted()
    assert lost.keys() == {"x"}
    with closing(Table(path, 20_000)) as table:
        table.forget_evicted(NOW_US)
        assert table.evicted() == lost, "after a restart too"
        table.drop(Query(outlet="y"), NOW_US, 100)
        table.drop(Query(outlet="x"), NOW_US, 1)
        assert table.evicted() == lost
        table.drop(Query(outlet="x"), NOW_US, 100)
        assert (table.evicted(), table.dead()) == ({}, {})
    full = Full(20_000)
    with closing(full.table) as table:
        full.end("x", 60, State.DEAD)
        table.forget_evicted(NOW_US + DAY_US)
        assert table.evicted() == {}
        assert table.dead()["x"] + full.gone["x", State.DEAD] == 60


def test_a_file_of_before_is_counted_once_and_goes_on(tmp_path):
    path = tmp_path / "d.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(COMMITTED.read_text("utf-8"))
        for n in range(1, 31):
            db.execute(
                "INSERT INTO delivery (id, outlet, message_id, seq, lane, event, state, created_us, opened_us,"
                " next_us, changed_us, body) VALUES (?, ?, ?, ?, 'a', 'uplink', 'pending', 1, 5, 1, ?, zeroblob(100))",
                (n, f"{n % 2}", f"uplink_{n}", n, n),
            )
            db.execute("INSERT INTO attempt VALUES (?, 1, 7, 1, 'retry', 500, 'status 500', '', '')", (n,))
        db.execute("UPDATE delivery SET state = 'dead', attempts = 1, attempt_bytes = 110 WHERE id <= 20")
        db.execute("UPDATE delivery SET state = 'waiting', attempts = 1, attempt_bytes = 110 WHERE id = 21")
    for _ in range(2):
        full = Full(12_000, path)
        with closing(full.table) as table:
            assert (table.dead(), full.gone) == ({"0": 10, "1": 10}, {})
            assert full.counted() == full.dead_bytes() == {"0": 8100, "1": 8100}
    with closing(Full(12_000, path).table) as table:
        assert [one.first_us for one in table.claim([21, 22])] == [7, 5]
        table.settle(ended([22]))
        assert table.dead() == {"0": 7, "1": 7}
        assert table.evicted() == {"0": 4, "1": 3}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_oldest_and_the_largest_are_found_by_index():
    with closing(Table(None)) as table:
        for query, index in (
            ("SELECT id, outlet FROM delivery WHERE state = 'delivered' ORDER BY changed_us LIMIT 9", "delivery_state"),
            ("SELECT id FROM delivery WHERE outlet = 'x' AND state = 'dead' ORDER BY id LIMIT 9", "delivery_outlet"),
            ("SELECT outlet FROM dead_letters WHERE rows > 0 ORDER BY rows DESC LIMIT 2", "dead_letters_rows"),
            ("SELECT outlet FROM dead_letters WHERE bytes > 0 ORDER BY bytes DESC LIMIT 2", "dead_letters_bytes"),
        ):
            plan = [row[3] for row in table._db.execute(f"EXPLAIN QUERY PLAN {query}")]
            assert len(plan) == 1, "nothing is sorted"
            assert f"INDEX {index} " in plan[0]


async def test_what_is_evicted_is_counted_and_said(tmp_path, caplog):
    metrics.outlet_evicted.values.clear()
    store = Deliveries(tmp_path / "d.db", 20_000)
    await store.open()
    try:
        with caplog.at_level(logging.WARNING, "lns.delivery.eviction_log"):
            await store.enqueue("1/a#3", messages(1, 60), 60, NOW_US)
            await store.settle(ended(range(1, 41)))
            await store.enqueue("1/b#4", messages(61, 62), 62, NOW_US)
            await store.settle(ended([61]))
            lost = await store.evicted()
            assert metrics.outlet_evicted.values == {("1/a", "dead"): lost["1/a#3"]}
            assert [record.levelname for record in caplog.records] == ["WARNING"]
            assert await store.expire(Kept(), NOW_US + DAY_US) == 0
            assert await store.evicted() == lost
            assert await store.expire(Kept(failure_most=5), NOW_US) == (await store.evicted())["1/a#3"] - lost["1/a#3"]
            assert await store.dead() == {"1/a#3": 4, "1/b#4": 1}
            assert await store.expire(Kept(), NOW_US + 31 * DAY_US) == 5
            assert await store.evicted() == {}
    finally:
        await store.close()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2, "the rest at the end"
    assert said[0].startswith("the delivery log is full, forgotten before their days were over: ")
    assert said[0].endswith(" dead (1/a#3 13)"), said
    assert metrics.outlet_evicted.total() == 36
