"""What a script may know beyond the portable input, and the state of its device."""

import json

import msgspec
import pytest

from decoders.contract import MAX_STATE_LENGTH, Context, Error, Gateway, Request, Result
from decoders.conventions import CONTEXT_KEYS, wants
from decoders.pool import Pool
from decoders.waves import Last, is_chained, waves
from tests.decoders.conftest import Decode, key_of, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

EUI = "0102030405060708"
CONTEXT = Context(
    "cellar é",
    {"site": "north", "__proto__": "odd"},
    5,
    "SF7BW125",
    868_100_000,
    (Gateway("a" * 16, -71.5, 9.5, 47.1, 8.2, 430.0), Gateway("b" * 16)),
    '{"t":1}',
    "c" * 16,
    "houses",
    True,
)
SEEN = {
    "devEUI": EUI,
    "joinEUI": "c" * 16,
    "deviceName": "cellar é",
    "applicationName": "houses",
    "tags": {"site": "north", "__proto__": "odd"},
    "fCnt": 7,
    "dr": 5,
    "dataRate": "SF7BW125",
    "frequency": 868_100_000,
    "gateways": [
        {
            "gatewayId": "a" * 16,
            "rssi": -71.5,
            "snr": 9.5,
            "location": {"latitude": 47.1, "longitude": 8.2, "altitude": 430},
        },
        {"gatewayId": "b" * 16},
    ],
    "previous": {"t": 1},
    "time": "2026-01-15T10:00:00.000Z",
}


def data_of(result: Result) -> object:
    assert result.error is None, result.error
    return json.loads(result.data_json)


@pytest.mark.parametrize("key", SEEN)
async def test_the_input_has_more_than_the_portable_keys(decode: Decode, key: str) -> None:
    source = f"function decodeUplink(input) {{ return {{data: {{v: input.{key}}}}}; }}"
    result = await decode(source, dev_eui=EUI, context=CONTEXT)
    assert json.loads(result.data_json) == {"v": SEEN[key]}


async def test_without_a_context_the_keys_are_undefined(decode: Decode) -> None:
    source = "function decodeUplink(i) { return {data: {v: [%s].map(function (v) { return typeof v; })}}; }"
    source %= ", ".join(f"i.{key}" for key in CONTEXT_KEYS if key not in ("tags", "gateways"))
    assert data_of(await decode(source)) == {"v": ["undefined"] * 8}
    assert data_of(await decode("function decodeUplink(i) { return {t: i.tags, g: i.gateways}; }")) == {
        "t": {},
        "g": [],
    }


async def test_a_script_that_copies_or_prints_its_input_sees_the_portable_keys(decode: Decode) -> None:
    source = """function decodeUplink(input) {
      var own = []; for (var key in input) own.push(key);
      return {data: {own: own, copy: Object.keys(Object.assign({}, input)),
        json: Object.keys(JSON.parse(JSON.stringify(input))),
        plain: Object.prototype.toString.call(input), made: input.constructor === Object}};
    }"""
    portable = ["bytes", "fPort", "recvTime", "variables"]
    found = data_of(await decode(source, context=CONTEXT))
    assert found == {"own": portable, "copy": portable, "json": portable, "plain": "[object Object]", "made": True}


async def test_a_script_may_set_keys_of_its_own(decode: Decode) -> None:
    source = "function decodeUplink(i) { i.dr = 9; i.tags.site = 'south'; return {dr: i.dr, again: i.tags.site}; }"
    assert data_of(await decode(source, context=CONTEXT)) == {"dr": 9, "again": "north"}


async def test_context_does_not_pass_to_the_next_uplink(pool: Pool) -> None:
    source = "function decodeUplink(i) { return {name: i.deviceName || 'none', tags: i.tags, v: i.variables}; }"
    known = request(b"\x01", dev_eui="a" * 16, context=CONTEXT, variables={"k": "v"})
    both = await pool.decode(key_of(source), source, [known, request(b"\x01", dev_eui="b" * 16)])
    assert data_of(both[1]) == {"name": "none", "tags": {}, "v": {}}


async def test_what_a_script_mentions_tells_what_it_needs(pool: Pool) -> None:
    assert wants("function decodeUplink(i) { return {data: i.bytes}; } // gateways") == ()
    source = "function decodeUplink(i) { var {gateways} = i; return {n: gateways.length, t: i['tags']}; }"
    assert (await pool.check(source)).wants == wants(source) == ("tags", "gateways")
    assert wants("function Decoder(b) { return normalizedPayload; }") == CONTEXT_KEYS


COUNTING = """
var stateVersion = 2;
function migrateState(state, version) { return {n: state.n + 100, from: version}; }
function decodeUplink(input) {
  if (input.bytes[0] === 9) throw new Error('nine');
  input.state.n = (input.state.n || 0) + input.bytes[0];
  return {data: {n: input.state.n}};
}"""


