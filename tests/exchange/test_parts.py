"""lns.exchange.backoff, lns.exchange.memory and lns.exchange.notices by themselves."""

import sqlite3
from contextlib import closing

from lns.exchange import backoff, log, memory, notices
from lns.exchange.log import Damaged, Segment
from lns.exchange.records import Stored
from tests.exchange.build import uplink

UPLINK = frozenset({"uplink"})


def segment(first, last, topic="uplink"):
    return Segment(first, topic, [Stored(seq, topic, uplink(seq)) for seq in range(first, last + 1)])


def seqs(answer):
    return answer and ([stored.seq for stored in answer[0]], answer[1])


def test_pauses_double_up_to_the_last_and_begin_again_after_a_success():
    pauses = backoff.Backoff(0.2, 1.0)
    assert [pauses.next() for _ in range(5)] == [0.2, 0.4, 0.8, 1.0, 1.0]
    pauses.reset()
    assert pauses.next() == 0.2


def test_memory_answers_as_far_back_as_it_reaches_also_over_a_gap():
    kept = memory.Memory(100)
    assert kept.add([segment(1, 3), segment(4, 4, "event"), segment(11, 13)], 13, 0) == 7
    assert seqs(kept.read(0, UPLINK, 100)) == ([1, 2, 3, 11, 12, 13], 13)
    assert seqs(kept.read(2, UPLINK, 2)) == ([3, 11], 11)
    assert seqs(kept.read(13, UPLINK, 2)) == ([], 13)
    assert kept.add([], 20, 0) == 0
    assert seqs(kept.read(13, UPLINK, 2)) == ([], 20)
    kept.add([segment(21, 21)], 21, 4)
    assert kept.read(3, UPLINK, 100) is None
    assert seqs(kept.read(10, UPLINK, 100)) == ([11, 12, 13, 21], 21)


def test_memory_forgets_the_oldest_beyond_its_bound():
    kept = memory.Memory(5)
    kept.add([segment(1, 3), segment(4, 6)], 6, 0)
    assert kept.read(0, UPLINK, 10) is None
    assert seqs(kept.read(3, UPLINK, 10)) == ([4, 5, 6], 6)


def test_notices_are_kept_in_the_file_once_each_and_the_newest_come_first(tmp_path):
    with closing(log.connect(tmp_path / "x.db")) as connection:
        log.create(connection)
        noted = notices.Notices()
        assert noted.take() is None
        noted.gap(21, 60, "restored")
        assert [noted.unreadable(Damaged("uplink", 5, 5, "cut short")) for _ in range(2)] == [True, False]
        write = noted.take()
        assert write is not None
        write(connection)
        write(connection)
        again = notices.Notices()
        again.load(connection)
        assert [(n["kind"], n["first_seq"], n["text"]) for n in again.newest()] == [
            (n["kind"], n["first_seq"], n["text"]) for n in noted.newest()
        ]
        assert {n["text"] for n in again.newest()} == {"restored", "uplink records cannot be read: cut short"}
        assert (again.missing(20), again.missing(21)) == (40, 0)
        assert ("gap", "seq 21 to 60: restored") in again.alerts()


def test_notices_that_are_old_are_no_alerts_and_those_that_are_many_go(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        log.create(connection)
        connection.execute("INSERT INTO exchange_notice VALUES ('gap', 1, 2, 'long ago', 5)")
        noted = notices.Notices()
        noted.load(connection)
        assert (noted.alerts(), len(noted.newest())) == ([], 1)
        for n in range(notices.KEPT + 5):
            noted.gap(n + 10, n + 10, "x")
        write = noted.take()
        assert write is not None
        write(connection)
        assert connection.execute("SELECT count(*) FROM exchange_notice WHERE text = 'long ago'").fetchone() == (0,)
        assert noted.missing(0) == notices.KEPT
