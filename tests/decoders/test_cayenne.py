"""Cayenne LPP. The first four payloads are the examples of the myDevices documentation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.cayenne import CayenneError, decode
from decoders.normalise import flatten


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            "03670110056700FF",
            {"temperature_3": {"value": 27.2, "unit": "°C"}, "temperature_5": {"value": 25.5, "unit": "°C"}},
        ),
        (
            "0167FFD7067104D2FB2E0000",
            {
                "temperature_1": {"value": -4.1, "unit": "°C"},
                "accelerometer_6": {
                    "x": {"value": 1.234, "unit": "g"},
                    "y": {"value": -1.234, "unit": "g"},
                    "z": {"value": 0.0, "unit": "g"},
                },
            },
        ),
        (
            "018806765FF2960A0003E8",
            {
                "gps_1": {
                    "latitude": {"value": 42.3519, "unit": "°"},
                    "longitude": {"value": -87.9094, "unit": "°"},
                    "altitude": {"value": 10.0, "unit": "m"},
                }
            },
        ),
        ("", {}),
        ("020001", {"digital_in_2": 1.0}),
        ("0302FFFF", {"analog_in_3": -0.01}),
        ("0168A7", {"relative_humidity_1": {"value": 83.5, "unit": "%"}}),
        ("01732712", {"barometric_pressure_1": {"value": 1000.2, "unit": "hPa"}}),
        ("0174014A", {"voltage_1": {"value": 3.3, "unit": "V"}}),
        ("0187010203", {"colour_1": {"red": 1.0, "green": 2.0, "blue": 3.0}}),
    ],
)
def test_values_are_named_by_type_and_channel(payload: str, expected: dict) -> None:
    assert decode(bytes.fromhex(payload)) == expected


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ("03", "octet 0 is a channel without a type"),
        ("036701100505FF", "octet 5 is type 5, which Cayenne LPP does not have"),
        ("036701", "temperature_3 needs 2 octets, 1 are left"),
    ],
)
def test_other_payloads_are_refused_with_the_place(payload: str, text: str) -> None:
    with pytest.raises(CayenneError) as refusal:
        decode(bytes.fromhex(payload))
    assert str(refusal.value) == text


@given(st.binary(max_size=60))
def test_any_payload_is_values_or_a_refusal(payload: bytes) -> None:
    try:
        data = decode(payload)
    except CayenneError:
        return
    samples, warnings = flatten(data)
    assert not warnings
    assert all(type(value) is float for _, value, _, _ in samples)
