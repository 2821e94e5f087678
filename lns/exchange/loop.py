"""Drives a consumer: reads on, applies, advances; retries a failed batch until it goes through."""

import asyncio
import logging

from lns import metrics
from lns.exchange.consumer import Consumer
from lns.exchange.cursor import Cursor
from lns.exchange.sqlite import SqliteExchange

_logger = logging.getLogger(__name__)

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 30.0


async def run_consumer(exchange: SqliteExchange, consumer: Consumer, linger_s: float = 0.0) -> None:
    """Run for ever. `linger_s` is how long a small batch waits for company.

    A batch is applied in order and again from its first record after a failure, so a consumer that is down only
    lags: it slows nobody and loses nothing. It is attached before it knows its position, which a store that is away
    cannot tell: the log keeps what it may still need, and people see that it lags.
    """
    cursor = exchange.cursor(consumer.name, consumer.topics, None)
    try:
        position = await _first_position(cursor, consumer)
        cursor.recovered()
        if position is not None:
            cursor.begin(position)
        while True:
            if linger_s and cursor.lag < consumer.max_batch:
                await asyncio.sleep(linger_s)
            batch, upto = await cursor.next(consumer.max_batch)
            delay_s = FIRST_RETRY_S
            while True:
                try:
                    await consumer.handle(batch)
                    break
                except Exception as error:  # noqa: BLE001 - the top of the consumer's task: counted, shown, retried
                    _report(cursor.state, consumer.name, error)
                    cursor.failed(f"{type(error).__name__}: {error}"[:500])
                    await asyncio.sleep(delay_s)
                    delay_s = min(delay_s * 2, LAST_RETRY_S)
            cursor.recovered()
            cursor.advance(upto, len(batch))
    finally:
        exchange.detach(cursor)


async def _first_position(cursor: Cursor, consumer: Consumer) -> int | None:
    delay_s = FIRST_RETRY_S
    while True:
        try:
            return await consumer.position()
        except Exception as error:  # noqa: BLE001 - as above: a store that is away when the server starts
            _report(cursor.state, consumer.name, error)
            cursor.failed(f"{type(error).__name__}: {error}"[:500])
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LAST_RETRY_S)


def _report(state: str, name: str, error: Exception) -> None:
    metrics.consumer_errors.inc(name)
    level = logging.WARNING if state == "running" else logging.DEBUG
    _logger.log(level, "consumer %s failed, trying again: %s: %s", name, type(error).__name__, error, exc_info=error)
