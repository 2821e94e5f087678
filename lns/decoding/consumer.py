"""The decoder consumer: uplinks in, `decoded` records out, with its position moved in the same commit.

Uplinks of one batch are grouped by codec version, because V8 is only fast in batches. A failed decode is a record
with its reason; link metadata is recorded whatever the decoder does. Store-on-change is decided here, once, so that
every store gets the same rows.
"""

import asyncio
import time
from collections.abc import Sequence

from decoders.change import OnChange
from decoders.contract import Request, Result
from decoders.pool import Pool
from lns import metrics
from lns.config import Measurements as MeasurementsConfig
from lns.decoding import link
from lns.decoding.codecs import Codec, Codecs
from lns.decoding.failures import Failures
from lns.exchange.records import Decoded, Measurement, Stored, Uplink
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live, time_text

_NO_DATA = b"{}"
_NO_WARNINGS: tuple[str, ...] = ()


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
        self._on_change = OnChange()

    async def position(self) -> int | None:
        return None

    async def handle(self, batch: Sequence[Stored]) -> None:
        """Decode a batch and put its results, in log order, in one go."""
        for decoded in await self._decode(batch):
            self._put(decoded)

    async def retry(self, uplink_seqs: Sequence[int]) -> dict[str, int]:
        """Decode stored uplinks again with the codecs of today; returns how many went through and how many failed."""
        found = [stored for seq in uplink_seqs if (stored := await self._exchange.pick(seq)) is not None]
        uplinks = [stored for stored in found if isinstance(stored.record, Uplink)]
        for stored in uplinks:
            codec = self._codecs.of(stored.record.device_id) if isinstance(stored.record, Uplink) else None
            if codec is not None:
                self._pool.forgive(codec.key)  # a person asks: a parked version gets another chance
        failed = len(uplink_seqs) - len(uplinks)
        for decoded in await self._decode(uplinks):
            if decoded.failure is None:
                self._failures.retried(decoded.uplink_seq)
            else:
                failed += 1
            self._put(decoded)
        await self._exchange.committed()
        return {"retried": len(uplink_seqs) - failed, "failed": failed}

    async def reload_codecs(self) -> None:
        """Codecs, templates or assignments have changed in the registry."""
        await self._codecs.load()

    async def _decode(self, batch: Sequence[Stored]) -> list[Decoded]:
        groups: dict[Codec, list[int]] = {}
        for index, stored in enumerate(batch):
            uplink = stored.record
            assert isinstance(uplink, Uplink)
            codec = self._codecs.of(uplink.device_id) if uplink.data and uplink.fport != 0 else None
            if codec is not None:
                groups.setdefault(codec, []).append(index)
        results: list[Result | None] = [None] * len(batch)
        if len(groups) == 1:
            ((codec, indexes),) = groups.items()
            await self._run(codec, indexes, batch, results)
        elif groups:
            async with asyncio.TaskGroup() as tasks:
                for codec, indexes in groups.items():
                    tasks.create_task(self._run(codec, indexes, batch, results), name=f"decode {codec.name}")
        return [self._decoded(stored, result) for stored, result in zip(batch, results, strict=True)]

    async def _run(
        self, codec: Codec, indexes: list[int], batch: Sequence[Stored], results: list[Result | None]
    ) -> None:
        requests = [self._request(batch[index].record) for index in indexes]
        for index, result in zip(indexes, await self._pool.decode(codec.key, codec.source, requests), strict=True):
            results[index] = result
            metrics.decode_time.observe(result.duration_us, codec.name)

    def _request(self, uplink: object) -> Request:
        assert isinstance(uplink, Uplink)
        variables = self._codecs.variables(uplink.device_id)
        return Request(uplink.data, uplink.fport or 0, uplink.received_at_us, uplink.dev_eui, uplink.fcnt_up, variables)

    def _decoded(self, stored: Stored, result: Result | None) -> Decoded:
        uplink = stored.record
        assert isinstance(uplink, Uplink)
        samples: list[link.Sample] = []
        data, warnings, failure, codec_version_id = _NO_DATA, _NO_WARNINGS, None, None
        if result is not None:
            codec = self._codecs.of(uplink.device_id)
            codec_version_id = codec.version_id if codec else None
            if result.error is None:
                samples, data, warnings = result.samples, result.data_json, tuple(result.warnings)
            else:
                failure = result.error
        if self._link:
            samples = samples + link.samples(uplink)
        at_us = uplink.received_at_us
        rules = self._codecs.rules(uplink.device_id)
        samples, suppressed = self._on_change.filter(uplink.device_id, rules, samples, at_us)
        return Decoded(  # by position: building a struct by keyword takes six times as long
            uplink.id,
            stored.seq,
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
        if decoded.suppressed:
            metrics.measurements_suppressed.inc(n=decoded.suppressed)
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
