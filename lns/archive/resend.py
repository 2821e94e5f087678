"""A backfill into an outlet: messages of stored uplinks are sent again, under the ids that they had."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from lns import metrics
from lns.archive.backfill_jobs import BackfillJob
from lns.archive.chosen import Chosen, together
from lns.archive.found import Found
from lns.archive.priority import LiveFirst
from lns.archive.records import Records
from lns.decoding.parts import Parts, Refused
from lns.decoding.sources import VersionedSource
from lns.decoding.worklist import WAIT_S
from lns.delivery.replays import OPEN_MOST, Running
from lns.exchange.records import Uplink

PAGE = 100  # uplinks read at once: their messages are kept in memory until they are noted

Outlet = Callable[[str], Awaitable[Running]]
"""The outlet called APPLICATION/NAME. Refused: there is none; StoreError: it is being changed."""


async def no_outlet(name: str) -> Running:
    """`Outlet` where there are none."""
    raise Refused(f"there is no outlet {name!r}")


class Resending:
    """One job. What a kill cuts off is sent a second time: receivers know it by its ids."""

    def __init__(self, job: BackfillJob, outlet: Outlet, parts: Parts, source: VersionedSource, link: bool) -> None:
        self._job, self._outlet, self._source = job, outlet, source
        self._chosen = Chosen(parts)
        choose = self._chosen.of if job.spec.codec_version == "then" else parts.codecs.of
        self._records = Records(parts, choose, link)

    async def page(self, live: LiveFirst) -> float:
        """Send a page, move on; returns the seconds that it is worth at the job's rate. StoreError, Refused."""
        job = self._job
        await live.make_way(job)
        began_s = time.monotonic()
        stored, upto = await self._source.read(job.position, job.last, PAGE)
        unknown: list[int] = []
        if job.spec.codec_version == "then":
            versions = await self._source.versions(job.position, upto)
            stored, upto, unknown = await together(self._chosen, stored, upto, versions)
        meant = [one for one in stored if isinstance(one.record, Uplink) and job.spec.means(one.record)]
        records = await self._records.of(meant, await self._source.decodes(job.position, upto))
        running = await self._outlet(job.spec.into)
        while job.state == "running" and not job.spec.dry_run and running.worker.open >= OPEN_MOST:
            await asyncio.sleep(WAIT_S)
            running = await self._outlet(job.spec.into)
        if job.state != "running":
            return 0.0
        if job.spec.dry_run:
            messages = len(await running.intake.rendered(records))
        else:
            messages = await running.intake.again(records)
            metrics.backfill_messages.inc(job.spec.into, n=messages)
        meant_seqs = {one.seq for one in meant}
        job.found.add(Found(uplinks=len(meant), otherwise=len(meant_seqs & set(unknown)), messages=messages))
        job.position = upto
        return messages / job.rate - (time.monotonic() - began_s)
