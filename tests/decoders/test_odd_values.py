"""What scripts return that is no plain data: it becomes a value or a clear error, and what comes out is always JSON."""

import json
import math
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decoders.contract import Result
from decoders.pool import Pool
from tests.decoders.conftest import Decode, key_of, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALUES: dict[str, tuple[str, object]] = {
    "NaN": ("NaN", None),
    "Infinity": ("[Infinity, -Infinity]", [None, None]),
    "minus zero": ("-0", 0),
    "undefined in a list": ("[undefined, 1]", [None, 1]),
    "small BigInt": ("5n", 5),
    "large BigInt": ("2n ** 64n", "18446744073709551616"),
    "negative BigInt": ("-(2n ** 64n)", "-18446744073709551616"),
    "Date": ("new Date(0)", "1970-01-01T00:00:00.000Z"),
    "invalid Date": ("new Date(NaN)", None),
    "Map": ("new Map([['a', 1], ['b', new Map([[2, 3]])]])", {"a": 1, "b": {"2": 3}}),
    "Set": ("new Set([1, 2, 2])", [1, 2]),
    "WeakMap": ("new WeakMap()", {}),
    "Uint8Array": ("new Uint8Array([1, 2])", [1, 2]),
    "Float32Array": ("new Float32Array([1.5, NaN])", [1.5, None]),
    "BigInt64Array": ("new BigInt64Array([-1n])", [-1]),
    "ArrayBuffer": ("new Uint8Array([7, 8]).buffer", [7, 8]),
    "Buffer": ("Buffer.from([1])", {"type": "Buffer", "data": [1]}),
    "regular expression": ("/a+/g", "/a+/g"),
    "boxed": ("[new Number(1), new String('s'), new Boolean(false)]", [1, "s", False]),
    "Error": ("new Error('e')", {}),
    "sparse list": ("(function () { var a = []; a[2] = 1; return a; })()", [None, None, 1]),
    "list with a key": ("Object.assign([1], {k: 2})", [1]),
    "getter": ("({get g() { return 3; }})", {"g": 3}),
    "inherited": ("Object.create({hidden: 1}, {seen: {value: 2, enumerable: true}})", {"seen": 2}),
    "no prototype": ("Object.assign(Object.create(null), {k: 1})", {"k": 1}),
    "class": ("new (class { constructor() { this.a = 1; } get b() { return 2; } })()", {"a": 1}),
    "frozen": ("Object.freeze({a: Object.freeze([1])})", {"a": [1]}),
    "proxy": ("new Proxy({a: 1}, {})", {"a": 1}),
    "proxy that answers": ("new Proxy({}, {ownKeys: () => ['x'], getOwnPropertyDescriptor: () => ({enumerable: true, "
    "configurable: true}), get: (t, k) => k === 'x' ? 4 : undefined})", {"x": 4}),
    "toJSON": ("({toJSON: function () { return {made: 1}; }})", {"made": 1}),
    "lone surrogates": ("'\\ud800 \\udc00 \\ud83d\\ude00'", "� � 😀"),
    "key of a lone surrogate": ("({'\\udfff': 1})", {"�": 1}),
    "control characters": ("'\\u0000\\u001f\\u2028'", "\x00\x1f\u2028"),
    "key __proto__": ("JSON.parse('{\"__proto__\": {\"a\": 1}}')", {"__proto__": {"a": 1}}),
}  # fmt: skip

GONE = ["undefined", "function () {}", "Symbol('s')", "Symbol.iterator"]

FAILURES = {
    "throwing getter": ("({get g() { throw new Error('getter'); }})", "bad_result", "getter"),
    "throwing toJSON": ("({toJSON() { throw new Error('no JSON'); }})", "bad_result", "no JSON"),
    "throwing proxy": ("new Proxy({}, {ownKeys() { throw new Error('trap'); }})", "bad_result", "trap"),
    "revoked proxy": ("(function () { var p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()", "bad_result",
                      "Cannot perform 'get' on a proxy that has been revoked"),
    "cycle": ("(function () { var a = []; a.push(a); return a; })()", "bad_result",
              "Converting circular structure to JSON"),
    "deep nesting": ("(function () { var a = {}; for (var i = 0; i < 1e5; i++) a = {a: a}; return a; })()",
                     "too_large", "the decoded data is 600008 characters of JSON, at most 65536 are kept"),
    "throws undefined": ("(function () { throw undefined; })()", "exception", "undefined"),
    "throws a proxy": ("(function () { throw new Proxy({}, {get() { throw 1; }}); })()", "exception",
                       "the script threw a value that cannot be printed"),
    "string of 10 MB": ("'x'.repeat(1e7)", "too_large",
                        "the decoded data is 10000008 characters of JSON, at most 65536 are kept"),
    "key of 10 MB": ("({['k'.repeat(1e7)]: 1})", "too_large",
                     "the decoded data is 10000012 characters of JSON, at most 65536 are kept"),
    "million entries": ("new Array(1e6).fill(1)", "too_large",
                        "the decoded data is 2000007 characters of JSON, at most 65536 are kept"),
}  # fmt: skip


