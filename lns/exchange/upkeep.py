"""Checkpoints and retention of the log, beside its committer."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lns.clock import DAY_US, now_us
from lns.config import Exchange as ExchangeConfig
from lns.exchange import log
from lns.exchange.floor import floor
from lns.exchange.threads import Reading, Writing

_logger = logging.getLogger(__name__)

CHECKPOINT_INTERVAL_S = 1.0
EXPIRE_INTERVAL_S = 60.0
EXPIRE_ROWS = 500  # in a transaction: commits come in between

Places = Callable[[], Iterable[tuple[int, frozenset[str]]]]
"""Where readers are, and which topics they read."""


class Upkeep:
    """Of one log."""

    def __init__(self, path: Path, config: ExchangeConfig, threads: tuple[Reading, Writing], places: Places) -> None:
        self._path, self._config, self._places = path, config, places
        self._reading, self._writing = threads

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Until it is over, in a thread of its own."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "exchange-checkpoint") as side:
            connection = await loop.run_in_executor(side, log.connect, self._path)
            expire_at = loop.time() + EXPIRE_INTERVAL_S
            while not is_over():
                await asyncio.sleep(CHECKPOINT_INTERVAL_S)
                try:
                    await loop.run_in_executor(side, connection.execute, "PRAGMA wal_checkpoint(PASSIVE)")
                    if loop.time() >= expire_at:
                        await self.expire(now_us())
                        expire_at = loop.time() + EXPIRE_INTERVAL_S
                except sqlite3.Error as error:
                    _logger.warning("upkeep of the log failed, trying again: %s", error)

    async def expire(self, at_us: int) -> int:
        """Drop what is older than the retention, or what is too much; never what a reader still needs."""
        upto_seq = await self._reading.call(floor, list(self._places()))
        before_us = at_us - int(self._config.retention_days * DAY_US)
        dropped = 0
        while rows := await self._writing.call(self._expire, upto_seq, before_us):
            dropped += rows
        return dropped

    def _expire(self, connection: sqlite3.Connection, upto_seq: int, before_us: int) -> int:
        if log.size_bytes(connection) > self._config.retention_bytes:
            before_us = now_us()
        return log.expire(connection, upto_seq, before_us, EXPIRE_ROWS)
