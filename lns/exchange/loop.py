"""Drives a consumer: reads on, applies, advances; tries again what fails until it goes through."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lns import metrics
from lns.errors import StoreError
from lns.exchange.backoff import Backoff
from lns.exchange.consumer import Consumer, Following
from lns.exchange.cursor import Cursor
from lns.exchange.sqlite import SqliteExchange

_logger = logging.getLogger(__name__)

_T = TypeVar("_T")


async def run_consumer(exchange: SqliteExchange, consumer: Consumer, linger_s: float = 0.0) -> None:
    """Run for ever. `linger_s` is how long a small batch waits for company.

    A batch is applied in order and again from its first record after a failure, so a consumer that is down only
    lags: it slows nobody and loses nothing. It is attached before it knows its position, which a store that is away
    cannot tell: the log keeps what it may still need, and people see that it lags.
    """
    cursor = exchange.cursor(consumer.name, consumer.topics, None)
    try:
        await until_done(cursor, lambda: _begin(exchange, cursor, consumer))
        if isinstance(consumer, Following):
            following: Following = consumer
            await until_done(cursor, lambda: _follow(exchange, following))
        while True:
            if linger_s and cursor.lag < consumer.max_batch:
                await asyncio.sleep(linger_s)
            batch, upto = await until_done(cursor, lambda: cursor.next(consumer.max_batch))
            await until_done(cursor, lambda: consumer.handle(batch))  # noqa: B023 - called before the next batch
            cursor.advance(upto, len(batch))
    finally:
        exchange.detach(cursor)


async def until_done(cursor: Cursor, work: Callable[[], Awaitable[_T]]) -> _T:
    """Do it, again with growing pauses as long as it fails, which is counted, said and shown as the consumer's."""
    backoff = Backoff()
    while True:
        try:
            done = await work()
        except Exception as error:  # the top of a task: counted, shown, retried
            metrics.consumer_errors.inc(cursor.name)
            level = logging.WARNING if cursor.state == "running" else logging.DEBUG
            text = f"{type(error).__name__}: {error}"
            # where a store is away, the sentence says it all
            trace = None if isinstance(error, StoreError) and level > logging.DEBUG else error
            _logger.log(level, "consumer %s failed, trying again: %s", cursor.name, text, exc_info=trace)
            cursor.failed(text[:500])
            await backoff.wait()
        else:
            cursor.recovered()
            return done


async def _begin(exchange: SqliteExchange, cursor: Cursor, consumer: Consumer) -> None:
    """Go on where the consumer and this log agree that it is.

    A consumer that is ahead of what the log has seen of it was killed just now, or has read another life of the log,
    one that a restore has undone: which one, nobody can tell, and to read some records again costs nothing but time.
    """
    position = await consumer.position()
    if position is None:
        return
    begin = min(position, exchange.known_position(consumer.name))
    if isinstance(consumer, Following) and await consumer.log() not in ("", exchange.log_id):
        begin = 0
    exchange.raise_head(position, consumer.name)
    if begin < position:
        level = logging.WARNING if position > exchange.head_seq else logging.INFO
        _logger.log(
            level, "consumer %s is at seq %d and is given again what came after %d", consumer.name, position, begin
        )
    cursor.begin(begin)
    exchange.note_position(consumer.name, begin)


async def _follow(exchange: SqliteExchange, consumer: Following) -> None:
    """Let the consumer's store know whose position it keeps, once this log has its own note of it on the disk."""
    if await consumer.log() != exchange.log_id:
        await exchange.committed()
        await consumer.follow(exchange.log_id)
