"""Scripts as the authors of each platform write them: recognised, run unchanged, or set by hand."""

import json

import pytest

from decoders.contract import CheckReport, Context, Error, Gateway, Result
from decoders.conventions import CONVENTIONS, no_entry
from decoders.pool import Pool
from tests.decoders.conftest import RECEIVED_US, Decode, key_of, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

EUI = "0102030405060708"
CONTEXT = Context(
    "cellar",
    {"site": "north"},
    5,
    "SF7BW125",
    868_100_000,
    (Gateway("a" * 16, -71.0, 9.5, 47.1, 8.2, 430.0), Gateway("b" * 16)),
    '{"t":1}',
    "c" * 16,
    "houses",
    True,
)

TS013 = "function decodeUplink(input) { return {data: {t: input.bytes[0], p: input.fPort}}; }"
NORMALIZED = (
    TS013
    + """
function normalizeUplink(input) { return {data: [{air: {temperature: input.data.t / 10}}], warnings: ['rounded']}; }"""
)
TTN2 = """
function Decoder(bytes, port) { var decoded = {}; decoded.t = bytes[0]; decoded.p = port; return decoded; }
function Converter(decoded, port) { decoded.f = decoded.t * 2; return decoded; }
function Validator(converted, port) { return converted.t < 100; }"""
CHIRPSTACK3 = "function Decode(fPort, bytes, variables) { return {t: bytes[0], p: fPort, k: variables.k}; }"
CHIRPSTACK4 = """
import { Buffer } from "buffer";
export function decodeUplink(input) {
  const buffer = Buffer.from(input.bytes);
  return {data: {t: buffer.readUInt8(0), k: input.variables.k, at: input.recvTime.getTime()}};
}"""
DATACAKE = """
function Decoder(payload, port) {
  if (typeof normalizedPayload === 'undefined') return [];
  var best = normalizedPayload.gateways[0];
  return [
    {field: 'T', value: payload[0]}, {field: 'P', value: port, timestamp: 1768467600},
    {field: 'RSSI', value: best.rssi}, {field: 'PLACE', value: '(47.5,-8.25)'},
    {field: 'LIMIT', value: Number(configurationValues.k)},
    {field: 'OTHER', value: 1, device: 'ffffffffffffffff'}, {field: 'OWN', value: 2, device: normalizedPayload.deveui},
    {field: 'COUNTER', value: normalizedPayload.counter}, {field: 'RATE', value: normalizedPayload.data_rate}
  ];
}"""
HELIUM = """
function Decoder(bytes, port, uplink_info) {
  return {t: bytes[0], eui: uplink_info.dev_eui, app: uplink_info.app_eui, n: uplink_info.fcnt,
    at: uplink_info.reported_at, hotspots: uplink_info.hotspots.length};
}"""
MILESIGHT = """
function decodeUplink(input) { return milesight(input.bytes); }
function Decode(fPort, bytes) { return milesight(bytes); }
function Decoder(bytes, port) { return milesight(bytes); }
function milesight(bytes) { return {t: bytes[0], eui: LoRaObject.devEUI, sf: LoRaObject.txInfo.dataRate.spreadFactor}; }
if (!Object.assign) { Object.defineProperty(Object, 'assign', {value: function () {}}); }"""
THINGPARK = """
var driver = (function () {
  function decodeUplink(input) {
    if (input.bytes.length > 1) throw new Error('too long');
    return {t: input.bytes[0], at: input.time.toISOString()};
  }
  function encodeDownlink(message) { return {bytes: [message.level], fPort: 7}; }
  function extractPoints(input) { return {t: input.message.t}; }
  return {decodeUplink: decodeUplink, encodeDownlink: encodeDownlink, extractPoints: extractPoints};
})();"""
QUBITRO = "function decoder(input) { return {t: input.bytes[0], n: input.metadata.counter}; }"
BUNDLE = """
(function (root, factory) {
  if (typeof exports === 'object' && typeof module === 'object') module.exports = factory();
  else root.driver = factory();
})(typeof self !== 'undefined' ? self : this, function () {
  return {decodeUplink: function (input) { return {data: {t: input.bytes[0]}}; }};
});"""
SLOPPY = """
function Decoder(bytes, port) {
  decoded = {}; for (i = 0; i < bytes.length; i++) { decoded['b' + i] = bytes[i]; }
  decoded.octal = 010; delete decoded.none; return decoded;
}"""

PLACE = [("PLACE.latitude", 47.5, None, None), ("PLACE.longitude", -8.25, None, None)]
DATACAKE_SAMPLES = [
    ("T", 21.0, None, None),
    ("P", 2.0, None, 1_768_467_600_000_000),
    ("RSSI", -71.0, None, None),
    *PLACE,
    ("LIMIT", 8.0, None, None),
    ("OWN", 2.0, None, None),
    ("COUNTER", 7.0, None, None),
    ("RATE", "SF7BW125", None, None),
]

