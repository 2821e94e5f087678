"""Scripts of every convention, run unchanged by a real worker, and what their authors are told when they fail."""

import json

import msgspec
import pytest

from decoders.contract import CheckReport, Error, Result
from decoders.pool import Pool
from tests.decoders.conftest import RECEIVED_US, Decode, key_of, request

REQUIRE = "is not available: a decoder is one file, so paste the code in or upload the bundle"
ASYNC = "async code is not available: a decoder answers at once, so remove async and await"
PROMISE = "the decoder returned a promise: it has to answer at once, without async or await"
TOO_LARGE = "the decoded data is 70008 characters of JSON, at most 65536 are kept"
RETURN = "return outside a function: put the code into function decodeUplink(input) { ... }"
UNPRINTABLE = "the script threw a value that cannot be printed"
NO_FUNCTION = (
    "the script has no decoder function: decodeUplink(input), Decode(fPort, bytes, variables) or Decoder(bytes, port)"
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def data_of(result: Result) -> object:
    assert result.error is None, result.error
    return json.loads(result.data_json)


TEMPERATURE = "(bytes[0] << 8 | bytes[1]) / 10"


@pytest.mark.parametrize(
    ("source", "convention"),
    [
        (
            "function decodeUplink(input) { var bytes = input.bytes; return {data: {t: %s, port: input.fPort}}; }",
            "ts013",
        ),
        (
            "function decodeUplink(input) { var bytes = input.bytes; return {t: %s, port: input.fPort}; }",
            "ts013",
        ),  # bare
        ("const decodeUplink = ({bytes, fPort}) => ({data: {t: %s, port: fPort}});", "ts013"),
        ("function Decoder(bytes, port) { return {t: %s, port: port}; }", "ttn2"),
        ("function Decode(fPort, bytes, variables) { return {t: %s, port: fPort}; }", "chirpstack3"),
        ("let Decode = function (fPort, bytes) { return {t: %s, port: fPort}; }", "chirpstack3"),
        (
            "module.exports = {decodeUplink: function ({bytes, fPort}) { return {data: {t: %s, port: fPort}}; }};",
            "ts013",
        ),
        (
            "exports.decodeUplink = function (i) { var bytes = i.bytes; return {data: {t: %s, port: i.fPort}}; };",
            "ts013",
        ),
        ("module.exports.Decoder = function (bytes, port) { return {t: %s, port: port}; };", "ttn2"),
        ("module.exports = {default: {Decoder: function (bytes, port) { return {t: %s, port: port}; }}};", "ttn2"),
        (
            "var driver = {decodeUplink: function ({bytes, fPort}) { return {data: {t: %s, port: fPort}}; }};",
            "ts013",
        ),
        (
            "function Decode() {} function decodeUplink({bytes, fPort}) { return {data: {t: %s, port: fPort}}; }",
            "ts013",
        ),
        (
            "function Decode(p, bytes) { return {t: %s, port: p}; } function Decoder(bytes, p) { return 1; }",
            "chirpstack3",
        ),
    ],
)
async def test_every_convention_decodes(pool: Pool, decode: Decode, source: str, convention: str) -> None:
    source = source.replace("%s", TEMPERATURE)
    assert (await pool.check(source)).convention == convention
    result = await decode(source, bytes([0, 215]), 9)
    assert data_of(result) == {"t": 21.5, "port": 9}
    assert result.samples == [("t", 21.5, None, None), ("port", 9.0, None, None)]


async def test_input_has_bytes_port_time_and_variables(decode: Decode) -> None:
    source = """function decodeUplink(input) {
      return {data: {bytes: Array.isArray(input.bytes) && input.bytes.slice().reverse(), port: input.fPort,
        time: input.recvTime instanceof Date && input.recvTime.toISOString(), v: input.variables.k,
        keys: Object.keys(input).join()}};
    }"""
    result = await decode(source, b"\x01\xff", 200, variables={"k": "v"})
    assert data_of(result) == {
        "bytes": [255, 1],
        "port": 200,
        "time": "2026-01-15T10:00:00.000Z",
        "v": "v",
        "keys": "bytes,fPort,recvTime,variables",
    }


async def test_older_conventions_get_variables(decode: Decode) -> None:
    source = "function Decode(port, bytes, variables) { return {v: variables.k}; }"
    assert data_of(await decode(source, variables={"k": "v"})) == {"v": "v"}


async def test_scripts_run_in_sloppy_mode(decode: Decode) -> None:
    source = """
      this.helper = function () { return 1; };
      function Decoder(bytes, port) {
        for (i = 0; i < 3; i++) {}
        with ({w: 010}) { var w2 = w; }
        return {i: i, octal: w2, helper: this.helper(), callee: typeof arguments.callee};
      }"""
    assert data_of(await decode(source)) == {"i": 3, "octal": 8, "helper": 1, "callee": "function"}


async def test_polyfills_of_built_ins_work(decode: Decode) -> None:
    source = """
      Object.defineProperty(Object, 'assign', {value: function (a) { a.mine = true; return a; }, writable: true});
      Object.prototype.readInt8 = function (at) { return this[at]; };
      Array.prototype.last = function () { return this[this.length - 1]; };
      JSON.stringify = null; Array.isArray = null; String = null;
      function decodeUplink(input) {
        return {data: Object.assign({first: input.bytes.readInt8(0), last: input.bytes.last()})};
      }"""
    assert data_of(await decode(source, b"\x05\x06")) == {"first": 5, "last": 6, "mine": True}


async def test_a_script_may_change_its_bytes(pool: Pool) -> None:
    source = "function Decoder(bytes) { bytes.reverse(); bytes.push(9); return {n: bytes}; }"
    results = await pool.decode(key_of(source), source, [request(b"\x01\x02"), request(b"\x03")])
    assert [data_of(result) for result in results] == [{"n": [2, 1, 9]}, {"n": [3, 9]}]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (
            "{data: {a: 1}, warnings: ['low', {code: 3}]}",
            Result(b'{"a":1}', [("a", 1.0, None, None)], ["low", '{"code":3}']),
        ),
        ("{warnings: ['nothing new']}", Result(b"", [], ["nothing new"])),
        ("{data: {}, errors: []}", Result(b"{}")),
        (
            "{data: {a: NaN, b: undefined, c: 1}}",
            Result(b'{"a":null,"c":1}', [("c", 1.0, None, None)], ["a has no value: null, NaN or Infinity"]),
        ),
        (
            "{data: {n: 5n, m: 2n ** 70n}}",
            Result(
                b'{"n":5,"m":"1180591620717411303424"}',
                [("n", 5.0, None, None), ("m", "1180591620717411303424", None, None)],
                ["an integer above 2^53 was kept as text"],
            ),
        ),
        (
            "{data: {t: new Date(0)}}",
            Result(b'{"t":"1970-01-01T00:00:00.000Z"}', [("t", "1970-01-01T00:00:00.000Z", None, None)]),
        ),
        ("{data: {s: '\\ud800x\\\\ud800'}}", Result('{"s":"�x\\\\ud800"}'.encode(), [("s", "�x\\ud800", None, None)])),
        ("{data: [{time: 1768471200, t: 1}]}", Result(b'[{"time":1768471200,"t":1}]', [("t", 1.0, None, RECEIVED_US)])),
        (
            "{data: 5, mode: 'x'}",
            Result(b'{"data":5,"mode":"x"}', [("data", 5.0, None, None), ("mode", "x", None, None)]),
        ),
        (
            "{temperature: 1, errors: 0}",
            Result(b'{"temperature":1,"errors":0}', [("temperature", 1.0, None, None), ("errors", 0.0, None, None)]),
        ),
    ],
)
async def test_what_may_be_returned(decode: Decode, returned: str, expected: Result) -> None:
    result = await decode("function decodeUplink(input) { return " + returned + "; }")
    assert result == msgspec.structs.replace(expected, duration_us=result.duration_us)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("throw new Error('too short');", Error("exception", "too short", 2, 7)),
        ("var a;\n a.b.c = 1;", Error("exception", "Cannot read properties of undefined (reading 'b')", 3, 4)),
        ("throw 'text';", Error("exception", "text")),
        ("throw null;", Error("exception", "null")),
        ("throw {toString: function () { throw 1; }};", Error("exception", UNPRINTABLE)),
        ("throw {get message() { throw 1; }};", Error("exception", UNPRINTABLE)),
        ("(function f() { f(); })();", Error("exception", "Maximum call stack size exceeded", 2, 12)),
        ("require('fs');", Error("exception", "require('fs') " + REQUIRE, 2, 1)),
        ("setTimeout(function () {}, 1);", Error("exception", "setTimeout is not defined", 2, 1)),
        ("return {errors: ['bad crc', 'bad length']};", Error("script_error", "bad crc; bad length")),
        ("return {data: {a: 1}, errors: ['old']};", Error("script_error", "old")),
        ("return undefined;", Error("bad_result", "the decoder returned nothing, not an object")),
        ("return null;", Error("bad_result", "the decoder returned nothing, not an object")),
        ("return 21.5;", Error("bad_result", "the decoder returned 21.5, not an object")),
        ("return {data: 'text'};", Error("bad_result", 'the decoder returned "text", not an object')),
        ("return function () {};", Error("bad_result", "the decoder returned a function")),
        ("return Promise.resolve({});", Error("bad_result", PROMISE)),
        ("return {data: {get a() { throw new Error('getter'); }}};", Error("bad_result", "getter", 2, 32)),
        ("return {data: {s: 'x'.repeat(70000)}};", Error("too_large", TOO_LARGE)),
    ],
)
async def test_a_failure_is_told_with_its_place(decode: Decode, body: str, expected: Error) -> None:
    result = await decode("function decodeUplink(input) {\n" + body + "\n}")
    assert (result.error, result.samples) == (expected, [])


