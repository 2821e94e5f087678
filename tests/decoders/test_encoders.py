"""What is encoded for a device, and read of what was encoded."""

import pytest

from decoders.contract import Downlink, Encoded, Error
from decoders.pool import Pool
from tests.decoders.conftest import RECEIVED_US, key_of, request
from tests.decoders.test_platforms import EUI, THINGPARK, TS013

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENCODERS = {
    "ts013": "function encodeDownlink(input) { return {bytes: [input.data.level, 255], fPort: 9, warnings: ['w']}; }",
    "port left to the queue": "function encodeDownlink(i) { return {bytes: Buffer.from([i.data.level, 255])}; }",
    "port of the queue": "function encodeDownlink(input) { return {bytes: [input.data.level, input.fPort + 245]}; }",
    "data beside data": "function encodeDownlink(i) { return [i.level, 252 + Object.keys(i).length]; }",
    "chirpstack3": "function Encode(fPort, obj, variables) { return [obj.level, Number(variables.k) + 247]; }",
    "ttn2": "function Encoder(obj, port) { return [obj.level, 255]; }",
}
PORTS = {"ts013": 9}
NOTED = {"ts013": ["w"]}


def downlink(data: str = '{"level": 5}', fport: int = 10) -> Downlink:
    """An object to encode."""
    return Downlink(data.encode(), fport, RECEIVED_US, EUI, 1, {"k": "8"})


@pytest.mark.parametrize("name", ENCODERS)
async def test_an_object_is_encoded(pool: Pool, name: str) -> None:
    source = TS013 + ENCODERS[name]
    made = await pool.encode_downlink(key_of(source), source, downlink())
    assert made == Encoded(b"\x05\xff", PORTS.get(name, 10), NOTED.get(name, []), None, [], made.duration_us)


async def test_a_thingpark_driver_is_given_the_bare_message(pool: Pool) -> None:
    made = await pool.encode_downlink(key_of(THINGPARK), THINGPARK, downlink())
    assert (made.payload, made.fport, made.error) == (b"\x05", 7, None)


@pytest.mark.parametrize(
    ("body", "reason", "message"),
    [
        ("return {errors: ['level is missing']};", "script_error", "level is missing"),
        ("throw new Error('level is missing');", "exception", "level is missing"),
        ("return {};", "exception", "the encoder returned no bytes"),
        ("return null;", "exception", "the encoder returned nothing, neither octets nor {bytes, fPort}"),
        ("return [1, 256];", "exception", "octet 1 is 256, it has to be 0 to 255"),
        ("return [-1];", "exception", "octet 0 is -1, it has to be 0 to 255"),
        ("return ['x'];", "exception", "octet 0 is x, it has to be 0 to 255"),
        ("return {bytes: [1], fPort: 224};", "exception", "fPort is 224, it has to be 1 to 223"),
        ("return new Array(1e6);", "exception", "the encoder returned 1000000 octets, at most 242 fit"),
        ("return {bytes: 'aabb'};", "exception", "the encoder returned no bytes"),
    ],
)
async def test_an_encoder_that_fails_says_why(pool: Pool, body: str, reason: str, message: str) -> None:
    source = TS013 + "function encodeDownlink(input) { " + body + " }"
    made = await pool.encode_downlink(key_of(source), source, downlink())
    assert made.error is not None
    assert (made.payload, made.error.reason, made.error.message) == (b"", reason, message)


async def test_a_broken_octet_is_cut_with_a_warning(pool: Pool) -> None:
    source = TS013 + "function Encoder(obj, port) { return [1.9]; }"
    made = await pool.encode_downlink(key_of(source), source, downlink())
    assert (made.payload, made.warnings) == (b"\x01", ["octet 0 is 1.9, it was cut to 1"])


async def test_without_an_encoder_that_is_said(pool: Pool) -> None:
    made = await pool.encode_downlink(key_of(TS013), TS013, downlink())
    assert made.error == Error("exception", "the script has no encodeDownlink, Encode or Encoder function")


async def test_octets_of_a_downlink_are_decoded(pool: Pool) -> None:
    source = TS013 + "function decodeDownlink(input) { return {data: {level: input.bytes[0], p: input.fPort}}; }"
    (result,) = await pool.decode_downlink(key_of(source), source, [request(b"\x05", 10)])
    assert (result.error, result.data_json) == (None, b'{"level":5,"p":10}')
    (result,) = await pool.decode_downlink(key_of(TS013), TS013, [request(b"\x05", 10)])
    assert result.error == Error("exception", "the script has no decodeDownlink function")
