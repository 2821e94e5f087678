"""The SQL side of the delivery log: one SQLite file. Blocking; runs in one thread.

synchronous=NORMAL: a power cut may take back the newest commits as a whole, and with them an outlet's place in the
log, so messages are sent twice and none is lost; a killed process takes back nothing.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from lns.delivery.evictions import Evicted, Evictions, delete
from lns.delivery.lanes import Item
from lns.delivery.machine import OPEN, State, Step
from lns.delivery.many import Many
from lns.delivery.outcome import Outgoing, Verdict
from lns.delivery.rows import (
    SEARCH_MOST,
    Added,
    Attempt,
    Attempted,
    Bounds,
    Claimed,
    Delivery,
    Noted,
    OutletRow,
    Query,
    Unsent,
)

_OPEN = ", ".join(f"'{state.value}'" for state in OPEN)
_COLUMNS = ", ".join(Delivery.__struct_fields__)
_ATTEMPT = ", ".join(Attempt.__struct_fields__)
_ADDED = """
INSERT INTO delivery (outlet, message_id, seq, lane, event, state, created_us, opened_us, next_us, changed_us,
    body, at_us)
"""
_ENQUEUE = Many(
    f"{_ADDED} VALUES {{rows}} ON CONFLICT (outlet, message_id) DO NOTHING",
    "(?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?)",
)
_OPEN_AGAIN = f"""
{_ADDED} VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?)
ON CONFLICT (outlet, message_id) DO UPDATE SET
    seq = excluded.seq, state = 'pending', attempts = 0, refusals = 0, opened_us = excluded.opened_us,
    next_us = excluded.next_us, changed_us = excluded.changed_us, reason = '', body = excluded.body
WHERE state NOT IN ({_OPEN})
RETURNING id
"""
_SET_ASIDE = f"""
{_ADDED} VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, NULL, ?) ON CONFLICT (outlet, message_id) DO NOTHING RETURNING id
"""
_UNENCODABLE = "UPDATE delivery SET state = 'dead', reason = 'unencodable', attempt_bytes = ? WHERE id = ?"
_PLACE = "INSERT INTO outlet (outlet, seq) VALUES (?, ?) ON CONFLICT (outlet) DO UPDATE SET seq = excluded.seq"
_CLAIM = f"""
SELECT id, attempts, refusals, CASE attempts WHEN 0 THEN opened_us ELSE coalesce(
    (SELECT min(at_us) FROM attempt WHERE attempt.delivery = delivery.id AND at_us >= opened_us), opened_us
) END, message_id, seq, lane, event, body, delivery.at_us FROM delivery
WHERE id IN (SELECT value FROM json_each(?)) AND +state IN ({_OPEN})
"""
# The plus keeps SQLite from looking rows up by their state.
_SETTLE = Many(
    f"""
WITH a (id, state, attempts, refusals, next_us, changed_us, reason, size) AS (VALUES {{rows}})
UPDATE delivery SET state = a.state, attempts = a.attempts, refusals = a.refusals, next_us = a.next_us,
    changed_us = a.changed_us, reason = a.reason,
    body = CASE WHEN a.state = 'delivered' THEN NULL ELSE body END, attempt_bytes = attempt_bytes + a.size
FROM a WHERE delivery.id = a.id AND +delivery.state IN ({_OPEN})
""",
    "(?, ?, ?, ?, ?, ?, ?, ?)",
)
_TRIED_TOO = Many(
    f"""
