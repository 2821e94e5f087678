import sqlite3
from contextlib import closing

import pytest

from lns.delivery.lanes import Item
from lns.delivery.machine import Settled, State
from lns.delivery.outcome import Outcome, Verdict
from lns.delivery.rows import Added, Attempt, Attempted, OutletRow, Query
from lns.delivery.table import Table
from tests.delivery.build import DELIVERED, NOW_US, TROUBLE, message, messages

S = 1_000_000


@pytest.fixture
def table(tmp_path):
    with closing(Table(tmp_path / "deliveries.db")) as found:
        yield found


def end(table, id_, state=State.DELIVERED, outcome=DELIVERED, reason="", at_us=NOW_US):
    table.settle([Attempted(id_, Settled(state, 1, 0, 0, reason), outcome, at_us, 12)])


def test_messages_and_the_place_in_the_log_are_kept_together(tmp_path):
    path = tmp_path / "deliveries.db"
    with closing(Table(path)) as table:
        assert table.enqueue("x", messages(1, 2), 9, NOW_US) == [Item(1, "lane0", NOW_US), Item(2, "lane0", NOW_US)]
    with closing(Table(path)) as table:
        assert table.outlet("x") == OutletRow(seq=9)
        assert [item.id for item in table.open_items("x")] == [1, 2]
        assert table.open_items("y") == []


def test_a_message_that_comes_twice_is_kept_once(table):
    table.enqueue("x", messages(1, 2), 2, NOW_US)
    assert table.enqueue("x", messages(1, 3), 3, NOW_US) == [Item(3, "lane0", NOW_US)]
    assert [item.id for item in table.enqueue("y", messages(1, 1), 3, NOW_US)] == [4]


def test_several_outlets_are_written_down_at_once_each_with_what_is_new_to_it(table):
    table.enqueue("x", messages(1, 2), 2, NOW_US)
    end(table, 1)
    added = [
        Added("y", messages(1, 2), 2, NOW_US),
        Added("x", messages(1, 3), 3, NOW_US),
        Added("x", messages(1, 1), None, NOW_US, True),
        Added("z", [], 9, NOW_US),
    ]
    assert [[item.id for item in items] for items in table.enqueue_all(added)] == [[3, 4], [5], [1], []]
    assert [table.outlet(outlet).seq for outlet in "xyz"] == [3, 2, 9]
    assert [[c.message.id for c in claimed] for claimed in table.claim_all([[5], [4, 3]])] == [
        ["uplink_3"],
        ["uplink_2", "uplink_1"],
    ]


def test_ends_of_several_outlets_are_written_at_once(table):
    table.enqueue("x", messages(1, 3), 3, NOW_US)
    table.drop(Query(ids=(2,)), NOW_US, 10)
    ends = [Attempted(id_, Settled(State.DELIVERED, 1, 0), DELIVERED, NOW_US, 1) for id_ in (1, 2, 3)]
    table.settle_all([ends[:1], ends[1:]])
    assert table.count(Query()) == {"delivered": 2, "dropped": 1}
    assert [len(table.attempts(id_)) for id_ in (1, 2, 3)] == [1, 1, 1]


def test_claim_leaves_out_what_has_ended(table):
    table.enqueue("x", messages(1, 3), 3, NOW_US)
    end(table, 2)
    claimed = table.claim([3, 2, 1, 99])
    assert [c.id for c in claimed] == [3, 1]
    assert claimed[1].message == message(1, "lane0")


def test_a_delivered_row_gives_its_body_up_and_keeps_its_history(table):
    table.enqueue("x", messages(1, 1), 1, NOW_US)
    end(table, 1, State.WAITING, TROUBLE)
    end(table, 1, at_us=NOW_US + 5 * S)
    (row,) = table.search(Query(), 10)
    assert (row.state, row.body, row.changed_us) == ("delivered", None, NOW_US + 5 * S + 12_000)
    assert table.attempts(1) == [
        Attempt(1, NOW_US, 12, "retry", 500, "status 500", "", ""),
        Attempt(1, NOW_US + 5 * S, 12, "delivered", 200, "", "", ""),
    ]


def test_a_dead_row_keeps_request_response_and_reason(table):
    table.enqueue("x", messages(1, 1), 1, NOW_US)
    outcome = Outcome(verdict=Verdict.REFUSED, status=422, error="status 422", request="POST /", response="422\n\nno")
    end(table, 1, State.DEAD, outcome, "refused")
    (row,) = table.search(Query(state=State.DEAD), 10)
    assert (row.reason, row.body) == ("refused", b'{"n": 1}')
    assert (table.attempts(1)[0].request, table.attempts(1)[0].response) == ("POST /", "422\n\nno")


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (Query(), [4, 3, 2, 1]),
        (Query(outlet="y"), [4]),
        (Query(lane="lane1"), [3, 1]),
        (Query(state=State.DELIVERED), [2]),
        (Query(from_us=NOW_US + 1), [4]),
        (Query(until_us=NOW_US + 1), [3, 2, 1]),
        (Query(ids=(1, 3)), [3, 1]),
        (Query(outlet="x", lane="lane0", state=State.PENDING), []),
    ],
)
def test_deliveries_are_found_by_device_outlet_state_and_time(table, query, ids):
    table.enqueue("x", messages(1, 3, lanes=2), 3, NOW_US)
    table.enqueue("y", messages(4, 4, lanes=2), 4, NOW_US + S)
    end(table, 2)
    assert [row.id for row in table.search(query, 10)] == ids
    assert sum(table.count(query).values()) == len(ids)