async def test_a_circular_result_is_refused(decode: Decode) -> None:
    result = await decode("function decodeUplink() { var a = {}; a.a = a; return {data: a}; }")
    assert result.error is not None
    assert result.error.reason == "bad_result"
    assert result.error.message.startswith("Converting circular structure to JSON")


async def test_data_beside_errors_is_kept_for_display(decode: Decode) -> None:
    result = await decode("function decodeUplink() { return {data: {a: 1}, errors: ['old'], warnings: ['w']}; }")
    assert (result.data_json, result.samples, result.warnings) == (b'{"a":1}', [], ["w"])


async def test_one_bad_uplink_costs_its_neighbours_nothing(pool: Pool) -> None:
    source = "function Decoder(bytes) { if (bytes[0] === 3) throw new Error('three'); return {n: bytes[0]}; }"
    results = await pool.decode(key_of(source), source, [request(bytes([n])) for n in range(1, 6)])
    assert [result.error.message if result.error else data_of(result) for result in results] == [
        {"n": 1},
        {"n": 2},
        "three",
        {"n": 4},
        {"n": 5},
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("function decodeUplink(input) {\n  return {data: {}};\n", Error("syntax", "Unexpected end of input", 3, 1)),
        ("var a = 1;\nvar b = ;\n", Error("syntax", "Unexpected token ';'", 2, 9)),
        ("let a = 1;\n let a = 2;", Error("syntax", "Identifier 'a' has already been declared", 2, 6)),
        (
            "var state = 0;\nfunction decodeUplink() { state++; }\nvar b = ;",
            Error("syntax", "Unexpected token ';'", 3, 9),
        ),
        ("return {a: 1};", Error("syntax", RETURN, 1, 1)),
        ("var x = 1;\nfoo.bar();", Error("exception", "ReferenceError: foo is not defined", 2, 1)),
        ("\n var fs = require('../decode.js');", Error("exception", "require('../decode.js') " + REQUIRE, 2, 11)),
        ("async function decodeUplink() {}", Error("syntax", ASYNC, 1, 1)),
        ("function encodeDownlink(input) { return {bytes: []}; }", Error("syntax", NO_FUNCTION)),
        ("while (true) {}", Error("timeout", "the script ran longer than 500 ms")),
    ],
)
async def test_check_finds_the_problem_of_a_script(pool: Pool, source: str, expected: Error) -> None:
    assert await pool.check(source) == CheckReport(problem=expected)


