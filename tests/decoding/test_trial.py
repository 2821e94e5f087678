"""A draft beside the version in use, over stored uplinks: with a real log and worker process."""

import pytest

from decoders.contract import Error
from lns.decoding.compare import Difference, Failed
from lns.decoding.parts import Refused
from lns.decoding.trial import TrialSpec, trial
from tests.decoding.build import MINUTE_US, T0, one, scene

DRAFT = """
function decodeUplink(i) {
  if (i.bytes[0] === 3) throw new Error('three');
  return {data: {sum: i.bytes[0] + i.fPort + (i.bytes[0] === 2 ? 1 : 0), extra: true}};
}
"""


async def test_fields_and_failures_that_differ_are_counted_with_samples(tmp_path):
    async with scene(tmp_path) as s:
        draft = s.registry.codecs.add_version("good", DRAFT, "ts013", activate=False).number
        await s.put(*(one(n, data=bytes([n])) for n in (1, 2, 3)), one(4, 2), one(5, data=b""))
        await s.decoded(5)
        rows, head, seen = await s.rows(), s.exchange.head_seq, []
        found = await trial(s.parts, TrialSpec("good", draft), lambda done, of: seen.append((done, of)))
        assert (found.uplinks, found.same, found.different, found.new_failures.count) == (3, 0, 2, 1)
        assert seen == [(0, 3), (3, 3)]
        total = found.fields["sum"]
        assert (total.same, total.added, total.lost, total.changed) == (1, 0, 0, 1)
        who = (2, f"{1:016x}", 2, 10, "02", T0 + 2 * MINUTE_US)
        assert total.samples == [Difference("changed", *who, 12.0, 13.0)]
        assert [(n, f.same, f.added, f.lost) for n, f in found.fields.items() if n != "sum"] == [
            ("text", 0, 0, 2),
            ("extra", 0, 2, 0),
        ]
        (failed,) = found.new_failures.samples
        assert failed == Failed(3, f"{1:016x}", 3, 10, "03", None, Error("exception", "three", 3, 31))
        assert found.after_us > 0
        assert (await s.rows(), s.exchange.head_seq) == (rows, head)


async def test_only_the_newest_uplinks_of_the_codecs_devices_count(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(*(one(n, 1 + n % 2, bytes([n % 250])) for n in range(1, 601)))
        await s.decoded(600)
        found = await trial(s.parts, TrialSpec("good", 1, last=250))
        assert (found.uplinks, found.same, found.fields["sum"].same) == (250, 250, 250)
        assert (await trial(s.parts, TrialSpec("good", 1, last=1000))).uplinks == 300


async def test_named_devices_may_have_another_codec(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1, 2, b"\xff"), one(2))
        await s.decoded(2)
        found = await trial(s.parts, TrialSpec("good", 1, devices=(f"{2:016x}",)))
        assert (found.uplinks, found.fixed_failures.count) == (1, 1)


async def test_a_version_that_is_not_there_is_refused(tmp_path):
    async with scene(tmp_path) as s:
        with pytest.raises(Refused, match="codec 'good' has no version 9, it has 1 to 1"):
            await trial(s.parts, TrialSpec("good", 9))
