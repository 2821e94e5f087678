"""The decoder consumer: uplinks in, `decoded` records out, with its position moved in the same commit.

A failed decode is a record with its reason; link metadata is recorded whatever the decoder does. Names, units, store on
change and limits are decided here, once, so that every store and outlet gets the same rows.
"""

import asyncio
import time
from collections.abc import Sequence

from decoders.contract import Sample
from decoders.pool import Pool
from decoders.prune import without
from decoders.sieve import Sieve
from lns import metrics
from lns.config import Measurements as MeasurementsConfig
from lns.decoding import link
from lns.decoding.batch import Done, decode
from lns.decoding.codecs import Codecs
from lns.decoding.failures import Failures
from lns.decoding.held_back import HeldBack
from lns.decoding.late import Late, Row
from lns.decoding.limit_table import LimitTable
from lns.decoding.memory import Memories, MemoryTable
from lns.exchange.records import Decoded, Measurement, Stored, Uplink
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live, time_text

_NO_DATA = b"{}"
_NO_WARNINGS: tuple[str, ...] = ()
_NO_FLAGS: list[str] = []


class Decoding:
    """Consumer of `uplink`; the exchange keeps its position."""

    name = "decoder"
    topics = frozenset({"uplink"})
    max_batch = 1000

    def __init__(
        self,
        exchange: SqliteExchange,
        pool: Pool,
        codecs: Codecs,
        failures: Failures,
        config: MeasurementsConfig,
        live: Live,
    ) -> None:
        self._exchange, self._pool, self._codecs, self._failures, self._live = exchange, pool, codecs, failures, live
        self._link = config.link
        self._reloading = asyncio.Lock()
        self._limits = LimitTable()
        self._sieve = Sieve(self._limits.limits)
        self.held_back = HeldBack()
        codecs.on_forgotten.append(self._forget)
        self._table = MemoryTable()
        self._memories = Memories(None, self._table)
        exchange.enlist(self._table)
        exchange.enlist(self._limits)
        self.late = Late(pool, codecs, failures, self._run, self._settle)

    async def position(self) -> int | None:
        """Kept by the exchange, as are memories and limits of devices and what waits, which are read here.

        sqlite3.Error.
        """
        known = await asyncio.to_thread(self._table.load, self._exchange.path, "")
        self._memories = Memories(known, self._table)
        self._sieve = Sieve(await asyncio.to_thread(self._limits.load, self._exchange.path))
        seqs = await asyncio.to_thread(self._failures.still_waiting, self._exchange.path)
        self.late.resume([stored for seq in seqs if (stored := await self._exchange.pick(seq)) is not None])
        return None

    async def handle(self, batch: Sequence[Stored]) -> None:
        """Decode a batch and put its results, in log order; what a script does not answer comes after."""
        async for rows in self.late.decoded(batch):
            self._settle(rows)

    def _settle(self, rows: list[Row]) -> None:
        for decoded in [self._decoded(*row, self._sieve) for row in rows]:
            self._put(decoded)
        self.held_back.tell()
        for _, uplink, done in rows:
            if done is not None and done[0].needs.memory:
                self._memories.note(done[0], uplink, done[1])

    async def retry(self, uplink_seqs: Sequence[int]) -> dict[str, int]:
        """Decode stored uplinks again with the codecs of today; returns how many went through and how many failed."""
        found = [stored for seq in uplink_seqs if (stored := await self._exchange.pick(seq)) is not None]
        uplinks = [stored for stored in found if isinstance(stored.record, Uplink)]
        for stored in uplinks:
            codec = self._codecs.of(stored.record.device_id) if isinstance(stored.record, Uplink) else None
            if codec is not None:
                self._pool.forgive(codec.key)  # a person asks: a parked version gets another chance
        failed = len(uplink_seqs) - len(uplinks)
        # compared among themselves: what is stored now says nothing about what was worth storing then
        sieve = Sieve()
        for row in await self._run(uplinks):  # what devices remember is of now as well, and stays
            decoded = self._decoded(*row, sieve)
            if decoded.failure is None:
                self._failures.retried(decoded.uplink_seq)
            else:
                failed += 1
            self._put(decoded)
        self.held_back.tell()
        await self._exchange.committed()
        return {"retried": len(uplink_seqs) - failed, "failed": failed}

    async def reload_codecs(self) -> None:
        """Codecs, templates or assignments have changed in the registry."""
        async with self._reloading:  # of two changes at once the later one is read last
            await self._codecs.load()

    async def _run(self, batch: Sequence[Stored]) -> list[Row]:
        uplinks = [stored.record for stored in batch if isinstance(stored.record, Uplink)]
        results = await decode(self._pool, self._codecs, uplinks, self._codecs.of, self._memories)
        return list(zip([stored.seq for stored in batch], uplinks, results, strict=True))

    def _forget(self, device_id: int) -> None:
        self._sieve.forget(device_id)
        self.held_back.forget(device_id)

    def _decoded(self, seq: int, uplink: Uplink, done: Done | None, sieve: Sieve) -> Decoded:
        samples: list[Sample] = []
        data, warnings, flags, failure, codec_version_id = _NO_DATA, _NO_WARNINGS, _NO_FLAGS, None, None
        codec = None
        if done is not None:
            codec, result = done
            codec_version_id = codec.version_id
            if result.error is None:
                data, warnings = result.data_json, tuple(result.warnings)
                samples = result.samples
            else:
                failure = result.error
        naming = self._codecs.naming(uplink.device_id, codec)
        if samples:
            samples, flags = naming.apply(samples)
        if self._link:
            samples = samples + link.samples(uplink)
        at_us = uplink.received_at_us
        if naming.policy.limited:
            samples, held, limited = sieve.filter(uplink.device_id, naming.policy, samples, at_us)
            if limited and done is not None and failure is None:  # outlets send the object: it must not tell more
                data, flags = without(done[1], naming, flags, limited)
        else:
            samples, held = sieve.on_change.filter(uplink.device_id, naming.rules, samples, at_us)
        if flags:
            warnings = (*warnings, *flags)
        suppressed = self.held_back.add(uplink.device_id, held) if held else 0
        return Decoded(  # by position: building a struct by keyword takes six times as long
            uplink.id,
            seq,
            uplink.device_id,
            uplink.application_id,
            uplink.dev_eui,
            uplink.fcnt_up,
            uplink.fport,
            at_us,
            codec_version_id,
            data,
            tuple([Measurement(f, at_us if t is None else t, v, u) for f, v, u, t in samples]),
            warnings,
            suppressed,
            failure,
        )

    def _put(self, decoded: Decoded) -> None:
        self._exchange.put("decoded", decoded)
        if decoded.failure is not None:
            self._failures.opened(decoded, time.time_ns() // 1000)
            metrics.decodes.inc(decoded.failure.reason)
        else:
            metrics.decodes.inc("decoded" if decoded.codec_version_id is not None else "no_codec")
        if self._live.watched:
            self._live.publish(_show(decoded))


def _show(decoded: Decoded) -> dict[str, object]:
    shown: dict[str, object] = {
        "kind": "decoded",
        "at": time_text(decoded.received_at_us),
        "dev_eui": decoded.dev_eui,
        "fcnt": decoded.fcnt_up,
    }
    if decoded.failure is not None:
        return {**shown, "error": decoded.failure.text()}
    fields = {m.field: m.value for m in decoded.measurements if not m.field.startswith("link.")}
    return {**shown, "fields": fields}