WITH a (id, size) AS (VALUES {{rows}})
UPDATE delivery SET attempt_bytes = attempt_bytes + a.size
FROM a WHERE delivery.id = a.id AND +delivery.state NOT IN ({_OPEN})
""",
    "(?, ?)",
)
_TRIED = Many("INSERT OR REPLACE INTO attempt VALUES {rows}", "(?, ?, ?, ?, ?, ?, ?, ?, ?)")
_ATTEMPT_BYTES = 100  # of an attempt beside its texts
_SUPERSEDE = f"""
UPDATE delivery SET state = 'dropped', changed_us = ?, reason = 'superseded', body = NULL
WHERE id = ? AND state IN ({_OPEN})
"""
_REOPEN = """
state = 'pending', attempts = 0, refusals = 0, reason = '', opened_us = ?1, next_us = ?1, changed_us = ?1
"""
_DROP = "state = 'dropped', changed_us = ?1, reason = 'dropped', body = NULL"


REPLAYS_KEPT = 1000
CHECKPOINT_PAGES = 4000
"""16 MB: each checkpoint waits for the disk, and most pages that are changed are soon changed again."""


class Table:
    """Every method is one transaction; `told` hears what it has evicted."""

    def __init__(
        self,
        path: Path | None,
        most_bytes: int = Bounds().bytes,
        told: Callable[[Evicted], object] = lambda _: None,
    ) -> None:
        self._told = told
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        schema = resources.files("lns.delivery").joinpath("deliveries.sql").read_text("utf-8")
        self._db.executescript(f"BEGIN IMMEDIATE;\n{schema}\nCOMMIT;")
        self._evictions = Evictions(self._db, most_bytes)

    def close(self) -> None:
        self._db.close()

    def outlet(self, outlet: str) -> OutletRow:
        """What is kept of an outlet; a new one has nothing."""
        row = self._db.execute("SELECT seq, open_until_us, disabled FROM outlet WHERE outlet = ?", (outlet,)).fetchone()
        return OutletRow(*row) if row else OutletRow()

    def note_outlet(self, outlet: str, row: OutletRow) -> None:
        """Keep the breaker and the reason; the place in the log moves with `enqueue` only, save for a new outlet."""
        self._db.execute(
            "INSERT INTO outlet VALUES (?, ?, ?, ?) ON CONFLICT (outlet) DO UPDATE"
            " SET open_until_us = excluded.open_until_us, disabled = excluded.disabled",
            (outlet, row.seq, row.open_until_us, row.disabled),
        )

    def enqueue(
        self, outlet: str, messages: Sequence[Outgoing], seq: int | None, now_us: int, again: bool = False
    ) -> list[Item]:
        """Add deliveries and move the outlet's place in the log to `seq`, both or neither; returns what is new.

        `again`: those that have ended are opened once more, under the id they had.
        """
        return self.enqueue_all([Added(outlet, messages, seq, now_us, again)])[0]

    def enqueue_all(self, added: Sequence[Added]) -> list[list[Item]]:
        """The same for several, all or none."""
        with self._transaction():
            new = iter(self._insert([one for one in added if not one.again]))
            items = [
                self._insert_again(one.outlet, one.messages, one.now_us) if one.again else next(new) for one in added
            ]
            places = {one.outlet: one.seq for one in added if one.seq is not None}
            self._db.executemany(_PLACE, places.items())
        return items

    def resend(self, outlet: str, messages: Sequence[Outgoing], now_us: int, noted: Noted) -> list[Item]:
        """Open deliveries again, or add them, and note how far the replay is that asks for it, both or neither."""
        with self._transaction():
            items = self._insert_again(outlet, messages, now_us)
            self._note(noted)
        return items

    def note_replay(self, noted: Noted) -> None:
        """Keep a replay as it is now; only so many that are over stay."""
        with self._transaction():
            self._note(noted)

    def replays(self) -> list[bytes]:
        """All that are kept, oldest first."""
        return [row[0] for row in self._db.execute("SELECT job FROM replay ORDER BY created_us, id")]

    def begin(self, outlet: str, seq: int) -> None:
        """A new outlet starts after `seq`; one that is known stays where it is."""
        self._db.execute("INSERT OR IGNORE INTO outlet (outlet, seq) VALUES (?, ?)", (outlet, seq))

    def outlets(self) -> list[str]:
        """The keys of all that have a place in the log."""
        return [row[0] for row in self._db.execute("SELECT outlet FROM outlet ORDER BY outlet")]

    def _insert(self, added: Sequence[Added]) -> list[list[Item]]:
        """What of each is new; ids are given in their order, one after the other."""
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM delivery").fetchone()
        rows = [_row(one.outlet, message, one.now_us) for one in added for message in one.messages]
        if _ENQUEUE.execute(self._db, rows) == len(rows):
            ids = iter(range(last + 1, last + 1 + len(rows)))
            return [[Item(next(ids), m.lane, one.now_us) for m in one.messages] for one in added]
        found = self._db.execute("SELECT outlet, message_id, id FROM delivery WHERE id > ?", (last,)).fetchall()
        new = {(outlet, message_id): id_ for outlet, message_id, id_ in found}
        return [
            [Item(new.pop(key), m.lane, one.now_us) for m in one.messages if (key := (one.outlet, m.id)) in new]
            for one in added
        ]

    def _insert_again(self, outlet: str, messages: Sequence[Outgoing], now_us: int) -> list[Item]:
        items = []
        for m in messages:
            for (id_,) in self._db.execute(_OPEN_AGAIN, _row(outlet, m, now_us)).fetchall():
                items.append(Item(id_, m.lane, now_us))
        return items

    def _note(self, noted: Noted) -> None:
        self._db.execute(
            "INSERT INTO replay VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET job = excluded.job",
            (noted.id, noted.created_us, noted.job),
        )
        self._db.execute(
            "DELETE FROM replay WHERE created_us < (SELECT created_us FROM replay ORDER BY created_us DESC"
            f" LIMIT 1 OFFSET {REPLAYS_KEPT - 1})"
        )

    def set_aside(self, outlet: str, unsent: Sequence[Unsent], now_us: int) -> list[tuple[int, Unsent]]:
        """Add dead letters without a body; returns those that are new, with their ids."""
        new = []
        with self._transaction():
            for one in unsent:
                *row, _, at_us = _row(outlet, one.message, now_us)
                for (id_,) in self._db.execute(_SET_ASIDE, (*row, at_us)).fetchall():
                    self._db.execute(_UNENCODABLE, (_ATTEMPT_BYTES + len(one.error.encode()), id_))
                    _TRIED.execute(self._db, [(id_, 0, now_us, 0, Verdict.REFUSED.value, None, one.error, "", "")])
                    new.append((id_, one))
        return new

    def open_items(self, outlet: str) -> list[Item]:
        """What is still to be sent, oldest first."""
        rows = self._db.execute(
            f"SELECT id, lane, next_us FROM delivery WHERE outlet = ? AND state IN ({_OPEN}) ORDER BY id", (outlet,)
        )
        return [Item(*row) for row in rows]

    def claim(self, ids: Sequence[int]) -> list[Claimed]:
        """What these carry, in their order; those that are no longer to be sent are left out."""
        return self.claim_all([ids])[0]

    def claim_all(self, asked: Sequence[Sequence[int]]) -> list[list[Claimed]]:
        """The same for several."""
        rows = self._db.execute(_CLAIM, (msgspec.json.encode([id_ for ids in asked for id_ in ids]).decode(),))
        found: dict[int, Claimed] = {}
        for id_, attempts, refusals, first_us, *carried in rows.fetchall():
            found[id_] = Claimed(id_, attempts, refusals, first_us, Outgoing(*carried))
        return [[found[id_] for id_ in ids if id_ in found] for ids in asked]

    def settle(self, attempted: Sequence[Attempted]) -> None:
        """Write attempts and where they have led; a delivery that was dropped meanwhile stays dropped."""
        self.settle_all([attempted])

    def settle_all(self, several: Sequence[Sequence[Attempted]]) -> list[None]:
        """The same for several, all or none."""
        changes, sizes, attempts = [], [], []
        for a in (one for attempted in several for one in attempted):
            s, o, end_us = a.settled, a.outcome, a.at_us + a.ms * 1000
            size = _ATTEMPT_BYTES + sum(len(text.encode()) for text in (o.error, o.request, o.response))
            changes.append((a.id, s.state.value, s.attempts, s.refusals, s.next_us, end_us, s.reason, size))
            sizes.append((a.id, size))
            attempts.append(
                (a.id, s.attempts, a.at_us, a.ms, o.verdict.value, o.status, o.error, o.request, o.response)
            )
        with self._transaction():
            _TRIED_TOO.execute(self._db, sizes)
            _SETTLE.execute(self._db, changes)
            _TRIED.execute(self._db, attempts)
        return [None] * len(several)

    def search(self, query: Query, limit: int, before_id: int | None = None) -> list[Delivery]:
        """Newest first, at most 1000; `before_id` reads on."""
        where, values = query.where()
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM delivery WHERE {where} AND id < ? ORDER BY id DESC LIMIT ?",
            [*values, before_id if before_id is not None else 2**62, min(limit, SEARCH_MOST)],
        )
        return [Delivery(*row) for row in rows]

    def attempts(self, id_: int) -> list[Attempt]:
        """The history of one delivery, oldest first."""
        rows = self._db.execute(f"SELECT {_ATTEMPT} FROM attempt WHERE delivery = ? ORDER BY at_us, n", (id_,))
        return [Attempt(*row) for row in rows]

    def count(self, query: Query) -> dict[str, int]:
        """How many match, by state: what a retry or drop would touch."""
        where, values = query.where()
        return dict(self._db.execute(f"SELECT state, count(*) FROM delivery WHERE {where} GROUP BY state", values))

    def replay(self, query: Query, now_us: int, limit: int, after_id: int = 0) -> list[tuple[str, Item]]:
        """Open up to `limit` past an id that have ended and still have a body; returns outlet and item of each."""
        rows = self._change(query, Step.REPLAY, _REOPEN, now_us, limit, after_id)
        return [(outlet, Item(id_, lane, now_us)) for id_, outlet, lane in rows]

    def drop(self, query: Query, now_us: int, limit: int) -> list[tuple[str, int]]:
        """Give up to `limit` deliveries up; returns outlet and id of each."""
        rows = self._change(query, Step.DROP, _DROP, now_us, limit, 0)
        return [(outlet, id_) for id_, outlet, _ in rows]

    def supersede(self, ids: Sequence[int], now_us: int) -> None:
        """A newer message has taken the place of these."""
        with self._transaction():
            self._db.executemany(_SUPERSEDE, [(now_us, id_) for id_ in ids])

    def wake(self, outlet: str, now_us: int) -> None:
        """Whatever waits is due now: the outlet answers again."""
        self._db.execute(
            "UPDATE delivery SET state = 'pending', next_us = ?, changed_us = ? WHERE outlet = ? AND state = 'waiting'",
            (now_us, now_us, outlet),
        )

    def forget(self, outlet: str) -> None:
        """An outlet is removed: what it was to send is dropped, the log of what it did stays its time."""
        with self._transaction():
            self._db.execute(
                "UPDATE delivery SET state = 'dropped', reason = 'outlet removed', body = NULL"
                f" WHERE outlet = ? AND state IN ({_OPEN})",
                (outlet,),
            )
            self._db.execute("DELETE FROM outlet WHERE outlet = ?", (outlet,))

    def ended(self, state: State) -> int:
        """How many have ended in `state`."""
        return int(self._db.execute("SELECT rows FROM ended WHERE state = ?", (state.value,)).fetchone()[0])

    def ended_bytes(self) -> int:
        """How much is kept of what has ended."""
        return self._evictions.bytes()

    def dead(self) -> dict[str, int]:
        """How many dead letters each outlet has."""
        return dict(self._db.execute("SELECT outlet, rows FROM dead_letters WHERE rows > 0"))

    def evicted(self) -> dict[str, int]:
        """How many dead letters of each outlet were evicted that would still be kept."""
        return dict(self._db.execute("SELECT outlet, evicted FROM dead_letters WHERE evicted > 0"))

    def matching(self, query: Query, step: Step, limit: int, after_id: int = 0) -> list[int]:
        """Ids past one, oldest first, of what matches and can take a step."""
        where, values = query.possible(step)
        rows = self._db.execute(
            f"SELECT id FROM delivery WHERE {where} AND id > ? ORDER BY id LIMIT ?", [*values, after_id, limit]
        )
        return [row[0] for row in rows]

    def possible(self, query: Query, step: Step) -> int:
        """How many match and can take a step."""
        where, values = query.possible(step)
        return int(self._db.execute(f"SELECT count(*) FROM delivery WHERE {where}", values).fetchone()[0])

    def expire(self, state: State, before_us: int, rows: int) -> int:
        """Delete at most `rows` in `state` that ended before a time."""
        with self._transaction():
            old = self._db.execute(
                "SELECT id FROM delivery WHERE state = ? AND changed_us < ? ORDER BY changed_us LIMIT ?",
                (state.value, before_us, rows),
            ).fetchall()
            delete(self._db, old)
        return len(old)

    def evict(self, state: State, rows: int) -> int:
        """Forget so many in `state` although their days are not over; returns how many there were."""
        with self._transaction():
            return self._evictions.rows(state, rows)

    def shrink(self) -> int:
        """Forget what is over the bound in bytes, a step of it; returns how many rows."""
        with self._transaction():
            pass  # every transaction does
        return self._evictions.gone.total()

    def forget_evicted(self, before_us: int) -> None:
        """Dead letters that ended before a time would have gone by now: that they were evicted is over."""
        with self._transaction():
            self._evictions.forget(before_us)

    def _change(
        self, query: Query, step: Step, change: str, now_us: int, limit: int, after_id: int
    ) -> list[tuple[int, str, str]]:
        where, values = query.possible(step)
        with self._transaction():
            found: list[tuple[int, str, str]] = self._db.execute(
                f"SELECT id, outlet, lane FROM delivery WHERE {where} AND id > ? ORDER BY id LIMIT ?",
                [*values, after_id, limit],
            ).fetchall()
            self._db.executemany(f"UPDATE delivery SET {change} WHERE id = ?2", [(now_us, row[0]) for row in found])
            self._evictions.seen({row[1] for row in found})
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        self._evictions.gone.clear()
        try:
            yield
            self._evictions.shrink()
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        if self._evictions.gone:
            self._told(dict(self._evictions.gone))


def _row(outlet: str, m: Outgoing, now_us: int) -> tuple[Any, ...]:
    return outlet, m.id, m.seq, m.lane, m.event, now_us, now_us, now_us, now_us, m.body, m.at_us