async def returned(decode: Decode, expression: str) -> Result:
    """An uplink decoded to {v: expression}."""
    return await decode("function decodeUplink(input) { return {data: {v: (" + expression + ")}}; }")


@pytest.mark.parametrize("name", VALUES)
async def test_an_odd_value_becomes_json(decode: Decode, name: str) -> None:
    expression, expected = VALUES[name]
    result = await returned(decode, expression)
    assert result.error is None
    assert json.loads(result.data_json) == {"v": expected}


@pytest.mark.parametrize("expression", GONE)
async def test_what_has_no_json_is_left_out(decode: Decode, expression: str) -> None:
    result = await returned(decode, expression)
    assert (result.error, result.data_json) == (None, b"{}")


@pytest.mark.parametrize("name", FAILURES)
async def test_what_cannot_be_kept_is_a_clear_error(decode: Decode, name: str) -> None:
    expression, reason, message = FAILURES[name]
    result = await returned(decode, expression)
    assert result.error is not None
    assert (result.error.reason, result.error.message[: len(message)]) == (reason, message)
    assert len(result.error.message) <= 500
    assert result.samples == []


async def test_messages_have_limits(decode: Decode) -> None:
    source = """function decodeUplink(input) {
      var many = []; for (var i = 0; i < 1000; i++) many.push('w'.repeat(1e5));
      return {data: {}, warnings: many};
    }"""
    warnings = (await decode(source)).warnings
    assert (len(warnings), max(map(len, warnings))) == (100, 500)
    error = (await decode("function decodeUplink() { throw new Error('x'.repeat(1e7)); }")).error
    assert error is not None
    assert len(error.message) == 500


@pytest.mark.parametrize(
    "value", ["5", "'text'", "true", "null", "undefined", "NaN", "Symbol()", "function () {}", "10n"]
)
async def test_what_is_no_object_is_no_result(decode: Decode, value: str) -> None:
    error = (await decode("function decodeUplink() { return " + value + "; }")).error
    assert error is not None
    assert error.reason == "bad_result"


ECHO = """function decodeUplink(input) {
  return {data: {v: JSON.parse(Buffer.from(input.bytes).toString())}};
}"""

_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)  # without surrogates
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def echo(pool: Pool) -> Decode:
    """Sends a value through a script."""

    async def one(*texts: bytes) -> list[Result]:
        return await pool.decode(key_of(ECHO), ECHO, [request(text) for text in texts])

    return one


def alike(left: Any, right: Any) -> bool:
    """Equal, as far as a double can tell."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(alike(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, int | float) and isinstance(right, int | float) and not isinstance(left, bool):
        return math.isclose(left, right, rel_tol=1e-15)
    return bool(left == right)


_SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_SETTINGS
@given(values=st.lists(_JSON, min_size=1, max_size=8))
async def test_any_json_survives(echo: Decode, values: list[Any]) -> None:
    results = await echo(*(json.dumps(value, ensure_ascii=False).encode() for value in values))
    assert [result.error for result in results] == [None] * len(values)
    assert alike([json.loads(result.data_json) for result in results], [{"v": value} for value in values])


_ODD = st.recursive(
    st.sampled_from([expression for expression, _ in VALUES.values()] + GONE),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: f"[{', '.join(parts)}]"),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda parts: "({" + ", ".join(f"{key}: {part}" for key, part in parts.items()) + "})"
        ),
        inner.map(lambda part: f"new Map([['k', {part}]])"),
        inner.map(lambda part: f"new Proxy({{p: {part}}}, {{}})"),
    ),
    max_leaves=10,
)


@_SETTINGS
@given(expression=_ODD)
async def test_any_mixture_of_odd_values_becomes_json(decode: Decode, expression: str) -> None:
    result = await returned(decode, expression)
    assert result.error is None
    assert isinstance(json.loads(result.data_json), dict)


async def test_a_batch_of_odd_results_keeps_its_order(pool: Pool) -> None:
    cases = "".join(f"case {n}: return {{data: {{v: ({case[0]})}}}};\n" for n, case in enumerate(VALUES.values()))
    source = "function decodeUplink(input) { switch (input.bytes[0]) {\n" + cases + "} }"
    results = await pool.decode(key_of(source), source, [request(bytes([n])) for n in range(len(VALUES))])
    assert [json.loads(result.data_json) for result in results] == [{"v": expected} for _, expected in VALUES.values()]