async def test_a_state_is_there_again_with_the_devices_next_uplink(pool: Pool) -> None:
    assert (await pool.check(COUNTING)).keeps_state
    requests = [request(bytes([n]), dev_eui=eui * 16, state="") for n, eui in ((1, "a"), (2, "b"), (3, "a"), (4, "a"))]
    results = await pool.decode(key_of(COUNTING), COUNTING, requests)
    assert [data_of(result) for result in results] == [{"n": 1}, {"n": 2}, {"n": 4}, {"n": 8}]
    assert [result.state for result in results] == ['[2,{"n":1}]', '[2,{"n":2}]', '[2,{"n":4}]', '[2,{"n":8}]']


async def test_a_failed_uplink_leaves_the_state_as_it_was(pool: Pool) -> None:
    requests = [request(bytes([n]), state="") for n in (1, 9, 2)]
    results = await pool.decode(key_of(COUNTING), COUNTING, requests)
    assert [result.state for result in results] == ['[2,{"n":1}]', None, '[2,{"n":3}]']


async def test_a_state_of_another_version_is_migrated_or_forgotten(decode: Decode) -> None:
    assert (await decode(COUNTING, state='[1,{"n":5}]')).state == '[2,{"n":106,"from":1}]'
    plain = COUNTING.replace("function migrateState", "function other")
    assert (await decode(plain, state='[1,{"n":5}]')).state == '[2,{"n":1}]'


async def test_an_unchanged_state_is_not_written_again(decode: Decode) -> None:
    source = "var stateVersion = 1; function decodeUplink(i) { return {data: {n: i.state.n || 0}}; }"
    assert (await decode(source, state='[1,{"n":5}]')).state is None


async def test_a_script_that_asks_for_no_state_has_none(decode: Decode) -> None:
    source = "function decodeUplink(i) { return {s: typeof i.state}; }"
    assert data_of(await decode(source, state="")) == {"s": "undefined"}


async def test_where_no_state_is_kept_it_begins_empty_each_time(pool: Pool) -> None:
    results = await pool.decode(key_of(COUNTING), COUNTING, [request(b"\x01"), request(b"\x02")])
    assert [(data_of(result), result.state) for result in results] == [({"n": 1}, None), ({"n": 2}, None)]


async def test_a_state_has_a_limit(decode: Decode) -> None:
    source = "var stateVersion = 1; function decodeUplink(i) { i.state.s = 'x'.repeat(%d); return {}; }"
    fits = MAX_STATE_LENGTH - len('[1,{"s":""}]')
    assert len((await decode(source % fits, state="")).state or "") == MAX_STATE_LENGTH
    result = await decode(source % (fits + 1), state="")
    assert result.error == Error("bad_result", "the state is 4097 characters of JSON, at most 4096 are kept")
    assert result.state is None
    assert (await decode(source % (fits + 1))).error == result.error


async def test_previous_values_are_those_of_the_uplink_before(pool: Pool) -> None:
    source = "function decodeUplink(i) { return {n: i.bytes[0], before: i.previous ? i.previous.n : null}; }"
    context = Context(previous="")
    requests = [request(bytes([n]), dev_eui=eui * 16, context=context) for n, eui in ((1, "a"), (2, "b"), (3, "a"))]
    results = await pool.decode(key_of(source), source, requests)
    assert [data_of(result) for result in results] == [
        {"n": 1, "before": None},
        {"n": 2, "before": None},
        {"n": 3, "before": 1},
    ]


async def test_waves_keep_the_order_of_each_device() -> None:
    requests = [request(b"\x01", dev_eui=eui) for eui in "aabcab"]
    assert waves(requests) == [[0, 2, 3], [1, 5], [4]]
    assert waves([]) == []
    plain = request()
    assert [is_chained(one) for one in (plain, chained(state=""), chained(context=Context(previous="")))] == [
        False,
        True,
        True,
    ]


async def test_what_came_of_an_uplink_is_there_for_the_next_only_where_asked() -> None:
    last = Last()
    first = chained(state="", context=Context(previous=""))
    assert last.into(first) == first
    last.note(first, Result(b'{"n":1}', state="[1,{}]"))
    assert last.into(first) == chained(state="[1,{}]", context=Context(previous='{"n":1}'))
    assert last.into(request()) == request()
    last.note(first, Result(error=Error("exception", "no")))
    assert last.into(first) == chained(state="[1,{}]", context=Context(previous='{"n":1}'))


def chained(**more: object) -> Request:
    """A request with some of what is carried along."""
    return msgspec.structs.replace(request(), **more)
