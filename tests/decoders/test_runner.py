"""One script, once."""

from decoders.contract import Error
from decoders.runner import run_once
from tests.decoders.conftest import RECEIVED_US


async def test_a_script_is_run_once_without_a_server() -> None:
    source = """function Decode(port, bytes, variables) {
      console.log('hello');
      return {t: {value: bytes[0] / 2, unit: variables.unit}, at: new Date().toISOString(), port: port};
    }"""
    result = await run_once(source, b"\x2b", 3, RECEIVED_US, {"unit": "°C"})
    assert result.error is None
    assert result.samples == [
        ("t", 21.5, "°C", None),
        ("at", "2026-01-15T10:00:00.000Z", None, None),
        ("port", 3.0, None, None),
    ]
    assert result.logs == ["hello"]
    assert result.duration_us > 0


async def test_a_script_with_a_mistake_is_told_where() -> None:
    result = await run_once("function Decoder(bytes) {\n  return {a: };\n}", b"\x01", 1, RECEIVED_US)
    assert result.error == Error("syntax", "Unexpected token '}'", 2, 14)