def test_a_search_reads_on(table):
    table.enqueue("x", messages(1, 5), 5, NOW_US)
    assert [row.id for row in table.search(Query(), 2)] == [5, 4]
    assert [row.id for row in table.search(Query(), 2, 4)] == [3, 2]


def test_the_dead_are_opened_again_with_all_their_attempts_ahead(table):
    table.enqueue("x", messages(1, 4), 4, NOW_US)
    for id_ in (1, 2, 3):
        end(table, id_, State.DEAD, TROUBLE, "attempts")
    later_us = NOW_US + S
    assert table.replay(Query(), later_us, 2) == [("x", Item(1, "lane0", later_us)), ("x", Item(2, "lane0", later_us))]
    assert [item.id for _, item in table.replay(Query(), later_us, 2, 2)] == [3]
    claimed = table.claim([1])[0]
    assert (claimed.attempts, claimed.first_us, claimed.message.id) == (0, later_us, "uplink_1")


def test_the_first_attempt_is_that_since_it_was_opened(table):
    table.enqueue("x", messages(1, 1), 1, NOW_US)

    def tried(at_us):
        return Attempted(1, Settled(State.WAITING, table.claim([1])[0].attempts + 1, 0), TROUBLE, at_us, 1)

    for at_us in (NOW_US + 5 * S, NOW_US + 9 * S):
        table.settle([tried(at_us)])
    assert table.claim([1])[0].first_us == NOW_US + 5 * S
    end(table, 1, State.DEAD, TROUBLE, at_us=NOW_US + 10 * S)
    table.replay(Query(), NOW_US + 20 * S, 1)
    assert table.claim([1])[0].first_us == NOW_US + 20 * S
    table.settle([tried(NOW_US + 30 * S)])
    assert table.claim([1])[0].first_us == NOW_US + 30 * S
    table.replay(Query(), NOW_US + 40 * S, 1)  # it waits, so it is not opened
    table.settle([tried(NOW_US + 50 * S)])
    assert table.claim([1])[0].first_us == NOW_US + 30 * S


def test_what_was_delivered_is_sent_again_under_its_old_id_when_read_from_the_log(table):
    table.enqueue("x", messages(1, 2), 2, NOW_US)
    end(table, 1)
    assert table.replay(Query(), NOW_US, 10) == []  # its body is gone
    assert [item.id for item in table.enqueue("x", messages(1, 2), None, NOW_US, True)] == [1]
    assert table.claim([1])[0].message == message(1, "lane0")
    assert table.outlet("x").seq == 2


def test_a_dropped_row_stays_dropped_whatever_its_attempt_comes_to(table):
    table.enqueue("x", messages(1, 2), 2, NOW_US)
    assert table.drop(Query(ids=(1,)), NOW_US, 10) == [("x", 1)]
    end(table, 1, State.WAITING, TROUBLE)
    (row,) = table.search(Query(ids=(1,)), 1)
    assert (row.state, row.reason, row.body) == ("dropped", "dropped", None)
    assert len(table.attempts(1)) == 1
    assert table.replay(Query(), NOW_US, 10) == []


def test_waking_makes_what_waits_due(table):
    table.enqueue("x", messages(1, 1), 1, NOW_US)
    table.settle([Attempted(1, Settled(State.WAITING, 1, 0, NOW_US + 900 * S), TROUBLE, NOW_US, 1)])
    assert table.open_items("x") == [Item(1, "lane0", NOW_US + 900 * S)]
    table.wake("x", NOW_US)
    assert table.open_items("x") == [Item(1, "lane0", NOW_US)]


def test_a_removed_outlet_sends_nothing_any_more(table):
    table.enqueue("x", messages(1, 2), 2, NOW_US)
    end(table, 1)
    table.forget("x")
    assert table.open_items("x") == []
    assert table.outlet("x") == OutletRow()
    assert [row.state for row in table.search(Query(), 9)] == ["dropped", "delivered"]


def test_breaker_and_reason_of_an_outlet_do_not_move_its_place(table):
    table.enqueue("x", [], 7, NOW_US)
    table.note_outlet("x", OutletRow(0, 55, "status 410"))
    assert table.outlet("x") == OutletRow(7, 55, "status 410")


def test_what_has_ended_goes_by_age_and_by_number(table):
    table.enqueue("x", messages(1, 6), 6, NOW_US)
    for id_ in range(1, 6):
        end(table, id_, at_us=NOW_US + id_ * S)
    assert table.ended(State.DELIVERED) == 5
    assert table.expire(State.DELIVERED, NOW_US + 2 * S, 10) == 1  # by age
    assert table.evict(State.DELIVERED, 2) == 2  # by number
    assert [row.id for row in table.search(Query(), 9)] == [6, 5, 4]
    assert table.attempts(1) == []
    assert table.expire(State.DEAD, 2**62, 10) == table.evict(State.DEAD, 10) == 0
    assert table.evict(State.DELIVERED, -1) == 0


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(outlet="x", state=State.DEAD), "delivery_outlet"),
        (Query(state=State.DEAD), "delivery_state"),
        (Query(lane="lane1"), "delivery_device"),
    ],
)
def test_a_search_in_a_long_log_reads_only_what_it_asks_for(tmp_path, query, index):
    path = tmp_path / "deliveries.db"
    with closing(Table(path)) as table:
        table.enqueue("x", messages(1, 3000, lanes=100), 1, NOW_US)
        end(table, 7, State.DEAD, TROUBLE)
    with closing(sqlite3.connect(path)) as db:
        where, values = query.where()
        plan = db.execute(f"EXPLAIN QUERY PLAN SELECT * FROM delivery WHERE {where} AND id < 9", values).fetchall()
    assert f"USING INDEX {index} " in plan[0][3]