CASES = {
    "ts013": (TS013, "ts013", {"t": 21, "p": 2}),
    "ttn2": (TTN2, "ttn2", {"t": 21, "p": 2, "f": 42}),
    "chirpstack3": (CHIRPSTACK3, "chirpstack3", {"t": 21, "p": 2, "k": "8"}),
    "chirpstack4": (CHIRPSTACK4, "ts013", {"t": 21, "k": "8", "at": RECEIVED_US // 1000}),
    "helium": (
        HELIUM,
        "helium",
        {"t": 21, "eui": EUI.upper(), "app": "C" * 16, "n": 7, "at": RECEIVED_US // 1000, "hotspots": 2},
    ),
    "milesight": (MILESIGHT, "ts013", {"t": 21, "eui": EUI, "sf": 7}),
    "thingpark": (THINGPARK, "thingpark", {"t": 21, "at": "2026-01-15T10:00:00.000Z"}),
    "qubitro": (QUBITRO, "qubitro", {"t": 21, "n": 7}),
    "bundle": (BUNDLE, "ts013", {"t": 21}),
    "sloppy": (SLOPPY, "ttn2", {"b0": 21, "octal": 8}),
}


async def decoded(pool: Pool, source: str, convention: str | None = None, payload: bytes = b"\x15") -> Result:
    """An uplink of 21 on port 2 with everything that is known of it."""
    uplink = request(payload, 2, EUI, variables={"k": "8"}, context=CONTEXT)
    return (await pool.decode(key_of(source), source, [uplink], convention))[0]


@pytest.mark.parametrize(("source", "convention", "data"), CASES.values(), ids=CASES)
async def test_a_platforms_script_runs_unchanged(pool: Pool, source: str, convention: str, data: object) -> None:
    assert (await pool.check(source)).convention == convention
    for chosen in (None, convention):
        result = await decoded(pool, source, chosen)
        assert (result.error, json.loads(result.data_json)) == (None, data)


async def test_a_list_of_datacakes_becomes_fields_of_this_device(pool: Pool) -> None:
    assert (await pool.check(DATACAKE)).convention == "datacake"
    result = await decoded(pool, DATACAKE)
    assert result.samples == DATACAKE_SAMPLES
    assert result.warnings == ["1 value is meant for another device and was left out"]


async def test_a_list_of_datacakes_is_understood_without_its_globals_too(pool: Pool) -> None:
    source = "function Decoder(b) { return [{field: 'T', value: b[0]}, {field: 'PLACE', value: '(47.5,-8.25)'}]; }"
    result = await decoded(pool, source)
    assert result.samples == [("T", 21.0, None, None), *PLACE]


async def test_what_normalize_uplink_makes_comes_in_addition(pool: Pool) -> None:
    result = await decoded(pool, NORMALIZED)
    assert (result.data_json, result.normalized_json) == (b'{"t":21,"p":2}', b'[{"air":{"temperature":2.1}}]')
    assert result.warnings == ["rounded"]


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        ("throw new Error('no');", "normalizeUplink: no"),
        ("return {errors: ['unknown']};", "normalizeUplink: unknown"),
    ],
)
async def test_a_failing_normalize_uplink_is_a_warning(pool: Pool, body: str, warning: str) -> None:
    result = await decoded(pool, TS013 + "function normalizeUplink(input) { " + body + " }")
    assert (result.error, result.data_json, result.normalized_json) == (None, b'{"t":21,"p":2}', b"")
    assert result.warnings == [warning]


async def test_a_validator_may_refuse(pool: Pool) -> None:
    result = await decoded(pool, TTN2, payload=b"\xc8")
    assert result.error == Error("script_error", "the Validator of the script refused the values")


async def test_a_thingpark_driver_fails_by_throwing(pool: Pool) -> None:
    result = await decoded(pool, THINGPARK, payload=b"\x01\x02")
    assert result.error == Error("exception", "too long", 4, 39)


async def test_a_set_convention_goes_before_the_recognised_one(pool: Pool) -> None:
    source = "function decodeUplink(i) { return {by: 'ts013'}; } function Decoder(b, p) { return {by: 'ttn2'}; }"
    assert (await decoded(pool, source)).data_json == b'{"by":"ts013"}'
    assert (await decoded(pool, source, "ttn2")).data_json == b'{"by":"ttn2"}'
    assert (await pool.check(source, "ttn2")).convention == "ttn2"


async def test_a_set_convention_has_to_be_there(pool: Pool) -> None:
    missing = Error("syntax", "the script has no function Decode, as chirpstack3 asks for")
    assert await pool.check(TS013, "chirpstack3") == CheckReport(problem=missing)
    unknown = (await pool.check(TS013, "loriot")).problem
    assert unknown == Error("syntax", f"convention 'loriot' is none of {', '.join(CONVENTIONS)}")


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("function consume(event) { emit('sample', {}); }", "it looks like a script for Akenza"),
        ("var msg = {}; msgFactory.newMsg(msg);", "it looks like a flow function"),
        ("var result = decodeToJson(payload);", "it looks like a script for ThingsBoard"),
    ],
)
async def test_scripts_for_other_products_are_named(source: str, hint: str) -> None:
    assert hint in no_entry(source, None).message


async def test_the_time_of_the_input_is_a_date(decode: Decode) -> None:
    source = "function decodeUplink(i) { return {y: i.recvTime.getUTCFullYear(), t: typeof i.recvTime}; }"
    assert json.loads((await decode(source)).data_json) == {"y": 2026, "t": "object"}
