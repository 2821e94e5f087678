"""What a script finds in its realm. Expected values are those of node 20."""

import json

import pytest

from tests.decoders.conftest import Decode

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def evaluate(decode: Decode, expression: str, **more) -> object:
    result = await decode("function decodeUplink(input) { return {data: {v: (" + expression + ")}}; }", **more)
    assert result.error is None, result.error
    return json.loads(result.data_json).get("v")


BUFFER = [
    ("Buffer.from('0aff0G11', 'hex')", {"type": "Buffer", "data": [10, 255]}),
    ("Buffer.from('aGk=', 'base64').toString()", "hi"),
    ("Buffer.from('hé€😀').toString('hex')", "68c3a9e282acf09f9880"),
    ("Buffer.from([104, 195, 169, 226, 130, 172, 240, 159, 152, 128]).toString()", "hé€😀"),
    ("Buffer.from([0xff, 0x41, 0xc3]).toString()", "�A�"),
    ("Buffer.from([200, 65]).toString('ascii')", "HA"),
    ("Buffer.from([200, 65]).toString('latin1')", "ÈA"),
    ("Buffer.from([251, 255]).toString('base64') + Buffer.from([251, 255]).toString('base64url')", "+/8=-_8"),
    ("new Buffer([1, 2, 3]).slice(1).toString('hex')", "0203"),
    ("Buffer.alloc(3, 7).equals(Buffer.from([7, 7, 7]))", True),
    ("Buffer.concat([Buffer.from([1]), Buffer.from([2, 3])]).length", 3),
    ("Buffer.isBuffer(Buffer.alloc(1)) && !Buffer.isBuffer([1])", True),
    ("Buffer.from([0xff, 0xfe]).readInt16BE(0)", -2),
    ("Buffer.from([0xff, 0xfe]).readUInt16LE()", 0xFEFF),
    ("Buffer.from([0x80, 0, 0, 1]).readInt32BE() + Buffer.from([0x80, 0, 0, 1]).readUint32BE()", 2),
    ("Buffer.from([0xff]).readInt8(0)", -1),
    ("Buffer.from([1, 2, 3]).readUIntBE(0, 3)", 0x010203),
    ("Buffer.from([0xfe, 0xff, 0xff]).readIntLE(0, 3)", -2),
    ("Buffer.from([0x41, 0x48, 0, 0]).readFloatBE(0)", 12.5),
    ("Buffer.from([0, 0, 0, 0, 0, 0, 0x29, 0x40]).readDoubleLE(0)", 12.5),
    ("Buffer.from([0, 0, 0, 0, 0, 0, 1, 0]).readBigUInt64BE(0)", 256),
    ("(function () { var b = Buffer.alloc(4); b.writeInt16LE(-2, 1); return b.toString('hex'); })()", "00feff00"),
    ("(function () { var b = Buffer.alloc(4); b.write('ab', 1); return b.toString('hex'); })()", "00616200"),
    ("(function () { try { Buffer.alloc(1).readUInt16BE(0); } catch (e) { return e.code; } })()", "ERR_OUT_OF_RANGE"),
    ("require('buffer').Buffer === Buffer", True),
    ("atob('aGk=') + btoa('hi')", "hiaGk="),
    ("new TextDecoder().decode(new Uint8Array([104, 105]))", "hi"),
    ("Array.from(new TextEncoder().encode('é'))", [195, 169]),
]


@pytest.mark.parametrize(("expression", "expected"), BUFFER)
async def test_buffer_and_text_behave_as_in_node(decode: Decode, expression: str, expected: object) -> None:
    assert await evaluate(decode, expression) == expected


async def test_the_clock_is_the_uplinks(decode: Decode) -> None:
    expression = """[
      Date.now(), new Date().toISOString(), +new Date(2020, 0, 1), Date.UTC(2020, 0), new Date(5).getTime(),
      Date(), new Date() instanceof Date, new Date().constructor === Date, Date.name,
      new Date(2020, 0).getTimezoneOffset()]"""
    assert await evaluate(decode, expression) == [
        1768471200000,
        "2026-01-15T10:00:00.000Z",
        1577836800000,
        1577836800000,
        5,
        "Thu Jan 15 2026 10:00:00 GMT+0000 (Coordinated Universal Time)",
        True,
        True,
        "Date",
        0,
    ]


async def test_chance_repeats_for_the_same_uplink_only(decode: Decode) -> None:
    expression = "[Math.random(), Math.random()]"
    first = await evaluate(decode, expression, fcnt=1)
    assert first == await evaluate(decode, expression, fcnt=1)
    others = [await evaluate(decode, expression, fcnt=2), await evaluate(decode, expression, dev_eui="00")]
    assert first not in others
    numbers = [number for pair in (first, *others) for number in pair]
    assert len(set(numbers)) == 6
    assert all(0 <= number < 1 for number in numbers)


async def test_console_lines_are_kept_within_limits(decode: Decode) -> None:
    source = """function Decoder(b) {
      console.log('a', 1, {b: [2]}, undefined, null); console.warn('w'); console.error(new Error('x').message);
      if (b[0] > 1) for (var i = 0; i < 500; i++) console.info('x'.repeat(5000));
      return {}; }"""
    assert (await decode(source)).logs == ['a 1 {"b":[2]} undefined null', "warn: w", "error: x"]
    logs = (await decode(source, b"\x02")).logs
    assert len(logs) == 100
    assert logs[-1] == "x" * 1000
    assert (await decode(source)).logs[1:] == ["warn: w", "error: x"]


async def test_console_lines_of_a_failed_uplink_are_kept(decode: Decode) -> None:
    result = await decode("function Decoder(b) { console.log('before'); throw new Error('no'); }")
    assert result.logs == ["before"]


async def test_nothing_reaches_outside_the_realm(decode: Decode) -> None:
    names = "WebAssembly SharedArrayBuffer Atomics setTimeout clearTimeout __timer_manager FinalizationRegistry WeakRef"
    expression = (
        "'%s process fetch Deno'.split(' ').filter(function (n) { return typeof globalThis[n] !== 'undefined'; })"
    )
    assert await evaluate(decode, expression % names) == []
