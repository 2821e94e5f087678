"""Uplinks that build on each other, through a real worker process and a real log."""

import msgspec

from lns.decoding.memory import MemoryTable
from lns.decoding.trial import TrialSpec, trial
from tests.decoding.build import MINUTE_US, T0, one, scene

COUNTING = """
var stateVersion = 1;
function decodeUplink(input) {
  input.state.sum = (input.state.sum || 0) + input.bytes[0];
  return {data: {total: input.state.sum, before: input.previous ? input.previous.total : -1}};
}
"""
HEARD = "function decodeUplink(input) { return {data: {rssi: input.gateways[0].rssi, rate: input.dataRate}}; }"


def rejoined(n: int) -> object:
    return msgspec.structs.replace(one(n), id=(1).to_bytes(8) + n.to_bytes(8))


def values(rows: dict, field: str) -> list[object]:
    return [value for (_, name, _), value in sorted(rows.items(), key=lambda row: row[0][2]) if name == field]


async def test_uplinks_of_a_device_see_what_the_one_before_left(tmp_path):
    async with scene(tmp_path) as s:
        await s.use("good", COUNTING)
        await s.put(one(1), one(2), rejoined(3), rejoined(4))
        decoded = await s.decoded(4)
        assert [d.failure for d in decoded] == [None] * 4
        assert values(await s.rows(), "total") == [5.0, 10.0, 5.0, 10.0]  # a join begins a new state
        assert values(await s.rows(), "before") == [-1.0, 5.0, 10.0, 5.0]
    async with scene(tmp_path) as s:  # another run of the server
        await s.put(rejoined(5))
        await s.decoded(5)
        assert values(await s.rows(), "total")[-1:] == [15.0]


async def test_a_script_is_told_how_it_was_heard(tmp_path):
    async with scene(tmp_path) as s:
        await s.use("good", HEARD)
        await s.put(one(1))
        (decoded,) = await s.decoded(1)
        assert {m.field: m.value for m in decoded.measurements} == {"rssi": -80.0, "rate": "SF7BW125"}


async def test_a_replay_and_a_trial_have_memories_of_their_own(tmp_path):
    async with scene(tmp_path) as s:
        await s.use("good", COUNTING)
        await s.put(*(one(n) for n in range(1, 5)))
        await s.decoded(4)
        rows = await s.rows()
        assert (await s.replay(codec="good")).report.unchanged == 4
        # begun later it looks back for what it needs, and corrects only what was asked for
        job = await s.replay(codec="good", since_us=T0 + 3 * MINUTE_US)
        assert (job.report.uplinks, job.report.unchanged) == (2, 2)
        draft = s.registry.codecs.add_version("good", COUNTING + "//", "ts013", activate=False).number
        assert (await trial(s.parts, TrialSpec("good", draft, last=2))).same == 2
        await s.put(one(5))
        await s.decoded(5)
        assert values(await s.rows(), "total") == [5.0, 10.0, 15.0, 20.0, 25.0]
        assert {key: value for key, value in (await s.rows()).items() if key[2] < 5} == rows


async def test_what_is_remembered_of_a_device_goes_with_it(tmp_path):
    async with scene(tmp_path) as s:
        await s.use("good", COUNTING)
        await s.put(one(1))
        await s.decoded(1)
        await s.exchange.committed()
        assert list(MemoryTable().load(s.registry.path, "")) == [1]
        s.registry.devices.delete(f"{1:016x}")
        assert MemoryTable().load(s.registry.path, "") == {}
