"""Retention keeps the uplinks of decoded records that are still to be read."""

import time
from pathlib import Path

import msgspec

from lns.config import Exchange as ExchangeConfig
from lns.decoding.consumer import Decoding
from lns.decoding.late import MAX_WAITING
from lns.exchange import floor
from lns.exchange.records import Decoded, Replay
from lns.exchange.sqlite import SqliteExchange
from tests.exchange.build import running, uplink
from tests.outlets.samples import decoded

OUTLET = frozenset({"uplink", "decoded", "event"})
STORE = frozenset({"decoded"})
LATER_US = time.time_ns() // 1000 + 400 * 86_400_000_000


def of(uplink_seq: int) -> Decoded:
    return msgspec.structs.replace(decoded(0), uplink_seq=uplink_seq)


async def filled(exchange: SqliteExchange) -> None:
    """Uplinks 1 to 4, and what was decoded of them: 5 to 8, of the third one late."""
    for n in range(4):
        await exchange.append([("uplink", uplink(n))])
    for uplink_seq in (1, 2, 4, 3):
        await exchange.append([("decoded", of(uplink_seq))])


async def test_an_uplink_stays_until_what_was_decoded_of_it_is_read(tmp_path: Path) -> None:
    async with running(tmp_path / "x.db") as exchange:
        await filled(exchange)
        cursor = exchange.cursor("outlet.x", OUTLET, 5)
        exchange.cursor("store", STORE, 8)
        assert await exchange.expire(LATER_US) == 1
        assert await exchange.pick(2) is not None
        cursor.advance(7, 0)
        assert await exchange.expire(LATER_US) == 1
        assert [await exchange.pick(seq) is None for seq in (2, 3, 4)] == [True, False, False]
        cursor.advance(8, 0)
        assert await exchange.expire(LATER_US) == 6


async def test_what_reads_decoded_records_alone_needs_no_uplink(tmp_path: Path) -> None:
    async with running(tmp_path / "x.db") as exchange:
        await filled(exchange)
        exchange.cursor("store", STORE, 5)
        assert await exchange.expire(LATER_US) == 5


async def test_a_correction_of_an_uplink_that_has_gone_holds_nothing(tmp_path: Path) -> None:
    async with running(tmp_path / "x.db") as exchange:
        await filled(exchange)
        cursor = exchange.cursor("outlet.x", OUTLET, 6)
        assert await exchange.expire(LATER_US) == 2
        await exchange.append([("decoded", msgspec.structs.replace(of(1), replay=Replay("job", True)))])
        cursor.advance(8, 0)
        assert await exchange.expire(LATER_US) == 6


async def test_retention_by_size_keeps_them_too(tmp_path: Path) -> None:
    config = ExchangeConfig(commit_interval_ms=1.0, retention_bytes=1)
    async with running(tmp_path / "x.db", config) as exchange:
        await filled(exchange)
        exchange.cursor("outlet.x", OUTLET, 7)
        assert await exchange.expire(0) == 2


async def test_a_log_without_readers_keeps_all(tmp_path: Path) -> None:
    async with running(tmp_path / "x.db") as exchange:
        await filled(exchange)
        assert await exchange.expire(LATER_US) == 0


def test_all_that_the_decoder_may_pass_is_looked_at() -> None:
    assert MAX_WAITING + Decoding.max_batch <= floor.LOOKED_AT
