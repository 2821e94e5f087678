"""What limits hold back stands in no record of the log, neither as a measurement nor in the decoded object."""

import json

from lns.config import Measurements as MeasurementsConfig
from tests.decoding.build import one, scene

ONCE = {"on_change": False, "max_per_hour": 1}
REMEMBERS = """
function decodeUplink(i) {
  var before = i.previous ? i.previous.n : 0;
  return {data: {battery_mv: 3600, n: i.bytes[0], before: before, same: 1}};
}
"""


async def test_what_a_limit_holds_back_is_not_in_the_object_and_what_is_unchanged_is(tmp_path):
    async with scene(tmp_path, rules={"battery_mv": ONCE, "n": ONCE, "same": {}}) as s:
        await s.use("good", REMEMBERS)
        await s.put(*(one(n, data=bytes([n])) for n in (1, 2, 3)))
        found = await s.decoded(3)
        assert [[m.field for m in d.measurements] for d in found] == [
            ["battery", "n", "before", "same"],
            ["before"],
            ["before"],
        ]
        assert [json.loads(d.data_json) for d in found] == [
            {"battery_mv": 3600, "n": 1, "before": 0, "same": 1},
            {"before": 1, "same": 1},
            {"before": 2, "same": 1},  # a script sees the whole object of the uplink before
        ]
        assert [d.suppressed for d in found] == [0, 3, 3]


async def test_history_is_left_out_by_its_own_times(tmp_path):
    source = """
    function decodeUplink(i) {
      var log = [0, 1, 2].map(function (n) { return {time: 1699999200 + 1800 * n, t: n}; });
      return {data: {log: log}};
    }
    """
    async with scene(tmp_path, rules={"log.t": ONCE}) as s:
        await s.use("good", source)
        await s.put(one(1))
        (found,) = await s.decoded(1)
        assert [m.value for m in found.measurements] == [0.0, 2.0]
        assert json.loads(found.data_json)["log"] == [{"time": 1699999200, "t": 0}, {"time": 1700002800, "t": 2}]


async def test_an_object_of_which_nothing_is_held_back_is_logged_as_it_came(tmp_path):
    async with scene(tmp_path, rules={"sum": ONCE}) as s:
        await s.use("good", "function decodeUplink(i) { return {data: {sum: 1e21, text: 'x'}}; }")
        await s.put(one(1), one(2))
        found = await s.decoded(2)
        assert [d.data_json for d in found] == [b'{"sum":1e+21,"text":"x"}', b'{"text":"x"}']


async def test_a_flag_that_names_a_value_goes_with_it(tmp_path):
    async with scene(tmp_path, rules={"co2": ONCE}) as s:
        await s.use("good", "function decodeUplink(i) { return {data: {co2: 99999, x: 1}, warnings: ['w']}; }")
        await s.put(one(1), one(2))
        first, second = await s.decoded(2)
        assert first.warnings == ("w", "co2 is 99999 ppm, plausible is 0 to 40000 ppm: kept as flagged.co2")
        assert (second.warnings, second.data_json) == (("w",), b'{"x":1}')


async def test_a_decode_that_fails_has_no_object_whatever_is_held_back_of_the_link(tmp_path):
    async with scene(tmp_path, MeasurementsConfig()) as s:
        s.registry.templates.change("default", {"max_measurements_per_hour": 1})
        s.parts.codecs.take(s.registry.load_network())
        await s.use("good", "function decodeUplink(i) { return {data: {x: 1}, errors: i.bytes[0] ? ['no'] : []}; }")
        await s.put(one(1, data=b"\x00"), one(2))
        first, second = await s.decoded(2)
        assert ([m.field for m in first.measurements], first.data_json) == (["x"], b'{"x":1}')
        assert (second.failure.reason, second.data_json, second.measurements) == ("script_error", b"{}", ())
        assert second.suppressed == 4


async def test_a_correction_tells_outlets_no_more_than_limits_let_through(tmp_path):
    async with scene(tmp_path, rules={"sum": ONCE, "text": {}}) as s:
        await s.put(one(1), one(2))
        await s.decoded(2)
        await s.use("good", "function decodeUplink(i) { return {data: {sum: 7, text: 'x', co2: 99999}}; }")
        job = await s.replay(codec="good", outlets=True)
        assert (job.report.changed, job.report.added) == (1, 2)
        first, second = (await s.decoded(4))[2:]
        assert json.loads(first.data_json) == {"sum": 7, "text": "x", "co2": 99999}
        assert json.loads(second.data_json) == {"text": "x", "co2": 99999}  # the unchanged text as live uplinks have it
        assert [[m.field for m in d.measurements] for d in (first, second)] == [["sum", "flagged.co2"], ["flagged.co2"]]
