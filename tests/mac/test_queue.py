import re
from collections import deque
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.mac import queue
from lns.mac.queue import TRANSITIONS, Chosen, DownlinkItem, Offer, Step

ROOMY = Offer(250, 5)
NOW_US = 1_000_000
LAST_STATES = {"acked", "nacked", "expired", "failed", "deleted"}


def item(name="a", payload=b"\x01\x02", position=1, **more):
    return DownlinkItem(name, 7, 15, payload, more.pop("confirmed", False), 0, position=position, **more)


def queued(*items):
    waiting = deque()
    for one in items:
        queue.insert(waiting, one)
    return waiting


def ids(waiting):
    return [one.id for one in waiting]


def test_higher_priority_goes_first_and_within_a_priority_the_older():
    waiting = queued(item("a", position=1), item("b", position=2, priority=5), item("c", position=3))
    queue.insert(waiting, item("d", position=4, priority=5))
    assert ids(waiting) == ["b", "d", "a", "c"]


def test_a_new_item_comes_behind_what_waits_and_what_may_come_back():
    assert queue.next_position(None, None) == 1
    assert queue.next_position([item(position=3)], None) == 4
    assert queue.next_position([item(position=3)], item(position=9)) == 10


def test_a_replaced_item_keeps_id_place_and_time_of_queueing():
    waiting = queued(item("a", position=1), item("b", position=2), item("c", position=3))
    new = msgspec.structs.replace(item("b", b"new", position=99), enqueued_at_us=5)
    kept = queue.replace(waiting, new)
    assert kept == item("b", b"new", position=2)
    assert list(waiting) == [item("a", position=1), kept, item("c", position=3)]


def test_a_replacement_with_another_priority_moves_to_that_priority():
    waiting = queued(item("a", position=1), item("b", position=2))
    queue.replace(waiting, item("b", priority=1))
    assert ids(waiting) == ["b", "a"]


def test_what_does_not_wait_can_be_neither_replaced_nor_deleted():
    waiting = queued(item("a"))
    assert queue.replace(waiting, item("b")) is None
    assert queue.delete(waiting, "b") is None
    assert ids(waiting) == ["a"]


def test_delete_takes_one_and_flush_the_rest_with_their_reasons():
    waiting = queued(item("a", position=1), item("b", position=2), item("c", position=3))
    assert queue.delete(waiting, "b") == item("b", position=2).to("deleted", "deleted by a user")
    assert queue.flush(waiting) == [
        item("a", position=1).to("deleted", "flushed by a user"),
        item("c", position=3).to("deleted", "flushed by a user"),
    ]
    assert not waiting


def test_an_item_that_was_sent_is_recalled_with_the_counter_that_may_have_arrived():
    sent = queue.taken(item(confirmed=True), 8)
    assert queue.recall(sent).reason == "deleted by a user after it was sent with fcnt_down 8"
    assert queue.recall(sent).state == "deleted"


def test_the_chosen_item_leaves_the_queue_and_more_tells_of_the_next():
    waiting = queued(item("a", position=1), item("b", position=2))
    assert queue.choose(waiting, None, ROOMY, NOW_US) == Chosen(item("a", position=1), (), True)
    assert queue.choose(waiting, None, ROOMY, NOW_US) == Chosen(item("b", position=2), (), False)
    assert queue.choose(waiting, None, ROOMY, NOW_US) == Chosen(None, (), False)


def test_only_one_confirmed_item_is_outstanding_and_nothing_overtakes_the_next():
    outstanding = queue.taken(item("a", confirmed=True), 3)
    waiting = queued(item("b", confirmed=True, position=2), item("c", position=3))
    assert queue.choose(waiting, outstanding, ROOMY, NOW_US) == Chosen(None, (), True)
    assert ids(waiting) == ["b", "c"]
    queue.insert(waiting, item("urgent", position=4, priority=1))
    assert queue.choose(waiting, outstanding, ROOMY, NOW_US).item.id == "urgent"


@pytest.mark.parametrize(
    ("answers", "payload", "goes"),
    [
        (0, 51, True),  # EU868 DR0: 59 octets of MACPayload, 7 for FHDR, 1 for FPort
        (1, 51, False),
        (15, 36, True),
        (15, 37, False),
        (16, 1, False),  # too many for FOpts: they go alone on FPort 0
    ],
)
def test_an_item_waits_when_mac_answers_take_its_room(answers, payload, goes):
    waiting = queued(item("a", bytes(payload)))
    chosen = queue.choose(waiting, None, Offer(59, 0, answers), NOW_US)
    assert chosen == (Chosen(item("a", bytes(payload)), (), False) if goes else Chosen(None, (), True))
    assert len(waiting) == (not goes)


def test_an_item_too_long_for_every_window_fails_with_the_limit_and_the_next_goes():
    waiting = queued(item("a", bytes(52), position=1), item("b", bytes(51), position=2))
    chosen = queue.choose(waiting, None, Offer(59, 0), NOW_US)
    failed = item("a", bytes(52), position=1).to("failed", "payload is 52 octets, 51 fit at dr 0")
    assert chosen == Chosen(item("b", bytes(51), position=2), (failed,), False)


