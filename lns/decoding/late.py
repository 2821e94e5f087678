"""Uplinks of codec versions that do not answer: they hold up nobody else's.

A version is relied on once it has answered cleanly and as long as it does not cost too much since, as the decoder pool
sees it. A batch waits for those that are, and `PATIENCE_S` for those that are only new. The uplinks of others are noted
as waiting by the commit that moves the position on, and their records follow when they are there, after a restart too.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

from decoders.pool import Pool
from lns.decoding.batch import Done
from lns.decoding.codecs import Codec, Codecs
from lns.decoding.failures import Failures
from lns.exchange.records import Stored, Uplink

_logger = logging.getLogger(__name__)

PATIENCE_S = 0.1
TICK_S = 0.05
MAX_WAITING = 20_000
"""Uplinks; then the reader of the log waits for them, and nobody overtakes any more."""

Row = tuple[int, Uplink, Done | None]
"""An uplink's place in the log, the uplink, and what came of it."""

_Task = asyncio.Task[list[Row] | Exception]


class _Part:
    """Uplinks of one codec version, or of none, that are being decoded."""

    def __init__(self, codec: Codec | None, stored: Sequence[Stored], task: _Task) -> None:
        self.codec, self.stored, self.task = codec, stored, task

    def rows(self) -> list[Row]:
        found = self.task.result()
        if isinstance(found, Exception):
            raise found
        return found


class Late:
    """`decode` decodes uplinks, `settle` stores what came of them."""

    def __init__(
        self,
        pool: Pool,
        codecs: Codecs,
        failures: Failures,
        decode: Callable[[Sequence[Stored]], Awaitable[list[Row]]],
        settle: Callable[[list[Row]], None],
    ) -> None:
        self._pool, self._codecs, self._failures = pool, codecs, failures
        self._decode, self._settle = decode, settle
        self._tasks: asyncio.TaskGroup | None = None
        self._last: dict[int, _Task] = {}  # of a codec version: its newest part
        self.waiting = 0
        """Uplinks that the reader has passed and that are not decoded yet."""

    async def run(self) -> None:
        """Own what is being decoded, for ever. While this does not run, everything is waited for."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self._tasks = None

    async def decoded(self, batch: Sequence[Stored]) -> AsyncIterator[list[Row]]:
        """What came of a batch, as far as it is done in time; in log order, unless one codec makes others wait."""
        if self._tasks is None:
            yield await self._decode(batch)
            return
        parts = self._start(self._by_codec(batch))
        try:
            deadline = asyncio.get_running_loop().time() + PATIENCE_S
            pending = parts
            while pending and self._waits_for_any(pending, deadline):
                await asyncio.wait([part.task for part in pending], timeout=TICK_S)
                done = [part for part in pending if part.task.done()]
                pending = [part for part in pending if part not in done]
                if done:
                    yield _rows(done)
        except BaseException:
            for part in parts:  # the batch will be handled again as a whole
                part.task.cancel()
            raise
        for part in pending:
            self._leave(part)

    def resume(self, found: Sequence[Stored]) -> None:
        """Go on with what waited when the server ended."""
        for part in self._start(self._by_codec(found)) if self._tasks else ():
            self._leave(part)

    def _waits_for_any(self, parts: Sequence[_Part], deadline: float) -> bool:
        is_time_over = asyncio.get_running_loop().time() >= deadline
        return self.waiting >= MAX_WAITING or any(self._waits_for(part, is_time_over) for part in parts)

    def _waits_for(self, part: _Part, is_time_over: bool) -> bool:
        """Trusted versions are waited for, new ones until the time is over, and those that have offended not at all."""
        codec = part.codec
        if codec is None or self._pool.is_trusted(codec.key, codec.convention):
            return True
        return not is_time_over and self._pool.evidence(codec.key, codec.convention) is None

    def _by_codec(self, batch: Sequence[Stored]) -> dict[Codec | None, list[Stored]]:
        groups: dict[Codec | None, list[Stored]] = {}
        for stored in batch:
            if isinstance(stored.record, Uplink):
                groups.setdefault(self._codecs.of(stored.record.device_id), []).append(stored)
        return groups

    def _start(self, groups: Mapping[Codec | None, Sequence[Stored]]) -> list[_Part]:
        return [_Part(codec, stored, self._begin(codec, stored)) for codec, stored in groups.items()]

    def _begin(self, codec: Codec | None, stored: Sequence[Stored]) -> _Task:
        version_id = 0 if codec is None else codec.version_id
        before = self._last.get(version_id)

        async def work() -> list[Row] | Exception:
            if before is not None:  # a version's uplinks stay in their order
                await asyncio.wait([before])
            try:
                return await self._decode(stored)
            except Exception as failure:  # noqa: BLE001 - the top of a task: whoever looks at it raises it
                return failure

        assert self._tasks is not None
        task: _Task = self._tasks.create_task(work(), name=f"decode {codec.name if codec else 'nothing'}")
        self._last[version_id] = task
        task.add_done_callback(lambda done: self._forget(version_id, done))
        return task

    def _forget(self, version_id: int, task: _Task) -> None:
        if self._last.get(version_id) is task:
            del self._last[version_id]

    def _leave(self, part: _Part) -> None:
        self.waiting += len(part.stored)
        self._failures.waiting(part.stored, None if part.codec is None else part.codec.version_id)
        part.task.add_done_callback(lambda _: self._finish(part))

    def _finish(self, part: _Part) -> None:
        self.waiting -= len(part.stored)
        if part.task.cancelled():  # the server ends: they are taken up at its next start
            return
        found = part.task.result()
        if isinstance(found, Exception):
            _logger.error("uplinks wait for the next start, for they cannot be decoded now: %s", found, exc_info=found)
            return
        self._failures.settled([stored.seq for stored in part.stored])
        self._settle(found)


def _rows(parts: Iterable[_Part]) -> list[Row]:
    return sorted((row for part in parts for row in part.rows()), key=lambda row: row[0])
