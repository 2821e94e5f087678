"""Records of the past as outlets read them: each uplink, and after it what it was decoded to."""

from collections.abc import Sequence

from decoders.prune import without
from decoders.sieve import Sieve
from lns.decoding import link
from lns.decoding.batch import Choose, Done, decode
from lns.decoding.memory import Memories
from lns.decoding.parts import CHUNK, Parts, named
from lns.decoding.sources import Decodes
from lns.exchange.records import Decoded, Measurement, Stored, Uplink


class Records:
    """Decodes again where nothing tells any more what became of an uplink.

    Then its measurements are all that the codec gives, also those that store-on-change has held back, but for what
    limits hold back: those uplinks are limited among themselves. The record has the seq of the uplink; `id` is the same
    as then. `link`: with link measurements.
    """

    def __init__(self, parts: Parts, choose: Choose, link: bool) -> None:
        self._parts, self._choose, self._link = parts, choose, link
        self._memories, self._sieve = Memories(), Sieve()
        self._page: dict[int, Decoded] = {}

    async def of(self, uplinks: Sequence[Stored], known: Decodes) -> list[Stored]:
        """The records of a page of uplinks, of some of which it is known what became of them.

        A page that is asked for once more is not decoded again: scripts and limits would remember it twice.
        """
        forgotten = [one for one in uplinks if one.seq not in known]
        again = {one.seq: self._page[one.seq] for one in forgotten if one.seq in self._page}
        new = [one for one in forgotten if one.seq not in again]
        for start in range(0, len(new), CHUNK):
            again |= await self._decoded(new[start : start + CHUNK])
        self._page = again
        found: list[Stored] = []
        for one in uplinks:
            seq, decoded = known.get(one.seq) or (one.seq, again[one.seq])
            found += [one, Stored(seq, "decoded", decoded)]
        return found

    async def _decoded(self, stored: Sequence[Stored]) -> dict[int, Decoded]:
        parts = self._parts
        uplinks = [one.record for one in stored if isinstance(one.record, Uplink)]
        results = await decode(parts.pool, parts.codecs, uplinks, self._choose, self._memories)
        found = {}
        for one, uplink, done in zip(stored, uplinks, results, strict=True):
            if done is not None:
                self._memories.note(done[0], uplink, done[1])
            found[one.seq] = self._record(one.seq, uplink, done)
        return found

    def _record(self, seq: int, uplink: Uplink, done: Done | None) -> Decoded:
        at_us, good = uplink.received_at_us, done is not None and done[1].error is None
        samples, flags = named(self._parts.codecs, uplink, done) if done and good else ([], [])
        data, warnings = (done[1].data_json, done[1].warnings) if done and good else (b"{}", [])
        if self._link:
            samples = samples + link.samples(uplink)
        naming = self._parts.codecs.naming(uplink.device_id, done[0] if done else None)
        limited: Sequence[int] = ()
        if naming.policy.limited:
            limited = self._sieve.filter(uplink.device_id, naming.policy, samples, at_us)[2]
            samples = [sample for place, sample in enumerate(samples) if place not in limited]
        if limited and done and good:
            data, flags = without(done[1], naming, flags, limited)
        return Decoded(
            id=uplink.id,
            uplink_seq=seq,
            device_id=uplink.device_id,
            application_id=uplink.application_id,
            dev_eui=uplink.dev_eui,
            fcnt_up=uplink.fcnt_up,
            fport=uplink.fport,
            received_at_us=at_us,
            codec_version_id=None if done is None else done[0].version_id,
            data_json=data,
            measurements=tuple([Measurement(f, at_us if t is None else t, v, u) for f, v, u, t in samples]),
            warnings=(*warnings, *flags),
            suppressed=len(limited),
            failure=done[1].error if done else None,
        )