def test_a_window_without_any_room_names_zero_as_the_limit():
    (failed,) = queue.choose(queued(item()), None, Offer(0, 0), NOW_US).closed
    assert failed.reason == "payload is 2 octets, 0 fit at dr 0"


def test_an_expired_item_is_closed_at_the_very_moment():
    waiting = queued(item("a", expires_at_us=NOW_US), item("b", expires_at_us=NOW_US + 1, position=2))
    chosen = queue.choose(waiting, None, ROOMY, NOW_US)
    assert [(one.id, one.state, one.reason) for one in chosen.closed] == [
        ("a", "expired", "expired before a receive window opened")
    ]
    assert chosen.item.id == "b"


def test_an_item_for_a_later_time_lets_others_pass_and_announces_nothing():
    waiting = queued(item("later", at_us=NOW_US + 1), item("b", position=2))
    assert queue.due_at_us(waiting, NOW_US) == NOW_US
    assert queue.choose(waiting, None, ROOMY, NOW_US) == Chosen(item("b", position=2), (), False)
    assert queue.due_at_us(waiting, NOW_US) == NOW_US + 1
    assert queue.choose(waiting, None, ROOMY, NOW_US) == Chosen(None, (), False)
    assert queue.choose(waiting, None, ROOMY, NOW_US + 1).item.id == "later"
    assert queue.due_at_us(waiting, NOW_US) is None


def test_a_confirmed_item_is_sent_as_often_as_the_policy_says_then_nacked():
    one, history = item(confirmed=True), []
    for fcnt_down in (10, 11):
        one = queue.unacknowledged(queue.taken(one, fcnt_down), 2, "no acknowledgement within 8 s")
        history.append((one.state, one.reason, one.fcnt_down, one.attempts))
    assert history == [
        ("queued", "no acknowledgement within 8 s: attempt 1 of 2", 10, 1),
        ("nacked", "no acknowledgement within 8 s: attempt 2 of 2", 11, 2),
    ]


def test_a_repeated_item_goes_before_what_came_later():
    waiting = queued(item("b", position=2), item("c", position=3))
    queue.insert(waiting, queue.unacknowledged(queue.taken(item("a", confirmed=True), 1), 3, "why"))
    assert ids(waiting) == ["a", "b", "c"]


def test_an_acknowledged_item_has_no_reason_left():
    sent = queue.taken(item(confirmed=True).to("queued", "not acknowledged before"), 4)
    assert queue.acknowledged(sent) == item(confirmed=True, state="acked", fcnt_down=4, attempts=1)


def test_what_no_gateway_could_send_was_no_attempt():
    back = queue.returned(queue.taken(item(), 4), "gateway refused rx1: TOO_LATE")
    assert back == item(reason="gateway refused rx1: TOO_LATE", fcnt_down=4, attempts=0)


@pytest.mark.parametrize("state", sorted(LAST_STATES))
def test_nothing_happens_to_an_item_in_its_last_state(state):
    assert state not in TRANSITIONS
    for step in Step:
        with pytest.raises(KeyError):
            item(state=state).after(step)


ITEMS = st.builds(
    lambda position, priority, size, confirmed, expires, at: item(
        str(position),
        bytes(size),
        position,
        priority=priority,
        confirmed=confirmed,
        expires_at_us=expires,
        at_us=at,
    ),
    st.integers(1, 50),
    st.integers(0, 2),
    st.integers(0, 80),
    st.booleans(),
    st.none() | st.integers(0, 4),
    st.none() | st.integers(0, 4),
)


@given(
    st.lists(ITEMS, max_size=8, unique_by=lambda one: one.position),
    st.booleans(),
    st.integers(0, 60),
    st.integers(0, 17),
    st.integers(0, 4),
)
def test_every_item_waits_is_chosen_or_is_closed_and_what_waits_stays_in_order(
    items, outstanding, room, answers, now_us
):
    waiting = queued(*items)
    before = list(waiting)
    held = queue.taken(item("out", confirmed=True), 1) if outstanding else None
    chosen = queue.choose(waiting, held, Offer(room, 0, answers), now_us)
    known = [*waiting, *([chosen.item] if chosen.item else []), *chosen.closed]
    assert sorted(one.id for one in known) == sorted(one.id for one in before)
    assert [one for one in before if one in waiting] == list(waiting)
    assert all(one.state in ("expired", "failed") and one.reason for one in chosen.closed)
    if chosen.item is not None:
        assert 8 + answers + len(chosen.item.payload) <= room
        assert not (outstanding and chosen.item.confirmed)
        passed = [one for one in before[: before.index(chosen.item)] if one in waiting]
        assert all(one.at_us is not None and one.at_us > now_us for one in passed)


DOCUMENT = (Path(__file__).parents[2] / "docs" / "downlinks.md").read_text("utf-8")


def test_the_documented_diagram_is_the_table():
    drawn = re.findall(r"^ +(\w+) --> (\w+): (.+)$", DOCUMENT, re.MULTILINE)
    steps = [(state, after, step.value) for state, ways in TRANSITIONS.items() for step, after in ways.items()]
    assert sorted(drawn) == sorted(steps)
