"""The delivery log cannot grow past its bound, counts right, and is searched beside those who deliver."""

import sqlite3
import threading
from contextlib import closing

from lns.delivery.machine import Settled, State, Step
from lns.delivery.outcome import Outcome, Verdict
from lns.delivery.rows import Attempted, Noted, OutletRow, Query
from lns.delivery.store import Deliveries, Kept
from lns.delivery.table import Table
from tests.delivery.build import DELIVERED, NOW_US, TROUBLE, messages

LOUD = Outcome(verdict=Verdict.REFUSED, status=400, error="status 400: No_thanks", response="x" * 4000)


def end(table: Table, ids, state=State.DELIVERED, outcome=DELIVERED):
    table.settle([Attempted(id_, Settled(state, 1, 0), outcome, NOW_US + id_, 1) for id_ in ids])


def counted(table: Table) -> int:
    """What has ended, added up row by row."""
    query = (
        "SELECT coalesce(sum(600 + attempt_bytes + coalesce(length(body), 0)), 0) FROM delivery"
        " WHERE state IN ('delivered', 'dead', 'dropped')"
    )
    return int(table._db.execute(query).fetchone()[0])


def test_what_has_ended_never_takes_more_than_its_bound():
    with closing(Table(None, 100_000)) as table:
        table.enqueue("x", messages(1, 400), 400, NOW_US)
        for first in range(1, 401, 50):
            end(table, range(first, first + 50), State.DEAD, LOUD)
            assert table.ended_bytes() <= 100_000
            assert table.ended_bytes() == counted(table)
        kept = [row.id for row in table.search(Query(), 1000)]
        assert kept == list(range(400, 400 - len(kept), -1)), "the oldest went first"
        assert table._db.execute("SELECT count(DISTINCT delivery) FROM attempt").fetchone()[0] == len(kept)


def test_what_is_still_to_be_sent_is_not_touched_by_the_bound():
    with closing(Table(None, 1)) as table:
        table.enqueue("x", messages(1, 100), 100, NOW_US)
        end(table, [1, 2])
        assert (table.count(Query()), table.ended_bytes()) == ({"pending": 98}, 0)


def test_bytes_are_counted_through_every_change():
    with closing(Table(None)) as table:
        table.enqueue("x", messages(1, 8), 8, NOW_US)
        end(table, [1, 2])
        end(table, [3, 4], State.DEAD, LOUD)
        table.replay(Query(ids=(3,)), NOW_US, 9)
        table.drop(Query(ids=(4, 5)), NOW_US, 9)
        table.supersede([6], NOW_US)
        end(table, [5], State.WAITING, TROUBLE)  # it was under way
        table.enqueue("x", messages(1, 1), None, NOW_US, True)
        table.enqueue("y", messages(1, 3), 3, NOW_US)
        end(table, [9, 10, 11], State.DEAD, LOUD)
        end(table, [9])  # it was under way twice
        table.replay(Query(ids=(10,)), NOW_US, 9)
        table.enqueue("y", messages(3, 3), None, NOW_US, True)
        assert table.dead() == {"y": 1}
        table.forget("x")
        of_y = "SELECT sum(600 + attempt_bytes + length(body)) FROM delivery WHERE outlet = 'y' AND state = 'dead'"
        held = "SELECT bytes FROM dead_letters WHERE outlet = 'y'"
        assert table._db.execute(held).fetchone() == table._db.execute(of_y).fetchone()
        assert table.ended_bytes() == counted(table)
        table.expire(State.DROPPED, 2**62, 100)
        assert table.ended_bytes() == counted(table) > 0


async def test_a_search_does_not_wait_for_who_delivers(tmp_path):
    store = Deliveries(tmp_path / "d.db")
    await store.open()
    try:
        await store.enqueue("x", messages(1, 3), 3, NOW_US)
        held = threading.Event()
        store._thread.submit(held.wait)
        assert len(await store.search(Query())) == 3
        assert await store.possible(Query(), Step.DROP) == 3
        held.set()
        assert await store.expire(Kept(), NOW_US) == 0
    finally:
        await store.close()


def test_deliveries_are_found_by_outlets_event_and_text():
    with closing(Table(None)) as table:
        for outlet in ("1/a#1", "1/a#7", "1/ab#2", "10/a#3"):
            table.enqueue(outlet, messages(1, 1), 1, NOW_US)
        end(table, [2], State.DEAD, LOUD)

        def found(**query):
            return [row.outlet for row in table.search(Query(**query), 9)]

        assert found(outlets="1/a#") == ["1/a#7", "1/a#1"]
        assert found(outlets="1/") == ["1/ab#2", "1/a#7", "1/a#1"]
        assert found(text="STATUS 400") == found(text="no_thanks") == ["1/a#7"]
        assert found(text="no%thanks") == found(text="noxthanks") == found(event="join") == []
        assert len(found(event="uplink")) == 4
        assert table.matching(Query(), Step.REPLAY, 9) == [2]
        assert table.possible(Query(outlets="1/a#"), Step.DROP) == 2
        assert table.dead() == {"1/a#7": 1}


def test_a_new_outlet_begins_where_it_is_told_and_a_known_one_stays():
    with closing(Table(None)) as table:
        table.begin("x", 41)
        table.begin("x", 99)
        assert (table.outlet("x"), table.outlets()) == (OutletRow(41), ["x"])


def test_a_replay_is_noted_with_what_it_adds_or_not_at_all():
    with closing(Table(None)) as table:
        table.enqueue("x", messages(1, 2), 2, NOW_US)
        end(table, [1, 2])
        items = table.resend("x", messages(1, 3), NOW_US, Noted("r", NOW_US, b"1"))
        assert ([item.id for item in items], table.replays(), table.outlet("x").seq) == ([1, 2, 3], [b"1"], 2)
        table.note_replay(Noted("r", NOW_US, b"2"))
        try:
            table.resend("x", [*messages(4, 4), None], NOW_US, Noted("r", NOW_US, b"3"))
        except AttributeError:
            pass
        assert (table.replays(), table.count(Query())) == ([b"2"], {"pending": 3})
        for n in range(1100):
            table.note_replay(Noted(f"{n}", NOW_US + 1 + n, b"x"))
        assert len(table.replays()) == 1000


def test_a_log_of_before_is_opened_again(tmp_path):
    with closing(Table(tmp_path / "d.db")) as table:
        table.enqueue("x", messages(1, 2), 2, NOW_US)
        end(table, [1])
        before = table.ended_bytes()
    with closing(Table(tmp_path / "d.db")) as table:
        assert (table.ended_bytes(), table.ended(State.DELIVERED)) == (before, 1)
    with closing(sqlite3.connect(tmp_path / "d.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