async def test_check_refuses_what_no_worker_should_get(pool: Pool) -> None:
    problem = (await pool.check("//" + "x" * 600_000)).problem
    assert problem == Error("too_large", "the script is 600002 bytes, at most 524288 are accepted")


async def test_check_reports_what_a_script_is(pool: Pool) -> None:
    source = "var n = 0; function Decoder(b) { n++; return {n: n}; } function Encoder(o) { return []; }"
    assert await pool.check(source) == CheckReport("ttn2", ("Decoder", "Encoder"), True)


async def test_a_script_that_cannot_be_loaded_fails_every_uplink_with_the_reason(pool: Pool) -> None:
    source = "var b = ;"
    results = await pool.decode(key_of(source), source, [request(), request()])
    assert results == [Result(error=Error("syntax", "Unexpected token ';'", 1, 9))] * 2


async def test_state_does_not_pass_from_one_device_to_another(pool: Pool) -> None:
    scripts = [
        "var data = {}; function decodeUplink(i) { if (i.bytes[0]) data.secret = i.bytes[0]; return {data: data}; }",
        "let data = {}; function decodeUplink(i) { if (i.bytes[0]) data.secret = i.bytes[0]; return {data: data}; }",
        "const seen = []; function Decoder(b) { if (b[0]) seen.push(b[0]); return {n: seen.length, seen: seen}; }",
        "function Decoder(b) { if (b[0]) secret = b[0]; return {s: typeof secret}; }",
        "function Decoder(b) { if (b[0]) this.secret = b[0]; return {s: typeof this.secret}; }",
        "function Decoder(b) { Decoder.n = (Decoder.n || 0) + b[0]; return {n: Decoder.n}; }",
        "var D = {last: 0, read: function (b) { if (b) this.last = b; return this.last; }};"
        "function Decoder(b) { return {n: D.read(b[0])}; }",
    ]
    for source in scripts:
        alone = await pool.decode(key_of(source + "//"), source + "//", [request(b"\x00", dev_eui="b" * 16)])
        first, second = await pool.decode(
            key_of(source), source, [request(b"\x2a", dev_eui="a" * 16), request(b"\x00", dev_eui="b" * 16)]
        )
        third = (await pool.decode(key_of(source), source, [request(b"\x00", dev_eui="c" * 16)]))[0]
        assert data_of(first) != data_of(alone[0])
        assert data_of(second) == data_of(alone[0]), source
        assert data_of(third) == data_of(alone[0]), source


