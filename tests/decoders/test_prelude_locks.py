"""What a script may do to built-ins and globals, and what it cannot get hold of."""

import json

import pytest

from decoders.contract import Context, Result
from decoders.pool import Pool
from tests.decoders.conftest import Decode, key_of, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Each lays hands on what the prelude may use while it reads the batch, and would then free its memory.
GREEDY = """
var caught = [];
function take(thing) {
  if (thing && thing.buffer && !caught.includes(thing)) { caught.push(thing); }
  return thing;
}
%s
function decodeUplink(input) {
  var name = input.deviceName, n = 0;
  for (var thing of caught) { if (thing.buffer.byteLength > 8000) { n++; thing.buffer.transfer(); } }
  return {data: {n: n, name: name}};
}"""

HANDS = {
    "constructor": "var Real = Uint8Array; Uint8Array = function (n) { return take(new Real(n)); };",
    "species": "Object.defineProperty(Uint8Array, Symbol.species, {get: function () { take(this); return this; }});",
    "subarray": "Uint8Array.prototype.subarray = function () { take(this); return []; };",
    "DataView": "var Real = DataView; DataView = function (b, o, n) { take({buffer: b}); return new Real(b, o, n); };",
    "length": "Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), 'length', "
    "{get: function () { take(this); return 1e9; }});",
    "Number": "Number = function () { return 1; };",
}


@pytest.mark.parametrize("hands", HANDS.values(), ids=HANDS)
async def test_the_memory_of_the_batch_stays_out_of_reach(pool: Pool, hands: str) -> None:
    source = GREEDY % hands
    requests = [
        request(bytes([n]) * 200, dev_eui=f"{n:016x}", context=Context(name="é" * 40, freq_hz=868_100_000))
        for n in range(1, 99)
    ]
    results = await pool.decode(key_of(source), source, requests)
    assert {result.data_json for result in results} == {
        json.dumps({"n": 0, "name": "é" * 40}, ensure_ascii=False, separators=(",", ":")).encode()
    }
    assert pool.status().deaths == {}


def data_of(result: Result) -> object:
    assert result.error is None, result.error
    return json.loads(result.data_json)


async def test_undeclared_variables_work_within_an_uplink_and_end_with_it(pool: Pool) -> None:
    source = """function helper() { total += 1; return total; }
    function Decoder(b) {
      var before = typeof total;
      for (total = 0; total < b[0];) helper();
      return {before, total};
    }"""
    results = await pool.decode(key_of(source), source, [request(b"\x03"), request(b"\x02")])
    assert [data_of(result) for result in results] == [
        {"before": "undefined", "total": 3},
        {"before": "undefined", "total": 2},
    ]


async def test_globals_of_the_load_stay(pool: Pool) -> None:
    source = (
        "table = {1: 'on'}; this.names = ['a', 'b']; function Decoder(b) { return {t: table[b[0]], n: names[b[0]]}; }"
    )
    results = await pool.decode(key_of(source), source, [request(b"\x01")] * 2)
    assert [data_of(result) for result in results] == [{"t": "on", "n": "b"}] * 2


@pytest.mark.parametrize(
    "leave",
    [
        "Object.defineProperty(globalThis, 'left', {value: 1, configurable: true})",
        "eval('left = 1')",
        "(0, eval)('var left = 1')",
        "new Function('left = 1')()",
        "Object.setPrototypeOf(globalThis, {left: 1})",
        "Object.getPrototypeOf(globalThis).left = 1",
        "Object.assign(this, {left: 1})",
    ],
)
async def test_globals_that_are_made_otherwise_end_too(pool: Pool, leave: str) -> None:
    source = (
        "function Decoder(b) { var before = typeof left; try { " + leave + "; } catch (e) {} return {before: before}; }"
    )
    results = await pool.decode(key_of(source), source, [request(), request()])
    assert [data_of(result) for result in results] == [{"before": "undefined"}] * 2


async def test_a_declared_variable_begins_anew(pool: Pool) -> None:
    source = """var last; let other;
    function Decoder(b) { var seen = [last, other]; last = other = b[0]; return {seen: seen}; }"""
    assert (await pool.check(source)).fresh
    results = await pool.decode(key_of(source), source, [request(b"\x01"), request(b"\x02")])
    assert [data_of(result) for result in results] == [{"seen": [None, None]}] * 2


async def test_objects_of_a_script_may_have_names_of_built_ins(decode: Decode) -> None:
    source = """function Reading() {} Reading.prototype.toString = function () { return 'reading'; };
    function Decoder(b) {
      var o = {}; o.toString = 1; o.constructor = 2; o.valueOf = 3; o.hasOwnProperty = 4;
      var e = new Error('x'); e.name = 'Mine'; e.message = 'y';
      function f() {} f.call = 5;
      return {o: o, e: String(e), f: f.call, r: String(new Reading())};
    }"""
    assert data_of(await decode(source)) == {
        "o": {"toString": 1, "constructor": 2, "valueOf": 3, "hasOwnProperty": 4},
        "e": "Mine: y",
        "f": 5,
        "r": "reading",
    }


async def test_polyfills_within_the_decoder_work_for_each_uplink(pool: Pool) -> None:
    source = """function Decoder(b) {
      var before = typeof Array.prototype.last;
      Array.prototype.last = function () { return this[this.length - 1]; };
      return {before: before, last: b.last()};
    }"""
    results = await pool.decode(key_of(source), source, [request(b"\x01\x02"), request(b"\x03")])
    assert [data_of(result) for result in results] == [
        {"before": "undefined", "last": 2},
        {"before": "undefined", "last": 3},
    ]


async def test_polyfills_of_a_script_that_is_evaluated_anew_work(pool: Pool) -> None:
    source = """var n = 0; Object.defineProperty(Object, 'assign', {value: function (a) { a.own = true; return a; }});
    String.prototype.twice = function () { return this + this; };
    function Decoder(b) { n += b[0]; return Object.assign({n: n, t: 'a'.twice()}); }"""
    assert (await pool.check(source)).fresh
    results = await pool.decode(key_of(source), source, [request(b"\x01"), request(b"\x02")])
    assert [data_of(result) for result in results] == [{"n": n, "t": "aa", "own": True} for n in (1, 2)]