async def test_codecs_do_not_see_each_other(decode: Decode) -> None:
    await decode("globalThis.leak = 1; Array.prototype.leak = 2; function Decoder(b) { return {a: 1}; }")
    source = "function Decoder(b) { return {g: typeof leak, p: typeof [].leak}; }"
    assert data_of(await decode(source)) == {"g": "undefined", "p": "undefined"}


async def test_an_empty_payload_is_not_decoded(pool: Pool) -> None:
    source = "function Decoder(b) { return {n: b.length}; }"
    results = await pool.decode(key_of(source), source, [request(b""), request(b"\x01"), request(b"")])
    assert [result.data_json for result in results] == [b"", b'{"n":1}', b""]
    assert await pool.decode(key_of(source), source, [request(b"")]) == [Result()]
    assert await pool.decode(key_of(source), source, []) == []


async def test_cayenne_lpp_is_built_in(pool: Pool) -> None:
    requests = [request(bytes.fromhex("03670110056700FF")), request(b"\x03")]
    good, bad = await pool.decode("builtin:cayenne-lpp", "", requests)
    assert good.samples == [("temperature_3", 27.2, "°C", None), ("temperature_5", 25.5, "°C", None)]
    assert good.data_json == (
        '{"temperature_3":{"value":27.2,"unit":"°C"},"temperature_5":{"value":25.5,"unit":"°C"}}'.encode()
    )
    assert bad.error == Error("bad_result", "octet 0 is a channel without a type")


async def test_more_versions_than_a_worker_keeps_are_all_served(pool: Pool) -> None:
    scripts = [f"function Decoder(b) {{ return {{n: {n} + b[0]}}; }}" for n in range(70)]
    for _ in range(2):
        for n, source in enumerate(scripts):
            result = (await pool.decode(key_of(source), source, [request(b"\x01")]))[0]
            assert data_of(result) == {"n": n + 1}
